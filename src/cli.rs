//! The command line.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};

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
    /// Explain a check: what it means, how it comes about, what to do
    Explain(Explain),
}

/// Analyze bundles and report.
///
/// Bundles are .zip, .tar.gz, .tgz or .tar.zst files, or a bundle's unpacked folder; other
/// folders are searched for them. Nothing is unpacked to disk, and no network is used.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dmaudit analyze dmaudit-pve1-20261123T183645Z.zip
  dmaudit analyze bundles/ -o report          then open report/index.html
  dmaudit analyze bundles/ --format json | jq '.nodes[].grade'
  ssh root@pve1 'sh -s -- -o -' < collector/dmaudit-collect.sh | dmaudit analyze -

Exit status:
  0  all inputs were analyzed
  1  a finding at or above --fail-on
  2  the command line was wrong, or output could not be written
  3  at least one input was rejected; the others are analyzed and reported")]
pub struct Analyze {
    /// Bundles, or folders to search; `-` for one bundle on standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Write index.html, a page per node and cluster, report.json and cleanup/cleanup-NODE.sh here
    ///
    /// The folder is made if it is missing; files of an earlier run are replaced one by one,
    /// and its cleanup scripts removed.
    /// Without this option no file is written.
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// End with status 1 if there is a finding of this severity or worse
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,

    /// Take this for the current time (RFC 3339), for repeatable output
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub now: Option<DateTime<Utc>>,

    /// Use this many threads
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// What goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A summary for people
    Text,
    /// The whole report for programs (schema 1, as in report.json)
    Json,
}

/// The least severity that makes the exit status 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Critical findings only
    Critical,
    /// Warnings, too
    Warning,
    /// Any finding
    Info,
}

/// Explain a check.
#[derive(Debug, Args)]
pub struct Explain {
    /// The check's name, as reports print it; without it, all checks are listed
    #[arg(value_name = "CHECK")]
    pub check: Option<String>,
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.with_timezone(&Utc))
        .map_err(|_| "expected a time like 2026-11-23T18:36:45Z".to_owned())
}
