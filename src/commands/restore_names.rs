//! `dmaudit restore-names`.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use walkdir::WalkDir;

use crate::cli::RestoreNames;
use crate::redact::Names;
use crate::redact::restore::{Form, Restorer};

/// Puts the original names back.
///
/// # Errors
///
/// A line for the user that names the file.
pub fn run(args: &RestoreNames) -> Result<ExitCode, String> {
    let names = Names::load(&args.mapping)?
        .ok_or_else(|| format!("there is no mapping file {}", args.mapping.display()))?;
    let restorer = Restorer::new(&names);
    let Some(folder) = &args.output else {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| format!("standard input can't be read: {error}"))?;
        let restored = restorer
            .restore(&text, Form::of("", &text))
            .map_err(|error| format!("standard input is not restored: {error}"))?;
        return match io::stdout().write_all(restored.as_bytes()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(format!("standard output could not be written: {error}"))
            }
            _ => Ok(ExitCode::SUCCESS),
        };
    };
    // All is restored before anything is written: no half of a report.
    let mut done: Vec<(PathBuf, Vec<u8>, fs::Permissions)> = Vec::new();
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
            done.push(one(&restorer, entry.path(), within)?);
        }
    }
    for (path, bytes, permissions) in done {
        let path = folder.join(path);
        let fail = |error: io::Error| format!("{} can't be written: {error}", path.display());
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(fail)?;
        let mut file = tempfile::Builder::new()
            .prefix(".dmaudit-")
            .tempfile_in(parent)
            .map_err(fail)?;
        file.write_all(&bytes).map_err(fail)?;
        file.as_file().set_permissions(permissions).map_err(fail)?;
        file.as_file().sync_all().map_err(fail)?;
        // What is there stays.
        file.persist_noclobber(&path)
            .map_err(|error| fail(error.error))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A file's new name, content and mode. Bytes that are no text stay.
fn one(
    restorer: &Restorer,
    path: &Path,
    within: &Path,
) -> Result<(PathBuf, Vec<u8>, fs::Permissions), String> {
    let fail = |error: String| format!("{} is not restored: {error}", path.display());
    let bytes = fs::read(path).map_err(|error| fail(error.to_string()))?;
    let permissions = fs::metadata(path)
        .map_err(|error| fail(error.to_string()))?
        .permissions();
    let name = within.to_string_lossy();
    let bytes = match String::from_utf8(bytes) {
        Err(error) => error.into_bytes(),
        Ok(text) => restorer
            .restore(&text, Form::of(&name, &text))
            .map_err(fail)?
            .into_bytes(),
    };
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
    // Neither setuid nor the like.
    let permissions = fs::Permissions::from_mode(permissions.mode() & 0o777);
    Ok((name, bytes, permissions))
}
