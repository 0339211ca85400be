//! Where in an archive or a folder the bundles are, and which of its members
//! belong to one.
//!
//! A bundle's root is the folder that holds `commands/<id>.out` (or `.err`,
//! `.rc`) or `files/etc/…`. It may be the top folder, lie below further ones,
//! or be the archive itself; an archive may have several.

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
pub(super) fn normalise(raw: &[u8]) -> Result<(String, bool), String> {
    let text = String::from_utf8_lossy(raw);
    let refused = |why: &str| {
        Err(format!(
            "the member {} {why}; it was not read",
            quoted(&text)
        ))
    };
    if raw.len() > NAME_BYTES {
        return refused("has a name longer than any path");
    }
    if text.contains('\0') {
        return refused("has a NUL in its name");
    }
    if text.starts_with('/') {
        return refused("has an absolute path");
    }
    let mut path = String::with_capacity(text.len());
    let mut depth = 0;
    for part in text.split('/') {
        match part {
            "" | "." => continue,
            ".." => return refused("points outside of the archive"),
            _ => {
                if depth > 0 {
                    path.push('/');
                }
                path.push_str(part);
                depth += 1;
            }
        }
    }
    if depth > NAME_DEPTH {
        return refused("lies in too many folders");
    }
    let lossy = matches!(text, std::borrow::Cow::Owned(_));
    Ok((path, lossy))
}

/// The bundle roots that these member paths show, sorted; "" is the archive
/// itself.
pub(super) fn roots<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let mut last: Option<&str> = None;
    for path in paths {
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
    found
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

/// Which of the roots a path belongs to: the innermost above it.
pub(super) fn root_of<'r>(roots: &'r BTreeSet<String>, path: &str) -> Option<&'r str> {
    ancestors(path).find_map(|above| roots.get(above).map(String::as_str))
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
pub(super) fn below<'p>(root: &str, path: &'p str) -> Option<&'p str> {
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

/// Whether the member at this path below a root says which node of which
/// cluster the bundle is of, and when it was taken.
pub(super) fn tells_the_node(path: &str) -> bool {
    const MEMBERS: [&str; 12] = [
        "manifest.json",
        "commands/uname.out",
        "commands/date.out",
        "commands/machine-id.out",
        "commands/vgs-json.out",
        "files/etc/hostname",
        "files/etc/corosync/corosync.conf",
        "files/etc/pve/corosync.conf",
        "files/etc/pve/.members",
        "files/etc/pve/storage.cfg",
        "files/etc/pve/local",
        "files/etc/pve/qemu-server",
    ];
    MEMBERS.contains(&path)
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

/// Whether a path can belong to a bundle, wherever its root is: asked while
/// a tar streams by and the roots are not known yet.
pub(super) fn may_matter(path: &str) -> bool {
    path == "manifest.json"
        || path.ends_with("/manifest.json")
        || path
            .split('/')
            .any(|part| part == "commands" || part == "files")
}
