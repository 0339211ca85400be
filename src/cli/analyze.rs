//! `dmaudit analyze`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};

use super::values::time;
use super::{ConfigArgs, LimitArgs};

/// Analyze bundles and report.
///
/// Bundles are .zip, .tar.gz, .tgz or .tar.zst files, or a bundle's unpacked folder; other
/// folders are searched for them. A pvereport's text (also .gz or .xz) and a sosreport (.tar.xz,
/// .tar.gz or unpacked) are read as far as they go: no cleanup script is made of them. Facts that
/// `dmaudit facts` made (.dmfacts, .dmfacts.gz) count as the bundles that they were made of.
/// No bundle is unpacked to disk, and no network is used.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dmaudit analyze dmaudit-pve1-20261123T183645Z.zip
  dmaudit analyze bundles/ -o report          then open report/index.html
  dmaudit analyze pve1-pvereport.txt          verdicts from a support ticket's text
  dmaudit analyze bundles/ --format json | jq '.nodes[].grade'
  dmaudit analyze bundles/ --csv tables       for a spreadsheet or a database
  dmaudit analyze fleet.dmfacts -o report     joins what `dmaudit facts` made elsewhere
  ssh root@pve1 'sh -s -- -o -' < collector/dmaudit-collect.sh | dmaudit analyze -

Exit status:
  0  all inputs were analyzed
  1  a finding at or above --fail-on
  2  the command line was wrong, or output could not be written
  3  at least one input was rejected; the others are analyzed and reported
  129, 130, 143  it was interrupted or terminated; no file is left half written

Exit status with --format nagios:
  0  OK; 1  WARNING: a warning; 2  CRITICAL: a critical finding
  3  UNKNOWN: nothing worse, but an input was rejected, a node has no grade, or the run failed")]
pub struct Analyze {
    /// Bundles, pvereports, sosreports, facts, or folders to search; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Write index.html, a page per node and cluster, report.json and cleanup/cleanup-NODE.sh here
    ///
    /// The folder is made if it is missing; files of an earlier run are replaced one by one,
    /// and its cleanup scripts removed.
    /// Without this option no file is written.
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Write nodes.csv, entries.csv, guests.csv and findings.csv here
    ///
    /// For spreadsheets and databases: the column `id` joins them. No cell is taken for a formula.
    #[arg(long, value_name = "DIR")]
    pub csv: Option<PathBuf>,

    /// Write nodes.parquet, entries.parquet, guests.parquet and findings.parquet here
    ///
    /// The same tables for DuckDB, DataFusion and Spark. Only in a dmaudit built with
    /// `--features parquet`.
    #[arg(long, value_name = "DIR")]
    pub parquet: Option<PathBuf>,

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

    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// How much of one input is read.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// What goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A summary for people
    Text,
    /// The whole report for programs (schema 1, as in report.json)
    Json,
    /// The same, a line for each node, each cluster and each rejected input
    Ndjson,
    /// Metrics for node_exporter's textfile collector
    Prometheus,
    /// One line with performance data; the exit status is a Nagios plugin's
    Nagios,
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
