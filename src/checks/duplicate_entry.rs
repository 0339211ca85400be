//! A disk that is mapped twice.

use super::{Case, Check, Outcome, Run, info_evidence, table_evidence};
use crate::model::finding::{Finding, Severity};
use crate::model::verdict::Verdict;

pub(super) const CHECK: Check = Check {
    name: "duplicate-entry",
    title: "A disk is mapped by more than one entry",
    page: include_str!("../../docs/checks/duplicate-entry.md"),
    run: Run::Node(run),
};

fn run(case: &Case<'_>) -> Outcome {
    let devices = &case.node.devices;
    let findings = case
        .entries()
        .filter(|(_, _, judgement)| judgement.verdict == Verdict::Duplicate)
        .filter_map(|(_, device, judgement)| {
            let kept = devices.get(judgement.of?)?;
            let same_table = !device.segments.is_empty()
                && device.segments.iter().map(|s| &s.target).eq(kept.segments.iter().map(|s| &s.target));
            let how = if same_table {
                "the same table"
            } else {
                "the same volume group and disk by name"
            };
            Some(Finding {
                check: CHECK.name,
                severity: Severity::Critical,
                subject: device.name.clone(),
                vmid: judgement.vmid,
                message: format!(
                    "{} is a second mapping of the disk that {} maps ({how}).",
                    device.name, kept.name
                ),
                impact: "Whoever writes through it changes the guest's disk behind the guest's back; \
                         a file system mounted from both is destroyed."
                    .into(),
                remedy: format!(
                    "Find out who made it and why, then remove it with the cleanup script; {} stays.",
                    kept.name
                ).into(),
                evidence: [info_evidence(device), info_evidence(kept)]
                    .into_iter()
                    .chain(table_evidence(device))
                    .chain(table_evidence(kept))
                    .collect(),
            })
        })
        .collect();
    Outcome::found(findings)
}
