//! Ctrl-C and termination: the file being written is finished first, so that
//! none is left half done and no temporary one stays.

use std::process::exit;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Held for reading by whoever has a temporary file.
static WRITING: RwLock<()> = RwLock::new(());

/// While it is held, a signal waits.
pub(super) fn hold() -> RwLockReadGuard<'static, ()> {
    WRITING.read().unwrap_or_else(PoisonError::into_inner)
}

/// From here on SIGINT and SIGTERM end the program between two files, with a
/// line for the user and the status that a shell expects (130, 143). A second
/// one does not wait for a disk that hangs.
///
/// # Errors
///
/// Where the system allows no handler.
pub(super) fn watch() -> Result<(), String> {
    let failed = |error: std::io::Error| format!("signals can't be handled: {error}");
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let end = |signal: i32| -> ! {
        eprintln!("dmaudit: interrupted; a report that was being written is not complete");
        exit(128 + signal)
    };
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            let mut signals = signals.forever();
            if let Some(signal) = signals.next() {
                match WRITING.try_write() {
                    Ok(_guard) => end(signal),
                    Err(_) => drop(thread::spawn(move || {
                        let _guard = WRITING.write().unwrap_or_else(PoisonError::into_inner);
                        end(signal)
                    })),
                }
                // It waits for a file; the next signal does not.
                if let Some(signal) = signals.next() {
                    end(signal);
                }
            }
        })
        .map(drop)
        .map_err(failed)
}
