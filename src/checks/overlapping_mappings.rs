//! Mappings that write to the same sectors, or to sectors that LVM has given
//! to another volume.

use super::facts;
use super::overlaps::{Overlaps, Pair, Place, Wrong};
use super::shared::held;
use super::sweep::MOST;
use super::{Case, Check, Outcome, Run, info_evidence, table_evidence};
use crate::model::device::Device;
use crate::model::finding::{Finding, Severity};
use crate::model::verdict::Verdict;
use crate::verdicts::Judgement;

pub(super) const CHECK: Check = Check {
    name: "overlapping-mappings",
    title: "Two mappings write to the same sectors",
    page: include_str!("../../docs/checks/overlapping-mappings.md"),
    run: Run::Node(run),
};

fn run(case: &Case<'_>) -> Outcome {
    let Overlaps { pairs, all } = case.overlaps();
    let mut findings: Vec<Finding> = pairs.iter().map(|pair| finding(case, pair)).collect();
    if !all && let Some(last) = findings.last_mut() {
        last.message
            .push_str(&format!(" (There are more; {MOST} are listed at most.)"));
    }
    let has = |id| case.node.evidence.has(id);
    let needs = if !has("dmsetup-table") {
        Some("the tables (dmsetup-table)")
    } else if !["lvs-json", "lvs-segments-json", "pvs-json", "vgs-json"]
        .into_iter()
        .all(has)
    {
        Some(
            "LVM's extents (lvs-json, lvs-segments-json, pvs-json, vgs-json) to compare the tables with",
        )
    } else {
        None
    };
    Outcome {
        findings,
        needs: needs.filter(|_| !case.node.devices.is_empty()),
    }
}

fn finding(case: &Case<'_>, pair: &Pair<'_>) -> Finding {
    let devices = &case.node.devices;
    let subject = devices.get(pair.subject);
    let other = pair.other.and_then(|index| devices.get(index));
    let name = subject.map_or("an entry", |device| device.name.as_str());
    let place = place(case, &pair.place);
    let fact = match (other, pair.volume) {
        (Some(other), _) => format!("{name} and {} both map {place}.", other.name),
        (None, Some(lv)) => format!(
            "{name} maps {place}, which LVM has given to {}/{} (not active on this node).",
            lv.vg, lv.name
        ),
        (None, None) => format!("{name} maps {place}, which is not its own."),
    };
    let why = match pair.wrong {
        Wrong::Stale => format!(" LVM no longer has the volume behind {name}."),
        Wrong::Foreign => format!(" {name} was not made by LVM."),
        Wrong::Outdated => format!(" {name}'s table is older than LVM's metadata."),
        Wrong::No => String::new(),
    };
    let mut evidence = Vec::new();
    for device in [subject, other].into_iter().flatten() {
        evidence.push(info_evidence(device));
        evidence.extend(table_evidence(device));
    }
    let own = subject.and_then(|device| case.node.lvm.of(device));
    for lv in own.into_iter().chain(pair.volume) {
        evidence.push(facts::volume(lv));
        evidence.extend(facts::extents(lv));
    }
    evidence.extend(
        pair.volume
            .into_iter()
            .flat_map(|lv| facts::extents_to_sectors(&case.node.lvm, lv)),
    );
    let judgement = case.verdicts.get(pair.subject);
    Finding {
        check: CHECK.name,
        severity: Severity::Critical,
        subject: name.to_owned(),
        vmid: endangered(case, pair).or_else(|| judgement.and_then(|judgement| judgement.vmid)),
        message: format!("{fact}{why}"),
        impact: "What is written through one destroys the other's data, without any error.".into(),
        remedy: subject
            .map_or_else(String::new, |device| remedy(case, pair, device, judgement))
            .into(),
        evidence,
    }
}

/// The guest of this node whose disk the wrong entry lies over.
fn endangered(case: &Case<'_>, pair: &Pair<'_>) -> Option<u64> {
    let other = case.verdicts.get(pair.other?)?;
    (other.verdict == Verdict::Valid).then_some(other.vmid)?
}

fn place(case: &Case<'_>, place: &Place) -> String {
    match place {
        Place::Sectors { device, start, end } => {
            let entry = case
                .node
                .devices
                .by_devno(*device)
                .and_then(|index| case.node.devices.get(index))
                .map(|device| device.name.as_str());
            let pv = case
                .node
                .lvm
                .pvs
                .iter()
                .find(|pv| pv.devno == Some(*device));
            let name = entry.or_else(|| pv.map(|pv| pv.name.as_str()));
            let name = name.map_or_else(|| device.to_string(), |name| format!("{name} ({device})"));
            format!("the sectors {start} to {} of {name}", end.saturating_sub(1))
        }
        Place::Thin { pool, id } => format!("volume {id} of the thin pool {pool}"),
    }
}

fn remedy(
    case: &Case<'_>,
    pair: &Pair<'_>,
    device: &Device,
    judgement: Option<&Judgement>,
) -> String {
    let mut steps = String::new();
    if device.in_use() {
        let who = match held(case.node, pair.subject) {
            (none, _) if none.is_empty() => "whoever holds it open".to_owned(),
            (some, further) => facts::and_more(&some, further),
        };
        steps.push_str(&format!("{} is in use: end {who} now. ", device.name));
    } else {
        steps.push_str(&format!(
            "Nothing may open {} any more: don't start its guest on this node. ",
            device.name
        ));
    }
    let orphan = judgement.is_some_and(|judgement| judgement.verdict == Verdict::Orphan);
    steps.push_str(&match pair.wrong {
        Wrong::Stale | Wrong::Foreign if orphan => {
            "Then take it down with the cleanup script (its dry run first).".to_owned()
        }
        Wrong::Stale => format!("Then take it down: dmsetup remove {}.", facts::word(&device.name)),
        Wrong::Foreign => {
            "Find out who made it and why; once it is closed, that person takes it down with dmsetup remove."
                .to_owned()
        }
        Wrong::Outdated => match case.node.lvm.of(device) {
            Some(lv) => format!(
                "Then deactivate it here, so that the next start loads the table that LVM has now: lvchange -an {}.",
                facts::vg_lv(&lv.vg, &lv.name)
            ),
            None => "Then deactivate it here.".to_owned(),
        },
        Wrong::No => "Both look right by themselves: leave both guests stopped, and compare the tables with LVM's metadata before anything else."
            .to_owned(),
    });
    let other = pair.other.and_then(|index| case.node.devices.get(index));
    let victim = match (other, pair.volume) {
        (_, Some(lv)) => format!("{}/{}", lv.vg, lv.name),
        (Some(other), None) => other.name.clone(),
        (None, None) => "the other".to_owned(),
    };
    steps.push_str(&format!(
        " If anything was written through it since, check the file systems on {victim}, or restore it from a backup."
    ));
    steps
}
