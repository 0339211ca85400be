//! What the other nodes of a cluster need to know of one: small enough to be
//! kept for a whole cluster, or sent to where the cluster is joined.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Case, info_evidence};
use crate::model::device::{Device, Index};
use crate::model::finding::{Finding, Severity};
use crate::model::names::VolumeKind;
use crate::model::node::Node;
use crate::model::verdict::{LvState, Verdict};
use crate::verdicts::Judgement;

/// A node as the rest of its cluster sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// The node's name.
    pub node: String,
    /// When the snapshot was taken.
    pub collected_at: Option<DateTime<Utc>>,
    /// The cluster's members, by this node.
    pub members: Vec<String>,
    /// Whether guests' configurations were read.
    pub configurations: bool,
    /// Guests that exist although their configuration could not be read.
    pub unread: BTreeSet<u64>,
    /// Where each guest's configuration lies, by this node.
    pub homes: Vec<Home>,
    /// Guests' volumes on shared storage that are active here.
    pub volumes: Vec<Volume>,
    /// Guests' volumes that are open here, by the UUIDs of VG and LV.
    pub opened: Vec<Opened>,
}

/// Where a guest's configuration lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// The guest.
    pub vmid: u64,
    /// The node.
    pub node: String,
    /// Whether the guest is locked for a migration.
    pub migrating: bool,
}

/// A guest's volume on shared storage that is active on the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Volume group.
    pub vg: String,
    /// Logical volume.
    pub lv: String,
    /// The entry's name.
    pub entry: String,
    /// The guest.
    pub vmid: Option<u64>,
    /// The node whose configuration references it.
    pub home: Option<String>,
    /// What LVM's metadata says of its UUID.
    pub stale: bool,
    /// Open, or of unknown open count.
    pub in_use: bool,
    /// Whether a warning or worse of this node is about it.
    pub issue: bool,
}

/// A guest's volume that is open on the node and that its guest may write to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// The VG's UUID, without dashes.
    pub vg_uuid: String,
    /// The LV's UUID, without dashes.
    pub lv_uuid: String,
    /// VG and LV by LVM's metadata.
    pub known_as: Option<(String, String)>,
    /// VG and LV by the entry's name.
    pub named: Option<(String, String)>,
    /// The guest of the verdict.
    pub vmid: Option<u64>,
    /// The guest by the volume's name.
    pub named_vmid: Option<u64>,
    /// The guest whose configuration references it.
    pub referenced_by: Option<u64>,
    /// Whether its verdict is valid.
    pub valid: bool,
    /// What holds it open, in words: the first four.
    pub holders: Vec<String>,
    /// How many more hold it.
    #[serde(default)]
    pub further: usize,
    /// The recorded line on it.
    pub evidence: String,
}

/// Holders that other nodes need to know of a volume; the node's own page has
/// more.
pub(super) const MOST_HELD: usize = 4;

impl Shared {
    /// What the others need to know of a node with these findings.
    pub fn of(case: &Case<'_>, findings: &[Finding]) -> Self {
        let node = case.node;
        let issues: BTreeSet<&str> = findings
            .iter()
            .filter(|finding| finding.severity != Severity::Info)
            .map(|finding| finding.subject.as_str())
            .collect();
        let guests = &node.guests;
        Self {
            node: node.name.clone(),
            collected_at: node.collected_at,
            members: node.membership.members.clone(),
            configurations: guests.unusable.is_none(),
            unread: guests.unread.keys().copied().collect(),
            homes: guests
                .all()
                .map(|guest| Home {
                    vmid: guest.vmid,
                    node: guest.node.clone(),
                    migrating: guest.lock.as_deref() == Some("migrate"),
                })
                .collect(),
            volumes: case
                .entries()
                .filter_map(|(_, device, judgement)| volume(case, device, judgement, &issues))
                .collect(),
            opened: case
                .entries()
                .filter_map(|(index, device, judgement)| opened(case, index, device, judgement))
                .collect(),
        }
    }
}

fn volume(
    case: &Case<'_>,
    device: &Device,
    judgement: &Judgement,
    issues: &BTreeSet<&str>,
) -> Option<Volume> {
    let (vg, lv) = device.volume()?;
    if !judgement.verdict.is_guests() || !case.node.storages.is_shared_vg(vg) {
        return None;
    }
    Some(Volume {
        vg: vg.to_owned(),
        lv: lv.to_owned(),
        entry: device.name.clone(),
        vmid: judgement.vmid,
        home: judgement.referenced.as_ref().map(|hit| hit.node.clone()),
        stale: judgement.lv_state == LvState::Stale,
        in_use: device.in_use(),
        issue: issues.contains(device.name.as_str()),
    })
}

/// Others than guests' volumes on shared storage may hold a cluster file
/// system, and a template's disk is read by its linked clones wherever they
/// run.
fn opened(case: &Case<'_>, index: Index, device: &Device, judgement: &Judgement) -> Option<Opened> {
    let uuid = device
        .lvm_uuid
        .as_ref()
        .filter(|uuid| uuid.layer.is_none())?;
    let volume = judgement.volume.as_ref()?;
    let is_open = device.open.is_some_and(|open| open > 0);
    if !judgement.verdict.is_guests() || volume.kind == VolumeKind::Base || !is_open {
        return None;
    }
    let owned = |(vg, lv): (&str, &str)| (vg.to_owned(), lv.to_owned());
    let known = case.node.lvm.of(device);
    let (holders, further) = held(case.node, index);
    Some(Opened {
        vg_uuid: uuid.vg.clone(),
        lv_uuid: uuid.lv.clone(),
        known_as: known.map(|lv| owned((&lv.vg, &lv.name))),
        named: device.volume().map(owned),
        vmid: judgement.vmid,
        named_vmid: Some(volume.vmid),
        referenced_by: judgement.referenced.as_ref().map(|hit| hit.vmid),
        valid: judgement.verdict == Verdict::Valid,
        holders,
        further,
        evidence: info_evidence(device),
    })
}

/// What holds a device open, in words, and how many more do.
pub(super) fn held(node: &Node, index: Index) -> (Vec<String>, usize) {
    let mut held = node.holder_texts(index);
    held.truncate(MOST_HELD);
    let others = node.holders.get(&index).map_or(0, Vec::len);
    let all = node.devices.above(index).len() + others;
    let further = all.saturating_sub(held.len());
    (held, further)
}
