//! Mappings that write to the same sectors, or to sectors that LVM has given
//! to another volume.

use std::collections::BTreeMap;

use super::facts;
use super::layout::Ground;
use super::sweep::{self, MOST, Overlap, Stretch};
use super::{Case, Check, Outcome, Run, info_evidence, table_evidence};
use crate::model::device::{Device, Index};
use crate::model::finding::{Finding, Severity};
use crate::model::lvm::LogicalVolume;
use crate::model::names::{LvmName, partition_parent};
use crate::model::verdict::{LvState, Verdict};
use crate::parse::DevNo;
use crate::parse::dmsetup_table::Target;
use crate::verdicts::Judgement;

pub(super) const CHECK: Check = Check {
    name: "overlapping-mappings",
    title: "Two mappings write to the same sectors",
    page: include_str!("../../docs/checks/overlapping-mappings.md"),
    run: Run::Node(run),
};

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
enum Wrong {
    /// LVM no longer has its volume.
    Stale,
    /// LVM did not make it.
    Foreign,
    /// LVM gives its volume other sectors now.
    Outdated,
    /// Nothing says that it is.
    No,
}

fn run(case: &Case<'_>) -> Outcome {
    let (mut findings, all) = find(case)
        .map(|(pairs, all)| {
            let findings = pairs.iter().map(|pair| finding(case, pair)).collect::<Vec<_>>();
            (findings, all)
        })
        .unwrap_or_default();
    if !all && let Some(last) = findings.last_mut() {
        last.message.push_str(&format!(" (There are more; {MOST} are listed at most.)"));
    }
    let has = |id| case.node.evidence.has(id);
    let needs = if !has("dmsetup-table") {
        Some("the tables (dmsetup-table)")
    } else if !["lvs-json", "lvs-segments-json", "pvs-json", "vgs-json"].into_iter().all(has) {
        Some("LVM's extents (lvs-json, lvs-segments-json, pvs-json, vgs-json) to compare the tables with")
    } else {
        None
    };
    Outcome {
        findings,
        needs: needs.filter(|_| !case.node.devices.is_empty()),
    }
}

/// Two parties, the one in the wrong first.
struct Pair<'a> {
    subject: Index,
    wrong: Wrong,
    /// The other entry, if it has one here.
    other: Option<Index>,
    /// The other's volume, if it is one.
    volume: Option<&'a LogicalVolume>,
    place: Place,
}

enum Place {
    Sectors { device: DevNo, start: u64, end: u64 },
    Thin { pool: DevNo, id: u64 },
}

/// The entries that overlap another and are the ones in the wrong.
pub(super) fn subjects(case: &Case<'_>) -> std::collections::BTreeSet<Index> {
    find(case)
        .map(|(pairs, _)| pairs.iter().map(|pair| pair.subject).collect())
        .unwrap_or_default()
}

/// The overlapping pairs, and whether those are all.
fn find<'a>(case: &Case<'a>) -> Option<(Vec<Pair<'a>>, bool)> {
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
    Some((pairs, all))
}

fn stretches<'a>(case: &Case<'a>, ground: &Ground<'a>) -> Vec<Stretch<Party<'a>>> {
    let mut stretches = Vec::new();
    let mut add = |layout: super::layout::Layout, party, mapping| {
        let pieces = layout.pieces.iter().flat_map(super::layout::Piece::stretches);
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
        add(ground.of_volume(lv), Party::Volume(&lv.vg_uuid, &lv.uuid), None);
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
        (LvmName::join(vg, lv) == device.name).then(|| case.node.lvm.by_name(vg, lv))?
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
        judgement.of.filter(|_| judgement.verdict == Verdict::Dependent)
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
            pair(case, ground, [*other, *party], mappings, Place::Thin { pool, id })
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
            if layout.whole && !layout.holds(on, start, end) { Wrong::Outdated } else { Wrong::No }
        }
        _ => Wrong::No,
    }
}

fn finding(case: &Case<'_>, pair: &Pair<'_>) -> Finding {
    let devices = &case.node.devices;
    let subject = devices.get(pair.subject);
    let other = pair.other.and_then(|index| devices.get(index));
    let name = subject.map_or("an entry", |device| device.name.as_str());
    let place = place(case, &pair.place);
    let fact = match (other, pair.volume) {
        (Some(other), _) => format!("{name} and {} both map {place}.", other.name),
        (None, Some(lv)) => format!(
            "{name} maps {place}, which LVM has given to {}/{} (not active on this node).",
            lv.vg, lv.name
        ),
        (None, None) => format!("{name} maps {place}, which is not its own."),
    };
    let why = match pair.wrong {
        Wrong::Stale => format!(" LVM no longer has the volume behind {name}."),
        Wrong::Foreign => format!(" {name} was not made by LVM."),
        Wrong::Outdated => format!(" {name}'s table is older than LVM's metadata."),
        Wrong::No => String::new(),
    };
    let mut evidence = Vec::new();
    for device in [subject, other].into_iter().flatten() {
        evidence.push(info_evidence(device));
        evidence.extend(table_evidence(device));
    }
    let own = subject.and_then(|device| case.node.lvm.of(device));
    for lv in own.into_iter().chain(pair.volume) {
        evidence.push(facts::volume(lv));
        evidence.extend(facts::extents(lv));
    }
    evidence.extend(
        pair.volume
            .into_iter()
            .flat_map(|lv| facts::extents_to_sectors(&case.node.lvm, lv)),
    );
    let judgement = case.verdicts.get(pair.subject);
    Finding {
        check: CHECK.name,
        severity: Severity::Critical,
        subject: name.to_owned(),
        vmid: judgement.and_then(|judgement| judgement.vmid),
        message: format!("{fact}{why}"),
        impact: "What is written through one destroys the other's data, without any error.".to_owned(),
        remedy: subject.map_or_else(String::new, |device| {
            remedy(case, pair, device, judgement)
        }),
        evidence,
    }
}

fn place(case: &Case<'_>, place: &Place) -> String {
    match place {
        Place::Sectors { device, start, end } => {
            let entry = case
                .node
                .devices
                .by_devno(*device)
                .and_then(|index| case.node.devices.get(index))
                .map(|device| device.name.as_str());
            let pv = case.node.lvm.pvs.iter().find(|pv| pv.devno == Some(*device));
            let name = entry.or_else(|| pv.map(|pv| pv.name.as_str()));
            let name = name.map_or_else(|| device.to_string(), |name| format!("{name} ({device})"));
            format!("the sectors {start} to {} of {name}", end.saturating_sub(1))
        }
        Place::Thin { pool, id } => format!("volume {id} of the thin pool {pool}"),
    }
}

fn remedy(
    case: &Case<'_>,
    pair: &Pair<'_>,
    device: &Device,
    judgement: Option<&Judgement>,
) -> String {
    let holders = case.node.holder_texts(pair.subject);
    let mut steps = String::new();
    if device.in_use() {
        let who = match &holders[..] {
            [] => "whoever holds it open".to_owned(),
            holders => holders.join(", "),
        };
        steps.push_str(&format!("{} is in use: end {who} now. ", device.name));
    } else {
        steps.push_str(&format!("Open {} for nothing, and don't start its guest here. ", device.name));
    }
    let orphan = judgement.is_some_and(|judgement| judgement.verdict == Verdict::Orphan);
    steps.push_str(&match pair.wrong {
        Wrong::Stale | Wrong::Foreign if orphan => {
            "Then take it down with the cleanup script (its dry run first).".to_owned()
        }
        Wrong::Stale => format!("Then take it down: dmsetup remove {}.", facts::word(&device.name)),
        Wrong::Foreign => {
            "Find out who made it and why; once it is closed, that person takes it down with dmsetup remove."
                .to_owned()
        }
        Wrong::Outdated => match case.node.lvm.of(device) {
            Some(lv) => format!(
                "Then deactivate it here, so that the next start loads the table that LVM has now: lvchange -an {}.",
                facts::vg_lv(&lv.vg, &lv.name)
            ),
            None => "Then deactivate it here.".to_owned(),
        },
        Wrong::No => "Both look right by themselves: leave both guests stopped, and compare the tables with LVM's metadata before anything else."
            .to_owned(),
    });
    steps.push_str(" If anything was written through either while both existed, check the other's file systems, or restore it from a backup.");
    steps
}
