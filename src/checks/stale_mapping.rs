//! A mapping whose volume LVM no longer has.

use std::borrow::Cow;

use super::facts::word;
use super::{Case, Check, Outcome, Run, info_evidence, table_evidence};
use crate::model::device::{Device, Index};
use crate::model::finding::{Finding, Severity};
use crate::model::verdict::{LvState, Verdict};
use crate::verdicts::Judgement;

pub(super) const CHECK: Check = Check {
    name: "stale-mapping",
    title: "A mapping outlives its volume",
    page: include_str!("../../docs/checks/stale-mapping.md"),
    run: Run::Node(run),
};

fn run(case: &Case<'_>) -> Outcome {
    let findings = case
        .entries()
        .filter(|(_, device, judgement)| {
            // A layer goes with its volume, and has no UUID of its own in the
            // metadata.
            let volume = match &device.lvm_uuid {
                Some(uuid) => uuid.layer.is_none(),
                None => device.named_by_lvm().is_some(),
            };
            volume
                && judgement.lv_state == LvState::Stale
                && judgement.verdict != Verdict::Duplicate
        })
        .map(|(index, device, judgement)| finding(case, index, device, judgement))
        .collect();
    let lvms = case
        .node
        .devices
        .iter()
        .any(|(_, device)| device.lvm_uuid.is_some());
    Outcome {
        findings,
        needs: (lvms && !case.node.lvm.complete)
            .then_some("the report of all volumes by LVM (lvs-json), ended without error"),
    }
}

fn finding(case: &Case<'_>, index: Index, device: &Device, judgement: &Judgement) -> Finding {
    let lvm = &case.node.lvm;
    let uuid = device.lvm_uuid.as_ref();
    let vg = uuid
        .and_then(|uuid| lvm.vgs.get(uuid.vg.as_str()))
        .map(|vg| vg.name.as_str())
        .or_else(|| device.volume().map(|(vg, _)| vg))
        .unwrap_or("its VG");
    let namesake = device.volume().and_then(|(vg, lv)| lvm.by_name(vg, lv));
    let referenced = judgement.verdict == Verdict::Valid;
    let key = match uuid {
        Some(_) => "with its UUID",
        None => {
            "of its name (its UUID was not recorded; one that another node renamed looks the same)"
        }
    };
    let mut message = format!(
        "{} maps a volume that is gone: the metadata of {vg} has no volume {key}.",
        device.name
    );
    if let Some(namesake) = namesake {
        message.push_str(&format!(
            " It has a newer volume {}/{}, which can't be activated while this mapping holds the name.",
            namesake.vg, namesake.name
        ));
    }
    let mut evidence = vec![info_evidence(device)];
    evidence.extend(table_evidence(device));
    evidence.extend(uuid.map(|uuid| {
        format!(
            "lvs-json: the volumes of VG {} were read; none has UUID {}",
            uuid.vg, uuid.lv
        )
    }));
    evidence.extend(
        judgement
            .referenced
            .as_ref()
            .map(|hit| format!("{}: {} references {}", hit.origin, hit.place, hit.target)),
    );
    let holders = case.node.holder_texts(index);
    evidence.extend(holders.iter().map(|holder| format!("held by {holder}")));
    Finding {
        check: CHECK.name,
        severity: if referenced { Severity::Critical } else { Severity::Warning },
        subject: device.name.clone(),
        vmid: judgement.vmid,
        message,
        impact: if referenced {
            "The guest's configuration names this volume: what the guest writes lands on sectors that LVM may give to any other volume, \
             and once the mapping is gone the guest can't start."
        } else {
            "The name stays taken in this kernel: creating or activating a volume of that name fails with 'Device or resource busy'. \
             Its sectors may belong to another volume by now."
        }
        .into(),
        remedy: remedy(device, judgement, &holders),
        evidence,
    }
}

fn remedy(device: &Device, judgement: &Judgement, holders: &[String]) -> Cow<'static, str> {
    if judgement.verdict == Verdict::Valid {
        let vmid = judgement
            .vmid
            .map_or_else(String::new, |vmid| format!(" {vmid}"));
        return format!(
            "Keep guest{vmid} from writing: stop it if it runs, and don't start it. Find out on which node the volume was removed. \
             Save what the mapping still shows before anything else if you need the data (read it, never write). \
             Then restore the volume from a backup, and take the mapping down: dmsetup remove {}",
            word(&device.name)
        )
        .into();
    }
    if device.in_use() {
        let who = match holders {
            [] => "whoever holds it open".to_owned(),
            holders => holders.join(", "),
        };
        return format!("It is in use: end {who} first; then take it down.").into();
    }
    if judgement.verdict == Verdict::Orphan {
        return "Review and run the cleanup script (its dry run first): it removes the mapping after checking again. \
                There is no volume behind it to lose."
            .into();
    }
    let name = word(&device.name);
    format!(
        "Look again that it is closed and that LVM has no such volume (dmsetup info {name}; lvs -a), then: dmsetup remove {name}"
    )
    .into()
}
