//! Which entries are a guest's own volumes, and which lie on such an entry or
//! are a layer of it.

use crate::model::device::{Device, Index};
use crate::model::names::{GuestVolume, LvmName, partition_parent};
use crate::model::node::Node;
use crate::parse::dmsetup_table::Target;

/// What an entry is to guests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// A guest's volume, by its LV's name.
    Guest(GuestVolume),
    /// A partition or layer that follows another entry.
    Follows(Index),
    /// Nothing.
    None,
}

/// What each entry of a node is to guests.
#[derive(Debug)]
pub(super) struct Owners {
    list: Vec<Owner>,
    /// What each entry finally lies on, once all are assigned.
    roots: Vec<Option<Index>>,
}

impl Owners {
    pub fn get(&self, index: Index) -> &Owner {
        self.list.get(index).unwrap_or(&Owner::None)
    }

    pub fn guest(&self, index: Index) -> Option<&GuestVolume> {
        match self.get(index) {
            Owner::Guest(volume) => Some(volume),
            _ => None,
        }
    }

    fn parent(&self, index: Index) -> Option<Index> {
        match self.get(index) {
            Owner::Follows(parent) => Some(*parent),
            _ => None,
        }
    }

    /// The entry that a follower finally lies on; none for what follows
    /// nothing, and for a circle.
    pub fn root(&self, index: Index) -> Option<Index> {
        let root = self.roots.get(index).copied().flatten();
        root.filter(|root| *root != index)
    }

    /// Whether a follower lies on something that is not `index`, as far as
    /// entries are assigned.
    fn ends_elsewhere(&self, follower: Index, index: Index) -> bool {
        let mut at = follower;
        for _ in 0..=self.list.len() {
            match self.parent(at) {
                Some(parent) => at = parent,
                None => return at != follower && at != index,
            }
        }
        false
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

/// Assigns every entry of a node.
pub(super) fn assign(node: &Node) -> Owners {
    let mut owners = Owners {
        list: node
            .devices
            .iter()
            .map(|(index, device)| by_itself(node, index, device))
            .collect(),
        roots: Vec::new(),
    };
    // What lies on a follower follows, too: a pool on a guest's disk, and the
    // volumes in that pool. Each round settles one more level, and looks only
    // at what lies on the level before.
    let mut level: Vec<Index> = (0..node.devices.len()).collect();
    while !level.is_empty() {
        let settled: Vec<(Index, Index)> = level
            .iter()
            .filter(|index| owners.parent(**index).is_none())
            .filter_map(|index| Some((*index, lies_on(node, &owners, *index)?)))
            .collect();
        for (index, parent) in &settled {
            if let Some(owner) = owners.list.get_mut(*index) {
                *owner = Owner::Follows(*parent);
            }
        }
        level = settled
            .iter()
            .flat_map(|(index, _)| node.devices.above(*index).iter().copied())
            .collect();
        level.sort_unstable();
        level.dedup();
    }
    owners.roots = ends(owners.list.len(), |index| owners.parent(index));
    owners
}

/// What an entry is by its own UUID and name.
fn by_itself(node: &Node, index: Index, device: &Device) -> Owner {
    if let Some(parent) = layer_of(node, index, device) {
        return Owner::Follows(parent);
    }
    match device.volume().and_then(|(_, lv)| GuestVolume::parse(lv)) {
        Some(volume) => Owner::Guest(volume),
        None => Owner::None,
    }
}

/// The entry that this one is a partition or an inner layer of, by UUID; by
/// name only where there is neither UUID nor table.
fn layer_of(node: &Node, index: Index, device: &Device) -> Option<Index> {
    let devices = &node.devices;
    let is_guests = |parent: &Index| {
        *parent != index
            && devices
                .get(*parent)
                .and_then(Device::volume)
                .is_some_and(|(_, lv)| GuestVolume::parse(lv).is_some())
    };
    if let Some(uuid) = &device.uuid {
        if let Some(parent) = partition_parent(uuid) {
            return devices.by_uuid(parent).filter(|parent| *parent != index);
        }
        let layer = device.lvm_uuid.as_ref()?.layer.as_ref()?;
        // `LVM-…-real` below the volume `LVM-…`.
        let volume = uuid.strip_suffix(layer)?.strip_suffix('-')?;
        if let Some(parent) = devices.by_uuid(volume) {
            return Some(parent).filter(is_guests);
        }
        // `…_rimage_0` below the volume it is a part of: by table and name,
        // since a pool that a volume lies on is below it, too.
        let (_, part) = device.volume()?;
        return part_of(node, index, part).filter(is_guests);
    }
    if let Some(name) = device.named_by_lvm() {
        // Without UUIDs, the name of what LVM made tells as much.
        if name.layer.is_some() {
            let volume = LvmName::join(&name.vg, &name.lv);
            return devices.by_name(&volume).filter(is_guests);
        }
        return part_of(node, index, &name.lv).filter(is_guests);
    }
    if device.below.is_empty() {
        let parent = devices.by_name(partitioned_name(&device.name)?)?;
        return Some(parent).filter(is_guests);
    }
    None
}

/// The entry above whose volume this LV is a part of, by name:
/// `vm-1-disk-0_rimage_0` of `vm-1-disk-0`.
fn part_of(node: &Node, index: Index, part: &str) -> Option<Index> {
    let devices = &node.devices;
    devices.above(index).iter().copied().find(|above| {
        devices
            .get(*above)
            .and_then(Device::volume)
            .and_then(|(_, whole)| part.strip_prefix(whole))
            .is_some_and(|rest| rest.starts_with('_'))
    })
}

/// `NAMEp1` or `NAME-part1` without its end.
fn partitioned_name(name: &str) -> Option<&str> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if stem.len() == name.len() {
        return None;
    }
    stem.strip_suffix("-part")
        .or_else(|| stem.strip_suffix('p'))
}

/// The guest's entry, or a follower of one, that an entry's table lies on.
///
/// The inner layers of a volume with snapshots (`-real`, `-cow`) lie below
/// it, and so do the parts of a RAID; those don't make their volume a
/// follower. Neither does a thin volume's external origin: a template's disk
/// below the clone that reads from it.
fn lies_on(node: &Node, owners: &Owners, index: Index) -> Option<Index> {
    let device = node.devices.get(index)?;
    let origin = device
        .segments
        .iter()
        .find_map(|segment| match segment.target {
            Target::Thin { origin, .. } => origin,
            _ => None,
        });
    node.devices
        .below(index)
        .filter(|below| {
            let number = node.devices.get(*below).and_then(|below| below.devno);
            number.is_none() || number != origin
        })
        .find(|below| match owners.get(*below) {
            Owner::Guest(_) => true,
            Owner::Follows(_) => {
                !is_inner_layer(node, *below) && owners.ends_elsewhere(*below, index)
            }
            Owner::None => false,
        })
}

/// Whether an entry is a layer that its own volume lies on, rather than one
/// on top of it.
fn is_inner_layer(node: &Node, index: Index) -> bool {
    let Some(device) = node.devices.get(index) else {
        return false;
    };
    let named = device.named_by_lvm();
    let layer = match &device.lvm_uuid {
        Some(uuid) => uuid.layer.as_deref(),
        None => named.and_then(|name| {
            let part = || name.lv.rsplit_once("_r").map(|_| "rimage");
            name.layer.as_deref().or_else(part)
        }),
    };
    layer.is_some_and(|layer| {
        matches!(layer, "real" | "cow" | "cdata" | "cmeta" | "cpool" | "cvol")
            || layer.starts_with("rimage")
            || layer.starts_with("rmeta")
            || layer.starts_with("mimage")
            || layer.starts_with("mlog")
    })
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
