//! The tables of a node's page.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::audit::Audit;
use crate::checks::next_vmids::Meeting;
use crate::model::device::{Device, Index};
use crate::model::evidence::State;
use crate::model::finding::Severity;
use crate::model::guest::Guest;
use crate::model::node::Node;
use crate::model::verdict::Verdict;
use crate::report::view;
use crate::report::words::{count, list};
use crate::verdicts::Judgement;

/// A node's numbers.
pub(super) fn summary(audit: &Audit) -> view::Summary {
    let mut summary = view::Summary {
        guests: audit.node.guests.here.len(),
        guests_running: audit
            .node
            .guests
            .here
            .iter()
            .filter(|guest| guest.running() == Some(true))
            .count(),
        ..view::Summary::default()
    };
    for (_, device, judgement) in audit.verdicts.of(&audit.node) {
        if !judgement.verdict.is_guests() {
            continue;
        }
        summary.entries += 1;
        summary.in_use += usize::from(device.in_use());
        match judgement.verdict {
            Verdict::Valid => summary.valid += 1,
            Verdict::Duplicate => summary.duplicates += 1,
            Verdict::Orphan => summary.orphans += 1,
            _ => summary.unknown += 1,
        }
    }
    summary
}

/// Every entry, those with issues first; how bad these are is counted last.
pub(super) fn entries(audit: &Audit) -> Vec<view::Entry> {
    let worst = worst_by_subject(audit);
    let mut entries: Vec<(u8, Index, view::Entry)> = audit
        .verdicts
        .of(&audit.node)
        .map(|(index, device, judgement)| {
            let severity = worst.get(device.name.as_str()).copied();
            (
                rank(judgement, severity),
                index,
                entry(audit, index, device, judgement),
            )
        })
        .collect();
    entries.sort_by_key(|(rank, index, _)| (*rank, *index));
    entries.into_iter().map(|(_, _, entry)| entry).collect()
}

fn rank(judgement: &Judgement, severity: Option<Severity>) -> u8 {
    match (severity, judgement.verdict) {
        (Some(Severity::Critical), _) => 0,
        (_, Verdict::Duplicate) => 1,
        (_, Verdict::Orphan) => 2,
        (Some(Severity::Warning), _) => 3,
        (_, Verdict::Unknown) => 4,
        (_, Verdict::Valid) => 5,
        (_, Verdict::Dependent) => 6,
        (_, Verdict::System) => 7,
    }
}

fn worst_by_subject(audit: &Audit) -> BTreeMap<&str, Severity> {
    let mut worst = BTreeMap::new();
    for finding in &audit.findings {
        let severity = worst
            .entry(finding.subject.as_str())
            .or_insert(finding.severity);
        *severity = (*severity).min(finding.severity);
    }
    worst
}

fn entry(audit: &Audit, index: Index, device: &Device, judgement: &Judgement) -> view::Entry {
    let decision = audit.planning.decisions.get(index);
    view::Entry {
        name: device.name.clone(),
        uuid: device.uuid.clone(),
        devno: devno(device),
        open: device.open,
        holders: audit.node.holder_texts(index),
        vg: device.volume().map(|(vg, _)| vg.to_owned()),
        lv: device.volume().map(|(_, lv)| lv.to_owned()),
        vmid: judgement.vmid,
        guest_kind: judgement.guest_kind.map(|kind| kind.as_str().into()),
        volume: judgement.volume_id.clone(),
        verdict: judgement.verdict.as_str().into(),
        reason: judgement.reason.map(view::Word::from),
        explanation: judgement.explanation.clone(),
        lv_state: judgement.lv_state.as_str().into(),
        action: decision
            .map_or("none", |decision| decision.action.as_str())
            .into(),
        action_reason: decision
            .and_then(|decision| decision.reason)
            .map(view::Word::from),
        size: device.size(),
        pool: audit
            .node
            .lvm
            .of(device)
            .and_then(|lv| lv.pool.as_deref().map(str::to_owned)),
        severity: None,
    }
}

fn devno(device: &Device) -> String {
    device
        .devno
        .map_or_else(|| "unknown".to_owned(), |devno| devno.to_string())
}

/// The guests of the node; what is found about them is counted last.
pub(super) fn guests(audit: &Audit) -> Vec<view::Guest> {
    let mut entries: HashMap<u64, usize> = HashMap::new();
    for (_, _, judgement) in audit.verdicts.of(&audit.node) {
        if let Some(vmid) = judgement.vmid.filter(|_| judgement.verdict.is_guests()) {
            *entries.entry(vmid).or_default() += 1;
        }
    }
    audit
        .node
        .guests
        .here
        .iter()
        .map(|guest| {
            let entries = entries.get(&guest.vmid).copied().unwrap_or_default();
            self::guest(audit, guest, entries)
        })
        .collect()
}

fn guest(audit: &Audit, guest: &Guest, entries: usize) -> view::Guest {
    let disks: BTreeSet<String> = guest
        .references
        .iter()
        .filter(|reference| !reference.derived)
        .map(|reference| reference.target.to_string())
        .collect();
    let judged = guest.readable && audit.node.guests.unusable.is_none();
    view::Guest {
        vmid: guest.vmid,
        kind: guest.kind.as_str().to_owned(),
        name: guest.name.clone(),
        status: guest.status.clone().unwrap_or_else(|| "unknown".to_owned()),
        locked: guest.lock.clone(),
        template: guest.template,
        disks: disks.len(),
        entries,
        issues: 0,
        health: if judged { "healthy" } else { "unknown" }.to_owned(),
    }
}

/// The next free VMIDs.
pub(super) fn next_vmids(audit: &Audit) -> Option<view::NextVmids> {
    let free = audit.free_ids.as_ref()?;
    let first = free.ids.iter().find(|id| id.next);
    let sentence = match first {
        None => "The cluster's range has no free VMID.".to_owned(),
        Some(id) => match id.meeting {
            Meeting::Free => format!(
                "The next guest gets VMID {}, and nothing is in its way.",
                id.vmid
            ),
            Meeting::Leftover => format!(
                "The next guest gets VMID {}; old data lies beside its disks: {}.",
                id.vmid,
                list(&id.meets, 3)
            ),
            Meeting::Blocked => format!(
                "The next guest gets VMID {}, and making it will fail: it meets {}.",
                id.vmid,
                list(&id.meets, 3)
            ),
        },
    };
    Some(view::NextVmids {
        lower: free.range.lower,
        upper: free.range.upper,
        ids: free
            .ids
            .iter()
            .map(|id| view::NextVmid {
                vmid: id.vmid,
                next: id.next,
                outcome: id.meeting.as_str().to_owned(),
                meets: id.meets.clone(),
            })
            .collect(),
        sentence,
    })
}

/// Entries that are open, whosever they are.
pub(super) fn open_devices(audit: &Audit) -> Vec<view::OpenDevice> {
    audit
        .verdicts
        .of(&audit.node)
        .filter(|(_, device, _)| device.in_use())
        .map(|(index, device, judgement)| view::OpenDevice {
            name: device.name.clone(),
            devno: devno(device),
            open: device.open,
            verdict: judgement.verdict.as_str().into(),
            holders: audit.node.holder_texts(index),
        })
        .collect()
}

/// What is missing and what that leaves open.
pub(super) fn missing(node: &Node) -> Vec<view::Missing> {
    let mut missing = Vec::new();
    if let Some(why) = &node.guests.unusable {
        missing.push(view::Missing {
            id: "/etc/pve".to_owned(),
            state: "missing".to_owned(),
            detail: why.clone(),
            consequence:
                "No entry of a guest has a verdict, there is no grade, and nothing is planned."
                    .to_owned(),
        });
    } else if !node.guests.whole_cluster {
        missing.push(view::Missing {
            id: "/etc/pve/nodes".to_owned(),
            state: "missing".to_owned(),
            detail: "the configurations of the other nodes' guests were not collected".to_owned(),
            consequence: "A guest that is gone can't be told from one that lives elsewhere."
                .to_owned(),
        });
    }
    if node.guests.unusable.is_none() && !node.storages.known() {
        missing.push(view::Missing {
            id: "/etc/pve/storage.cfg".to_owned(),
            state: "missing".to_owned(),
            detail: String::new(),
            consequence: "Which volume group a storage means is guessed from their names."
                .to_owned(),
        });
    }
    if !node.guests.unread.is_empty() {
        let vmids: Vec<String> = node.guests.unread.keys().map(u64::to_string).collect();
        missing.push(view::Missing {
            id: "configurations".to_owned(),
            state: "failed".to_owned(),
            detail: format!(
                "{} could not be read: {}",
                count(
                    vmids.len(),
                    "guest's configuration",
                    "guests' configurations"
                ),
                list(&vmids, 10)
            ),
            consequence: "The entries of these guests have no verdict.".to_owned(),
        });
    }
    missing.extend(node.evidence.gaps().into_iter().map(|gap| {
        let (state, detail) = match gap.state {
            State::Present | State::Missing => ("missing", String::new()),
            State::Failed(detail) => ("failed", detail),
            State::TimedOut => ("timed out", String::new()),
        };
        view::Missing {
            id: gap.id.to_owned(),
            state: state.to_owned(),
            detail,
            consequence: gap.consequence.to_owned(),
        }
    }));
    missing
}
