//! `dmaudit restore-names`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use walkdir::WalkDir;

use super::interrupt;
use crate::cli::RestoreNames;
use crate::redact::Names;
use crate::redact::restore::{Form, Restorer};
use crate::report::words::printable_lines;

/// Puts the original names back.
///
/// # Errors
///
/// A line for the user that names the file.
pub fn run(args: &RestoreNames) -> Result<ExitCode, String> {
    let names = Names::load(&args.mapping)?
        .ok_or_else(|| format!("there is no mapping file {}", args.mapping.display()))?;
    let restorer = Restorer::new(&names);
    interrupt::watch()?;
    let Some(folder) = &args.output else {
        return restore_standard_input(&restorer);
    };
    let mut files = Vec::new();
    for path in &args.paths {
        for entry in WalkDir::new(path).sort_by_file_name() {
            let entry =
                entry.map_err(|error| format!("{} can't be read: {error}", path.display()))?;
            if !entry.file_type().is_file() {
                continue;
            }
            let within = match entry.depth() {
                0 => Path::new(entry.file_name()),
                _ => entry.path().strip_prefix(path).unwrap_or(entry.path()),
            };
            files.push((entry.path().to_owned(), within.to_owned()));
        }
    }
    // All is looked at before anything is written: no half of a report.
    let mut names = BTreeSet::new();
    for (path, within) in &files {
        let file = Reply::read(&restorer, path, within)?;
        file.restore(&restorer, |_| Ok(()))?;
        let target = folder.join(&file.name);
        let is_there = target.symlink_metadata().is_ok() || !names.insert(file.name);
        if is_there {
            return Err(format!(
                "{} is not restored: {} is there already; give another folder",
                path.display(),
                target.display()
            ));
        }
    }
    for (path, within) in &files {
        Reply::read(&restorer, path, within)?.write(&restorer, folder)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Bytes that a text may have: that of a node at the bounds of the analysis
/// has half of it.
const MOST: u64 = 96 << 20;

fn bounded(reader: impl Read, length: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(usize::try_from(length.min(MOST)).unwrap_or(0) + 1);
    reader
        .take(MOST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("can't be read: {error}"))?;
    match bytes.len() as u64 > MOST {
        true => Err(format!(
            "has more than {MOST} bytes, and no file of a report has"
        )),
        false => Ok(bytes),
    }
}

fn restore_standard_input(restorer: &Restorer) -> Result<ExitCode, String> {
    let bytes =
        bounded(io::stdin().lock(), 0).map_err(|error| format!("standard input {error}"))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| format!("standard input can't be read: it is no UTF-8: {error}"))?;
    let form = Form::of("", &text);
    // All is looked at before anything is written.
    restorer
        .restore_to(&text, form, |_| Ok(()))
        .map_err(|error| format!("standard input is not restored: {error}"))?;
    let out = io::stdout().lock();
    // Whoever sent the reply may have sent commands for the terminal.
    let is_terminal = out.is_terminal();
    let mut out = io::BufWriter::new(out);
    let mut written = Ok(());
    // What can't be written ends it; the error is told below.
    let _ = restorer.restore_to(&text, form, |part| {
        written = match is_terminal {
            true => out.write_all(printable_lines(part).as_bytes()),
            false => out.write_all(part.as_bytes()),
        };
        match &written {
            Ok(()) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    });
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("standard output could not be written: {error}"))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// A file of the reply.
struct Reply<'a> {
    path: &'a Path,
    /// Its new name, below the folder.
    name: PathBuf,
    bytes: Vec<u8>,
    form: Form,
    permissions: fs::Permissions,
}

impl<'a> Reply<'a> {
    fn read(restorer: &Restorer, path: &'a Path, within: &Path) -> Result<Self, String> {
        let fail = |error: String| format!("{} {error}", path.display());
        let file = fs::File::open(path).map_err(|error| fail(format!("can't be read: {error}")))?;
        let about = file
            .metadata()
            .map_err(|error| fail(format!("can't be read: {error}")))?;
        let bytes = bounded(file, about.len()).map_err(fail)?;
        let name = within.to_string_lossy();
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let form = Form::of(&name, text);
        let fail = |error: String| fail(format!("is not restored: {error}"));
        let name = PathBuf::from(restorer.file_name(&name).map_err(fail)?);
        // A name from a mapping may be `..`, and the reply is a stranger's.
        if !name
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            return Err(fail(format!(
                "it would get the name {}, which leads elsewhere",
                name.display().to_string().escape_debug()
            )));
        }
        Ok(Self {
            path,
            name,
            bytes,
            form,
            // Neither setuid nor the like.
            permissions: fs::Permissions::from_mode(about.permissions().mode() & 0o777),
        })
    }

    /// Hands its restored content on. Bytes that are no text stay.
    fn restore(
        &self,
        restorer: &Restorer,
        mut put: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), String> {
        let written = match std::str::from_utf8(&self.bytes) {
            Err(_) => put(&self.bytes).map_err(|error| error.to_string()),
            Ok(text) => restorer.restore_to(text, self.form, |part| {
                put(part.as_bytes()).map_err(|error| error.to_string())
            }),
        };
        written.map_err(|error| format!("{} is not restored: {error}", self.path.display()))
    }

    fn write(&self, restorer: &Restorer, folder: &Path) -> Result<(), String> {
        let path = folder.join(&self.name);
        let fail = |error: io::Error| format!("{} can't be written: {error}", path.display());
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(fail)?;
        let mut builder = tempfile::Builder::new();
        let file = interrupt::temporary(|| builder.prefix(".dmaudit-").tempfile_in(parent))
            .map_err(fail)?;
        let mut out = io::BufWriter::new(file);
        self.restore(restorer, |part| out.write_all(part))?;
        let file = out.into_inner().map_err(|error| fail(error.into_error()))?;
        let permissions = self.permissions.clone();
        file.as_file().set_permissions(permissions).map_err(fail)?;
        file.as_file().sync_all().map_err(fail)?;
        let temporary = file.path().to_owned();
        // What is there stays.
        let kept = file.persist_noclobber(&path);
        interrupt::forget(&temporary);
        kept.map(drop).map_err(|error| fail(error.error))
    }
}
