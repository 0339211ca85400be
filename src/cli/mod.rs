//! The command line: what users type and what `--help` says, a file for each
//! subcommand.

mod analyze;
mod collect;
mod config;
mod diff;
mod explain;
mod facts;
mod limits;
mod mail;
mod redact;
pub mod reference;
mod shell;
mod values;
mod verify;

use clap::{Parser, Subcommand};

pub use self::diff::{Diff, FailOnChange};
pub use analyze::{Analyze, FailOn, Format};
pub use collect::{ClusterBy, Collect, CollectFormat};
pub use config::ConfigArgs;
pub use explain::Explain;
pub use facts::Facts;
pub use limits::LimitArgs;
pub use mail::{Attach, Mail, TlsMode};
pub use redact::{Redact, RestoreNames};
pub use shell::{Completions, Man};
pub use values::Answer;
pub use verify::Verify;

/// Audits the device-mapper state of Proxmox VE nodes from snapshots.
///
/// A snapshot ("bundle") is made on a node by collector/dmaudit-collect.sh, which only reads.
/// dmaudit reads any number of bundles, offline, and says of every device-mapper entry whether
/// it is valid, duplicate, orphaned, stale or overlapping, and why. It never changes a node:
/// what it proposes it writes into a cleanup script that a person reviews and runs.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Analyze bundles and report
    Analyze(Analyze),
    /// Collect bundles from many nodes over ssh
    Collect(Collect),
    /// Compare the same nodes at two times: what was resolved, what is new
    Diff(Diff),
    /// Explain a check: what it means, how it comes about, what to do
    Explain(Explain),
    /// Turn bundles into facts, to be analyzed elsewhere
    Facts(Facts),
    /// Check whether bundles are complete and unchanged
    Verify(Verify),
    /// Replace every name in bundles by a stand-in
    Redact(Redact),
    /// Put the original names back into a report
    RestoreNames(RestoreNames),
    /// Send the report as an e-mail, or write it to a file
    Mail(Box<Mail>),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print the manual page, or write the pages of all commands
    Man(Man),
}
