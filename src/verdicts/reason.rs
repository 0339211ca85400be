//! One entry's verdict, from who owns it and who references it.

use super::Judgement;
use super::duplicates::Doubled;
use super::owners::{OnStorage, Owner, Owners};
use super::references::{Hit, References, Side, name_of_another};
use crate::model::device::{Device, Index};
use crate::model::names::{GuestVolume, replica_of};
use crate::model::node::{Environment, Node};
use crate::model::verdict::Verdict;

/// What a verdict is drawn from.
pub(super) struct Scene<'a> {
    pub node: &'a Node,
    pub owners: &'a Owners<'a>,
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

impl Outcome {
    /// Of a guest whose configuration could not be read.
    fn unread(vmid: u64, why: &str) -> Self {
        Self::new(
            Verdict::Unknown,
            Some("configuration-unread"),
            format!("Guest {vmid} exists, but {why}."),
        )
    }
}

/// What the configurations that were read say of entries.
pub(super) struct Asked<'a> {
    pub node: &'a Node,
    pub references: &'a References<'a>,
}

impl super::owners::Asked for Asked<'_> {
    /// Or may name it: one that could not be read.
    fn is_named(&self, index: Index, device: &Device) -> bool {
        // What a person put a layer on is not what the guest uses.
        let plain = device.lvm_name.as_ref().filter(|name| name.layer.is_none());
        let Some(volume) = plain.and_then(|name| GuestVolume::parse(&name.lv)) else {
            return false;
        };
        self.node.guests.unread(volume.vmid).is_some() || self.is_handed_on(index, device)
    }

    fn is_handed_on(&self, index: Index, device: &Device) -> bool {
        self.references.any_hit(self.node, index, device).is_some()
    }
}

pub(super) fn judge(scene: &Scene<'_>, index: Index, device: &Device) -> Judgement {
    let kept = scene.doubled.get(&index).copied();
    let volume = scene
        .owners
        .guest(index)
        .or_else(|| scene.owners.guest(kept?));
    let owner = scene.owners.get(index);
    let followed = owner.followed();
    let outcome = match (followed, volume) {
        (Some(followed), _) => Outcome::new(
            Verdict::Dependent,
            None,
            format!(
                "A partition or layer of {}; it follows that entry.",
                scene.name(followed)
            ),
        ),
        (None, Some(volume)) => of_guest(scene, index, device, volume, kept),
        (None, None) => Outcome::new(Verdict::System, None, "Not a guest's.".to_owned()),
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
        of: followed.or(kept),
        is_part: matches!(owner, Owner::PartOf(_)),
        referenced: outcome.referenced,
    }
}

/// The volume id of an unreferenced volume, if `storage.cfg` has a storage on
/// its VG.
fn volume_id(node: &Node, device: &Device) -> Option<String> {
    let (vg, lv) = device.volume()?;
    let storage = node.storages.on_vg(vg)?;
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
    let unread = node.guests.unread(vmid);
    if let (Some(kept), None) = (kept, unread) {
        // That its disk is referenced is no reason to keep a double; that a
        // configuration names this very entry is, by a path or by the name
        // of another volume.
        let renamed = names_another(scene, device, kept);
        let hit = |side| match renamed {
            true => scene.references.hit(side, node, index, device),
            false => scene.references.path_hit(side, index),
        };
        return Outcome {
            referenced: hit(Side::Here).or_else(|| hit(Side::Elsewhere)),
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
        if is_by_chain(device, &hit) && !device.in_use() {
            return Outcome::new(
                Verdict::Unknown,
                Some("chain-unclear"),
                format!(
                    "No snapshot in a configuration has it, but the image of {} ({} of guest {}) may read from it: `qemu-img info --backing-chain` tells.",
                    hit.target, hit.place, hit.vmid
                ),
            );
        }
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
        return Outcome::unread(vmid, why);
    }
    orphan(scene, index, device, volume)
}

/// Whether a double has the name of another volume than the entry it doubles.
fn names_another(scene: &Scene<'_>, device: &Device, kept: Index) -> bool {
    let kept = scene.node.devices.get(kept).and_then(Device::volume);
    device.volume() != kept
}

/// Whether the only reference to an entry is one to the disk in whose chain of
/// snapshots it may be, by their names.
fn is_by_chain(device: &Device, hit: &Hit) -> bool {
    let names = device.volume().map(|(_, lv)| lv);
    let is_snapshot = names.is_some_and(|lv| lv.starts_with("snap_") && lv.ends_with(".qcow2"));
    let volume = hit.target.rsplit(':').next();
    is_snapshot && volume.is_some_and(|volume| volume.starts_with("vm-"))
}

/// Whether an entry is one of the replicas of a volume of LINSTOR's: each is in
/// use on its node, wherever the guest runs.
fn is_replica(node: &Node, device: &Device, hit: &Hit) -> bool {
    let volume = device.volume().and_then(|(_, lv)| replica_of(lv));
    hit.target.split_once(':').is_some_and(|(storage, target)| {
        let storage = node.storages.get(storage);
        volume == Some(target) && storage.is_none_or(|storage| storage.vg.is_none())
    })
}

fn orphan(scene: &Scene<'_>, index: Index, device: &Device, volume: &GuestVolume) -> Outcome {
    let node = scene.node;
    match scene.owners.storage_on(index) {
        Some(OnStorage { vg, surely: true }) => {
            return Outcome::new(
                Verdict::System,
                None,
                format!(
                    "The host's: a physical volume of {vg}, on which storage.cfg has a storage."
                ),
            );
        }
        Some(OnStorage { vg, surely: false }) => {
            return Outcome::new(
                Verdict::Unknown,
                Some("storage-unclear"),
                format!(
                    "It is a physical volume of {vg}, and storage.cfg has a storage on a VG of that name: whether this is that one, or a guest's own, can't be told."
                ),
            );
        }
        None => {}
    }
    // What LVM says of its UUID counts, not the name that it once had.
    let renamed = node.lvm.of(device).and_then(|lv| {
        let other = GuestVolume::parse(&lv.name)?.vmid;
        (other != volume.vmid).then_some((other, lv))
    });
    let vmid = renamed.map_or(volume.vmid, |(vmid, _)| vmid);
    if let Some(why) = node.guests.unread(vmid) {
        return Outcome::unread(vmid, why);
    }
    let found = |reason, explanation: String| {
        let explanation = match renamed {
            Some((_, lv)) => format!("By its UUID it is {}/{}. {explanation}", lv.vg, lv.name),
            None => explanation,
        };
        Outcome::new(Verdict::Orphan, Some(reason), explanation)
    };
    if let Some(hit) = scene.references.hit(Side::Elsewhere, node, index, device) {
        if is_replica(node, device, &hit) {
            let explanation = format!(
                "LINSTOR's replica of {}, which guest {} on node {} uses ({}).",
                hit.target, hit.vmid, hit.node, hit.place
            );
            return Outcome {
                referenced: Some(hit),
                ..Outcome::new(Verdict::Valid, None, explanation)
            };
        }
        let explanation = format!(
            "Guest {} on node {} references it ({}); no guest of this node does.",
            hit.vmid, hit.node, hit.place
        );
        return Outcome {
            referenced: Some(hit),
            ..found("guest-elsewhere", explanation)
        };
    }
    if let Some(hit) = scene.references.given(node, device) {
        return Outcome::new(
            Verdict::Unknown,
            Some("path-unresolved"),
            format!(
                "No storage is on its volume group, and guest {} is given {} ({}): it may be a volume of that guest's own.",
                hit.vmid, hit.target, hit.place
            ),
        );
    }
    if node.guests.here(vmid).is_some() {
        if let Some(hit) = scene.references.vague(vmid) {
            return Outcome::new(
                Verdict::Unknown,
                Some("path-unresolved"),
                format!(
                    "Guest {vmid} is given {} ({}), and the bundle does not show which device that is.",
                    hit.target, hit.place
                ),
            );
        }
        if let (Some(own), Some(other)) = (node.lvm.of(device), name_of_another(node, device)) {
            return found(
                "disk-unreferenced",
                format!(
                    "By its UUID it is {}/{}, which nothing references; its name is that of another volume by now, {}/{}, \
                     which can't be activated while this entry has the name.",
                    own.vg, own.name, other.vg, other.name
                ),
            );
        }
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
