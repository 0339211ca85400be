//! What a reader of any kind of input hands on: members under names, not yet
//! told apart by bundle.

use std::borrow::Cow;
use std::sync::Arc;

use super::OpenError;
use super::layout::{self, Place};
use super::limits::Budget;
use super::repeats::StoredFile;
use super::snapshot::Bundle;
use super::text::Notes;

/// A member of an archive or a folder.
#[derive(Debug)]
pub(super) struct Member<'a> {
    /// Path below the archive's top, normalised: see [`layout::normalise`].
    pub(super) path: Cow<'a, str>,
    pub(super) content: Content,
}

impl Member<'_> {
    /// Bytes that are kept of it.
    pub(super) fn bytes(&self) -> u64 {
        let bytes: &[u8] = match &self.content {
            Content::Bytes(bytes) => bytes,
            Content::File(file) => file,
            _ => &[],
        };
        bytes.len() as u64
    }
}

/// How much of an input is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Extent {
    /// All that belongs to a bundle.
    #[default]
    Whole,
    /// What tells a node from others; the rest may be passed over.
    Brief,
}

impl Extent {
    /// Whether a bundle's member at this place is read.
    pub(super) fn takes(self, place: &Place<'_>) -> bool {
        self == Self::Whole || place.tells_the_node()
    }
}

/// What a member holds.
#[derive(Debug)]
pub(super) enum Content {
    /// A regular file's bytes.
    Bytes(Vec<u8>),
    /// As [`Content::Bytes`], of a file of the node.
    File(Arc<StoredFile>),
    /// A regular file that was passed over.
    Passed,
    /// A folder that is listed by itself.
    Directory,
    /// A symbolic link and where it points; never followed.
    Link(String),
    /// A member that is there and can't be read, and why.
    Unread(String),
}

/// All members that may belong to a bundle.
#[derive(Debug, Default)]
pub(super) struct Contents<'a> {
    pub(super) members: Vec<Member<'a>>,
    /// What was odd about the input as a whole.
    pub(super) notes: Notes,
    /// Why the input's end is missing, where it is.
    pub(super) cut: Option<String>,
    /// Archives inside, which are not opened: worth a word where no bundle is
    /// found beside them.
    pub(super) archives_inside: usize,
    /// What a single text holds: a pvereport.
    pub(super) report: Option<Bundle>,
}

impl<'a> Contents<'a> {
    /// The path to keep a member under, from its raw name; `None`, with a
    /// note, where the name is refused.
    pub(super) fn path<'n>(&mut self, raw: &'n [u8]) -> Option<Cow<'n, str>> {
        match layout::normalise(raw) {
            Ok((path, lossy)) => {
                if lossy {
                    self.notes.add(|| {
                        format!(
                            "the name of the member {} is not UTF-8; its odd bytes were replaced",
                            super::text::quoted(&path)
                        )
                    });
                }
                Some(path)
            }
            Err(note) => {
                self.notes.add(|| note);
                None
            }
        }
    }

    /// Counts archives inside of this one.
    pub(super) fn look_at_name(&mut self, path: &str) {
        if super::kind::named_as_archive(path) {
            self.archives_inside += 1;
        }
    }

    /// Keeps a member.
    pub(super) fn keep(
        &mut self,
        budget: &mut Budget<'_>,
        path: Cow<'a, str>,
        content: Content,
    ) -> Result<(), OpenError> {
        budget.kept(path.len())?;
        self.members.push(Member { path, content });
        Ok(())
    }
}
