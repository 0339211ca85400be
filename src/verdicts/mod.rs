//! The verdict on every entry: what it is, whose, and why.
//!
//! Names are taken apart by LVM's rule, references resolved through
//! `storage.cfg`; where a name and a fact of the evidence (a table, a UUID,
//! LVM's metadata) disagree, the fact wins. Missing evidence is never read as
//! absence: without configurations nothing is an orphan.

mod duplicates;
mod given;
mod owners;
mod paths;
mod reason;
mod references;

use crate::model::device::{Device, Index};
use crate::model::guest::GuestKind;
use crate::model::names::GuestVolume;
use crate::model::node::Node;
use crate::model::verdict::{LvState, Verdict};

pub use references::{Hit, References, name_of_another};

/// What is concluded of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason's name (`guest-gone`, …), for the verdicts that have one.
    pub reason: Option<&'static str>,
    /// The verdict in a sentence.
    pub explanation: String,
    /// The guest whose volume it is or, for a dependent, lies on.
    pub vmid: Option<u64>,
    /// That guest's kind, where its configuration was read.
    pub guest_kind: Option<GuestKind>,
    /// What the volume is for, if its name is a guest's.
    pub volume: Option<GuestVolume>,
    /// The volume id that configurations name it by.
    pub volume_id: Option<String>,
    /// What LVM's metadata says of its UUID.
    pub lv_state: LvState,
    /// The entry it follows (a dependent) or doubles (a duplicate).
    pub of: Option<Index>,
    /// Whether it is a part of the volume that it follows, and not on top of
    /// it: it goes with that volume.
    pub is_part: bool,
    /// The guest and place that reference it, on this node or another.
    pub referenced: Option<Hit>,
}

/// The verdicts of a node, by device.
#[derive(Debug, Clone, Default)]
pub struct Verdicts {
    list: Vec<Judgement>,
    roots: Vec<Option<Index>>,
}

impl Verdicts {
    /// The verdict on a device.
    pub fn get(&self, index: Index) -> Option<&Judgement> {
        self.list.get(index)
    }

    /// All verdicts with their devices, in the order of the listing.
    pub fn of<'a>(
        &'a self,
        node: &'a Node,
    ) -> impl Iterator<Item = (Index, &'a Device, &'a Judgement)> {
        node.devices
            .iter()
            .zip(&self.list)
            .map(|((index, device), judgement)| (index, device, judgement))
    }

    /// The guest's entry that a dependent finally lies on; the entry itself
    /// for any other.
    pub fn root(&self, index: Index) -> Index {
        self.roots.get(index).copied().flatten().unwrap_or(index)
    }
}

/// Judges every entry of a node, and gives the references that it is judged
/// by.
pub fn judge(node: &Node) -> (Verdicts, References<'_>) {
    let mut references = References::of(node);
    let owners = owners::assign(
        node,
        &reason::Asked {
            node,
            references: &references,
        },
    );
    references.spread(&owners);
    let doubled = duplicates::find(node, &owners);
    let scene = reason::Scene {
        node,
        owners: &owners,
        doubled: &doubled,
        references: &references,
    };
    let mut list: Vec<Judgement> = node
        .devices
        .iter()
        .map(|(index, device)| reason::judge(&scene, index, device))
        .collect();
    follow(&mut list, &owners, |index| {
        let device = node.devices.get(index)?;
        Some(references.any_hit(node, index, device)?.vmid)
    });
    stand_under_valid(node, &mut list);
    let roots = owners::ends(list.len(), |index| {
        let judgement = list.get(index)?;
        judgement
            .of
            .filter(|_| judgement.verdict == Verdict::Dependent)
    });
    (Verdicts { list, roots }, references)
}

/// What a valid entry stands on is in use, though no configuration names it: a
/// template's disk that a clone reads from, a disk below a storage.
fn stand_under_valid(node: &Node, list: &mut [Judgement]) {
    let mut seen = vec![false; list.len()];
    let valid = |(index, judgement): (Index, &Judgement)| {
        (judgement.verdict == Verdict::Valid).then_some((index, index))
    };
    let mut waiting: Vec<(Index, Index)> = list.iter().enumerate().filter_map(valid).collect();
    while let Some((index, user)) = waiting.pop() {
        match seen.get_mut(index) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        waiting.extend(node.devices.below(index).map(|below| (below, user)));
        let name = node.devices.get(user).map_or("", |user| &user.name);
        if let Some(judgement) = list.get_mut(index)
            && judgement.verdict == Verdict::Orphan
        {
            judgement.verdict = Verdict::Valid;
            judgement.reason = None;
            judgement.explanation = format!("{name}, which a guest uses, stands on it.");
        }
    }
}

/// A dependent's guest is that of the entry it lies on, or the one that is
/// given that entry.
fn follow(
    list: &mut [Judgement],
    owners: &owners::Owners<'_>,
    given_to: impl Fn(Index) -> Option<u64>,
) {
    for index in 0..list.len() {
        let Some(root) = owners.root(index) else {
            continue;
        };
        let Some((vmid, kind)) = list.get(root).map(|j| (j.vmid, j.guest_kind)) else {
            continue;
        };
        if let Some(judgement) = list.get_mut(index) {
            judgement.vmid = vmid.or_else(|| given_to(root));
            judgement.guest_kind = kind;
        }
    }
}
