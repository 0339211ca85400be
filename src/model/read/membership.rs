//! The cluster that a bundle's node is in, and its members.

use std::collections::BTreeSet;

use super::Reader;
use super::bounds::{self, NAME, brief};
use crate::bundle::{Bundle, Unread};
use crate::model::node::{Environment, Membership};
use crate::parse::cluster_files::parse_members;
use crate::parse::corosync::{self, Corosync};

pub(super) fn membership(reader: &mut Reader<'_>, name: &str) -> Membership {
    let bundle = reader.bundle;
    let conf = reader
        .file("/etc/pve/corosync.conf", corosync::parse)
        .or_else(|| reader.file("/etc/corosync/corosync.conf", corosync::parse));
    let listed = reader.file("/etc/pve/.members", parse_members).flatten();
    if let Some(Corosync {
        cluster_name,
        nodes,
        ..
    }) = conf
    {
        return Membership {
            environment: Environment::Clustered,
            cluster: cluster_name
                .filter(|name| !name.is_empty())
                .map(|name| brief(&name, NAME)),
            members: members(reader, nodes),
        };
    }
    if let Some((cluster, nodes)) = listed.and_then(|listed| Some((listed.cluster?, listed.nodes)))
    {
        return Membership {
            environment: Environment::Clustered,
            cluster: Some(brief(&cluster.name, NAME)),
            members: members(
                reader,
                nodes.into_iter().map(|member| member.name).collect(),
            ),
        };
    }
    let folders = node_folders(bundle);
    if folders.len() > 1 {
        return Membership {
            environment: Environment::Clustered,
            cluster: None,
            members: {
                let folders = folders.into_iter().map(str::to_owned).collect();
                members(reader, folders)
            },
        };
    }
    // A file that lies in /etc/pve itself shows that it was collected as a
    // whole: then corosync.conf would be there.
    let is_unread = |unread: &Unread| unread.path == "/etc/pve/corosync.conf";
    let unread = bundle.unread().iter().any(is_unread);
    let whole = !unread
        && bundle.files_below("/etc/pve").any(|(path, _)| {
            path.strip_prefix("/etc/pve/")
                .is_some_and(|rest| !rest.contains('/') && bundle.link(path).is_none())
        });
    Membership {
        environment: if whole {
            Environment::Standalone
        } else {
            Environment::Unknown
        },
        cluster: None,
        members: if whole {
            vec![name.to_owned()]
        } else {
            Vec::new()
        },
    }
}

/// A cluster's members. Of a list that is longer than any cluster's nothing
/// is believed; an empty one never shows that all members were seen.
fn members(reader: &mut Reader<'_>, listed: Vec<String>) -> Vec<String> {
    let is_name = |name: &String| name.len() <= NAME;
    if listed.len() <= bounds::MEMBERS && listed.iter().all(is_name) {
        return listed;
    }
    let why = bounds::too_many(listed.len(), "members", bounds::MEMBERS);
    reader.note(|| format!("the list of the cluster's members was {why}"));
    Vec::new()
}

/// The nodes that have a folder with guests' configurations below
/// `/etc/pve/nodes`, or that were seen without any.
pub(super) fn node_folders(bundle: &Bundle) -> BTreeSet<&str> {
    bundle
        .directories_below("/etc/pve/nodes")
        .filter_map(|path| path.strip_prefix("/etc/pve/nodes/")?.split('/').next())
        .collect()
}

/// Whether all configurations of all members were collected, so that a guest
/// without one does not exist.
pub(super) fn all_folders_seen(bundle: &Bundle, members: &[String]) -> bool {
    let folders = node_folders(bundle);
    let seen = |member: &String| {
        let kinds = ["qemu-server", "lxc"];
        folders.contains(member.as_str())
            && unread_folder(bundle, member).is_none()
            && kinds
                .iter()
                .all(|kind| is_folder_known(bundle, member, kind))
    };
    !members.is_empty() && members.iter().all(seen)
}

/// Whether a node's folder of configurations was listed, be it empty. A
/// bundle that does not say what was listed has what there was.
pub(super) fn is_folder_known(bundle: &Bundle, node: &str, kind: &str) -> bool {
    let says = bundle
        .manifest()
        .is_some_and(|manifest| manifest.directories.is_some());
    !says || bundle.has_directory(&format!("/etc/pve/nodes/{node}/{kind}"))
}

/// The first folder above a node's configurations that could not be read, if
/// there is one: what is missing from it proves nothing.
pub(super) fn unread_folder<'a>(bundle: &'a Bundle, node: &str) -> Option<&'a Unread> {
    let is_kind = |rest: &str| matches!(rest, "" | "/qemu-server" | "/lxc");
    let is_folder = |unread: &&Unread| {
        let Some(rest) = unread.path.strip_prefix("/etc/pve") else {
            return false;
        };
        let of_node = || {
            let rest = rest.strip_prefix("/nodes/")?.strip_prefix(node)?;
            Some(is_kind(rest))
        };
        rest == "/nodes"
            || is_kind(rest.strip_prefix("/local").unwrap_or(rest))
            || of_node().unwrap_or(false)
    };
    bundle.unread().iter().find(is_folder)
}
