//! Devices that are suspended or have no table, by `dmsetup info`.

use super::facts::word;
use super::{Case, Check, Outcome, Run, info_evidence};
use crate::model::device::Device;
use crate::model::finding::{Finding, Severity};
use crate::verdicts::Judgement;

pub(super) const SUSPENDED: Check = Check {
    name: "suspended-device",
    title: "A device is suspended",
    page: include_str!("../../docs/checks/suspended-device.md"),
    run: Run::Node(suspended),
};

pub(super) const NO_TABLE: Check = Check {
    name: "no-live-table",
    title: "A device has no live table",
    page: include_str!("../../docs/checks/no-live-table.md"),
    run: Run::Node(no_table),
};

/// The forms of `dmsetup info`.
const INFO: [&str; 3] = ["dmsetup-info", "dmsetup-info-columns", "dmsetup-info-c"];

fn needs(case: &Case<'_>) -> Option<&'static str> {
    let known = INFO.into_iter().any(|id| case.node.evidence.has(id));
    (!known).then_some("the devices' states (dmsetup-info)")
}

fn suspended(case: &Case<'_>) -> Outcome {
    let findings = case
        .entries()
        .filter(|(_, device, _)| device.suspended && device.live_table != Some(false))
        .map(|(_, device, judgement)| {
            let name = word(&device.name);
            Finding {
                check: SUSPENDED.name,
                severity: Severity::Critical,
                subject: device.name.clone(),
                vmid: judgement.vmid,
                message: format!("{} is suspended: everything that reads or writes it waits.", device.name),
                impact: "Its guest hangs, and so do LVM's commands as soon as they look at it, and with them PVE's status and backups.".into(),
                remedy: format!(
                    "LVM suspends a device for an instant while it changes it: first look whether an LVM command runs (ps ax | grep -E 'lv|vg|pv'), \
                     and whether it is suspended still (dmsetup info {name}). If no command is at work on it: dmsetup resume {name}. \
                     If it is a thin pool or lies on one, look at the pool first."
                ).into(),
                evidence: state_evidence(device),
            }
        })
        .collect();
    Outcome {
        findings,
        needs: needs(case),
    }
}

fn no_table(case: &Case<'_>) -> Outcome {
    let findings = case
        .entries()
        .filter(|(_, device, _)| device.live_table == Some(false))
        .map(|(_, device, judgement)| without_table(device, judgement))
        .collect();
    Outcome {
        findings,
        needs: needs(case),
    }
}

fn without_table(device: &Device, judgement: &Judgement) -> Finding {
    let name = word(&device.name);
    let remedy = if device.in_use() {
        format!(
            "It is open or may be: look who holds it (dmsetup info {name}; fuser -v /dev/mapper/{name}) before anything else."
        )
    } else {
        format!(
            "Look that no LVM command is at work and that it is still so and closed (dmsetup info {name}), then take the shell of a device down: \
             dmsetup remove {name}. The volume can be activated again after."
        )
    };
    Finding {
        check: NO_TABLE.name,
        severity: Severity::Warning,
        subject: device.name.clone(),
        vmid: judgement.vmid,
        message: format!("{} exists but maps nothing: it has no live table.", device.name),
        impact: "It is what an activation that failed halfway leaves. Its name is taken, so activating the volume fails; reading it gives errors.".into(),
        remedy: remedy.into(),
        evidence: state_evidence(device),
    }
}

fn state_evidence(device: &Device) -> Vec<String> {
    let state = if device.suspended {
        "SUSPENDED"
    } else {
        "ACTIVE"
    };
    let table = match device.live_table {
        Some(true) => "a live table",
        Some(false) => "no live table",
        None => "whether it has a table was not recorded",
    };
    vec![
        info_evidence(device),
        format!("{}: state {state}, {table}", device.origin.0),
    ]
}
