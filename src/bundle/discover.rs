//! Finding the inputs: which of the given paths, and of the files below them,
//! are bundles.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use walkdir::WalkDir;

use super::kind::{self, EXPECTED, named_as_facts};
use super::layout;

/// One input that may hold a bundle.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub(super) path: PathBuf,
    pub(super) kind: SourceKind,
    kept: Kept,
}

/// The bytes of an input that can be read only once, once they were read.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<OnceLock<Vec<u8>>>);

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Kept {}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kept {
    // Two names of one input differ by their paths.
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SourceKind {
    Archive,
    Folder,
    StandardInput,
    Facts,
}

impl Source {
    /// The input as a person would name it: its path as given or found.
    pub fn name(&self) -> String {
        match self.kind {
            SourceKind::StandardInput if self.path.as_os_str() == "-" => "standard input".into(),
            _ => self.path.to_string_lossy().into_owned(),
        }
    }

    /// The bytes of an input that can be read only once: read now, or kept
    /// from before.
    pub(super) fn once<E>(&self, read: impl FnOnce() -> Result<Vec<u8>, E>) -> Result<&[u8], E> {
        if let Some(bytes) = self.kept.0.get() {
            return Ok(bytes);
        }
        let bytes = read()?;
        Ok(self.kept.0.get_or_init(|| bytes))
    }

    /// Bytes of the file; 0 where that is not known.
    pub fn size(&self) -> u64 {
        fs::metadata(&self.path)
            .ok()
            .filter(fs::Metadata::is_file)
            .map_or(0, |about| about.len())
    }

    /// Whether it is a file that is named as facts.
    pub fn is_named_as_facts(&self) -> bool {
        self.kind == SourceKind::Facts
    }

    /// An archive or a bundle's folder at this path, without a search.
    pub fn at(path: &Path) -> Self {
        let kind = match path.is_dir() {
            true => SourceKind::Folder,
            false => SourceKind::Archive,
        };
        Self {
            path: path.to_owned(),
            kind,
            kept: Kept::default(),
        }
    }
}

/// An input that is not analyzed, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rejected {
    /// The input as a person would name it.
    pub path: String,
    /// What was expected, and what to do.
    pub error: String,
}

/// What the given paths hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discovery {
    /// The inputs, sorted by path, each once.
    pub sources: Vec<Source>,
    /// Paths that can't be inputs, sorted.
    pub rejected: Vec<Rejected>,
}

/// Looks at the given paths: `-` is one archive on standard input, a file is
/// an archive (or facts, by its name), a folder is a bundle's own or is
/// searched for all of them.
///
/// Links that are found are not followed. A file that is given by name is
/// taken for an archive whatever its name; in a folder only names that
/// promise an archive count, and texts that begin as a pvereport.
pub fn discover(paths: &[PathBuf]) -> Discovery {
    let mut search = Search::default();
    for path in paths {
        search.given(path);
    }
    let mut found = Discovery {
        sources: search.sources.into_values().collect(),
        rejected: search.rejected,
    };
    found.sources.sort();
    found.rejected.sort();
    found.rejected.dedup();
    found
}

#[derive(Default)]
struct Search {
    /// By the path without links, so that each input counts once.
    sources: BTreeMap<PathBuf, Source>,
    rejected: Vec<Rejected>,
}

impl Search {
    fn given(&mut self, path: &Path) {
        if path.as_os_str() == "-" {
            self.add(path.to_owned(), path.to_owned(), SourceKind::StandardInput);
            return;
        }
        match (fs::metadata(path), fs::canonicalize(path)) {
            (Ok(about), Ok(real)) if about.is_dir() => self.folder(path, &real),
            (Ok(_), Ok(real)) => self.add(real, path.to_owned(), kind_of(path)),
            // A pipe such as /dev/fd/63 has no path of its own.
            (Ok(_), Err(_)) => self.add(path.to_owned(), path.to_owned(), SourceKind::Archive),
            (Err(error), _) => self.reject(
                path,
                format!("{error}: expected {EXPECTED}, or a folder that holds some"),
            ),
        }
    }

    fn add(&mut self, real: PathBuf, path: PathBuf, kind: SourceKind) {
        self.sources.entry(real).or_insert_with(|| Source {
            path,
            kind,
            kept: Kept::default(),
        });
    }

    fn reject(&mut self, path: &Path, error: String) {
        self.rejected.push(Rejected {
            path: path.to_string_lossy().into_owned(),
            error,
        });
    }

    fn folder(&mut self, folder: &Path, real: &Path) {
        if is_bundle(folder) {
            self.add(real.to_owned(), folder.to_owned(), SourceKind::Folder);
            return;
        }
        let mut found = false;
        let mut walk = WalkDir::new(folder).into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_owned();
                    self.reject(&path, error.to_string());
                    found = true;
                    continue;
                }
            };
            let kind = if entry.file_type().is_dir() && entry.depth() > 0 {
                if !is_bundle(entry.path()) {
                    continue;
                }
                walk.skip_current_dir();
                SourceKind::Folder
            } else if entry.file_type().is_file()
                && is_input(entry.path(), &entry.file_name().to_string_lossy())
            {
                SourceKind::Archive
            } else if entry.file_type().is_file()
                && named_as_facts(&entry.file_name().to_string_lossy())
            {
                SourceKind::Facts
            } else {
                continue;
            };
            found = true;
            let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            self.add(real.join(below), entry.path().to_owned(), kind);
        }
        if !found {
            self.reject(
                folder,
                format!("there is no bundle in this folder: expected {EXPECTED}, or unpacked"),
            );
        }
    }
}

/// What a file that is given by name is taken for.
fn kind_of(path: &Path) -> SourceKind {
    match named_as_facts(&path.to_string_lossy()) {
        true => SourceKind::Facts,
        false => SourceKind::Archive,
    }
}

/// Whether a file in a folder is an input: by its name an archive, or by its
/// beginning a pvereport.
fn is_input(path: &Path, name: &str) -> bool {
    kind::named_as_archive(name) || (kind::named_as_text(name) && super::is_pvereport(path))
}

/// Whether a folder is an unpacked bundle: it has `commands/` with outputs, or
/// `files/etc`; or an unpacked sosreport.
fn is_bundle(folder: &Path) -> bool {
    if folder.join("sos_commands").is_dir() {
        return true;
    }
    let Ok(entries) = fs::read_dir(folder.join("commands")) else {
        return folder.join("files/etc").is_dir();
    };
    let has_outputs = entries.flatten().any(|entry| {
        let path = format!("commands/{}", entry.file_name().to_string_lossy());
        layout::place(&path).is_some()
    });
    has_outputs || folder.join("files/etc").is_dir()
}
