//! A bundle that lies unpacked in a folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use walkdir::WalkDir;

use super::OpenError;
use super::contents::{Content, Contents, Extent};
use super::layout;
use super::limits::Budget;
use super::sosreport;

/// Reads the folder's `manifest.json`, `commands/` and `files/`. Links are
/// recorded and not followed; what can't be read is kept as unread, and what
/// the extent does not take is passed over.
pub(super) fn read(
    folder: &Path,
    extent: Extent,
    budget: &mut Budget<'_>,
) -> Result<Contents<'static>, OpenError> {
    fs::read_dir(folder).map_err(OpenError::Io)?;
    let mut contents = Contents::default();
    let mut parts = ["manifest.json", "commands", "files"]
        .map(str::to_owned)
        .to_vec();
    if folder.join("sos_commands").is_dir() {
        parts.extend(sosreport::parts());
    }
    for part in parts {
        let below = folder.join(part);
        if fs::symlink_metadata(&below).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        {
            continue;
        }
        for entry in WalkDir::new(&below)
            .follow_root_links(false)
            .sort_by_file_name()
        {
            budget.entry()?;
            let path = match &entry {
                Ok(entry) => entry.path(),
                Err(error) => error.path().unwrap_or(&below),
            };
            let relative = path.strip_prefix(folder).unwrap_or(path);
            let Some(path) = contents.path(relative.as_os_str().as_encoded_bytes()) else {
                continue;
            };
            let place = layout::place(&path);
            if place.is_none() && !sosreport::is_part(&path) {
                continue;
            }
            let is_passed = place.is_some_and(|place| !extent.takes(&place));
            let content = match &entry {
                Ok(entry) if is_passed && entry.file_type().is_file() => Content::Passed,
                Ok(entry) => content(entry, &path, budget)?,
                Err(error) => Content::Unread(reason(error)),
            };
            contents.keep(budget, path.into_owned().into(), content)?;
        }
    }
    Ok(contents)
}

fn content(
    entry: &walkdir::DirEntry,
    path: &str,
    budget: &mut Budget<'_>,
) -> Result<Content, OpenError> {
    let kind = entry.file_type();
    if kind.is_dir() {
        return Ok(Content::Directory);
    }
    if kind.is_symlink() {
        return Ok(match fs::read_link(entry.path()) {
            Ok(target) => Content::Link(target.to_string_lossy().into_owned()),
            Err(error) => Content::Unread(error.to_string()),
        });
    }
    if !kind.is_file() {
        return Ok(Content::Unread("it is a device, a pipe or a socket".into()));
    }
    let limit = budget.file_limit(path);
    match read_file(entry.path(), limit) {
        Ok(bytes) if bytes.len() as u64 > limit => {
            Ok(Content::Unread(budget.too_large(path, None)))
        }
        Ok(bytes) => {
            budget.bytes(bytes.len() as u64)?;
            Ok(Content::Bytes(bytes))
        }
        Err(error) => Ok(Content::Unread(error.to_string())),
    }
}

/// Reads a file, at most one byte more than `limit`.
pub(super) fn read_file(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len().min(limit);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn reason(error: &walkdir::Error) -> String {
    error
        .io_error()
        .map_or_else(|| error.to_string(), ToString::to_string)
}
