//! What goes to standard output.

use std::io::{self, Write};

use crate::report::words::{printable, printable_lines};

/// Standard output. A reader that closes the pipe has read enough.
pub(super) struct Out(io::BufWriter<io::Stdout>);

impl Out {
    pub(super) fn new() -> Self {
        Self(io::BufWriter::with_capacity(1 << 18, io::stdout()))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        closed(self.0.flush())
    }
}

/// An error other than that the reader has gone.
///
/// # Errors
///
/// As given.
pub(super) fn closed(printed: io::Result<()>) -> io::Result<()> {
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// A line on standard error, made printable. What can't be written there is no
/// reason to end.
pub fn tell(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable_lines(text));
}

/// Tells which input was not read, and why, in one line.
pub(super) fn tell_rejected(path: &str, error: &str) {
    let (path, error) = (printable(path), printable(error));
    tell(&format!("dmaudit: rejected {path}: {error}"));
}
