//! Further entries for a disk that another entry already maps: by name, or by
//! table (the same sectors of the same device, the same id of the same thin
//! pool).

use std::collections::{BTreeMap, HashMap};

use super::owners::{Owner, Owners};
use crate::model::device::{Device, Index};
use crate::model::names::LvmName;
use crate::model::node::Node;
use crate::parse::dmsetup_table::Target;

/// Duplicates, and the entry that each doubles.
pub(super) type Doubled = BTreeMap<Index, Index>;

/// Finds the duplicates of a node.
pub(super) fn find(node: &Node, owners: &Owners<'_>) -> Doubled {
    let mut doubled = Doubled::new();
    for set in by_name(node, owners) {
        mark(node, &set, &mut doubled);
    }
    for set in by_table(node, owners) {
        // Two logical volumes on the same sectors are two volumes, of which
        // one destroys the other: an overlap, not a duplicate.
        let (volumes, others): (Vec<Index>, Vec<Index>) = set
            .into_iter()
            .filter(|index| !doubled.contains_key(index))
            .partition(|index| is_volume(node, *index));
        let set: Vec<Index> = volumes.into_iter().take(1).chain(others).collect();
        mark(node, &set, &mut doubled);
    }
    doubled
}

/// Whether an entry is a logical volume of its own, by its UUID.
fn is_volume(node: &Node, index: Index) -> bool {
    node.devices
        .get(index)
        .is_some_and(|device| match &device.lvm_uuid {
            Some(uuid) => uuid.layer.is_none(),
            None => device
                .named_by_lvm()
                .is_some_and(|name| name.layer.is_none()),
        })
}

/// Entries of the same VG and LV by name: a further one carries a layer that
/// is not LVM's.
fn by_name(node: &Node, owners: &Owners<'_>) -> Vec<Vec<Index>> {
    let mut sets: BTreeMap<(&str, &str), Vec<Index>> = BTreeMap::new();
    for (index, device) in node.devices.iter() {
        // The name of one that is another volume by its UUID says nothing.
        let is_another = node.lvm.of(device).is_some_and(|lv| {
            let is_layer = device
                .lvm_uuid
                .as_ref()
                .is_some_and(|uuid| uuid.layer.is_some());
            !is_layer && device.volume() != Some((&*lv.vg, lv.name.as_str()))
        });
        if let (Owner::Guest(_), Some(volume), false) =
            (owners.get(index), device.volume(), is_another)
        {
            sets.entry(volume).or_default().push(index);
        }
    }
    sets.into_values().filter(|set| set.len() > 1).collect()
}

/// Entries with the same table, at least one of them a guest's.
fn by_table(node: &Node, owners: &Owners<'_>) -> Vec<Vec<Index>> {
    let mut sets: HashMap<Vec<(u64, u64, &Target)>, Vec<Index>> = HashMap::new();
    for (index, device) in node.devices.iter() {
        if owners.get(index).followed().is_some() {
            continue;
        }
        if let Some(key) = table(device) {
            sets.entry(key).or_default().push(index);
        }
    }
    let mut sets: Vec<Vec<Index>> = sets
        .into_values()
        .filter(|set| set.len() > 1 && set.iter().any(|index| owners.guest(*index).is_some()))
        .collect();
    sets.sort_unstable();
    sets
}

/// A table that identifies a disk: linear, striped or thin throughout.
fn table(device: &Device) -> Option<Vec<(u64, u64, &Target)>> {
    let key: Option<Vec<_>> = device
        .segments
        .iter()
        .map(|segment| match segment.target {
            Target::Linear { .. } | Target::Striped { .. } | Target::Thin { .. } => {
                Some((segment.start, segment.length, &segment.target))
            }
            Target::ThinPool { .. } | Target::Other { .. } => None,
        })
        .collect();
    key.filter(|key| !key.is_empty())
}

/// Keeps one entry of a set and marks the others as its doubles.
fn mark(node: &Node, set: &[Index], doubled: &mut Doubled) {
    if set.len() < 2 {
        return;
    }
    let Some(kept) = set.iter().copied().min_by_key(|index| rank(node, *index)) else {
        return;
    };
    for index in set.iter().filter(|index| **index != kept) {
        doubled.insert(*index, kept);
    }
}

/// The contract's order: the LVM UUID of that volume, an open entry, the
/// canonical name, the first listed. An unknown open count counts as open.
fn rank(node: &Node, index: Index) -> (bool, bool, bool, Index) {
    let Some(device) = node.devices.get(index) else {
        return (true, true, true, index);
    };
    let canonical = device
        .volume()
        .is_some_and(|(vg, lv)| LvmName::is_of(&device.name, vg, lv));
    (
        !has_the_volumes_uuid(node, device),
        !device.in_use(),
        !canonical,
        index,
    )
}

/// Whether an entry carries the LVM UUID of the volume it is named after; any
/// LVM UUID where the metadata does not tell.
fn has_the_volumes_uuid(node: &Node, device: &Device) -> bool {
    if let Some(name) = device.named_by_lvm() {
        return name.layer.is_none();
    }
    let Some(uuid) = device.lvm_uuid.as_ref().filter(|uuid| uuid.layer.is_none()) else {
        return false;
    };
    match device
        .volume()
        .and_then(|(vg, lv)| node.lvm.by_name(vg, lv))
    {
        Some(lv) => uuid.is(&lv.vg_uuid, &lv.uuid),
        None => true,
    }
}
