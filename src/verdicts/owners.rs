//! Which entries are a guest's own volumes, which lie on such an entry, and
//! which are parts of one.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::device::{Device, Index};
use crate::model::guest::Target as Reference;
use crate::model::names::{GuestVolume, HiddenVolume, LvmName, partition_parent};
use crate::model::node::Node;
use crate::model::storage::Reach;
use crate::parse::dmsetup_table::{Segment, Target};

/// What an entry is to guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// A guest's volume, by its LV's name.
    Guest(GuestVolume),
    /// A part of the volume that another entry is, which lies on it: `-real`
    /// and `-cow` of a snapshot, `_rimage_0` of a RAID, `_corig` of a cache.
    PartOf(Index),
    /// A partition or another layer on top of another entry.
    LiesOn(Index),
    /// Nothing.
    None,
}

impl Owner {
    /// The entry that it follows.
    pub fn followed(&self) -> Option<Index> {
        match self {
            Self::PartOf(other) | Self::LiesOn(other) => Some(*other),
            Self::Guest(_) | Self::None => None,
        }
    }
}

/// What each entry of a node is to guests.
#[derive(Debug)]
pub(super) struct Owners<'a> {
    list: Vec<Owner>,
    /// By the entry that is a physical volume, and by what that lies on.
    on_storages: BTreeMap<Index, OnStorage<'a>>,
    /// What each entry finally lies on, once all are assigned.
    roots: Vec<Option<Index>>,
}

impl Owners<'_> {
    pub fn get(&self, index: Index) -> &Owner {
        self.list.get(index).unwrap_or(&Owner::None)
    }

    pub fn guest(&self, index: Index) -> Option<&GuestVolume> {
        match self.get(index) {
            Owner::Guest(volume) => Some(volume),
            _ => None,
        }
    }

    /// The VG of `storage.cfg` that has an entry, or what lies on it, as a physical
    /// volume.
    pub fn storage_on(&self, index: Index) -> Option<OnStorage<'_>> {
        self.on_storages.get(&index).copied()
    }

    fn parent(&self, index: Index) -> Option<Index> {
        self.get(index).followed()
    }

    /// The entry that a follower finally lies on; none for what follows
    /// nothing, and for a circle.
    pub fn root(&self, index: Index) -> Option<Index> {
        let root = self.roots.get(index).copied().flatten();
        root.filter(|root| *root != index)
    }
}

/// Where each of `count` chains ends, given each link's next one; none where
/// it leads into a circle. Every link is followed once.
pub(super) fn ends(count: usize, next: impl Fn(Index) -> Option<Index>) -> Vec<Option<Index>> {
    let mut ends: Vec<Option<Index>> = vec![None; count];
    let mut seen = vec![false; count];
    for start in 0..count {
        let mut chain = Vec::new();
        let mut at = start;
        let end = loop {
            match seen.get_mut(at) {
                // Settled by an earlier chain, or a circle of this one.
                Some(true) => break ends.get(at).copied().flatten(),
                Some(unseen) => *unseen = true,
                None => break None,
            }
            chain.push(at);
            match next(at) {
                Some(further) => at = further,
                None => break Some(at),
            }
        };
        for link in chain {
            if let Some(slot) = ends.get_mut(link) {
                *slot = end;
            }
        }
    }
    ends
}

/// What configurations say of an entry.
pub(super) trait Asked {
    /// Whether one names its volume: what a guest uses by its name is that
    /// guest's, whatever it lies on.
    fn is_named(&self, index: Index, device: &Device) -> bool;

    /// Whether one hands it to a guest, by a path or by a volume's name that
    /// is not a guest's: what lies on it is that guest's.
    fn is_handed_on(&self, index: Index, device: &Device) -> bool;
}

/// Assigns every entry of a node.
pub(super) fn assign<'a>(node: &'a Node, asked: &impl Asked) -> Owners<'a> {
    let volumes: Vec<Option<GuestVolume>> = node
        .devices
        .iter()
        .map(|(index, device)| guests_volume(node, asked, index, device))
        .collect();
    let list =
        node.devices.iter().map(
            |(index, device)| match part_of(node, &volumes, index, device) {
                Some(whole) => Owner::PartOf(whole),
                None => match volumes.get(index).cloned().flatten() {
                    Some(volume) => Owner::Guest(volume),
                    None => Owner::None,
                },
            },
        );
    let mut owners = Owners {
        list: list.collect(),
        on_storages: on_storages(node),
        roots: Vec::new(),
    };
    // A partition that only its name tells of.
    for (index, device) in node.devices.iter() {
        if let Some(parent) = partitioned(node, device)
            && parent != index
            && volumes.get(parent).is_some_and(Option::is_some)
            && let Some(owner) = owners.list.get_mut(index)
        {
            *owner = Owner::LiesOn(parent);
        }
    }
    settle(node, &mut owners, asked);
    owners.roots = ends(owners.list.len(), |index| owners.parent(index));
    // A partition with a storage on it is a part of a disk with one on it.
    let roots = owners.on_storages.iter();
    let roots: Vec<_> = roots
        .filter_map(|(index, on)| Some((owners.root(*index)?, *on)))
        .collect();
    owners.on_storages.extend(roots);
    owners
}

/// The guest's volume that an entry is by its name. A partition has its
/// parent's name in it, and a pool or a multipath device any name: those are
/// none. Nor is what a storage passes by, where other hosts have volumes in its
/// VG.
fn guests_volume(
    node: &Node,
    asked: &impl Asked,
    index: Index,
    device: &Device,
) -> Option<GuestVolume> {
    let is_other = |uuid: &str| uuid.starts_with("mpath-") || partition_parent(uuid).is_some();
    let (_, lv) = device.volume()?;
    let volume = GuestVolume::parse(lv)?;
    let other = device.uuid.as_deref().is_some_and(is_other) || is_pools(node, index, device, lv);
    let lacks_tag = || node.lvm.of(device).is_some_and(|lv| node.lacks_tag(lv));
    let is_untagged = || lacks_tag() && !asked.is_named(index, device);
    (!other && !is_untagged()).then_some(volume)
}

/// Whether an entry is a pool, or a part of one.
fn is_pools(node: &Node, index: Index, device: &Device, lv: &str) -> bool {
    let pool_layer = |layer: &str| {
        matches!(
            layer,
            "pool"
                | "tpool"
                | "tdata"
                | "tmeta"
                | "cpool"
                | "cdata"
                | "cmeta"
                | "cvol"
                | "vpool"
                | "vdata"
        )
    };
    let hidden = || HiddenVolume::parse(lv).is_some_and(|hidden| hidden.of_pool);
    let on_its_pool = || {
        node.devices.below(index).any(|below| {
            node.devices.get(below).is_some_and(|below| {
                below.volume() == device.volume() && layer(below) == Some("tpool")
            })
        })
    };
    let by_table = |segment: &Segment| matches!(segment.target, Target::ThinPool { .. });
    let by_lvm = || matches!(node.lvm.letter_of(device), Some('t' | 'T' | 'd' | 'D'));
    layer(device).is_some_and(pool_layer)
        || (is_lvms(device) && hidden())
        || device.segments.iter().any(by_table)
        || by_lvm()
        || on_its_pool()
}

/// Whether LVM made an entry, as far as is recorded.
fn is_lvms(device: &Device) -> bool {
    device.lvm_uuid.is_some() || device.named_by_lvm().is_some()
}

/// The layer that LVM gave an entry: by its UUID, else by its name.
fn layer(device: &Device) -> Option<&str> {
    match &device.lvm_uuid {
        Some(uuid) => uuid.layer.as_deref(),
        None => device.named_by_lvm()?.layer.as_deref(),
    }
}

/// The entry whose volume this one is a layer or hidden part of: by UUID, or
/// where there is none by name; else the volume above it, since LVM gives a
/// RAID's and a cache's parts UUIDs of their own.
fn part_of(
    node: &Node,
    volumes: &[Option<GuestVolume>],
    index: Index,
    device: &Device,
) -> Option<Index> {
    let devices = &node.devices;
    let is_guests =
        |other: &Index| *other != index && volumes.get(*other).is_some_and(Option::is_some);
    let (vg, lv) = device.volume()?;
    let may_be = is_lvms(device) && GuestVolume::parse(lv).is_some();
    if !may_be || is_pools(node, index, device, lv) {
        return None;
    }
    if let Some(layer) = layer(device) {
        let volume = match &device.uuid {
            Some(uuid) => devices.by_uuid(uuid.strip_suffix(layer)?.strip_suffix('-')?),
            None => devices.by_name(&LvmName::join(vg, lv)),
        };
        if volume.is_some() {
            return volume.filter(is_guests);
        }
    } else {
        HiddenVolume::parse(lv)?;
    }
    let mut above = devices.above(index).iter().copied();
    above.find(|above| {
        let of_vg = devices.get(*above).filter(|above| is_lvms(above));
        let of_vg = of_vg
            .and_then(Device::volume)
            .is_some_and(|(other, _)| other == vg);
        of_vg && is_guests(above)
    })
}

/// The entry that one is a partition of, by name, where there is neither UUID
/// nor table.
fn partitioned(node: &Node, device: &Device) -> Option<Index> {
    let by_name = device.uuid.is_none() && device.below.is_empty() && !is_lvms(device);
    node.devices
        .by_name(partitioned_name(&device.name).filter(|_| by_name)?)
}

/// `NAMEp1` or `NAME-part1` without its end.
pub(super) fn partitioned_name(name: &str) -> Option<&str> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == name.len() {
        return None;
    }
    stem.strip_suffix("-part")
        .or_else(|| stem.strip_suffix('p'))
}

/// Settles what lies on a guest's entry or on a follower, too: a pool on a
/// guest's disk, and the volumes in that pool. Each round settles one more
/// level, and looks only at what lies on the level before: once at each pair
/// of entries of which one lies on the other.
fn settle(node: &Node, owners: &mut Owners<'_>, asked: &impl Asked) {
    let mut trees = Trees::of(owners);
    let mut handed: Vec<Option<bool>> = vec![None; node.devices.len()];
    let mut named: Vec<Option<bool>> = vec![None; node.devices.len()];
    let all = node.devices.iter().map(|(index, _)| index);
    let mut pairs: Vec<(Index, Index)> = all
        .flat_map(|index| node.devices.below(index).map(move |below| (index, below)))
        .collect();
    while !pairs.is_empty() {
        let mut settled = Vec::new();
        for (index, below) in pairs {
            let Some(device) = node.devices.get(index) else {
                continue;
            };
            let root = trees.root(below);
            let is_free = owners.parent(index).is_none() && root != index;
            let is_handed_on = || {
                handed.get_mut(below).is_some_and(|handed| {
                    *handed.get_or_insert_with(|| is_handed_on(node, asked, below))
                })
            };
            let is_used = || {
                let device = node.devices.get(root);
                device.is_some_and(|device| asked.is_named(root, device))
            };
            if !is_free || !may_lie_on(node, owners, device, below, is_handed_on, is_used) {
                continue;
            }
            let stands_alone = owners.guest(index).is_some()
                && named.get_mut(index).is_some_and(|named| {
                    *named.get_or_insert_with(|| asked.is_named(index, device))
                });
            if !stands_alone && !settled.iter().rev().take(1).any(|(last, _)| *last == index) {
                settled.push((index, below));
            }
        }
        let mut next = Vec::new();
        for (index, below) in settled {
            // Two that lie on each other: the first one follows.
            if trees.join(index, below)
                && let Some(owner) = owners.list.get_mut(index)
            {
                *owner = Owner::LiesOn(below);
                next.push(index);
            }
        }
        pairs = next
            .iter()
            .flat_map(|below| {
                let above = node.devices.above(*below);
                above.iter().map(move |index| (*index, *below))
            })
            .collect();
        let number = |index: Index| node.devices.get(index).and_then(|device| device.devno);
        pairs.sort_by_key(|(index, below)| (*index, number(*below)));
    }
}

/// Whether an entry's table lies on a guest's entry, or on one on top of it.
///
/// A volume's parts lie below it and below its snapshots; those don't make
/// what LVM made of them a follower. Neither does a thin volume's external
/// origin: a template's disk below the clone that reads from it.
///
/// A disk that is handed on to a guest is the guest's, too, unless the host
/// has a storage on it. Nor is a volume a guest's whose VG is a storage's, though
/// the VG lies on an entry with a guest's name; unless that is a disk in use by
/// its guest (`is_used`), whose VG it is then.
fn may_lie_on(
    node: &Node,
    owners: &Owners<'_>,
    device: &Device,
    below: Index,
    is_handed_on: impl FnOnce() -> bool,
    is_used: impl FnOnce() -> bool,
) -> bool {
    let origin = device
        .segments
        .iter()
        .find_map(|segment| match segment.target {
            Target::Thin { origin, .. } => origin,
            _ => None,
        });
    let number = node.devices.get(below).and_then(|below| below.devno);
    if number.is_some() && number == origin {
        return false;
    }
    match owners.get(below) {
        Owner::Guest(_) | Owner::LiesOn(_) => {
            let on = owners.on_storages.get(&below).filter(|on| on.surely);
            let is_hosts = on.is_some_and(|on| device.volume().is_some_and(|(vg, _)| vg == on.vg));
            !is_hosts || is_used()
        }
        Owner::PartOf(_) => !is_lvms(device),
        Owner::None => {
            let vg = device.volume().map(|(vg, _)| vg);
            let is_hosts = vg.is_some_and(|vg| node.storages.has_vg(vg));
            !is_hosts && is_handed_on()
        }
    }
}

/// A VG that `storage.cfg` names, on an entry that is its physical volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OnStorage<'a> {
    pub vg: &'a str,
    /// Whether it is surely the host's: a storage of this node by its list of
    /// nodes, or one that a guest of this node uses. A guest may have a VG `pve`,
    /// too.
    pub surely: bool,
}

/// The entries that a storage of this node may be on. Where LVM has two VGs of a
/// name, none is told by it.
fn on_storages(node: &Node) -> BTreeMap<Index, OnStorage<'_>> {
    let references = node.guests.here.iter().flat_map(|guest| &guest.references);
    let used: BTreeSet<&str> = references
        .filter_map(|reference| match &reference.target {
            Reference::Volume { storage, .. } => node.storages.get(storage)?.vg.as_deref(),
            Reference::Path(_) => None,
        })
        .collect();
    let mut known: BTreeMap<&str, Option<bool>> = BTreeMap::new();
    let mut known = |vg| {
        *known.entry(vg).or_insert_with(|| {
            let storage = node.storages.on_vg(vg)?;
            let named = storage.reach == Reach::Named;
            let alone = node.lvm.vg_uuids(vg).take(2).count() == 1;
            (storage.reach.is_here() && alone && !storage.disabled)
                .then(|| named || used.contains(vg))
        })
    };
    let pvs = node.lvm.pvs.iter();
    pvs.filter_map(|pv| {
        let vg = pv.vg.as_str();
        let surely = known(vg)?;
        let index = node.devices.by_devno(pv.devno?)?;
        Some((index, OnStorage { vg, surely }))
    })
    .collect()
}

fn is_handed_on(node: &Node, asked: &impl Asked, index: Index) -> bool {
    node.devices.get(index).is_some_and(|device| {
        let lv = device.volume().map_or("", |(_, lv)| lv);
        !is_pools(node, index, device, lv) && asked.is_handed_on(index, device)
    })
}

/// Entries by what they finally lie on, so that no circle is made.
struct Trees(Vec<Index>);

impl Trees {
    fn of(owners: &Owners<'_>) -> Self {
        let mut trees = Self((0..owners.list.len()).collect());
        for (index, owner) in owners.list.iter().enumerate() {
            if let Some(parent) = owner.followed() {
                trees.join(index, parent);
            }
        }
        trees
    }

    /// What an entry finally lies on: itself, where it lies on nothing.
    fn root(&mut self, mut index: Index) -> Index {
        // Each step shortens the way for the next time.
        while let Some(up) = self.up(index).filter(|up| *up != index) {
            let further = self.up(up).unwrap_or(up);
            if let Some(slot) = self.0.get_mut(index) {
                *slot = further;
            }
            index = further;
        }
        index
    }

    fn up(&self, index: Index) -> Option<Index> {
        self.0.get(index).copied()
    }

    /// Puts an entry that lies on nothing on another; not where that lies on
    /// it.
    fn join(&mut self, index: Index, below: Index) -> bool {
        let root = self.root(below);
        let free = root != index && self.up(index) == Some(index);
        if free && let Some(slot) = self.0.get_mut(index) {
            *slot = root;
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_end_and_circles_do_not() {
        let next = [
            Some(1),
            Some(2),
            None,
            Some(4),
            Some(3),
            Some(3),
            Some(5),
            Some(7),
        ];
        assert_eq!(
            ends(next.len(), |index| next[index]),
            [Some(2), Some(2), Some(2), None, None, None, None, None]
        );
        let tower = 1_000_000;
        let ends = ends(tower, |index| index.checked_sub(1));
        assert!(ends.iter().all(|end| *end == Some(0)));
    }
}
