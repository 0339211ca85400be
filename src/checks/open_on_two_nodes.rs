//! Guests' volumes on shared storage that are open on more than one node.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::vg_lv;
use super::{Case, Check, Outcome, Run, info_evidence};
use crate::model::device::{Device, Index};
use crate::model::finding::{Finding, Severity};
use crate::model::names::{GuestVolume, VolumeKind};
use crate::model::verdict::Verdict;
use crate::verdicts::Judgement;

pub(super) const CHECK: Check = Check {
    name: "open-on-two-nodes",
    title: "A shared volume is open on more than one node",
    page: include_str!("../../docs/checks/open-on-two-nodes.md"),
    run: Run::Cluster(run),
};

/// A volume that is open on a node.
struct Opened<'a> {
    case: Case<'a>,
    index: Index,
    device: &'a Device,
    judgement: &'a Judgement,
}

fn run(cases: &[Case<'_>]) -> Outcome {
    let mut needs = None;
    let mut findings = Vec::new();
    for opened in opened(cases).into_values() {
        let nodes: BTreeSet<&str> = opened
            .iter()
            .map(|one| one.case.node.name.as_str())
            .collect();
        if nodes.len() < 2 {
            continue;
        }
        let guests = guests(&opened);
        if guests.iter().any(|vmid| migrates(cases, *vmid)) {
            continue;
        }
        if let Some(missing) = guests.iter().find_map(|vmid| unsure(cases, *vmid)) {
            needs = Some(missing);
            continue;
        }
        findings.extend(finding(&opened));
    }
    Outcome { findings, needs }
}

/// Guests' volumes that are open, by the UUIDs of VG and LV. Others on shared
/// storage may hold a cluster file system, and a template's disk is read by
/// its linked clones wherever they run.
fn opened<'a>(cases: &[Case<'a>]) -> BTreeMap<(&'a str, &'a str), Vec<Opened<'a>>> {
    let mut opened: BTreeMap<_, Vec<Opened<'a>>> = BTreeMap::new();
    for case in cases {
        for (index, device, judgement) in case.entries() {
            let Some(uuid) = device.lvm_uuid.as_ref().filter(|uuid| uuid.layer.is_none()) else {
                continue;
            };
            let writable = judgement
                .volume
                .as_ref()
                .is_some_and(|volume| volume.kind != VolumeKind::Base);
            if judgement.verdict.is_guests() && writable && device.open.is_some_and(|open| open > 0)
            {
                opened
                    .entry((uuid.vg.as_str(), uuid.lv.as_str()))
                    .or_default()
                    .push(Opened {
                        case: *case,
                        index,
                        device,
                        judgement,
                    });
            }
        }
    }
    opened
}

/// The guests whose volume it is, by name and by reference.
fn guests(opened: &[Opened<'_>]) -> BTreeSet<u64> {
    opened
        .iter()
        .flat_map(|one| {
            let named = one
                .judgement
                .volume
                .as_ref()
                .map(|volume: &GuestVolume| volume.vmid);
            let referenced = one.judgement.referenced.as_ref().map(|hit| hit.vmid);
            named.into_iter().chain(referenced)
        })
        .collect()
}

fn migrates(cases: &[Case<'_>], vmid: u64) -> bool {
    cases.iter().any(|case| {
        let guests = &case.node.guests;
        let all = guests.here.iter().chain(&guests.elsewhere);
        all.filter(|guest| guest.vmid == vmid)
            .any(|guest| guest.lock.as_deref() == Some("migrate"))
    })
}

/// Why it can't be told whether a guest is being migrated, if so.
fn unsure(cases: &[Case<'_>], vmid: u64) -> Option<&'static str> {
    let guests = || cases.iter().map(|case| &case.node.guests);
    if guests().all(|guests| guests.unusable.is_some()) {
        return Some("/etc/pve with the guests' configurations, which tell a migration");
    }
    if guests().any(|guests| guests.unread.contains_key(&vmid)) {
        return Some("the configuration of every guest whose disk is open on two nodes");
    }
    // It moved between the snapshots: each shows a different moment.
    let homes: BTreeSet<&str> = guests()
        .flat_map(|guests| guests.here.iter().chain(&guests.elsewhere))
        .filter(|guest| guest.vmid == vmid)
        .map(|guest| guest.node.as_str())
        .collect();
    (homes.len() > 1)
        .then_some("snapshots of all nodes from the same moment: a guest moved in between")
}

fn finding(opened: &[Opened<'_>]) -> Option<Finding> {
    let first = opened.first()?;
    let name = opened
        .iter()
        .find_map(|one| one.case.node.lvm.of(one.device))
        .map(|lv| (lv.vg.as_str(), lv.name.as_str()))
        .or_else(|| first.device.volume());
    let (vg, lv) = name?;
    let holders = |one: &Opened<'_>| match one.case.node.holder_texts(one.index) {
        holders if holders.is_empty() => "a holder that was not recorded".to_owned(),
        holders => holders.join(", "),
    };
    let who: Vec<String> = opened
        .iter()
        .map(|one| format!("{} by {}", one.case.node.name, holders(one)))
        .collect();
    // Guests on every one of the nodes have it in their configurations.
    let owners: BTreeSet<u64> = opened
        .iter()
        .filter(|one| one.judgement.verdict == Verdict::Valid)
        .filter_map(|one| one.judgement.referenced.as_ref())
        .map(|hit| hit.vmid)
        .collect();
    let meant = owners.len() > 1
        && opened
            .iter()
            .all(|one| one.judgement.verdict == Verdict::Valid);
    let mut message = format!(
        "{vg}/{lv} is open on {} nodes: on {}.",
        opened.len(),
        who.join("; on ")
    );
    message.push_str(if meant {
        " Guests on each of them have it in their configurations."
    } else {
        " No migration is under way."
    });
    let wrong: Vec<String> = opened
        .iter()
        .filter(|one| one.judgement.verdict != Verdict::Valid)
        .map(|one| {
            format!(
                "on {}, find out what holds it ({}), stop that, then lvchange -an {}",
                one.case.node.name,
                holders(one),
                vg_lv(vg, lv)
            )
        })
        .collect();
    Some(Finding {
        check: CHECK.name,
        severity: if meant { Severity::Warning } else { Severity::Critical },
        subject: format!("{vg}/{lv}"),
        vmid: first.judgement.vmid,
        message,
        impact: "Two nodes write to one disk and neither knows of the other: its file systems are destroyed, unless they are made for that."
            .to_owned(),
        remedy: if meant {
            "Right only with a file system or database that is made for shared disks. Else take the disk out of one of the guests, now.".to_owned()
        } else if wrong.is_empty() {
            "Find out on which node the guest really runs, stop it on the other, and check its file systems.".to_owned()
        } else {
            format!(
                "Now, and before the guest is restarted or moved: {}. Then check the guest's file systems.",
                wrong.join("; ")
            )
        },
        evidence: opened
            .iter()
            .flat_map(|one| {
                let node = &one.case.node.name;
                let at = one.case.node.collected_at.map(|at| at.to_rfc3339());
                let taken = at.map_or_else(String::new, |at| format!(" (snapshot of {at})"));
                let held = one.case.node.holder_texts(one.index);
                std::iter::once(format!("{node}{taken}: {}", info_evidence(one.device)))
                    .chain(held.into_iter().map(move |holder| format!("{node}: held by {holder}")))
            })
            .collect(),
    })
}
