//! Which entries overlap: mappings of the same sectors, or of sectors that
//! LVM has given to another volume; and which of the two is in the wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::Case;
use super::layout::{Ground, Layout, Piece};
use super::sweep::{self, Overlap, Stretch};
use crate::model::device::Index;
use crate::model::lvm::LogicalVolume;
use crate::model::names::{LvmName, partition_parent};
use crate::model::verdict::{LvState, Verdict};
use crate::parse::DevNo;
use crate::parse::dmsetup_table::Target;

/// Who takes sectors up: a volume of LVM, by mappings and by metadata alike,
/// or an entry that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Party<'a> {
    /// By the UUIDs of VG and LV.
    Volume(&'a str, &'a str),
    Entry(Index),
}

/// How sure it is that an entry is the one in the wrong; the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrong {
    /// LVM no longer has its volume.
    Stale,
    /// LVM did not make it.
    Foreign,
    /// LVM gives its volume other sectors now.
    Outdated,
    /// Nothing says that it is.
    No,
}

/// Two parties, the one in the wrong first.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub subject: Index,
    pub wrong: Wrong,
    /// The other entry, if it has one here.
    pub other: Option<Index>,
    /// The other's volume, if it is one.
    pub volume: Option<&'a LogicalVolume>,
    pub place: Place,
}

/// Where two parties meet.
#[derive(Debug)]
pub(super) enum Place {
    Sectors { device: DevNo, start: u64, end: u64 },
    Thin { pool: DevNo, id: u64 },
}

/// The overlapping pairs of a node.
#[derive(Debug)]
pub(super) struct Overlaps<'a> {
    pub pairs: Vec<Pair<'a>>,
    /// Whether those are all.
    pub all: bool,
}

impl Overlaps<'_> {
    /// The entries that overlap another and are the ones in the wrong.
    pub fn subjects(&self) -> BTreeSet<Index> {
        self.pairs.iter().map(|pair| pair.subject).collect()
    }
}

pub(super) fn find<'a>(case: &Case<'a>) -> Overlaps<'a> {
    let ground = Ground::of(case.node);
    let (overlaps, all) = sweep::overlaps(stretches(case, &ground));
    let mut pairs: Vec<Pair<'a>> = overlaps
        .into_iter()
        .filter(|overlap| !are_parts_of_one(case, overlap))
        .filter_map(|overlap| {
            let place = Place::Sectors {
                device: overlap.device,
                start: overlap.start,
                end: overlap.end,
            };
            pair(case, &ground, overlap.parties, overlap.mappings, place)
        })
        .collect();
    pairs.extend(thin_pairs(case, &ground));
    Overlaps { pairs, all }
}

fn stretches<'a>(case: &Case<'a>, ground: &Ground<'a>) -> Vec<Stretch<Party<'a>>> {
    let mut stretches = Vec::new();
    let mut add = |layout: Layout, party, mapping| {
        let pieces = layout.pieces.iter().flat_map(Piece::stretches);
        stretches.extend(pieces.map(|(device, start, end)| Stretch {
            device,
            start,
            end,
            party,
            mapping,
        }));
    };
    for (index, device, _) in case.entries() {
        if !device.read_only {
            add(ground.of_entry(device), party(case, index), Some(index));
        }
    }
    for lv in &case.node.lvm.lvs {
        add(
            ground.of_volume(lv),
            Party::Volume(&lv.vg_uuid, &lv.uuid),
            None,
        );
    }
    stretches
}

/// Whom an entry writes for. A duplicate writes for the entry it doubles,
/// with which it has a finding of its own.
fn party<'a>(case: &Case<'a>, index: Index) -> Party<'a> {
    let kept = case
        .verdicts
        .get(index)
        .filter(|judgement| judgement.verdict == Verdict::Duplicate)
        .and_then(|judgement| judgement.of)
        .unwrap_or(index);
    let Some(device) = case.node.devices.get(kept) else {
        return Party::Entry(kept);
    };
    // Without an LVM UUID, a volume's name: somebody mapped it by hand.
    let by_name = || {
        let (vg, lv) = device.volume().filter(|_| device.lvm_uuid.is_none())?;
        LvmName::is_of(&device.name, vg, lv).then(|| case.node.lvm.by_name(vg, lv))?
    };
    match case.node.lvm.of(device).or_else(by_name) {
        Some(lv) => Party::Volume(&lv.vg_uuid, &lv.uuid),
        None => Party::Entry(kept),
    }
}

/// Partitions of one disk (an extended one holds the logical ones), and what
/// lies on one guest's entry: none of it is this node's to keep apart.
fn are_parts_of_one(case: &Case<'_>, overlap: &Overlap<Party<'_>>) -> bool {
    let [Some(a), Some(b)] = overlap.mappings else {
        return false;
    };
    let parent = |index: Index| {
        let uuid = case.node.devices.get(index)?.uuid.as_deref()?;
        partition_parent(uuid)
    };
    let lies_on = |index: Index| {
        let judgement = case.verdicts.get(index)?;
        judgement
            .of
            .filter(|_| judgement.verdict == Verdict::Dependent)
    };
    (parent(a).is_some() && parent(a) == parent(b))
        || (lies_on(a).is_some() && lies_on(a) == lies_on(b))
}

/// Volumes of LVM that are one and the same volume of a thin pool.
fn thin_pairs<'a>(case: &Case<'a>, ground: &Ground<'a>) -> Vec<Pair<'a>> {
    let mut volumes: BTreeMap<(DevNo, u64), BTreeMap<Party<'a>, Index>> = BTreeMap::new();
    for (index, device, judgement) in case.entries() {
        for segment in &device.segments {
            if let (Target::Thin { pool, id, .. }, true) =
                (&segment.target, judgement.verdict != Verdict::Duplicate)
            {
                let parties = volumes.entry((*pool, *id)).or_default();
                parties.entry(party(case, index)).or_insert(index);
            }
        }
    }
    let mut pairs = Vec::new();
    for ((pool, id), parties) in volumes {
        // The one that is least wrong is the other side of all.
        let mut parties: Vec<(Party<'a>, Index)> = parties.into_iter().collect();
        parties.sort_by_key(|(_, index)| std::cmp::Reverse(wrong(case, ground, *index, None)));
        let Some(((party, index), rest)) = parties.split_first() else {
            continue;
        };
        pairs.extend(rest.iter().filter_map(|(other, mapping)| {
            let mappings = [Some(*mapping), Some(*index)];
            pair(
                case,
                ground,
                [*other, *party],
                mappings,
                Place::Thin { pool, id },
            )
        }));
    }
    pairs
}

/// Puts the one in the wrong first.
fn pair<'a>(
    case: &Case<'a>,
    ground: &Ground<'a>,
    parties: [Party<'a>; 2],
    mappings: [Option<Index>; 2],
    place: Place,
) -> Option<Pair<'a>> {
    let at = match place {
        Place::Sectors { device, start, end } => Some((device, start, end)),
        Place::Thin { .. } => None,
    };
    let (side, subject, wrong) = mappings
        .into_iter()
        .enumerate()
        .filter_map(|(side, mapping)| Some((side, mapping?)))
        .map(|(side, index)| (side, index, wrong(case, ground, index, at)))
        .min_by_key(|(_, index, wrong)| (*wrong, *index))?;
    let other = 1 - side;
    Some(Pair {
        subject,
        wrong,
        other: mappings.get(other).copied().flatten(),
        volume: match parties.get(other) {
            Some(Party::Volume(vg, lv)) => case.node.lvm.by_uuid(vg, lv),
            _ => None,
        },
        place,
    })
}

fn wrong(
    case: &Case<'_>,
    ground: &Ground<'_>,
    index: Index,
    at: Option<(DevNo, u64, u64)>,
) -> Wrong {
    let Some(device) = case.node.devices.get(index) else {
        return Wrong::No;
    };
    if case.node.lvm.state_of(device) == LvState::Stale {
        return Wrong::Stale;
    }
    if device.lvm_uuid.is_none() {
        return Wrong::Foreign;
    }
    match (case.node.lvm.of(device), at) {
        (Some(lv), Some((on, start, end))) => {
            let layout = ground.of_volume(lv);
            if layout.whole && !layout.holds(on, start, end) {
                Wrong::Outdated
            } else {
                Wrong::No
            }
        }
        _ => Wrong::No,
    }
}
