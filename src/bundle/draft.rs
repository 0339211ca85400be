//! What one bundle's members are, path by path, before they are checked.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::contents::{Content, Extent};
use super::layout::{self, Place, Stream};
use super::repeats::StoredFile;
use super::snapshot::Bundle;
use super::text::{Notes, decode, quoted};

/// What one bundle's members are before they are checked.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) bundle: Bundle,
    pub(super) manifest: Option<Result<Vec<u8>, String>>,
    pub(super) notes: Notes,
    /// Paths that several members share: none of them is trusted.
    duplicates: BTreeSet<String>,
    /// What is unread, by path.
    pub(super) unread: BTreeMap<String, String>,
    /// How much of the bundle is read, and checked.
    pub(super) extent: Extent,
    /// Whether there is something that was passed over.
    pub(super) has_passed: bool,
    statuses: BTreeSet<String>,
}

impl Draft {
    /// Of a bundle that is read to this extent.
    pub(super) fn begun(extent: Extent) -> Self {
        Self {
            extent,
            ..Self::default()
        }
    }

    /// Takes the member at this path below the bundle's root.
    pub(super) fn take(&mut self, path: &str, content: Content) {
        let Some(place) = layout::place(path) else {
            return;
        };
        let content = match content {
            Content::Bytes(_) | Content::File(_) if !self.extent.takes(&place) => Content::Passed,
            content => content,
        };
        self.has_passed |= matches!(content, Content::Passed);
        match place {
            Place::Manifest => self.take_manifest(content),
            Place::Command(id, stream) => self.take_command(path, id, stream, content),
            Place::File(path) => self.take_file(path, content),
        }
    }

    fn take_manifest(&mut self, content: Content) {
        let content = match content {
            Content::Bytes(bytes) => Ok(bytes),
            Content::File(file) => Ok(file.to_vec()),
            Content::Passed => Ok(Vec::new()),
            Content::Unread(why) => Err(why),
            Content::Directory | Content::Link(_) => Err("it is no regular file".into()),
        };
        self.manifest = Some(match self.manifest {
            Some(_) => Err("it is there more than once".into()),
            None => content,
        });
    }

    fn take_command(&mut self, path: &str, id: &str, stream: Stream, content: Content) {
        let bytes = match content {
            Content::Bytes(bytes) => Ok(bytes),
            Content::File(file) => Ok(file.to_vec()),
            Content::Passed => Ok(Vec::new()),
            Content::Unread(why) => Err(why),
            Content::Directory => return,
            Content::Link(_) => Err("it is a link; links are not followed".into()),
        };
        let stored = self.bundle.commands.entry(id.to_owned()).or_default();
        let place = match stream {
            Stream::Out => &mut stored.out,
            Stream::Err => &mut stored.err,
            Stream::Status => {
                if !self.statuses.insert(id.to_owned()) {
                    stored.status = None;
                    self.duplicate(path);
                } else if let Ok(bytes) = bytes {
                    stored.status = decode(&bytes).trim().parse().ok();
                }
                return;
            }
        };
        let is_new = place.is_none();
        match bytes {
            Ok(bytes) if is_new && !self.unread.contains_key(path) => *place = Some(bytes),
            Ok(_) => self.duplicate(path),
            Err(why) => self.refuse(path, why),
        }
    }

    fn take_file(&mut self, path: &str, content: Content) {
        match content {
            Content::Directory => {
                self.bundle.directories.insert(path.to_owned());
            }
            Content::Unread(why) => self.refuse(path, why),
            Content::Passed if !layout::lies_in_etc_pve(path) => self.keep_parent(path),
            _ if self.bundle.links.contains_key(path) || self.unread.contains_key(path) => {
                self.duplicate(path);
            }
            Content::Link(_) if self.bundle.files.contains_key(path) => self.duplicate(path),
            Content::Link(target) => {
                self.bundle.links.insert(path.to_owned(), target);
            }
            Content::File(file) => self.keep_file(path, file),
            Content::Bytes(bytes) => self.keep_file(path, Arc::new(bytes.into())),
            Content::Passed => self.keep_file(path, Arc::default()),
        }
    }

    fn keep_file(&mut self, path: &str, file: Arc<StoredFile>) {
        let is_new = match self.bundle.files.entry(path.to_owned()) {
            Entry::Vacant(entry) => {
                entry.insert(file);
                true
            }
            Entry::Occupied(_) => false,
        };
        if !is_new {
            self.duplicate(path);
        }
    }

    fn duplicate(&mut self, path: &str) {
        if self.duplicates.insert(path.to_owned()) {
            self.refuse(path, "the bundle holds it more than once".into());
        }
    }

    /// Notes that something is there and can't be used, and drops what was
    /// already kept of it.
    pub(super) fn refuse(&mut self, path: &str, why: String) {
        self.notes
            .add(|| format!("{} was not read: {why}", quoted(path)));
        self.bundle.links.remove(path);
        if self.bundle.files.remove(path).is_some() {
            self.keep_parent(path);
        }
        match self.unread.entry(path.to_owned()) {
            Entry::Vacant(entry) => {
                entry.insert(why);
            }
            Entry::Occupied(_) => {}
        }
    }

    /// A file that is not kept still shows that its folder exists.
    fn keep_parent(&mut self, path: &str) {
        if let Some((parent, _)) = path
            .rsplit_once('/')
            .filter(|(parent, _)| !parent.is_empty())
            && !self.bundle.directories.contains(parent)
        {
            self.bundle.directories.insert(parent.to_owned());
        }
    }
}
