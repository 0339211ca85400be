//! Files appear whole or not at all, devices and pipes are written into and never replaced, and no
//! script outlives its report.

use std::fs;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::interrupt;

/// Writes a file below `folder`: into a temporary one beside it, which then
/// takes its name.
///
/// # Errors
///
/// A line that names the file and says what went wrong.
pub(super) fn write(folder: &Path, name: &str, content: &[u8]) -> Result<(), String> {
    write_with(folder, name, |out| out.write_all(content))
}

/// The folder in which a file lies: the current one where its path names none.
pub(super) fn folder_of(file: &Path) -> &Path {
    let parent = file.parent();
    let named = parent.filter(|folder| !folder.as_os_str().is_empty());
    named.unwrap_or(Path::new("."))
}

/// Writes a file that only its owner may read, and waits for the disk.
///
/// # Errors
///
/// A line that names the file and says what went wrong.
pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), String> {
    let mut file = Staged::named(path, 0o600)?;
    file.write_all(content)
        .and_then(|()| file.sync())
        .map_err(|error| file.failed(&error))?;
    file.keep()
}

/// As [`write`], with what `fill` writes.
///
/// # Errors
///
/// A line that names the file and says what went wrong.
pub(super) fn write_with(
    folder: &Path,
    name: &str,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), String> {
    Staged::new(folder, name)?.fill(fill)
}

/// Writes the file that the user named with what `fill` writes, as
/// [`Staged::at`] has it.
///
/// # Errors
///
/// A line that names the file and says what went wrong.
pub(super) fn write_to(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), String> {
    Staged::at(path)?.fill(fill)
}

/// A file that is being written: it takes its name when it is whole, and is
/// gone if that never comes.
pub(super) struct Staged {
    file: Begun,
    path: PathBuf,
    folder: PathBuf,
}

enum Begun {
    /// Takes the file's name in the end.
    Temporary(NamedTempFile),
    /// What the name has been all along: a device, a pipe.
    There(fs::File),
}

impl Staged {
    /// Begins a file below `folder`.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn new(folder: &Path, name: &str) -> Result<Self, String> {
        // As an ordinary new file: the user's umask decides.
        Self::with_mode(folder, Path::new(name), 0o666)
    }

    /// Begins the file that the user named. What lies there and is no file, as
    /// `/dev/null` or a pipe, is written into: to replace it would break it for
    /// the whole system. Disks and other devices are refused.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn at(path: &Path) -> Result<Self, String> {
        Self::named(path, 0o666)
    }

    fn named(path: &Path, mode: u32) -> Result<Self, String> {
        match target_of(path) {
            Target::File => {
                let name = path
                    .file_name()
                    .ok_or_else(|| format!("{} names no file", path.display()))?;
                Self::with_mode(folder_of(path), Path::new(name), mode)
            }
            Target::There => {
                let opened = own_stream(path)
                    .unwrap_or_else(|| fs::OpenOptions::new().append(true).open(path));
                Ok(Self {
                    file: Begun::There(opened.map_err(|error| unwritten(path, &error))?),
                    path: path.to_owned(),
                    folder: folder_of(path).to_owned(),
                })
            }
            Target::Refused(why) => Err(format!("{} is {why}; name a file", path.display())),
        }
    }

    fn with_mode(folder: &Path, name: &Path, mode: u32) -> Result<Self, String> {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        let failed = |error: io::Error| failed(&path, folder, &error);
        fs::create_dir_all(parent).map_err(failed)?;
        let mut builder = tempfile::Builder::new();
        builder.permissions(fs::Permissions::from_mode(mode));
        let file = interrupt::temporary(|| builder.prefix(".dmaudit-").tempfile_in(parent))
            .map_err(failed)?;
        Ok(Self {
            file: Begun::Temporary(file),
            path,
            folder: folder.to_owned(),
        })
    }

    fn fill(mut self, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), String> {
        let mut out = io::BufWriter::with_capacity(1 << 16, &mut self);
        let filled = fill(&mut out).and_then(|()| out.flush());
        // What is left in it after an error is not wanted.
        let _ = out.into_parts();
        filled.map_err(|error| self.failed(&error))?;
        self.keep()
    }

    /// Waits for the disk; a device has none.
    fn sync(&self) -> io::Result<()> {
        match &self.file {
            Begun::Temporary(file) => file.as_file().sync_all(),
            Begun::There(_) => Ok(()),
        }
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn keep(self) -> Result<(), String> {
        let Self { file, path, folder } = self;
        let Begun::Temporary(file) = file else {
            return Ok(());
        };
        let temporary = file.path().to_owned();
        let kept = file.persist(&path);
        interrupt::forget(&temporary);
        kept.map(drop)
            .map_err(|error| failed(&path, &folder, &error.error))
    }

    /// What is said when it could not be written.
    pub(super) fn failed(&self, error: &io::Error) -> String {
        match self.file {
            Begun::Temporary(_) => failed(&self.path, &self.folder, error),
            Begun::There(_) => unwritten(&self.path, error),
        }
    }
}

/// What a path that the user named leads to.
enum Target {
    /// A file that is there, or is to be made. A link is replaced as well:
    /// another user may have put it there.
    File,
    /// Something to write into.
    There,
    /// Something that must not be written into.
    Refused(&'static str),
}

fn target_of(path: &Path) -> Target {
    let Ok(there) = fs::metadata(path) else {
        return Target::File;
    };
    let kind = there.file_type();
    if kind.is_block_device() {
        Target::Refused("a disk, and is never written to")
    } else if kind.is_char_device() && !is_sink(there.rdev()) {
        Target::Refused("a device")
    } else if there.is_dir() || (there.is_file() && !is_stream(path)) {
        Target::File
    } else {
        Target::There
    }
}

/// Whether a character device takes what is written and nothing happens: null,
/// full and terminals, by the numbers that Linux gives them. Opening a watchdog
/// resets the machine.
fn is_sink(device: u64) -> bool {
    let major = (device >> 8) & 0xfff;
    match (major, device & 0xff) {
        (1, minor) => matches!(minor, 3 | 7),
        (major, _) => matches!(major, 4 | 5 | 136..=143),
    }
}

/// Whether it is a stream of a program, as `/dev/stdout` is: a link, too.
fn is_stream(path: &Path) -> bool {
    let named = ["/dev/stdin", "/dev/stdout", "/dev/stderr"];
    let of_proc = |folder: PathBuf| folder.starts_with("/proc") && folder.ends_with("fd");
    path.is_symlink()
        && (named.iter().any(|name| path == Path::new(name))
            || folder_of(path).canonicalize().is_ok_and(of_proc))
}

/// Standard output or error by one of its names: as it is open, for one opened
/// anew would have a place of its own in the file.
fn own_stream(path: &Path) -> Option<io::Result<fs::File>> {
    let own = match path.to_str()? {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => {
            io::stdout().as_fd().try_clone_to_owned()
        }
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => {
            io::stderr().as_fd().try_clone_to_owned()
        }
        _ => return None,
    };
    Some(own.map(fs::File::from))
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            Begun::Temporary(file) => file.write(bytes),
            Begun::There(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.file {
            Begun::Temporary(file) => file.flush(),
            Begun::There(file) => file.flush(),
        }
    }
}

fn unwritten(path: &Path, error: &io::Error) -> String {
    format!("{} could not be written: {error}", path.display())
}

fn failed(path: &Path, folder: &Path, error: &io::Error) -> String {
    format!(
        "{} could not be written: {error}; nothing was left half done there, but what lies in {} is not complete",
        path.display(),
        folder.display()
    )
}

/// What every cleanup script says of itself near its beginning.
const MARK: &[u8] = b"# Written by dmaudit from a snapshot";

/// Removes the cleanup scripts of an earlier run from `folder`: beside a new
/// report one would pass for current. A file that is not ours stays.
///
/// # Errors
///
/// A line that names the file and says what went wrong.
pub(super) fn remove_old_scripts(folder: &Path) -> Result<(), String> {
    let Ok(entries) = fs::read_dir(folder.join("cleanup")) else {
        return Ok(());
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let named = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("cleanup-") && name.ends_with(".sh"));
        if named && is_ours(&path) {
            fs::remove_file(&path).map_err(|error| {
                format!(
                    "{} is of an earlier run and could not be removed: {error}; remove it, so that nobody runs it by mistake",
                    path.display()
                )
            })?;
        }
    }
    Ok(())
}

fn is_ours(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(1024).read_to_end(&mut start));
    read.is_ok() && start.windows(MARK.len()).any(|window| window == MARK)
}
