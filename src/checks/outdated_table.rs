//! Entries whose table is not what LVM's metadata says.

use super::facts::{self, size, vg_lv};
use super::layout::Ground;
use super::{Case, Check, Outcome, Run, info_evidence, table_evidence};
use crate::model::device::{Device, Index};
use crate::model::finding::{Finding, Severity};
use crate::model::lvm::LogicalVolume;
use crate::model::verdict::Verdict;
use crate::parse::dmsetup_table::Target;
use crate::verdicts::Judgement;

pub(super) const CHECK: Check = Check {
    name: "outdated-table",
    title: "An entry's table differs from LVM's metadata",
    page: include_str!("../../docs/checks/outdated-table.md"),
    run: Run::Node(run),
};

fn run(case: &Case<'_>) -> Outcome {
    let ground = Ground::of(case.node);
    // An old table that covers another volume's extents is an overlap: one
    // fault, one finding.
    let overlapping = case.overlaps().subjects();
    let findings = case
        .entries()
        .filter(|(index, _, judgement)| {
            judgement.verdict != Verdict::Duplicate && !overlapping.contains(index)
        })
        .filter_map(|(index, device, judgement)| {
            let lv = case.node.lvm.of(device).filter(|lv| is_plain(lv))?;
            let difference = difference(&ground, device, lv)?;
            Some(finding(case, index, device, judgement, lv, difference))
        })
        .collect();
    Outcome {
        findings,
        needs: needs(case),
    }
}

fn needs(case: &Case<'_>) -> Option<&'static str> {
    let node = case.node;
    let has = |id| node.evidence.has(id);
    let lvms = node
        .devices
        .iter()
        .any(|(_, device)| device.lvm_uuid.is_some());
    if !lvms {
        None
    } else if !has("dmsetup-table") {
        Some("the tables (dmsetup-table)")
    } else if !["lvs-json", "lvs-segments-json", "vgs-json", "pvs-json"]
        .into_iter()
        .all(has)
    {
        Some("LVM's extents (lvs-json, lvs-segments-json, vgs-json, pvs-json)")
    } else if !node.lvm.pvs.is_empty() && node.lvm.pvs.iter().all(|pv| pv.devno.is_none()) {
        Some("the physical volumes' device numbers (pvs-json with pv_major and pv_minor)")
    } else {
        None
    }
}

/// Whether a volume is plain or thin, or a pool's data or metadata: no
/// snapshot, mirror or cache is involved, whose tables follow other rules.
fn is_plain(lv: &LogicalVolume) -> bool {
    lv.attr.starts_with(['-', 'V', 'T', 'e'])
}

/// How a table differs from the metadata.
struct Difference {
    /// Bytes that the entry maps.
    mapped: u64,
    /// Bytes that the volume has.
    given: u64,
    /// The table is what the volume was before it grew.
    grown: bool,
}

fn difference(ground: &Ground<'_>, device: &Device, lv: &LogicalVolume) -> Option<Difference> {
    let thin = !device.segments.is_empty()
        && device
            .segments
            .iter()
            .all(|segment| matches!(segment.target, Target::Thin { .. }));
    if thin {
        let (mapped, given) = (device.size()?, lv.size?);
        return (mapped != given).then_some(Difference {
            mapped,
            given,
            grown: mapped < given,
        });
    }
    let (table, metadata) = (ground.of_entry(device), ground.of_volume(lv));
    let differs = table.whole && metadata.whole && table.pieces != metadata.pieces;
    differs.then(|| Difference {
        mapped: table.bytes(),
        given: metadata.bytes(),
        grown: table.is_beginning_of(&metadata),
    })
}

fn finding(
    case: &Case<'_>,
    index: Index,
    device: &Device,
    judgement: &Judgement,
    lv: &LogicalVolume,
    difference: Difference,
) -> Finding {
    let volume = format!("{}/{}", lv.vg, lv.name);
    let open = device.open.is_some_and(|open| open > 0);
    let message = if difference.mapped == difference.given {
        format!(
            "{} maps other sectors than LVM's metadata gives {volume}.",
            device.name
        )
    } else {
        format!(
            "{} still maps {}; by LVM's metadata {volume} has {}{}.",
            device.name,
            size(difference.mapped),
            size(difference.given),
            match lv.segments.len() {
                0 | 1 => String::new(),
                segments => format!(" in {segments} segments"),
            }
        )
    };
    let holders = case.node.holder_texts(index);
    let mut evidence = vec![info_evidence(device)];
    evidence.extend(table_evidence(device));
    evidence.push(facts::volume(lv));
    evidence.extend(facts::extents(lv));
    evidence.extend(facts::extents_to_sectors(&case.node.lvm, lv));
    evidence.extend(holders.iter().map(|holder| format!("held by {holder}")));
    Finding {
        check: CHECK.name,
        severity: if open { Severity::Critical } else { Severity::Warning },
        subject: device.name.clone(),
        vmid: judgement.vmid,
        message: format!("{message} It is {}.", if open { "open" } else { "not open" }),
        impact: if difference.grown {
            "Whoever uses it here sees the disk cut short: a file system that grew is damaged when it is mounted or repaired from here."
        } else {
            "Whoever uses it here reads and writes the wrong sectors, which may be another volume's."
        }
        .into(),
        remedy: remedy(device, judgement, lv, difference.grown, open, &holders).into(),
        evidence,
    }
}

fn remedy(
    device: &Device,
    judgement: &Judgement,
    lv: &LogicalVolume,
    grown: bool,
    open: bool,
    holders: &[String],
) -> String {
    let target = vg_lv(&lv.vg, &lv.name);
    let who = match holders {
        [] => "whoever holds it open".to_owned(),
        holders => holders.join(", "),
    };
    match (open, judgement.verdict == Verdict::Valid) {
        (true, true) if grown => format!(
            "Load the table that LVM has now: lvchange --refresh {target}. Then let the guest see the new size, or restart it."
        ),
        (true, true) => format!(
            "Stop the guest now: it writes to the wrong sectors. Once it is closed: lvchange -an {target}. \
             Check its file systems before it runs again."
        ),
        (true, false) => format!(
            "Find out why it is open here and stop that first ({who}): it must not write through this table. Once it is closed, deactivate it here: lvchange -an {target}. \
             Don't start the guest on this node before that."
        ),
        (false, _) => format!(
            "Before the guest is started on this node or migrated to it, deactivate the volume here: lvchange -an {target}. \
             The next activation loads the table that LVM has now{}.",
            match device.open {
                Some(0) => "",
                _ => " (its open count was not recorded: look first with dmsetup info)",
            }
        ),
    }
}
