//! `dmaudit diff`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};

use super::values::time;
use super::{Answer, ConfigArgs, LimitArgs};

/// Compare the same nodes at two times: what was resolved, what is new, what is still there
///
/// BEFORE and AFTER are each a bundle, a folder of bundles, or a report.json. What the later
/// evidence can't tell is unknown, not resolved. The answer to 'did it work?' is the first line.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dmaudit diff before.zip after.zip              did the cleanup work?
  dmaudit diff monday/ friday/ --html diff.html
  dmaudit diff report/report.json bundles/ --fail-on new
  dmaudit diff before.zip after.zip --fail-on new,remaining && echo clean

Exit status:
  0  the nodes were compared
  1  --fail-on: there is a finding of that kind
  2  the command line was wrong, or output could not be written
  3  at least one input was rejected; the others are compared")]
pub struct Diff {
    /// The earlier bundle, folder of bundles, or report.json
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,

    /// The later one
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,

    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Answer::Text)]
    pub format: Answer,

    /// Write the comparison as one self-contained page here
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// End with status 1 if there is a finding of this kind; may be a list
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    pub fail_on: Vec<FailOnChange>,

    /// Take this for the current time (RFC 3339), for repeatable output
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub now: Option<DateTime<Utc>>,

    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// How much of one input is read.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// What makes the exit status 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOnChange {
    /// A finding that was not there before, or is more severe than before
    New,
    /// A finding that is still there, or of which that can't be told
    Remaining,
}
