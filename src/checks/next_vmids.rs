//! The next free VMIDs of the cluster, and what a guest that gets one would
//! meet.

use std::collections::{BTreeMap, BTreeSet};

use super::Case;
use crate::model::names::{GuestVolume, LvmName};
use crate::model::verdict::LvState;
use crate::parse::datacenter::NextIdRange;

/// How many of the very next VMIDs are always named.
pub const NEXT: usize = 5;

/// How many further VMIDs with leftovers are named at most.
pub const FURTHER: usize = 50;

/// What making a guest with a VMID comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Meeting {
    /// Nothing is in the way.
    Free,
    /// It works, but old data lies beside it.
    Leftover,
    /// Creating a volume fails.
    Blocked,
}

impl Meeting {
    /// The name, as reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Leftover => "leftover",
            Self::Blocked => "blocked",
        }
    }
}

/// A free VMID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeId {
    /// The VMID.
    pub vmid: u64,
    /// Whether it is one of the very next.
    pub next: bool,
    /// What making a guest with it comes to.
    pub meeting: Meeting,
    /// What it meets, in words.
    pub meets: Vec<String>,
}

/// The free VMIDs worth naming: the next ones, and those with leftovers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeIds {
    /// The cluster's range.
    pub range: NextIdRange,
    /// By VMID.
    pub ids: Vec<FreeId>,
}

/// Works them out, for [`Case::free_ids`].
pub(super) fn find(case: &Case<'_>) -> Option<FreeIds> {
    let node = case.node;
    let range = node.next_ids?;
    if node.guests.unusable.is_some() || !node.guests.whole_cluster {
        return None;
    }
    let taken = node.guests.taken();
    let next: BTreeSet<u64> = (range.lower..range.upper)
        .filter(|vmid| !taken.contains(vmid))
        .take(NEXT)
        .collect();
    let free = |vmid: &u64| (range.lower..range.upper).contains(vmid) && !taken.contains(vmid);
    let mut meets = leftovers(case, free);
    let further: Vec<u64> = meets
        .keys()
        .copied()
        .filter(|vmid| !next.contains(vmid))
        .take(FURTHER)
        .collect();
    let named: BTreeSet<u64> = next.iter().copied().chain(further).collect();
    let ids = named
        .into_iter()
        .map(|vmid| {
            let found = meets.remove(&vmid).unwrap_or_default();
            FreeId {
                vmid,
                next: next.contains(&vmid),
                meeting: found
                    .iter()
                    .map(|(meeting, _)| *meeting)
                    .max()
                    .unwrap_or(Meeting::Free),
                meets: found.into_iter().map(|(_, text)| text).collect(),
            }
        })
        .collect();
    Some(FreeIds { range, ids })
}

/// What is left of each free VMID on this node: entries without a volume, and
/// volumes of LVM.
fn leftovers(
    case: &Case<'_>,
    is_free: impl Fn(&u64) -> bool,
) -> BTreeMap<u64, Vec<(Meeting, String)>> {
    let node = case.node;
    let mut found: BTreeMap<u64, Vec<(Meeting, String)>> = BTreeMap::new();
    for (_, device, judgement) in case.entries() {
        let (Some(volume), Some((vg, lv))) = (&judgement.volume, device.volume()) else {
            continue;
        };
        if !is_free(&volume.vmid) {
            continue;
        }
        // Only the very name of a volume is in the way of that volume.
        let own_name = LvmName::is_of(&device.name, vg, lv);
        if !own_name || node.lvm.by_name(vg, lv).is_some() {
            continue;
        }
        if judgement.lv_state == LvState::Stale || device.uuid.is_none() {
            found.entry(volume.vmid).or_default().push((
                Meeting::Blocked,
                format!(
                    "the mapping {} without a volume: 'Device or resource busy'",
                    device.name
                ),
            ));
        }
    }
    for lv in &node.lvm.lvs {
        let volume = GuestVolume::parse(&lv.name);
        let Some(volume) = volume.filter(|volume| is_free(&volume.vmid)) else {
            continue;
        };
        let text = format!("the volume {}/{}", lv.vg, lv.name);
        found
            .entry(volume.vmid)
            .or_default()
            .push(if volume.fixed_name {
                (Meeting::Blocked, format!("{text}: 'already exists'"))
            } else {
                (Meeting::Leftover, text)
            });
    }
    found
}
