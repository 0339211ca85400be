//! Free VMIDs that a new guest can't have, or only beside old data.

use super::facts;
use super::next_vmids::{FreeId, Meeting};
use super::{Case, Check, Outcome, Run, info_evidence};
use crate::model::finding::{Finding, Severity};
use crate::model::names::GuestVolume;

pub(super) const CHECK: Check = Check {
    name: "next-vmid-blocked",
    title: "A free VMID meets leftovers",
    page: include_str!("../../docs/checks/next-vmid-blocked.md"),
    run: Run::Node(run),
};

fn run(case: &Case<'_>) -> Outcome {
    let Some(free) = case.free_ids() else {
        return Outcome::needs(
            "the guests of the whole cluster (/etc/pve with every node's folder, or /etc/pve/.vmlist)",
        );
    };
    let findings = free
        .ids
        .iter()
        .filter_map(|id| {
            let severity = match id.meeting {
                Meeting::Blocked => Severity::Warning,
                Meeting::Leftover if id.next => Severity::Info,
                Meeting::Leftover | Meeting::Free => return None,
            };
            Some(finding(case, id, severity))
        })
        .collect();
    Outcome {
        findings,
        needs: (!case.node.lvm.complete)
            .then_some("the report of all volumes by LVM (lvs-json), ended without error"),
    }
}

fn finding(case: &Case<'_>, id: &FreeId, severity: Severity) -> Finding {
    let blocked = id.meeting == Meeting::Blocked;
    let next = if id.next {
        "It is one of the next that PVE gives out. "
    } else {
        ""
    };
    Finding {
        check: CHECK.name,
        severity,
        subject: format!("VMID {}", id.vmid),
        vmid: Some(id.vmid),
        message: format!(
            "VMID {} is free, but {} meets {}.",
            id.vmid,
            if blocked {
                "making a guest with it fails: it"
            } else {
                "a guest that gets it"
            },
            facts::some(&id.meets, 4)
        ),
        impact: if blocked {
            format!("{next}A new guest, a clone or a restored backup with this VMID fails.").into()
        } else {
            format!(
                "{next}PVE takes the next free disk number, and the old disk lies beside the new guest's, easily taken for its own."
            ).into()
        },
        remedy: remedy(case, id.vmid, blocked).into(),
        evidence: evidence(case, id.vmid),
    }
}

fn remedy(case: &Case<'_>, vmid: u64, blocked: bool) -> String {
    let node = case.node;
    let volumes: Vec<String> = node
        .lvm
        .lvs
        .iter()
        .filter(|lv| {
            GuestVolume::parse(&lv.name)
                .is_some_and(|v| v.vmid == vmid && (v.fixed_name || !blocked))
        })
        .map(|lv| match node.storages.on_vg(&lv.vg) {
            Some(storage) => format!(
                "pvesm free {}:{}",
                facts::word(&storage.id),
                facts::word(&lv.name)
            ),
            None => format!("lvremove {}", facts::vg_lv(&lv.vg, &lv.name)),
        })
        .collect();
    let mapped = node.devices.iter().any(|(_, device)| {
        let volume = device.volume();
        volume.is_some_and(|(vg, lv)| {
            GuestVolume::parse(lv).is_some_and(|v| v.vmid == vmid)
                && node.lvm.by_name(vg, lv).is_none()
        })
    });
    let mut steps = Vec::new();
    if mapped && blocked {
        steps.push("Take the mapping down with the cleanup script (its dry run first).".to_owned());
    }
    if !volumes.is_empty() {
        steps.push(format!(
            "If nobody needs the data any more, a person deletes it: {}.",
            facts::some(&volumes, 4)
        ));
    }
    steps.push("Until then, give new guests another VMID.".to_owned());
    steps.join(" ")
}

fn evidence(case: &Case<'_>, vmid: u64) -> Vec<String> {
    let node = case.node;
    let entries = case
        .entries()
        .filter(|(_, device, judgement)| {
            judgement
                .volume
                .as_ref()
                .is_some_and(|volume| volume.vmid == vmid)
                && node.lvm.of(device).is_none()
        })
        .map(|(_, device, _)| info_evidence(device));
    let volumes = node
        .lvm
        .lvs
        .iter()
        .filter(|lv| GuestVolume::parse(&lv.name).is_some_and(|volume| volume.vmid == vmid))
        .map(facts::volume);
    entries
        .chain(volumes)
        .take(8)
        .chain(std::iter::once(format!(
            "/etc/pve: no guest of the cluster has VMID {vmid}"
        )))
        .collect()
}
