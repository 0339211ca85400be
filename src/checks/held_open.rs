//! Disks of stopped guests that something holds open.

use super::facts::{mention, vg_lv};
use super::{Case, Check, Outcome, Run, info_evidence};
use crate::model::device::{Device, Index};
use crate::model::finding::{Finding, Severity};
use crate::model::guest::{Guest, GuestKind};
use crate::model::names::{VolumeKind, replica_of};
use crate::model::node::MOST_HOLDERS;
use crate::model::verdict::Verdict;
use crate::verdicts::Judgement;

pub(super) const CHECK: Check = Check {
    name: "held-open-while-stopped",
    title: "A stopped guest's disk is held open",
    page: include_str!("../../docs/checks/held-open-while-stopped.md"),
    run: Run::Node(run),
};

fn run(case: &Case<'_>) -> Outcome {
    let mut unknown = false;
    let mut findings = Vec::new();
    for (index, device, judgement) in case.entries() {
        let is_held_anyway = is_shared_by_clones(judgement) || is_replica(device);
        if judgement.verdict != Verdict::Valid || is_held_anyway {
            continue;
        }
        match device.open {
            None => unknown = true,
            Some(0) => {}
            Some(_) => match owner(case, device, judgement) {
                Owner::Stopped(guest) => {
                    findings.push(finding(case, index, device, judgement, guest));
                }
                Owner::Unknown => unknown = true,
                Owner::MayUseIt => {}
            },
        }
    }
    Outcome {
        findings,
        needs: unknown
            .then_some("open counts (dmsetup-info) and the guests' states (qm-list, pct-list)"),
    }
}

/// A template's disk lies below its linked clones.
fn is_shared_by_clones(judgement: &Judgement) -> bool {
    judgement
        .volume
        .as_ref()
        .is_some_and(|volume| volume.kind == VolumeKind::Base)
}

/// DRBD holds the replicas of a volume, whether its guest runs or not.
fn is_replica(device: &Device) -> bool {
    device.volume().and_then(|(_, lv)| replica_of(lv)).is_some()
}

enum Owner<'a> {
    /// All guests with this disk are stopped and nothing is done to them.
    Stopped(&'a Guest),
    /// One runs, or an operation on it is under way.
    MayUseIt,
    /// It is not known whether one runs.
    Unknown,
}

fn owner<'a>(case: &Case<'a>, device: &Device, judgement: &Judgement) -> Owner<'a> {
    let guests = &case.node.guests;
    let by_name = device
        .volume()
        .into_iter()
        .flat_map(|(vg, lv)| case.references.mentions(vg, lv));
    let by_uuid = case
        .node
        .lvm
        .of(device)
        .into_iter()
        .flat_map(|lv| case.references.mentions(&lv.vg, &lv.name));
    let mentioning = by_name.chain(by_uuid).map(|mention| mention.guest);
    let referenced = judgement
        .referenced
        .as_ref()
        .and_then(|hit| guests.here(hit.vmid));
    let named = judgement.vmid.and_then(|vmid| guests.here(vmid));
    let mut unknown = false;
    for guest in mentioning.chain(referenced).chain(named) {
        let here = guests.here(guest.vmid).is_some();
        if guest.lock.is_some() || guest.template || (here && guest.running() == Some(true)) {
            return Owner::MayUseIt;
        }
        unknown |= here && guest.running().is_none();
    }
    match referenced {
        Some(guest) if !unknown => Owner::Stopped(guest),
        _ => Owner::Unknown,
    }
}

fn finding(
    case: &Case<'_>,
    index: Index,
    device: &Device,
    judgement: &Judgement,
    guest: &Guest,
) -> Finding {
    let above: Vec<&Device> = case
        .node
        .devices
        .above(index)
        .iter()
        .filter_map(|above| case.node.devices.get(*above))
        .collect();
    let holders = case.node.holder_texts(index);
    let by = match &holders[..] {
        [] => "a holder that was not recorded".to_owned(),
        holders => holders.join(", "),
    };
    let mut evidence = vec![info_evidence(device)];
    evidence.extend(holders.iter().map(|holder| format!("held by {holder}")));
    let some = above.iter().take(MOST_HOLDERS);
    evidence.extend(some.map(|device| info_evidence(device)));
    evidence.extend(device.volume().into_iter().flat_map(|(vg, lv)| {
        let of_guest = case
            .references
            .mentions(vg, lv)
            .filter(|m| m.guest.vmid == guest.vmid);
        of_guest
            .take(1)
            .map(|m| mention(m.guest, m.reference))
            .collect::<Vec<_>>()
    }));
    let listing = match guest.kind {
        GuestKind::Vm => "qm-list",
        GuestKind::Ct => "pct-list",
    };
    evidence.push(format!("{listing}: {} is stopped", guest.vmid));
    Finding {
        check: CHECK.name,
        severity: Severity::Warning,
        subject: device.name.clone(),
        vmid: judgement.vmid,
        message: format!(
            "{} is held open by {by}, though guest {} ({}) is stopped.",
            device.name, guest.vmid, guest.name
        ),
        impact: "What holds it may write to the disk behind the guest's back. The volume can't be deactivated, so the guest can't be \
                 migrated, and its snapshots and removal fail."
            .into(),
        remedy: remedy(&above, &by).into(),
        evidence,
    }
}

fn remedy(above: &[&Device], by: &str) -> String {
    let steps: Vec<String> = above
        .iter()
        .map(|device| match (&device.lvm_uuid, device.volume()) {
            (Some(_), Some((vg, lv))) => format!(
                "{} is a volume of the guest's own LVM: once nothing mounts it, lvchange -an {}",
                device.name,
                vg_lv(vg, lv)
            ),
            _ => format!(
                "{} is a partition or a mapping by hand: once nothing mounts it, take it down with kpartx -d on the disk, or dmsetup remove",
                device.name
            ),
        })
        .collect();
    if steps.is_empty() {
        return format!(
            "Find out what {by} does with it, and end that: unmount it, or stop the process. Start the guest only after."
        );
    }
    format!("{}. Start the guest only after.", steps.join(". "))
}
