//! One node's snapshot: bytes under names, and what is known to be missing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::manifest::Manifest;
use super::repeats::StoredFile;
use super::text::decode;

/// One node's snapshot, as it was collected.
///
/// Nothing in it is interpreted but the manifest. What was there and can't be
/// used (damaged, too large, refused) is in [`Bundle::unread`] and nowhere
/// else, so that missing evidence is never taken for absence.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    pub(super) source: String,
    pub(super) top: String,
    pub(super) manifest: Option<Manifest>,
    pub(super) notes: Vec<String>,
    pub(super) commands: BTreeMap<String, Stored>,
    pub(super) files: BTreeMap<String, Arc<StoredFile>>,
    pub(super) links: BTreeMap<String, String>,
    pub(super) directories: BTreeSet<String>,
    pub(super) unread: Vec<Unread>,
    /// Why the archive's end is missing.
    pub(super) cut: Option<String>,
}

/// A command's results as they are kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    pub(super) out: Option<Vec<u8>>,
    pub(super) err: Option<Vec<u8>>,
    pub(super) status: Option<i32>,
    pub(super) timed_out: bool,
    pub(super) line: Option<String>,
    /// Why the output can't be used.
    pub(super) damage: Option<String>,
}

/// What one command printed on the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output<'a> {
    /// Standard output; bytes that are not UTF-8 are replaced, a byte order
    /// mark is dropped.
    pub text: Cow<'a, str>,
    /// Standard error, or why the output can't be used.
    pub error: Cow<'a, str>,
    /// Exit status. Without a manifest and a recorded status it is not known.
    pub status: Option<i32>,
    /// Whether the collector ended the command because it took too long.
    pub timed_out: bool,
    /// The command line, by the manifest.
    pub line: Option<&'a str>,
    /// Whether the stored output is missing or not what the manifest says:
    /// then `text` is empty, `error` says why, and `status` is
    /// [`Output::DAMAGED`].
    pub damaged: bool,
}

impl Output<'_> {
    /// The status of an output that can't be used. No process ends with it.
    pub const DAMAGED: i32 = -1;
}

/// Something of the node that should be here and can't be used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// A file's absolute path on the node, or `commands/<id>.out`.
    pub path: String,
    /// Why.
    pub error: String,
}

/// Links of the cluster file system that collectors store as small files.
const PMXCFS_LINKS: [&str; 4] = [
    "/etc/pve/local",
    "/etc/pve/qemu-server",
    "/etc/pve/lxc",
    "/etc/pve/openvz",
];

/// The longest target of such a link.
const LINK_BYTES: usize = 4096;

impl Bundle {
    /// The input as a person would name it: its path as it was given or
    /// found, with the top folder where one archive holds several bundles.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The name of the folder that is the bundle, without those above it:
    /// `dmaudit-pve1-20261123T183645Z`. Where the archive has no folder around
    /// the bundle, the archive's own name without suffix.
    pub fn top(&self) -> &str {
        &self.top
    }

    /// Bytes of its outputs and files.
    pub fn bytes(&self) -> u64 {
        let of = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
        let outputs = self
            .commands
            .values()
            .map(|one| of(&one.out) + of(&one.err));
        let files = self.files.values().map(|file| file.len());
        outputs.chain(files).sum::<usize>() as u64
    }

    /// The collector's manifest, where there is one and it can be read.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Why the end of the archive is missing, if it is: what the manifest
    /// lists may be there all the same.
    pub fn cut(&self) -> Option<&str> {
        self.cut.as_deref()
    }

    /// What was odd but did not prevent reading, as sentences for a person.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What a command printed: there is an answer when its output is in the
    /// bundle or the manifest mentions the command.
    pub fn command(&self, id: &str) -> Option<Output<'_>> {
        let stored = self.commands.get(id)?;
        let line = stored.line.as_deref();
        Some(match &stored.damage {
            Some(why) => Output {
                text: Cow::Borrowed(""),
                error: Cow::Borrowed(why),
                status: Some(Output::DAMAGED),
                timed_out: stored.timed_out,
                line,
                damaged: true,
            },
            None => Output {
                text: decode(stored.out.as_deref().unwrap_or_default()),
                error: decode(stored.err.as_deref().unwrap_or_default()),
                status: stored.status,
                timed_out: stored.timed_out,
                line,
                damaged: false,
            },
        })
    }

    /// The ids of all commands that [`Bundle::command`] answers, sorted.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        self.commands.keys().map(String::as_str)
    }

    /// A file's text by its absolute path on the node; bytes that are not
    /// UTF-8 are replaced, a byte order mark is dropped.
    pub fn file(&self, path: &str) -> Option<Cow<'_, str>> {
        self.files.get(path).map(|bytes| decode(bytes))
    }

    /// All files below a folder of the node: absolute path and bytes, sorted
    /// by path.
    pub fn files_below(&self, dir: &str) -> impl Iterator<Item = (&str, &[u8])> {
        let prefix = prefix(dir);
        self.files
            .range(prefix.clone()..)
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .map(|(path, file)| (path.as_str(), &***file))
    }

    /// Where a symbolic link of the node points, as the link says it. Links
    /// are never followed. The cluster file system's own links may be stored
    /// as a file whose only line is the target.
    pub fn link(&self, path: &str) -> Option<&str> {
        if let Some(target) = self.links.get(path) {
            return Some(target);
        }
        if !PMXCFS_LINKS.contains(&path) {
            return None;
        }
        let bytes = self
            .files
            .get(path)
            .filter(|bytes| bytes.len() <= LINK_BYTES)?;
        let target = std::str::from_utf8(bytes).ok()?.trim();
        let is_relative = !target.is_empty() && !target.starts_with('/');
        (is_relative && !target.contains(char::is_control)).then_some(target)
    }

    /// The folders of the node below `dir` that are known to exist, sorted:
    /// by the manifest, by themselves, or because something lies in them.
    pub fn directories_below(&self, dir: &str) -> impl Iterator<Item = &str> {
        let prefix = prefix(dir);
        let mut found = BTreeSet::new();
        let listed = self.directories.iter().map(|path| (path.as_str(), true));
        let files = self.files.keys().map(|path| (path.as_str(), false));
        let links = self.links.keys().map(|path| (path.as_str(), false));
        for (path, is_directory) in listed.chain(files).chain(links) {
            if !path.starts_with(&prefix) {
                continue;
            }
            if is_directory {
                found.insert(path);
            }
            let mut rest = path;
            while let Some(slash) = rest.rfind('/').filter(|&slash| slash >= prefix.len()) {
                rest = rest.split_at(slash).0;
                if !found.insert(rest) {
                    break;
                }
            }
        }
        found.into_iter()
    }

    /// Whether a folder of the node is known to exist.
    pub fn has_directory(&self, path: &str) -> bool {
        self.directories.contains(path) || self.files_below(path).next().is_some()
    }

    /// What of the node should be here and can't be used, sorted by path:
    /// what the collector could not read, and what is damaged, missing or
    /// refused in the bundle.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }
}

/// What the paths below a folder begin with.
fn prefix(dir: &str) -> String {
    format!("{}/", dir.trim_end_matches('/'))
}
