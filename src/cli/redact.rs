//! `dmaudit redact` and `dmaudit restore-names`.

use std::path::PathBuf;

use clap::Args;

use super::LimitArgs;

/// Replace every name in bundles by a stand-in, so that they can be sent.
///
/// Names of nodes, guests, storages, volume groups, snapshots and clusters, addresses, UUIDs and
/// serials get stand-ins, the same name the same one; descriptions and what the analysis does not
/// read are left out. The analysis of a redacted bundle gives the same verdicts and findings. The
/// mapping file tells the originals: keep it, and do not send it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dmaudit redact bundles/ -o to-send/ --mapping names.json
  dmaudit redact dmaudit-pve1-20261123T183645Z.zip -o to-send/ --mapping names.json

A mapping that exists is used and added to, so that later bundles have the same stand-ins.

Exit status:
  0  all bundles were redacted
  2  the command line was wrong, or a file could not be read or written
  3  at least one input was rejected; the others were redacted")]
pub struct Redact {
    /// Bundles, or folders to search; `-` for one bundle on standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Folder for the redacted bundles; made if it is missing
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,

    /// File with the stand-ins and their originals; made with mode 0600 if it is missing
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,

    /// How much of one input is read.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Put the original names back into a report or script of redacted bundles.
///
/// Without files, standard input goes to standard output. A script gets no name that would need
/// quoting in a shell: it is refused then.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dmaudit restore-names --mapping names.json < report.txt
  dmaudit restore-names --mapping names.json -o restored/ report/

Exit status:
  0  all names were put back
  2  the command line was wrong, or a file could not be read, written or restored")]
pub struct RestoreNames {
    /// The mapping file that redact wrote
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,

    /// Folder for the restored files; made if it is missing
    #[arg(short, long, value_name = "DIR", requires = "paths")]
    pub output: Option<PathBuf>,

    /// Files, or folders with files; they are not changed themselves
    #[arg(value_name = "FILE", requires = "output")]
    pub paths: Vec<PathBuf>,
}
