//! Checking a bundle against its manifest: what is damaged or missing is
//! named, and not used.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::OpenError;
use super::contents::Extent;
use super::draft::Draft;
use super::layout::{Place, Stream};
use super::listed;
use super::manifest::{FileRecord, MANIFEST_FORMAT, Manifest};
use super::repeats::StoredFile;
use super::snapshot::{Bundle, Stored, Unread};
use super::text::{decode, quoted};

/// Makes the bundle from its members. `cut` is why the archive's end is
/// missing.
///
/// A cut archive is accepted only with a manifest that lists what should be
/// there: without one, what is missing would look like what never was.
pub(super) fn finish(mut draft: Draft, cut: Option<&str>) -> Result<Bundle, OpenError> {
    let mut notes = Vec::new();
    let manifest = manifest(&mut draft, &mut notes);
    if let Some(why) = cut {
        if !manifest.as_ref().is_some_and(Manifest::names_everything) {
            return Err(OpenError::Truncated(why.to_owned()));
        }
        notes.insert(
            0,
            format!(
                "INCOMPLETE: the archive is cut short or damaged ({why}); what the manifest lists \
                 and the archive has not is unread; copy the bundle again"
            ),
        );
    }
    match &manifest {
        Some(manifest) => apply(&mut draft, manifest, &mut notes),
        None => {
            for (id, stored) in &mut draft.bundle.commands {
                stored.check_presence(id, &draft.unread);
            }
        }
    }
    note_damaged_commands(&mut draft);
    refuse_if_nothing_is_left(&draft)?;

    let mut bundle = draft.bundle;
    bundle.manifest = manifest;
    bundle.cut = cut.map(str::to_owned);
    notes.extend(draft.notes.into_vec());
    bundle.notes = notes;
    bundle.unread = draft
        .unread
        .into_iter()
        .map(|(path, error)| Unread { path, error })
        .collect();
    Ok(bundle)
}

fn manifest(draft: &mut Draft, notes: &mut Vec<String>) -> Option<Manifest> {
    let parsed = match draft.manifest.take() {
        None => {
            notes.push(
                "the bundle has no manifest.json: whether it is complete and unchanged is not \
                 known"
                    .into(),
            );
            return None;
        }
        Some(Err(why)) => Err(why),
        Some(Ok(bytes)) => Manifest::parse(&decode(&bytes)),
    };
    match parsed {
        Ok(manifest) => {
            if manifest.redacted {
                notes.push("redacted bundle: the names in it are stand-ins".into());
            }
            if let Some(format) = manifest.format.filter(|&format| format > MANIFEST_FORMAT) {
                notes.push(format!(
                    "manifest.json has format {format}, newer than {MANIFEST_FORMAT}: what is new \
                     in it was passed over; a newer dmaudit may see more"
                ));
            }
            Some(manifest)
        }
        Err(why) => {
            notes.push(format!(
                "manifest.json was not read, the bundle is taken as one without: {why}"
            ));
            None
        }
    }
}

fn apply(draft: &mut Draft, manifest: &Manifest, notes: &mut Vec<String>) {
    let extent = draft.extent;
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for record in manifest.commands.iter().flatten() {
        if record.id.is_empty() {
            continue;
        }
        known.insert(&record.id);
        let is_checked = extent.takes(&Place::Command(&record.id, Stream::Out));
        let stored = draft.bundle.commands.entry(record.id.clone()).or_default();
        stored.status = record.status;
        stored.timed_out = record.timed_out;
        stored.line.clone_from(&record.command);
        match &stored.out {
            None if record.bytes == Some(0) => stored.out = Some(Vec::new()),
            None => {}
            Some(_) if !is_checked => {}
            Some(out) => {
                let sha256 = || Sha256::digest(out).into();
                stored.damage = mismatch(out, sha256, record.bytes, record.sha256.as_ref());
            }
        }
    }
    for (id, stored) in &mut draft.bundle.commands {
        stored.check_presence(id, &draft.unread);
    }
    let records =
        manifest.files.iter().flatten().filter(|record| {
            record.path.starts_with('/') && extent.takes(&Place::File(&record.path))
        });
    let files = listed::compare(records, &draft.bundle.files, |record, file| {
        mismatch_of_file(file, record).is_none()
    });
    if extent == Extent::Whole {
        note_unlisted(draft, manifest, &known, &files, notes);
    }
    let unsound = files.unsound;
    for record in unsound {
        if let Some(why) = damage(draft, record) {
            draft.refuse(&record.path, why);
        }
    }
    for record in manifest.unread.iter().flatten() {
        let why = record.error.as_deref().unwrap_or("no reason is given");
        draft.bundle.files.remove(&record.path);
        draft
            .unread
            .entry(record.path.clone())
            .or_insert_with(|| format!("the collector could not read it: {why}"));
    }
    for path in manifest.directories.iter().flatten() {
        let path = path.trim_end_matches('/');
        if path.starts_with('/') {
            draft.bundle.directories.insert(path.to_owned());
        }
    }
}

/// What the collector did not list was put in later, or the manifest was
/// changed.
fn note_unlisted(
    draft: &Draft,
    manifest: &Manifest,
    known: &BTreeSet<&str>,
    files: &listed::Compared<'_, '_>,
    notes: &mut Vec<String>,
) {
    let mut unlisted: Vec<&str> = Vec::new();
    if manifest.commands.is_some() {
        unlisted.extend(draft.bundle.commands.keys().map(String::as_str));
        unlisted.retain(|id| !known.contains(id));
    }
    if manifest.files.is_some() {
        unlisted.extend(&files.unlisted);
    }
    if let Some(first) = unlisted.first() {
        notes.push(format!(
            "{} outputs or files are not in the manifest (the first: {}): they were added after \
             the collection",
            unlisted.len(),
            quoted(first)
        ));
    }
}

/// Why a file can't be used that is not as its record says, or not there.
fn damage(draft: &Draft, record: &FileRecord) -> Option<String> {
    match draft.bundle.files.get(&record.path) {
        Some(file) => mismatch_of_file(file, record),
        None if draft.bundle.links.contains_key(&record.path) => None,
        None => Some("the manifest lists it, but the bundle does not hold it".into()),
    }
}

fn mismatch_of_file(file: &StoredFile, record: &FileRecord) -> Option<String> {
    let sha256 = || *file.sha256();
    mismatch(file, sha256, record.bytes, record.sha256.as_ref())
}

/// Why these bytes, whose SHA-256 is worked out when it is needed, are not
/// those that the manifest describes.
fn mismatch(
    bytes: &[u8],
    is: impl FnOnce() -> [u8; 32],
    size: Option<u64>,
    sha256: Option<&[u8; 32]>,
) -> Option<String> {
    if let Some(size) = size
        && size != bytes.len() as u64
    {
        return Some(format!(
            "it has {} bytes where the manifest says {size}",
            bytes.len()
        ));
    }
    let differs = sha256.is_some_and(|sha256| is() != *sha256);
    differs.then(|| "its SHA-256 is not that of the manifest".into())
}

impl Stored {
    /// An output that is not there may be none only where the command failed:
    /// else it is missing evidence.
    fn check_presence(&mut self, id: &str, unread: &std::collections::BTreeMap<String, String>) {
        if let Some(why) = unread.get(&format!("commands/{id}.out")) {
            self.damage = Some(why.clone());
        } else if self.out.is_none() && !self.timed_out && matches!(self.status, None | Some(0)) {
            self.damage = Some("its output is not in the bundle".into());
        }
        if self.damage.is_some() {
            self.out = None;
        }
    }
}

fn note_damaged_commands(draft: &mut Draft) {
    let damaged: Vec<(String, String)> = draft
        .bundle
        .commands
        .iter()
        .filter_map(|(id, stored)| {
            let why = stored.damage.clone()?;
            Some((format!("commands/{id}.out"), why))
        })
        .filter(|(path, _)| !draft.unread.contains_key(path))
        .collect();
    for (path, why) in damaged {
        draft.refuse(&path, why);
    }
}

fn refuse_if_nothing_is_left(draft: &Draft) -> Result<(), OpenError> {
    let bundle = &draft.bundle;
    let usable = bundle
        .commands
        .values()
        .any(|stored| stored.damage.is_none());
    if usable || !bundle.files.is_empty() || draft.has_passed {
        return Ok(());
    }
    let why = draft.unread.iter().next().map_or(
        "it holds no command's output and no file".into(),
        |(path, why)| format!("{}: {why}", quoted(path)),
    );
    Err(OpenError::Unusable(why))
}
