//! The guests of the cluster, and how far what a bundle shows of them can be
//! relied on. Missing evidence is never read as absence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Reader;
use super::bounds::{self, NAME, brief};
use super::budget::Budget;
use super::configurations::Configurations;
use super::membership::{
    all_folders_seen, is_folder_known, membership, node_folders, unread_folder,
};
use super::room::cost;
use crate::bundle::{Bundle, decode};
use crate::model::guest::{Guest, GuestKind, references};
use crate::model::node::{Environment, Guests, Membership, UnreadElsewhere};
use crate::parse::cluster_files::parse_vmlist;
use crate::parse::guest_config::GuestConfig;
use crate::parse::guest_list::ListedGuest;
use crate::parse::{guest_config, guest_list};

/// Every guest of the cluster, by pmxcfs.
const VMLIST: &str = "/etc/pve/.vmlist";

/// A configuration's place: `…/<node>/qemu-server/<vmid>.conf`.
struct Place<'a> {
    node: Option<&'a str>,
    kind: GuestKind,
    vmid: u64,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    known: &Configurations,
    name: &str,
) -> (Guests, Membership) {
    let membership = membership(reader, name);
    let folder = local_folder(reader.bundle, name);
    let mut guests = Guests::default();
    let listed = listings(reader);
    let vmlist = reader.bundle.file(VMLIST);
    let vmlist = vmlist
        .as_deref()
        .and_then(|text| reader.noted(VMLIST, bounds::within(VMLIST, text, parse_vmlist)));

    configurations(reader, known, &folder, &mut guests);
    for unread in reader.bundle.unread() {
        if let Some(place) = place(&unread.path) {
            note_unread(&mut guests, &place, &folder, &unread.error);
        }
    }
    // They are found by it.
    guests.here.sort_by_key(|guest| guest.vmid);
    guests.elsewhere.sort_by_key(|guest| guest.vmid);
    let read: BTreeSet<u64> = guests.here.iter().map(|guest| guest.vmid).collect();
    for guest in vmlist.iter().flatten() {
        let vmid = u64::from(guest.vmid);
        match &guest.node {
            Some(node) if *node != folder => note_elsewhere(&mut guests, vmid, node),
            _ if !read.contains(&vmid) => {
                guests.unread.entry(vmid).or_insert_with(|| {
                    "listed in /etc/pve/.vmlist, but its configuration is not in the bundle"
                        .to_owned()
                });
            }
            _ => {}
        }
    }
    guests.unusable = unusable(reader, &guests, &listed, &folder);
    apply_listings(&mut guests, &listed, &folder);
    guests.whole_cluster = match membership.environment {
        Environment::Standalone => true,
        Environment::Unknown => false,
        Environment::Clustered => {
            let listed: BTreeSet<u64> = vmlist
                .iter()
                .flatten()
                .map(|guest| u64::from(guest.vmid))
                .collect();
            // A list without a guest that was read is not one of all guests.
            let mut read = guests.here.iter().map(|guest| guest.vmid);
            let mut elsewhere = guests.elsewhere.iter().map(|guest| guest.vmid);
            let is_listed = |vmid: u64| listed.contains(&vmid);
            (vmlist.is_some() && read.all(is_listed) && elsewhere.all(is_listed))
                || all_folders_seen(reader.bundle, &membership.members)
        }
    };
    guests.here.sort_by_key(|guest| guest.vmid);
    (guests, membership)
}

/// The name of this node's folder below `/etc/pve/nodes`.
fn local_folder(bundle: &Bundle, name: &str) -> String {
    let folders = node_folders(bundle);
    let linked = bundle
        .link("/etc/pve/local")
        .and_then(|target| target.trim_end_matches('/').rsplit('/').next());
    if let Some(linked) = linked.filter(|linked| folders.contains(linked)) {
        return linked.to_owned();
    }
    folders
        .iter()
        .find(|folder| folder.eq_ignore_ascii_case(name))
        .map_or_else(|| name.to_owned(), |folder| (*folder).to_owned())
}

fn place(path: &str) -> Option<Place<'_>> {
    let rest = path.strip_prefix("/etc/pve/")?.strip_suffix(".conf")?;
    let (folder, vmid) = rest.rsplit_once('/')?;
    let (node, kind) = match folder.rsplit_once('/') {
        Some(("local", kind)) => (None, kind),
        Some((node, kind)) => (Some(node.strip_prefix("nodes/")?), kind),
        None => (None, folder),
    };
    Some(Place {
        node,
        kind: match kind {
            "qemu-server" => GuestKind::Vm,
            "lxc" => GuestKind::Ct,
            _ => return None,
        },
        vmid: vmid.parse().ok()?,
    })
}

fn configurations(
    reader: &mut Reader<'_>,
    known: &Configurations,
    folder: &str,
    guests: &mut Guests,
) {
    let bundle = reader.bundle;
    let mut seen = BTreeSet::new();
    let mut budget = Budget::default();
    // Folders by node first: what lies below a link's name is a copy.
    let (by_node, linked): (Vec<_>, Vec<_>) = bundle
        .files_below("/etc/pve")
        .filter_map(|(path, bytes)| Some((path, bytes, place(path)?)))
        .partition(|(_, _, place)| place.node.is_some());
    for (path, bytes, place) in by_node.into_iter().chain(linked) {
        let node = place.node.unwrap_or(folder);
        if !seen.insert((node, place.kind, place.vmid)) {
            continue;
        }
        let read = || {
            bounds::within(path, &decode(bytes), |text| {
                guest_config::parse(text).map(|config| {
                    (!config.is_empty()).then(|| Arc::new(guest(&place, node, path, &config)))
                })
            })
        };
        let parsed = match place.node {
            Some(_) => known.get(path, bytes, read),
            // What lies below a link belongs to this node alone.
            None => read(),
        };
        match reader.noted(path, parsed) {
            Some(guest) => {
                let counted = budget.take(&guest);
                if let Err(why) = counted.and_then(|()| reader.room.take(cost::guest(&guest))) {
                    reader.note(|| format!("{path} was {why}"));
                    note_unread(guests, &place, folder, &why);
                    continue;
                }
                if node == folder {
                    guests.here.push(Arc::unwrap_or_clone(guest));
                } else {
                    guests.elsewhere.push(guest);
                }
            }
            None => note_unread(
                guests,
                &place,
                folder,
                "it is empty, holds no settings or is too large",
            ),
        }
    }
}

fn note_elsewhere(guests: &mut Guests, vmid: u64, node: &str) {
    if guests.home_elsewhere(vmid).is_none() {
        let listed = || UnreadElsewhere {
            node: node.to_owned(),
            why: None,
        };
        guests.unread_elsewhere.entry(vmid).or_insert_with(listed);
    }
}

fn note_unread(guests: &mut Guests, place: &Place<'_>, folder: &str, error: &str) {
    let error = brief(error, NAME);
    match place.node {
        Some(node) if node != folder => {
            let unread = || UnreadElsewhere {
                node: node.to_owned(),
                why: Some(format!(
                    "its configuration on node {node} could not be read: {error}"
                )),
            };
            guests
                .unread_elsewhere
                .entry(place.vmid)
                .or_insert_with(unread);
        }
        _ => {
            let why = format!("its configuration could not be read: {error}");
            guests.unread.insert(place.vmid, why);
        }
    }
}

fn guest(place: &Place<'_>, node: &str, path: &str, config: &GuestConfig<'_>) -> Guest {
    let name_key = match place.kind {
        GuestKind::Vm => "name",
        GuestKind::Ct => "hostname",
    };
    let filled = |key: &str| {
        config
            .current
            .get(key)
            .filter(|value| !value.is_empty())
            .map(|value| brief(value, NAME))
    };
    Guest {
        vmid: place.vmid,
        kind: place.kind,
        node: node.to_owned(),
        path: path.to_owned(),
        readable: true,
        name: filled(name_key).unwrap_or_default(),
        lock: filled("lock"),
        status: None,
        template: filled("template").is_some_and(|value| value == "1"),
        references: references(config),
        snapshots: config
            .snapshots
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect(),
    }
}

/// The guests that `qm list` and `pct list` show, where they ended well.
struct Listings {
    vms: Option<Vec<ListedGuest>>,
    cts: Option<Vec<ListedGuest>>,
}

impl Listings {
    fn all(&self) -> impl Iterator<Item = (GuestKind, &ListedGuest)> {
        let vms = self
            .vms
            .iter()
            .flatten()
            .map(|guest| (GuestKind::Vm, guest));
        vms.chain(
            self.cts
                .iter()
                .flatten()
                .map(|guest| (GuestKind::Ct, guest)),
        )
    }
}

fn listings(reader: &mut Reader<'_>) -> Listings {
    let mut list = |id: &str| {
        let guests = reader.optional(id, guest_list::parse)?;
        let guests = reader.with_room(id, guests, cost::LISTED);
        reader.evidence.has(id).then_some(guests)
    };
    Listings {
        vms: list("qm-list"),
        cts: list("pct-list"),
    }
}

/// Why configurations can't be relied on at all, if so.
fn unusable(
    reader: &Reader<'_>,
    guests: &Guests,
    listed: &Listings,
    folder: &str,
) -> Option<String> {
    let bundle = reader.bundle;
    if bundle.files_below("/etc/pve").next().is_none() {
        return Some(
            "/etc/pve was not collected, or was empty (as it is while pmxcfs is down)".to_owned(),
        );
    }
    if let Some(unread) = unread_folder(bundle, folder) {
        let why = brief(&unread.error, NAME);
        return Some(format!(
            "{} could not be read as a whole: {why}",
            unread.path
        ));
    }
    let kinds = [
        ("qemu-server", "qm list", listed.vms.is_some()),
        ("lxc", "pct list", listed.cts.is_some()),
    ];
    for (kind, command, is_listed) in kinds {
        let is_linked = || bundle.has_directory(&format!("/etc/pve/{kind}"));
        if !is_listed && !is_folder_known(bundle, folder, kind) && !is_linked() {
            return Some(format!(
                "neither the folder {kind} of this node nor `{command}` is in the bundle"
            ));
        }
    }
    let shown: Vec<u64> = listed.all().map(|(_, guest)| guest.vmid).collect();
    let none_anywhere = guests.here.is_empty() && guests.elsewhere.is_empty();
    if none_anywhere && !(guests.unread.is_empty() && guests.unread_elsewhere.is_empty()) {
        return Some("no guest's configuration could be read".to_owned());
    }
    if none_anywhere && listed.vms.is_none() {
        return Some(
            "there is no guest's configuration in the bundle, and no `qm list` that shows there are none"
                .to_owned(),
        );
    }
    if guests.here.is_empty() && !shown.is_empty() {
        return Some(format!(
            "the node lists {} guests, but none of their configurations is in the bundle",
            shown.len()
        ));
    }
    None
}

/// Gives guests their state. A guest that is listed here without a
/// configuration here exists all the same.
fn apply_listings(guests: &mut Guests, listed: &Listings, folder: &str) {
    let mut states: BTreeMap<u64, (GuestKind, &ListedGuest)> = BTreeMap::new();
    for (kind, guest) in listed.all() {
        states.entry(guest.vmid).or_insert((kind, guest));
    }
    for guest in &mut guests.here {
        if let Some((_, listed)) = states.remove(&guest.vmid) {
            guest.status = Some(brief(&listed.status, NAME));
            let lock = listed.lock.as_deref().map(|lock| brief(lock, NAME));
            guest.lock = guest.lock.take().or(lock);
            if guest.name.is_empty() {
                guest.name = brief(&listed.name, NAME);
            }
        }
    }
    for (vmid, (kind, listed)) in states {
        guests
            .unread
            .entry(vmid)
            .or_insert_with(|| "listed on this node, but its configuration is not here".to_owned());
        guests.here.push(bare(vmid, kind, folder, Some(listed)));
    }
    let here: BTreeSet<u64> = guests.here.iter().map(|guest| guest.vmid).collect();
    let unlisted: Vec<u64> = guests
        .unread
        .keys()
        .copied()
        .filter(|vmid| !here.contains(vmid))
        .take(bounds::GUESTS)
        .collect();
    for vmid in unlisted {
        guests.here.push(bare(vmid, GuestKind::Vm, folder, None));
    }
}

/// A guest of which no configuration was read.
fn bare(vmid: u64, kind: GuestKind, folder: &str, listed: Option<&ListedGuest>) -> Guest {
    Guest {
        vmid,
        kind: match listed {
            Some(_) => kind,
            None => GuestKind::Vm,
        },
        node: folder.to_owned(),
        path: String::new(),
        readable: false,
        name: listed.map_or_else(String::new, |listed| brief(&listed.name, NAME)),
        lock: listed.and_then(|listed| Some(brief(listed.lock.as_deref()?, NAME))),
        status: listed.map(|listed| brief(&listed.status, NAME)),
        template: false,
        references: Vec::new(),
        snapshots: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configurations_place_tells_node_kind_and_vmid() {
        let read = |path| place(path).map(|p| (p.node.map(str::to_owned), p.kind, p.vmid));
        assert_eq!(
            read("/etc/pve/nodes/pve1/qemu-server/100.conf"),
            Some((Some("pve1".to_owned()), GuestKind::Vm, 100))
        );
        assert_eq!(
            read("/etc/pve/lxc/200.conf"),
            Some((None, GuestKind::Ct, 200))
        );
        assert_eq!(
            read("/etc/pve/local/qemu-server/1.conf"),
            Some((None, GuestKind::Vm, 1))
        );
        for other in [
            "/etc/pve/storage.cfg",
            "/etc/pve/nodes/pve1/host.conf",
            "/etc/pve/nodes/pve1/qemu-server/x.conf",
            "/etc/pve/nodes/a/b/qemu-server/../1.conf",
        ] {
            assert!(place(other).is_none(), "{other}");
        }
    }
}
