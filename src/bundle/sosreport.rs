//! `sosreport`: an archive with a tree of command outputs and copied files,
//! of which a few are a bundle's.
//!
//! `sos_commands/<plugin>/<command line>` holds an output, every run of
//! characters outside `[A-Za-z0-9_.-]` in the line being one `_`; files lie
//! at their own paths. Standard error is mixed in, exit statuses are not
//! recorded. Guests' configurations are not collected by sos; what a local
//! plugin copied of `/etc/pve` is not taken for the whole of it. Source: sos's
//! plugins devicemapper, lvm2, multipath, block, date, host, kernel, process,
//! processor, filesys and memory, and its `_mangle_command`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::OpenError;
use super::contents::{Content, Contents};
use super::limits::Limits;
use super::snapshot::{Bundle, Stored, Unread};
use super::text::quoted;

const COMMANDS: &str = "sos_commands";

/// Outputs by plugin and the beginning of their name, and the bundle's id.
const OUTPUTS: [(&str, &str, &str); 13] = [
    ("devicemapper", "dmsetup_info_-c", "dmsetup-info-c"),
    ("devicemapper", "dmsetup_table", "dmsetup-table"),
    ("devicemapper", "dmsetup_status", "dmsetup-status"),
    ("devicemapper", "dmsetup_ls_--tree", "dmsetup-ls-tree"),
    ("lvm2", "lvs_", "lvs"),
    ("lvm2", "vgs_", "vgs"),
    ("lvm2", "pvs_", "pvs"),
    ("multipath", "multipath_-ll", "multipath"),
    ("block", "lsblk", "lsblk"),
    ("date", "date_--utc", "date"),
    ("kernel", "uname_-a", "uname"),
    ("processor", "lscpu", "lscpu"),
    ("process", "lsof_", "lsof"),
];

/// Files that are a command's output in a bundle.
const COPIES: [(&str, &str); 7] = [
    ("proc/self/mountinfo", "mountinfo"),
    ("proc/swaps", "swaps"),
    ("proc/meminfo", "meminfo"),
    ("proc/loadavg", "loadavg"),
    ("proc/uptime", "uptime"),
    ("proc/sys/kernel/random/boot_id", "boot-id"),
    ("etc/machine-id", "machine-id"),
];

/// Files that are files there, too.
const FILES: [&str; 2] = ["etc/hostname", "etc/corosync/corosync.conf"];

enum Place {
    Command(&'static str),
    File(String),
}

/// Whether a path lies in such a tree, as far as its name tells.
pub(super) fn is_tree(path: &str) -> bool {
    path.starts_with("sosreport-") || root(path).is_some()
}

/// Whether a member is one that is read, wherever the tree's root is.
pub(super) fn may_matter(path: &str) -> bool {
    match root(path) {
        Some(root) => place(below(root, path)).is_some(),
        None => {
            let rest = path.split_once('/').map_or(path, |(_, rest)| rest);
            path.starts_with("sosreport-") && place(rest).is_some()
        }
    }
}

/// The files and folders below a tree's root in which all that is read lies.
pub(super) fn parts() -> Vec<String> {
    let mut parts: Vec<String> = OUTPUTS
        .iter()
        .map(|(plugin, _, _)| format!("{COMMANDS}/{plugin}"))
        .collect();
    parts.sort_unstable();
    parts.dedup();
    parts.extend(COPIES.iter().map(|(path, _)| (*path).to_owned()));
    parts.extend(FILES.iter().map(|path| (*path).to_owned()));
    parts
}

/// Whether a path below a tree's root is one that is read.
pub(super) fn is_part(path: &str) -> bool {
    place(path).is_some()
}

/// The root that a path with `sos_commands` shows.
fn root(path: &str) -> Option<&str> {
    let at = match path.strip_prefix(COMMANDS) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => return Some(""),
        _ => path.find("/sos_commands/")?,
    };
    path.get(..at)
}

fn below<'p>(root: &str, path: &'p str) -> &'p str {
    match root {
        "" => path,
        root => path
            .strip_prefix(root)
            .and_then(|rest| rest.strip_prefix('/'))
            .unwrap_or(path),
    }
}

fn place(rest: &str) -> Option<Place> {
    if let Some(output) = rest.strip_prefix("sos_commands/") {
        let (plugin, name) = output.split_once('/')?;
        let (_, _, id) = OUTPUTS
            .iter()
            .find(|(of, begin, _)| *of == plugin && is_named(name, begin))?;
        return Some(Place::Command(id));
    }
    if let Some((_, id)) = COPIES.iter().find(|(path, _)| *path == rest) {
        return Some(Place::Command(id));
    }
    FILES
        .contains(&rest)
        .then(|| Place::File(format!("/{rest}")))
}

/// LVM's reports are asked with changing columns; `lsof` with changing
/// options. A second run has a number at its end (`.1`).
fn is_named(name: &str, begin: &str) -> bool {
    match name.strip_prefix(begin) {
        Some("") => true,
        Some(_) if begin.ends_with('_') => !name.contains('/'),
        _ => false,
    }
}

/// Sorts the members into one bundle for each tree. None where there is no
/// tree.
///
/// # Errors
/// Where the archive is cut: what is missing would look like what never was.
pub(super) fn bundles(
    name: &str,
    stem: &str,
    contents: &mut Contents<'_>,
    limits: &Limits,
) -> Result<Vec<Bundle>, OpenError> {
    let mut roots: Vec<String> = contents
        .members
        .iter()
        .filter_map(|member| root(&member.path))
        .map(str::to_owned)
        .collect();
    roots.sort_unstable();
    roots.dedup();
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    if let Some(why) = &contents.cut {
        return Err(OpenError::Truncated(why.clone()));
    }
    if roots.len() > limits.bundles {
        return Err(OpenError::Limit {
            what: "bundles",
            limit: limits.bundles as u64,
            option: None,
        });
    }
    let mut bundles: BTreeMap<String, Bundle> = BTreeMap::new();
    let several = roots.len() > 1;
    contents.members.sort_by(|a, b| a.path.cmp(&b.path));
    for member in std::mem::take(&mut contents.members) {
        // The innermost root above it.
        let above = |root: &&String| {
            root.is_empty()
                || member
                    .path
                    .strip_prefix(root.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let Some(root) = roots.iter().filter(above).max_by_key(|root| root.len()) else {
            continue;
        };
        let bundle = bundles
            .entry(root.clone())
            .or_insert_with(|| begun(name, stem, root, several));
        if let Some(place) = place(below(root, &member.path)) {
            take(bundle, place, &member.path, member.content);
        }
    }
    Ok(bundles.into_values().collect())
}

fn begun(name: &str, stem: &str, root: &str, several: bool) -> Bundle {
    let top = root.rsplit('/').next().filter(|top| !top.is_empty());
    let top = top.unwrap_or(stem).to_owned();
    Bundle {
        source: match several {
            true => format!("{name} (top folder {top})"),
            false => name.to_owned(),
        },
        top,
        notes: vec![
            "this is a sosreport: it has no guests' configurations, so no verdict on a guest's \
             entry and no cleanup script can be made of it; for one, collect a bundle: sh \
             dmaudit-collect.sh"
                .to_owned(),
        ],
        ..Bundle::default()
    }
}

fn take(bundle: &mut Bundle, place: Place, path: &str, content: Content) {
    let bytes = match content {
        Content::Bytes(bytes) => Ok(bytes),
        Content::File(file) => Ok(file.to_vec()),
        Content::Unread(why) => Err(why),
        // sos links what it has elsewhere in the tree; none of these are.
        Content::Directory | Content::Link(_) | Content::Passed => return,
    };
    match (place, bytes) {
        (Place::File(file), Ok(bytes)) => drop(bundle.files.insert(file, Arc::new(bytes.into()))),
        (Place::File(file), Err(error)) => bundle.unread.push(Unread { path: file, error }),
        (Place::Command(id), bytes) => {
            let line = path.rsplit('/').next().unwrap_or(path);
            let stored = match bytes {
                Ok(bytes) => Stored {
                    status: failed(&bytes).then_some(1),
                    err: failed(&bytes).then(|| bytes.clone()),
                    out: Some(bytes),
                    line: Some(line.to_owned()),
                    ..Stored::default()
                },
                Err(error) => {
                    bundle.unread.push(Unread {
                        path: format!("commands/{id}.out"),
                        error: error.clone(),
                    });
                    Stored {
                        damage: Some(error),
                        ..Stored::default()
                    }
                }
            };
            match bundle.commands.get(id) {
                None => drop(bundle.commands.insert(id.to_owned(), stored)),
                Some(_) => bundle.notes.push(format!(
                    "{} was not read: another output came first",
                    quoted(path)
                )),
            }
        }
    }
}

/// What sos or a shell writes in place of an output.
fn failed(bytes: &[u8]) -> bool {
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let text = String::from_utf8_lossy(line.get(..200).unwrap_or(line));
    text.ends_with("command not found")
        || text.ends_with("No such file or directory")
        || text.contains("Permission denied")
        || text.starts_with("timeout: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_their_place() {
        let at = |path: &str| may_matter(path);
        assert!(at(
            "sosreport-pve1-2026/sos_commands/devicemapper/dmsetup_info_-c"
        ));
        assert!(at(
            "a/b/sos_commands/lvm2/lvs_-a_-o_lv_tags_devices_--config"
        ));
        assert!(at("sos_commands/block/lsblk"));
        assert!(at("sosreport-pve1-2026/proc/swaps"));
        assert!(!at("sosreport-pve1-2026/sos_commands/block/lsblk_-f_-a_-l"));
        assert!(!at("sosreport-pve1-2026/sos_commands/lvm2/lvmdump/lvs_x"));
        assert!(!at("sosreport-pve1-2026/var/log/messages"));
        assert!(!at("sosreport-pve1-2026/etc/pve/storage.cfg"));
        assert!(!at("x/proc/swaps"));
    }
}
