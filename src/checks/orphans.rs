//! Entries of guests that nothing on their node references, by reason.

use std::borrow::Cow;

use super::{Case, Check, Outcome, Run, info_evidence};
use crate::model::device::Device;
use crate::model::finding::{Finding, Severity};
use crate::model::verdict::LvState;
use crate::verdicts::Judgement;

pub(super) const GUEST_GONE: Check = Check {
    name: "orphan-guest-gone",
    title: "An entry outlives its guest",
    page: include_str!("../../docs/checks/orphan-guest-gone.md"),
    run: Run::Node(|case| run(case, &GUEST_GONE, "guest-gone")),
};

pub(super) const GUEST_ELSEWHERE: Check = Check {
    name: "orphan-guest-elsewhere",
    title: "An entry's guest lives on another node",
    page: include_str!("../../docs/checks/orphan-guest-elsewhere.md"),
    run: Run::Node(|case| run(case, &GUEST_ELSEWHERE, "guest-elsewhere")),
};

pub(super) const GUEST_NOT_HERE: Check = Check {
    name: "orphan-guest-not-here",
    title: "An entry's guest is not on this node, and the other nodes are not known",
    page: include_str!("../../docs/checks/orphan-guest-not-here.md"),
    run: Run::Node(|case| run(case, &GUEST_NOT_HERE, "guest-not-here")),
};

pub(super) const DISK_UNREFERENCED: Check = Check {
    name: "orphan-disk-unreferenced",
    title: "An entry's disk is no longer in its guest's configuration",
    page: include_str!("../../docs/checks/orphan-disk-unreferenced.md"),
    run: Run::Node(|case| run(case, &DISK_UNREFERENCED, "disk-unreferenced")),
};

fn run(case: &Case<'_>, check: &'static Check, reason: &str) -> Outcome {
    if case.node.guests.unusable.is_some() {
        return Outcome::needs("/etc/pve with the guests' configurations");
    }
    let findings =
        case.entries()
            .filter(|(_, _, judgement)| judgement.reason == Some(reason))
            .map(|(index, device, judgement)| {
                let holders = case.node.holder_texts(index);
                let mut evidence = vec![info_evidence(device)];
                evidence.extend(case.node.lvm.of(device).map(|lv| {
                    format!(
                        "lvs-json: {}/{} has this UUID (attributes {})",
                        lv.vg, lv.name, lv.attr
                    )
                }));
                evidence.extend(
                    judgement.referenced.as_ref().map(|hit| {
                        format!("{}: {} references {}", hit.origin, hit.place, hit.target)
                    }),
                );
                evidence.extend(holders.iter().map(|holder| format!("held by {holder}")));
                Finding {
                    check: check.name,
                    severity: Severity::Warning,
                    subject: device.name.clone(),
                    vmid: judgement.vmid,
                    message: format!("{}: {}", device.name, judgement.explanation),
                    impact: impact(reason, judgement).into(),
                    remedy: remedy(reason, device, judgement, &holders),
                    evidence,
                }
            })
            .collect();
    Outcome::found(findings)
}

fn impact(reason: &str, judgement: &Judgement) -> &'static str {
    let fixed = judgement
        .volume
        .as_ref()
        .is_some_and(|volume| volume.fixed_name);
    match (reason, judgement.lv_state) {
        (_, LvState::Stale) => {
            "No volume lies behind it. Its name stays taken in this kernel, so creating or activating a volume of that name fails \
             with 'Device or resource busy', and its sectors may belong to another guest by now."
        }
        ("guest-elsewhere", _) => {
            "Harmless while nobody opens it. A guest started here by mistake, or a table that is out of date, destroys data."
        }
        (_, LvState::Backed) if fixed => {
            "A new guest with this VMID can't be made: PVE always uses this name, and it 'already exists'."
        }
        _ => {
            "It occupies the node and hides what is really in use; its disk holds data that nobody references."
        }
    }
}

fn remedy(
    reason: &str,
    device: &Device,
    judgement: &Judgement,
    holders: &[String],
) -> Cow<'static, str> {
    let release = device.in_use().then(|| match holders {
        [] => "It is in use: first find out by whom, and why.".to_owned(),
        holders => format!(
            "It is in use: first find out why, and release it ({}).",
            holders.join(", ")
        ),
    });
    // The guard on references would refuse it.
    if reason == "guest-elsewhere" && judgement.referenced.is_some() {
        let by_hand = "The guest's own node uses the volume, so no script touches it. If the volume group is shared \
                       and no migration is under way, deactivate it on this node by hand (lvchange -an).";
        return match release {
            Some(release) => format!("{release} {by_hand}").into(),
            None => by_hand.into(),
        };
    }
    if let Some(release) = release {
        return format!("{release} Then the cleanup script can take it down.").into();
    }
    match judgement.lv_state {
        LvState::Stale => {
            "Review and run the cleanup script (its dry run first). There is no data behind it to lose."
        }
        LvState::Backed => {
            "Review and run the cleanup script (its dry run first). Its data stays: whether the volume can go is for a person to decide."
        }
        LvState::Unknown => "Review and run the cleanup script (its dry run first).",
    }
    .into()
}
