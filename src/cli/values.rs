//! Values of options that several subcommands take.

use chrono::{DateTime, Utc};
use clap::ValueEnum;

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Answer {
    /// For people
    Text,
    /// For programs
    Json,
}

/// A time in RFC 3339.
///
/// # Errors
///
/// What was expected, with an example.
pub(super) fn time(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.with_timezone(&Utc))
        .map_err(|_| "expected a time like 2026-11-23T18:36:45Z".to_owned())
}
