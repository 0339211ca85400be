//! From a received file to a bundle that has its name: checked first, renamed
//! then, so that there is never half of one.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::failure::{Failure, Kind};
use crate::bundle::{self, Bundle, Limits};

/// A bundle that was collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// The node, as its manifest names it.
    pub node: String,
    /// Where the bundle is.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: u64,
    /// What a person should know of it: commands that were missing or did
    /// not end, text that stood before it.
    pub notes: Vec<String>,
}

/// A temporary file beside the bundles.
pub(super) fn temporary(folder: &Path) -> Result<NamedTempFile, Failure> {
    tempfile::Builder::new()
        .prefix(".dmaudit-")
        .tempfile_in(folder)
        .map_err(|error| {
            Failure::new(
                Kind::Local,
                format!("{}: no file can be written: {error}", folder.display()),
            )
        })
}

/// Checks what arrived and gives it its name in `folder`.
pub(super) fn keep(file: NamedTempFile, folder: &Path) -> Result<Collected, Failure> {
    let local = |error: std::io::Error| Failure::new(Kind::Local, error.to_string());
    let bytes = fs::read(file.path()).map_err(local)?;
    let (bundle, top) = check(&bytes)?;
    let notes = notes(&bundle)?;
    let node = bundle
        .manifest()
        .and_then(|manifest| manifest.node.clone())
        .unwrap_or_default();
    let suffix = if bytes.starts_with(b"PK") {
        "zip"
    } else {
        "tar.gz"
    };
    file.as_file().sync_all().map_err(local)?;
    let path = name(file, folder, &top, suffix)?;
    Ok(Collected {
        node,
        path,
        bytes: bytes.len() as u64,
        notes,
    })
}

/// Renames without ever replacing a bundle that is there.
fn name(
    mut file: NamedTempFile,
    folder: &Path,
    top: &str,
    suffix: &str,
) -> Result<PathBuf, Failure> {
    for number in 1..=1000 {
        let path = match number {
            1 => folder.join(format!("{top}.{suffix}")),
            _ => folder.join(format!("{top}-{number}.{suffix}")),
        };
        match file.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                file = error.file;
            }
            Err(error) => {
                let detail = format!("{}: {}", path.display(), error.error);
                return Err(Failure::new(Kind::Local, detail));
            }
        }
    }
    let detail = format!("{top}.{suffix} and 999 more of that name are there already");
    Err(Failure::new(Kind::Local, detail))
}

/// Whether the bytes are one whole bundle of this collector.
fn check(bytes: &[u8]) -> Result<(Bundle, String), Failure> {
    let damaged = |detail: String| Failure::new(Kind::Damaged, detail);
    let mut bundles = bundle::open_archive("bundle", bytes, &Limits::default())
        .map_err(|error| damaged(error.to_string()))?;
    let bundle = match (bundles.pop(), bundles.is_empty()) {
        (Some(bundle), true) => bundle,
        _ => return Err(damaged("expected one bundle, found several".to_owned())),
    };
    let node = bundle
        .manifest()
        .and_then(|manifest| manifest.node.as_deref());
    let Some(node) = node.filter(|node| !node.is_empty()) else {
        return Err(damaged("it has no manifest that names its node".to_owned()));
    };
    let top = bundle.top().to_owned();
    let time = top
        .strip_prefix(&format!("dmaudit-{node}-"))
        .filter(|time| is_time(time));
    let plain = node.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if time.is_none() || !plain {
        let detail = format!("it is named {top:?}, where dmaudit-{node}-<time> was expected");
        return Err(damaged(detail));
    }
    let damage = bundle
        .commands()
        .find(|id| bundle.command(id).is_some_and(|output| output.damaged));
    if let Some(id) = damage {
        return Err(damaged(format!(
            "the output of {id} is not what its manifest says"
        )));
    }
    Ok((bundle, top))
}

/// `20261123T183645Z`.
fn is_time(text: &str) -> bool {
    text.len() == 16
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
}

/// A command that is not installed.
const NOT_FOUND: i32 = 127;

/// What the bundle lacks, or why it is of no use.
fn notes(bundle: &Bundle) -> Result<Vec<String>, Failure> {
    let lacks = |id: &str| {
        bundle
            .command(id)
            .is_some_and(|output| output.status == Some(NOT_FOUND))
    };
    if ["pveversion", "qm-list", "pct-list"]
        .iter()
        .all(|id| lacks(id))
    {
        return Err(Failure::new(
            Kind::NotPve,
            "it has neither pveversion nor qm nor pct",
        ));
    }
    if lacks("dmsetup-info") {
        return Err(Failure::new(
            Kind::MissingCommands,
            "dmsetup is not installed there, so there is nothing to analyze",
        ));
    }
    // A node without multipath is the rule.
    let absent: Vec<&str> = bundle
        .commands()
        .filter(|id| *id != "multipath" && lacks(id))
        .collect();
    let late: Vec<&str> = bundle
        .commands()
        .filter(|id| bundle.command(id).is_some_and(|output| output.timed_out))
        .collect();
    let mut notes = Vec::new();
    if !absent.is_empty() {
        notes.push(format!("not installed there: {}", absent.join(", ")));
    }
    if !late.is_empty() {
        notes.push(format!("did not end in time there: {}", late.join(", ")));
    }
    for unread in bundle.unread().iter().take(3) {
        notes.push(format!("{}: {}", unread.path, unread.error));
    }
    Ok(notes)
}
