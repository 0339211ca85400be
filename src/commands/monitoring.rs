//! `dmaudit analyze` as a plugin of a monitoring system.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::report::nagios::{self, State};

/// A run that failed is UNKNOWN, never CRITICAL.
pub(super) fn failed(message: &str) -> Result<ExitCode, String> {
    let mut out = io::stdout().lock();
    // The exit status says it, too.
    let _ = writeln!(out, "{}", nagios::failed(message));
    Ok(ExitCode::from(State::Unknown.status()))
}
