//! Ctrl-C, termination and a terminal that is closed: temporary files are removed before the program
//! ends, so that none stays and no file is left half done.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tempfile::NamedTempFile;

/// Every temporary file that there is.
static TEMPORARY: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn files() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a temporary file that is removed if a signal ends the program.
///
/// # Errors
///
/// Those of `make`.
pub(super) fn temporary(
    make: impl FnOnce() -> io::Result<NamedTempFile>,
) -> io::Result<NamedTempFile> {
    // Held until it is noted: a signal waits that long.
    let mut files = files();
    let file = make()?;
    files.insert(file.path().to_owned());
    Ok(file)
}

/// A temporary file has its name, or is gone.
pub(super) fn forget(file: &Path) {
    files().remove(file);
}

/// From here on SIGHUP, SIGINT and SIGTERM remove the temporary files and end the
/// program, with a line for the user and the status that a shell expects (129,
/// 130, 143). A second one does not wait for a disk that hangs.
///
/// # Errors
///
/// Where the system allows no handler.
pub(super) fn watch() -> Result<(), String> {
    let failed = |error: io::Error| format!("signals can't be handled: {error}");
    let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    let watched = [SIGINT, SIGTERM].into_iter().chain(hangup);
    let mut signals = Signals::new(watched).map_err(failed)?;
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            let mut signals = signals.forever();
            if let Some(signal) = signals.next() {
                thread::spawn(move || {
                    // Never given back: no other file is begun from here on.
                    let files = files();
                    for file in files.iter() {
                        // It may have taken its name by now.
                        let _ = fs::remove_file(file);
                    }
                    end(signal)
                });
            }
            if let Some(signal) = signals.next() {
                end(signal);
            }
        })
        .map(drop)
        .map_err(failed)
}

/// Whether a signal was ignored when the program began, as `nohup` has it.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

fn end(signal: i32) -> ! {
    tell!("dmaudit: interrupted; what was being written is not complete");
    exit(128 + signal)
}
