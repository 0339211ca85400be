//! `dmaudit verify`.

use std::path::PathBuf;

use clap::Args;

use super::values::Answer;

/// Check whether bundles are complete and unchanged.
///
/// Compares each bundle with its manifest (sizes and SHA-256), lists what is missing, failed or
/// was not read, and says what can't be concluded without it. Nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dmaudit verify dmaudit-pve1-20261123T183645Z.zip
  dmaudit verify bundles/ --format json | jq '.bundles[] | select(.state != \"complete\").bundle'

Exit status:
  0  all bundles are complete and unchanged
  1  evidence is missing, failed or was not read in at least one bundle
  2  the command line was wrong, or output could not be written
  3  at least one bundle is damaged or was changed, or an input was rejected")]
pub struct Verify {
    /// Bundles, or folders to search; `-` for one bundle on standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Answer::Text)]
    pub format: Answer,
}
