//! `dmaudit mail`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{ArgGroup, Args, ValueEnum};

use super::values::time;
use super::{ConfigArgs, FailOn, LimitArgs};

/// Send the report as an e-mail, or write it to a file.
///
/// The mail has the grades, the worst issues with what to do, what can't be concluded, and the
/// next steps, as HTML and as plain text. Secrets are never arguments: the password comes from
/// --password-file or DMAUDIT_SMTP_PASSWORD.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("target").required(true).args(["eml", "smtp"]),
    after_help = "\
Examples:
  dmaudit mail pve1.zip --from audit@example.com --to ops@example.com --eml pve1.eml
  dmaudit mail bundles/ --from audit@example.com --to ops@example.com \\
      --smtp mail.example.com --user audit --password-file /etc/dmaudit/smtp-password
  dmaudit mail bundles/ ... --when critical       sends only what must be acted on

Environment:
  DMAUDIT_SMTP_USER, DMAUDIT_SMTP_PASSWORD

Exit status:
  0  the mail was delivered to the server or written, or --when needs none
  2  the command line was wrong, or a file could not be read or written
  3  as 0, but at least one input was rejected; the mail says so
  4  the delivery failed; the mail was kept in a file, whose name is printed"
)]
pub struct Mail {
    /// Bundles, or folders to search; `-` for one bundle on standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// The sender, `audit@example.com` or `Audit <audit@example.com>`
    #[arg(long, value_name = "ADDRESS")]
    pub from: String,

    /// A recipient; may be given several times
    #[arg(long, value_name = "ADDRESS", required = true)]
    pub to: Vec<String>,

    /// A recipient of a copy; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    pub cc: Vec<String>,

    /// Text before the subject
    #[arg(long, value_name = "TEXT")]
    pub subject_prefix: Option<String>,

    /// Write the mail to this file (`-` for standard output) instead of sending it
    #[arg(long, value_name = "FILE")]
    pub eml: Option<PathBuf>,

    /// Send the mail through this server
    #[arg(long, value_name = "HOST[:PORT]")]
    pub smtp: Option<String>,

    /// How the connection is encrypted [default: tls on port 465, else starttls]
    #[arg(long, value_enum, requires = "smtp")]
    pub tls: Option<TlsMode>,

    /// Trust only the certificate authorities of this PEM file, not the system's
    #[arg(long, value_name = "FILE", requires = "smtp")]
    pub ca_file: Option<PathBuf>,

    /// The user to log in as; also from DMAUDIT_SMTP_USER
    #[arg(long, value_name = "NAME", requires = "smtp")]
    pub user: Option<String>,

    /// The first line of this file is the password; else DMAUDIT_SMTP_PASSWORD
    #[arg(long, value_name = "FILE", requires = "smtp")]
    pub password_file: Option<PathBuf>,

    /// Give up when the server is silent for this long
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "smtp",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,

    /// Where a mail is kept that could not be delivered
    #[arg(long, value_name = "DIR", default_value = ".", requires = "smtp")]
    pub keep: PathBuf,

    /// Attach the whole report, or a part of it; may be given several times
    #[arg(long, value_enum, value_delimiter = ',')]
    pub attach: Vec<Attach>,

    /// Send only with a finding of this severity or worse
    ///
    /// A node without a grade and a rejected input are always worth a mail: silence would read
    /// as health.
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub when: Option<FailOn>,

    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,

    /// How much of one input is read.
    #[command(flatten)]
    pub limits: LimitArgs,

    /// Take this for the current time (RFC 3339), for repeatable output
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub now: Option<DateTime<Utc>>,
}

/// How a connection to a mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsMode {
    /// Plain at first, encrypted before anything is said; port 587
    Starttls,
    /// Encrypted from the first byte; port 465
    Tls,
    /// Not encrypted; port 25. A password is sent to this machine only
    None,
}

/// What is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Attach {
    /// dmaudit-report.zip: what `dmaudit analyze -o` writes, as one archive
    Report,
    /// report.json, schema 1
    Json,
    /// dmaudit-cleanup.zip: the cleanup scripts
    Scripts,
}
