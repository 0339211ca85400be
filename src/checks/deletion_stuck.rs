//! Volumes that were to be wiped and removed, and are neither.

use super::facts::{self, size, vg_lv};
use super::{Case, Check, Outcome, Run, info_evidence};
use crate::model::device::{Device, Index};
use crate::model::finding::{Finding, Severity};
use crate::model::lvm::LogicalVolume;
use crate::model::names::{GuestVolume, LvmName, VolumeKind};
use crate::model::node::{Environment, Node};

pub(super) const CHECK: Check = Check {
    name: "deletion-stuck",
    title: "A deleted volume was never wiped and removed",
    page: include_str!("../../docs/checks/deletion-stuck.md"),
    run: Run::Node(run),
};

fn run(case: &Case<'_>) -> Outcome {
    let node = case.node;
    let mut unknown = false;
    let mut findings = Vec::new();
    for lv in &node.lvm.lvs {
        let Some(volume) = GuestVolume::parse(&lv.name).filter(|v| v.kind == VolumeKind::Deleting)
        else {
            continue;
        };
        let entry = entry(node, lv);
        match entry.map(|(_, device)| device.open) {
            // Something has it open: the wipe is under way.
            Some(Some(1..)) => {}
            Some(None) => unknown = true,
            Some(Some(0)) | None => findings.push(finding(node, lv, &volume, entry)),
        }
    }
    Outcome {
        findings,
        needs: if unknown {
            Some("open counts (dmsetup-info), which tell a wipe under way")
        } else if !node.lvm.reported {
            Some("LVM's volumes (lvs-json)")
        } else {
            None
        },
    }
}

fn entry<'a>(node: &'a Node, lv: &LogicalVolume) -> Option<(Index, &'a Device)> {
    let index = node
        .devices
        .by_name(&LvmName::join(&lv.vg, &lv.name))
        .or_else(|| {
            node.devices
                .by_uuid(&format!("LVM-{}{}", lv.vg_uuid, lv.uuid))
        })?;
    Some((index, node.devices.get(index)?))
}

fn finding(
    node: &Node,
    lv: &LogicalVolume,
    volume: &GuestVolume,
    entry: Option<(Index, &Device)>,
) -> Finding {
    // Of a shared VG, another node may be at it.
    let elsewhere = node.membership.environment != Environment::Standalone
        && node.storages.is_shared_vg(&lv.vg);
    let name = format!("{}/{}", lv.vg, lv.name);
    let target = vg_lv(&lv.vg, &lv.name);
    let mut evidence = vec![facts::volume(lv)];
    evidence.push(match entry {
        Some((_, device)) => info_evidence(device),
        None => format!("{name} has no entry on this node"),
    });
    Finding {
        check: CHECK.name,
        severity: if elsewhere {
            Severity::Info
        } else {
            Severity::Warning
        },
        subject: name.clone(),
        vmid: Some(volume.vmid),
        message: format!(
            "{name} ({}) was deleted and renamed to be wiped, but no wipe is under way on this node{}.",
            lv.size.map_or_else(|| "size unknown".to_owned(), size),
            if elsewhere {
                "; it may be on another"
            } else {
                ""
            }
        ),
        impact: "The space is not given back, and the data that was to be wiped is still there."
            .into(),
        remedy: format!(
            "{}Look for the task that failed (Task History, imgdel). Then a person finishes it: wipe the volume if that matters \
             (lvchange -ay {target}; blkdiscard -z /dev/{target}), and remove it: lvremove {target}.",
            if elsewhere {
                "First look on every node whether a wipe still runs there (dmsetup info -c; ps ax). "
            } else {
                ""
            }
        ).into(),
        evidence,
    }
}
