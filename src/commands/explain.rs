//! `dmaudit explain`.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::checks;
use crate::cli::Explain;

/// Prints a check's page, or the list of checks.
///
/// # Errors
///
/// A line for the user: the name is not a check's, or standard output failed.
pub fn run(args: &Explain) -> Result<ExitCode, String> {
    let text = match &args.check {
        None => {
            let width = checks::ALL
                .iter()
                .map(|check| check.name.len())
                .max()
                .unwrap_or(0);
            checks::ALL
                .iter()
                .map(|check| format!("{:<width$}  {}\n", check.name, check.title))
                .collect()
        }
        Some(name) => checks::by_name(name)
            .map(|check| check.page.to_owned())
            .ok_or_else(|| {
                format!("there is no check named {name:?}; `dmaudit explain` lists them all")
            })?,
    };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output could not be written: {error}"))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}
