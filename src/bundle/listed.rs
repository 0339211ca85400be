//! The manifest's list of files beside those that are there: both sorted, and
//! walked through once.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::manifest::FileRecord;
use super::repeats::StoredFile;

/// What the list and the files say of each other.
pub(super) struct Compared<'r, 'f> {
    /// Records without a file, or with one that is not as they say, in the
    /// list's order.
    pub(super) unsound: Vec<&'r FileRecord>,
    /// Files that are in no record.
    pub(super) unlisted: Vec<&'f str>,
}

/// Compares them; `is_sound` tells of a record and its file whether they fit.
pub(super) fn compare<'r, 'f>(
    records: impl Iterator<Item = &'r FileRecord>,
    files: &'f BTreeMap<String, Arc<StoredFile>>,
    is_sound: impl Fn(&FileRecord, &StoredFile) -> bool,
) -> Compared<'r, 'f> {
    let mut records: Vec<(usize, &FileRecord)> = records.enumerate().collect();
    records.sort_by(|(_, a), (_, b)| a.path.cmp(&b.path));
    let mut unsound = Vec::new();
    let mut unlisted = Vec::new();
    let mut files = files.iter().peekable();
    // Whether the next file was in a record before this one.
    let mut is_listed = false;
    for (at, record) in records {
        let mut sound = false;
        while let Some((path, file)) = files.peek() {
            match path.as_str().cmp(&record.path) {
                Ordering::Less => {
                    if !is_listed {
                        unlisted.push(path.as_str());
                    }
                    is_listed = false;
                    files.next();
                }
                Ordering::Equal => {
                    is_listed = true;
                    sound = is_sound(record, file);
                    break;
                }
                Ordering::Greater => break,
            }
        }
        if !sound {
            unsound.push((at, record));
        }
    }
    let rest = files.skip(usize::from(is_listed));
    unlisted.extend(rest.map(|(path, _)| path.as_str()));
    unsound.sort_by_key(|(at, _)| *at);
    Compared {
        unsound: unsound.into_iter().map(|(_, record)| record).collect(),
        unlisted,
    }
}
