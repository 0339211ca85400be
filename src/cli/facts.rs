//! `dmaudit facts`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::Args;

use super::values::time;
use super::{ConfigArgs, LimitArgs};

/// Turn bundles into facts: what the analysis keeps of a node.
///
/// A line of JSON for each bundle, older ones of a node, too. `dmaudit analyze` reads facts as it
/// reads bundles, alone or beside them, with the same result; so bundles can be read where they
/// are, on many machines, and joined elsewhere. Joining a cluster needs the facts of its nodes
/// only. Name the file .dmfacts, so that a search of its folder finds it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dmaudit facts site-a/ -o site-a.dmfacts
  dmaudit facts bundles/ | gzip > fleet.dmfacts.gz
  dmaudit analyze site-a.dmfacts site-b.dmfacts -o report
  dmaudit facts bundles/ | jq -r '.signature | [.cluster, .node, .collected_at] | @tsv'

Exit status:
  0  the facts of all inputs were written
  2  the command line was wrong, or output could not be written
  3  at least one input was rejected; the facts of the others are written
  129, 130, 143  it was interrupted or terminated; no file is left half written")]
pub struct Facts {
    /// Bundles or facts, or folders to search; `-` for one on standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Write the facts to this file, whole or not at all, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// What reports call the bundle on standard input
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,

    /// Take this for the current time (RFC 3339), for repeatable output
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub now: Option<DateTime<Utc>>,

    /// Use so many threads instead of one for each core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,

    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// How much of one input is read.
    #[command(flatten)]
    pub limits: LimitArgs,
}
