//! Where in an archive or a folder the bundles are, and which of its members
//! belong to one.
//!
//! A bundle's root is the folder that holds `commands/<id>.out` (or `.err`,
//! `.rc`) or `files/etc/…`. It may be the top folder, lie below further ones,
//! or be the archive itself; an archive may have several.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::limits::{NAME_BYTES, NAME_DEPTH};
use super::text::quoted;

/// What a member of a bundle is, by its path below the root.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// `manifest.json`.
    Manifest,
    /// `commands/<id>.out` and so on.
    Command(&'a str, Stream),
    /// `files/<path>`: the absolute path, with its leading slash.
    File(&'a str),
}

/// The three files that a command leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
    /// The exit status, as a number.
    Status,
}

/// A member's name as a path without `.`, empty parts and a trailing slash.
///
/// The error says why the name can't be one of a bundle.
pub(super) fn normalise(raw: &[u8]) -> Result<(Cow<'_, str>, bool), String> {
    let (text, lossy) = match std::str::from_utf8(raw) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (String::from_utf8_lossy(raw), true),
    };
    let refused = |why: &str| {
        Err(format!(
            "the member {} {why}; it was not read",
            quoted(&text)
        ))
    };
    if raw.len() > NAME_BYTES {
        return refused("has a name longer than any path");
    }
    if raw.contains(&0) {
        return refused("has a NUL in its name");
    }
    if text.starts_with('/') {
        return refused("has an absolute path");
    }
    let mut depth = 0;
    let mut is_normal = true;
    for part in raw.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => is_normal = false,
            b".." => return refused("points outside of the archive"),
            _ => depth += 1,
        }
    }
    if depth > NAME_DEPTH {
        return refused("lies in too many folders");
    }
    if is_normal {
        return Ok((text, lossy));
    }
    let parts: Vec<&str> = text
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    Ok((parts.join("/").into(), lossy))
}

/// The bundle roots of an input, sorted; "" is the input itself.
#[derive(Debug)]
pub(super) struct Roots {
    sorted: Vec<String>,
    /// Folders above and in the deepest of them: no root lies deeper.
    depth: usize,
}

impl Roots {
    /// Those that these member paths show.
    pub(super) fn shown_by<'a>(paths: impl Iterator<Item = &'a str>) -> Self {
        let sorted = roots(paths);
        let depth = sorted.iter().map(|root| depth(root)).max().unwrap_or(0);
        Self { sorted, depth }
    }

    /// The roots in their order.
    pub(super) fn sorted(&self) -> &[String] {
        &self.sorted
    }

    /// Which of the roots a path belongs to, the innermost above it, and the
    /// path below that.
    pub(super) fn split<'p>(&self, path: &'p str) -> Option<(usize, &'p str)> {
        let at = |above: &str| {
            self.sorted
                .binary_search_by(|root| (**root).cmp(above))
                .ok()
        };
        let mut found = at("").map(|root| (root, path));
        let slashes = memchr::memchr_iter(b'/', path.as_bytes());
        for slash in slashes.take(self.depth) {
            let root = path.get(..slash).and_then(at);
            if let Some(below) = root.zip(path.get(slash + 1..)) {
                found = Some(below);
            }
        }
        found.filter(|_| !path.is_empty())
    }
}

/// How many folders a path to a folder names.
fn depth(folder: &str) -> usize {
    match folder {
        "" => 0,
        _ => folder.split('/').count(),
    }
}

fn roots<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut last: Option<&str> = None;
    for path in paths {
        // What lies there shows the same root as what came before it.
        let is_known = last
            .and_then(|root| below(root, path))
            .is_some_and(|rest| rest.starts_with("files/etc/"));
        if is_known {
            continue;
        }
        if let Some(root) = root_shown_by(path)
            && last != Some(root)
        {
            found.insert(root.to_owned());
            last = Some(root);
        }
    }
    // What a node had in a folder `commands` of its own is no further bundle.
    let inner: Vec<String> = found
        .iter()
        .filter(|root| {
            ancestors(root).any(|outer| {
                found.contains(outer)
                    && below(outer, root).is_some_and(|rest| {
                        matches!(rest.split('/').next(), Some("files" | "commands"))
                    })
            })
        })
        .cloned()
        .collect();
    for root in inner {
        found.remove(&root);
    }
    found.into_iter().collect()
}

/// The root that this one path proves, if it does.
fn root_shown_by(path: &str) -> Option<&str> {
    let mut start = 0;
    for part in path.split('/') {
        let rest = path.get(start + part.len() + 1..).unwrap_or("");
        let shown = match part {
            "commands" => !rest.contains('/') && command(rest).is_some(),
            "files" => rest == "etc" || rest.starts_with("etc/"),
            _ => false,
        };
        if shown {
            return path.get(..start.saturating_sub(1));
        }
        start += part.len() + 1;
    }
    None
}

/// The folders above a path, innermost first, down to "".
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(path);
    std::iter::from_fn(move || {
        let path = rest.filter(|path| !path.is_empty())?;
        let above = path.rfind('/').map_or("", |slash| path.split_at(slash).0);
        rest = Some(above);
        Some(above)
    })
}

/// The part of `path` below the folder `root`.
fn below<'p>(root: &str, path: &'p str) -> Option<&'p str> {
    if root.is_empty() {
        return Some(path);
    }
    path.strip_prefix(root)?.strip_prefix('/')
}

/// What the member at this path below a root is; `None` for what no bundle
/// has.
pub(super) fn place(path: &str) -> Option<Place<'_>> {
    if path == "manifest.json" {
        return Some(Place::Manifest);
    }
    if let Some(name) = path.strip_prefix("commands/") {
        let (id, stream) = command(name)?;
        return Some(Place::Command(id, stream));
    }
    let absolute = path.strip_prefix("files")?;
    (absolute.len() > 1 && absolute.starts_with('/')).then_some(Place::File(absolute))
}

impl Place<'_> {
    /// Whether what is there says which node of which cluster the bundle is
    /// of, and when it was taken.
    pub(super) fn tells_the_node(&self) -> bool {
        const COMMANDS: [&str; 4] = ["uname", "date", "machine-id", "vgs-json"];
        const FILES: [&str; 9] = [
            "/etc/hostname",
            "/etc/corosync/corosync.conf",
            "/etc/pve/corosync.conf",
            "/etc/pve/.members",
            "/etc/pve/storage.cfg",
            "/etc/pve/local",
            "/etc/pve/qemu-server",
            "/etc/pve/lxc",
            "/etc/pve/openvz",
        ];
        match self {
            Self::Manifest => true,
            Self::Command(id, stream) => *stream == Stream::Out && COMMANDS.contains(id),
            Self::File(path) => FILES.contains(path),
        }
    }
}

fn command(name: &str) -> Option<(&str, Stream)> {
    let (id, extension) = name.rsplit_once('.')?;
    let stream = match extension {
        "out" => Stream::Out,
        "err" => Stream::Err,
        "rc" => Stream::Status,
        _ => return None,
    };
    (!id.is_empty() && !id.contains('/')).then_some((id, stream))
}

/// Whether a file of the node lies in `/etc/pve` itself: such a one shows that
/// the folder was collected as a whole.
pub(super) fn lies_in_etc_pve(path: &str) -> bool {
    path.strip_prefix("/etc/pve/")
        .is_some_and(|name| !name.contains('/'))
}

/// Whether a path can belong to a bundle, wherever its root is: asked while
/// a tar streams by and the roots are not known yet.
pub(super) fn may_matter(path: &str) -> bool {
    path == "manifest.json"
        || path.ends_with("/manifest.json")
        || path
            .split('/')
            .any(|part| part == "commands" || part == "files")
}
