//! One entry's verdict, from who owns it and who references it.

use super::Judgement;
use super::duplicates::Doubled;
use super::owners::{Owner, Owners};
use super::references::{Hit, References, Side};
use crate::model::device::{Device, Index};
use crate::model::names::GuestVolume;
use crate::model::node::{Environment, Node};
use crate::model::verdict::Verdict;

/// What a verdict is drawn from.
pub(super) struct Scene<'a> {
    pub node: &'a Node,
    pub owners: &'a Owners,
    pub doubled: &'a Doubled,
    pub references: &'a References<'a>,
}

impl Scene<'_> {
    fn name(&self, index: Index) -> &str {
        self.node
            .devices
            .get(index)
            .map_or("another entry", |device| &device.name)
    }
}

/// A verdict with its reason and sentence.
struct Outcome {
    verdict: Verdict,
    reason: Option<&'static str>,
    explanation: String,
    referenced: Option<Hit>,
}

impl Outcome {
    fn new(verdict: Verdict, reason: Option<&'static str>, explanation: String) -> Self {
        Self {
            verdict,
            reason,
            explanation,
            referenced: None,
        }
    }
}

pub(super) fn judge(scene: &Scene<'_>, index: Index, device: &Device) -> Judgement {
    let kept = scene.doubled.get(&index).copied();
    let volume = scene
        .owners
        .guest(index)
        .or_else(|| scene.owners.guest(kept?));
    let outcome = match scene.owners.get(index) {
        Owner::Follows(parent) => Outcome::new(
            Verdict::Dependent,
            None,
            format!(
                "A partition or layer of {}; it follows that entry.",
                scene.name(*parent)
            ),
        ),
        _ => match volume {
            Some(volume) => of_guest(scene, index, device, volume, kept),
            None => Outcome::new(Verdict::System, None, "Not a guest's.".to_owned()),
        },
    };
    let parent = match scene.owners.get(index) {
        Owner::Follows(parent) => Some(*parent),
        _ => None,
    };
    let volume_id = outcome
        .referenced
        .as_ref()
        .map(|hit| hit.target.clone())
        .or_else(|| volume_id(scene.node, device).filter(|_| scene.owners.guest(index).is_some()));
    Judgement {
        verdict: outcome.verdict,
        reason: outcome.reason,
        explanation: outcome.explanation,
        vmid: volume.map(|volume| volume.vmid),
        guest_kind: volume
            .and_then(|volume| scene.node.guests.anywhere(volume.vmid))
            .filter(|guest| guest.readable)
            .map(|guest| guest.kind),
        volume: volume.cloned(),
        volume_id,
        lv_state: scene.node.lvm.state_of(device),
        of: parent.or(kept),
        referenced: outcome.referenced,
    }
}

/// The volume id of an unreferenced volume, if `storage.cfg` has a storage on
/// its VG.
fn volume_id(node: &Node, device: &Device) -> Option<String> {
    let (vg, lv) = device.volume()?;
    let storage = node.storages.on_vg(vg, &node.name)?;
    Some(format!("{}:{lv}", storage.id))
}

fn of_guest(
    scene: &Scene<'_>,
    index: Index,
    device: &Device,
    volume: &GuestVolume,
    kept: Option<Index>,
) -> Outcome {
    let node = scene.node;
    let vmid = volume.vmid;
    if let Some(why) = &node.guests.unusable {
        return Outcome::new(
            Verdict::Unknown,
            Some("no-configurations"),
            format!("Nothing is known about guests: {why}."),
        );
    }
    let unread = node.guests.unread.get(&vmid);
    if let (Some(kept), None) = (kept, unread) {
        return Outcome {
            // That its disk is referenced is no reason to keep a double; that
            // a configuration names this very entry is.
            referenced: scene
                .references
                .path_hit(Side::Here, index)
                .or_else(|| scene.references.path_hit(Side::Elsewhere, index)),
            ..Outcome::new(
                Verdict::Duplicate,
                None,
                format!(
                    "A further entry for the disk that {} maps.",
                    scene.name(kept)
                ),
            )
        };
    }
    if let Some(hit) = scene.references.hit(Side::Here, node, index, device) {
        let explanation = format!(
            "Guest {} references it as {} ({}).",
            hit.vmid, hit.target, hit.place
        );
        return Outcome {
            referenced: Some(hit),
            ..Outcome::new(Verdict::Valid, None, explanation)
        };
    }
    if let Some(why) = unread {
        return Outcome::new(
            Verdict::Unknown,
            Some("configuration-unread"),
            format!("Guest {vmid} exists, but {why}."),
        );
    }
    orphan(scene, index, device, volume)
}

fn orphan(scene: &Scene<'_>, index: Index, device: &Device, volume: &GuestVolume) -> Outcome {
    let node = scene.node;
    let vmid = volume.vmid;
    let found = |reason, explanation| Outcome::new(Verdict::Orphan, Some(reason), explanation);
    if let Some(hit) = scene.references.hit(Side::Elsewhere, node, index, device) {
        let explanation = format!(
            "Guest {} on node {} references it ({}); no guest of this node does.",
            hit.vmid, hit.node, hit.place
        );
        return Outcome {
            referenced: Some(hit),
            ..found("guest-elsewhere", explanation)
        };
    }
    if node.guests.here(vmid).is_some() {
        return found(
            "disk-unreferenced",
            format!(
                "Guest {vmid} is on this node, but nothing in its configuration references this disk."
            ),
        );
    }
    if let Some(home) = node.guests.home_elsewhere(vmid) {
        return found(
            "guest-elsewhere",
            format!("Guest {vmid} is on node {home}; no guest of this node references this disk."),
        );
    }
    if !node.guests.whole_cluster {
        let which = match node.membership.environment {
            Environment::Clustered => "the other nodes' configurations were not collected",
            _ => "whether there are other nodes is not recorded",
        };
        return found(
            "guest-not-here",
            format!(
                "No guest of this node has VMID {vmid}; {which}, so the guest may be elsewhere."
            ),
        );
    }
    found(
        "guest-gone",
        format!(
            "No guest of the cluster has VMID {vmid}, and no configuration references this disk."
        ),
    )
}
