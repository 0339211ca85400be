//! From the members of one input to the bundles in it, checked against their
//! manifests.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::OpenError;
use super::contents::{Content, Contents, Extent, Member};
use super::kind::EXPECTED;
use super::layout::{self, Place, Roots, Stream};
use super::limits::Limits;
use super::repeats::StoredFile;
use super::snapshot::Bundle;
use super::sosreport;
use super::text::{Notes, decode, quoted};
use super::verify;

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

/// Sorts the members into bundles.
///
/// `name` is the input as a person names it, `stem` what a bundle without a
/// folder around it is called.
pub(super) fn bundles(
    name: &str,
    stem: &str,
    mut contents: Contents<'_>,
    extent: Extent,
    limits: &Limits,
) -> Result<Vec<Bundle>, OpenError> {
    if let Some(report) = contents.report.take() {
        return Ok(vec![report]);
    }
    let bytes: u64 = contents.members.iter().map(Member::bytes).sum();
    let roots = Roots::shown_by(contents.members.iter().map(|member| &*member.path));
    let tops = roots.sorted();
    if tops.is_empty() {
        let trees = sosreport::bundles(name, stem, &mut contents, limits)?;
        if trees.is_empty() {
            return Err(no_bundle(&contents));
        }
        limits.allow_together(trees.len(), bytes)?;
        return Ok(trees);
    }
    limits.allow_together(tops.len(), bytes)?;
    if tops.len() > limits.bundles {
        return Err(OpenError::Limit {
            what: "bundles",
            limit: limits.bundles as u64,
            option: None,
        });
    }
    let begun = || Draft {
        extent,
        ..Draft::default()
    };
    let mut drafts: Vec<Draft> = tops.iter().map(|_| begun()).collect();
    for member in contents.members {
        if let Some((root, rest)) = roots.split(&member.path)
            && let Some(draft) = drafts.get_mut(root)
        {
            draft.take(rest, member.content);
        }
    }
    let several = tops.len() > 1;
    tops.iter()
        .zip(drafts)
        .map(|(root, mut draft)| {
            let top = root.rsplit('/').next().filter(|top| !top.is_empty());
            draft.bundle.top = top.unwrap_or(stem).to_owned();
            draft.bundle.source = match several {
                true => format!("{name} (top folder {})", draft.bundle.top),
                false => name.to_owned(),
            };
            draft.notes.extend(&contents.notes);
            verify::finish(draft, contents.cut.as_deref()).map_err(|error| match error {
                OpenError::Unusable(why) if several => {
                    OpenError::Unusable(format!("in the top folder {}: {why}", quoted(root)))
                }
                error => error,
            })
        })
        .collect()
}

fn no_bundle(contents: &Contents<'_>) -> OpenError {
    if let Some(why) = &contents.cut {
        return OpenError::Truncated(why.clone());
    }
    if contents.archives_inside > 0 {
        return OpenError::NoBundle(format!(
            "there is no bundle in it, but {} archives: unpack it and give the folder",
            contents.archives_inside
        ));
    }
    OpenError::NoBundle(format!(
        "there is no bundle in it: expected commands/<id>.out or files/etc/pve, or a sosreport's \
         sos_commands, as in {EXPECTED}"
    ))
}

impl Draft {
    /// Takes the member at this path below the bundle's root.
    fn take(&mut self, path: &str, content: Content) {
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
