//! The checks: one file each, registered in one list.
//!
//! A check looks at a node with its verdicts, or at the nodes of a cluster,
//! and returns findings. Where its evidence is missing it says so and finds
//! nothing: it never guesses.

pub(crate) mod autoactivation;
mod deletion_stuck;
mod device_state;
mod duplicate_entry;
pub(crate) mod facts;
pub(crate) mod guest_lvm_on_host;
mod held_open;
mod kernel_dm_errors;
mod layout;
mod leftover_volume;
mod missing_volume;
mod multipath;
mod next_vmid_blocked;
pub mod next_vmids;
mod open_on_two_nodes;
mod orphans;
mod outdated_table;
mod overlapping_mappings;
mod overlaps;
pub mod shared;
mod stale_mapping;
mod sweep;
mod thin_pools;

use std::cell::OnceCell;

use crate::config::Thresholds;
use crate::model::device::{Device, Index};
use crate::model::finding::Finding;
use crate::model::node::Node;
use crate::verdicts::{Judgement, References, Verdicts};
use next_vmids::FreeIds;
use overlaps::Overlaps;
use shared::Shared;

/// A check, as its file declares it.
#[derive(Debug)]
pub struct Check {
    /// Its kebab-case name, which never changes meaning.
    pub name: &'static str,
    /// What it finds, in one line.
    pub title: &'static str,
    /// Its page: what it means, how it comes about, what happens if nothing
    /// is done, how to fix it. Markdown.
    pub page: &'static str,
    /// What it looks at.
    pub run: Run,
}

/// What a check looks at.
#[derive(Debug)]
pub enum Run {
    /// One node.
    Node(fn(&Case<'_>) -> Outcome),
    /// The nodes of a cluster together.
    Cluster(fn(&[&Shared]) -> Outcome),
}

/// A node with its verdicts.
#[derive(Debug)]
pub struct Case<'a> {
    /// The node.
    pub node: &'a Node,
    /// The verdicts on its entries.
    pub verdicts: &'a Verdicts,
    /// What its guests' configurations reference.
    pub references: &'a References<'a>,
    /// From when on something counts.
    pub thresholds: Thresholds,
    overlaps: OnceCell<Overlaps<'a>>,
    free_ids: OnceCell<Option<FreeIds>>,
}

impl<'a> Case<'a> {
    /// A node with its verdicts and the references that they rest on.
    pub fn new(
        node: &'a Node,
        verdicts: &'a Verdicts,
        references: &'a References<'a>,
        thresholds: Thresholds,
    ) -> Self {
        Self {
            node,
            verdicts,
            references,
            thresholds,
            overlaps: OnceCell::new(),
            free_ids: OnceCell::new(),
        }
    }

    /// The entries that overlap, for all checks that ask.
    fn overlaps(&self) -> &Overlaps<'a> {
        self.overlaps.get_or_init(|| overlaps::find(self))
    }

    /// The free VMIDs that are worth naming; none where not all guests of the
    /// cluster are known.
    pub fn free_ids(&self) -> Option<&FreeIds> {
        let found = self.free_ids.get_or_init(|| next_vmids::find(self));
        found.as_ref()
    }

    /// The entries with their verdicts.
    pub fn entries(&self) -> impl Iterator<Item = (Index, &'a Device, &'a Judgement)> {
        self.verdicts.of(self.node)
    }
}

/// What a check came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What it found.
    pub findings: Vec<Finding>,
    /// What it would have needed, if it could not run, or not on all.
    pub needs: Option<&'static str>,
}

impl Outcome {
    /// The check ran; this is what it found.
    pub fn found(findings: Vec<Finding>) -> Self {
        Self {
            findings,
            needs: None,
        }
    }

    /// The check could not run for lack of this evidence.
    pub fn needs(evidence: &'static str) -> Self {
        Self {
            findings: Vec::new(),
            needs: Some(evidence),
        }
    }
}

/// Every check, in the order of a report's sections.
pub const ALL: [&Check; 24] = [
    &duplicate_entry::CHECK,
    &overlapping_mappings::CHECK,
    &open_on_two_nodes::CHECK,
    &outdated_table::CHECK,
    &stale_mapping::CHECK,
    &missing_volume::CHECK,
    &device_state::SUSPENDED,
    &thin_pools::FAILED,
    &thin_pools::FULL,
    &orphans::GUEST_GONE,
    &orphans::GUEST_ELSEWHERE,
    &orphans::GUEST_NOT_HERE,
    &orphans::DISK_UNREFERENCED,
    &held_open::CHECK,
    &guest_lvm_on_host::CHECK,
    &device_state::NO_TABLE,
    &multipath::SINGLE_PATH,
    &multipath::FAILED_PATH,
    &next_vmid_blocked::CHECK,
    &deletion_stuck::CHECK,
    &autoactivation::AT_BOOT,
    &autoactivation::ENABLED,
    &kernel_dm_errors::CHECK,
    &leftover_volume::CHECK,
];

/// The check of this name.
pub fn by_name(name: &str) -> Option<&'static Check> {
    ALL.into_iter().find(|check| check.name == name)
}

/// The findings of a node, worst first, and the checks that could not run.
pub fn node_findings(case: &Case<'_>) -> (Vec<Finding>, Vec<(&'static Check, &'static str)>) {
    run(|check| match check.run {
        Run::Node(run) => Some(run(case)),
        Run::Cluster(_) => None,
    })
}

/// The findings of a cluster, worst first, and the checks that could not run.
pub fn cluster_findings(nodes: &[&Shared]) -> (Vec<Finding>, Vec<(&'static Check, &'static str)>) {
    run(|check| match check.run {
        Run::Node(_) => None,
        Run::Cluster(run) => Some(run(nodes)),
    })
}

fn run(
    apply: impl Fn(&'static Check) -> Option<Outcome>,
) -> (Vec<Finding>, Vec<(&'static Check, &'static str)>) {
    let mut findings = Vec::new();
    let mut not_run = Vec::new();
    for check in ALL {
        let Some(outcome) = apply(check) else {
            continue;
        };
        findings.extend(outcome.findings);
        not_run.extend(outcome.needs.map(|needs| (check, needs)));
    }
    // Stable: within a severity the list's order stays.
    findings.sort_by_key(|finding: &Finding| finding.severity);
    (findings, not_run)
}

/// The recorded line on a device's open count, as evidence.
pub(crate) fn info_evidence(device: &Device) -> String {
    let (command, line) = device.origin;
    let open = device
        .open
        .map_or_else(|| "unknown".to_owned(), |open| open.to_string());
    let uuid = device.uuid.as_deref().unwrap_or("none");
    let number = device
        .devno
        .map_or_else(|| "unknown".to_owned(), |devno| devno.to_string());
    format!(
        "{command} line {line}: {} ({number}), open count {open}, UUID {uuid}",
        device.name
    )
}

/// The recorded lines of a device's table, as evidence; at most four.
pub(crate) fn table_evidence(device: &Device) -> impl Iterator<Item = String> {
    device
        .segments
        .iter()
        .take(4)
        .map(|segment| format!("dmsetup-table: {}: {}", device.name, segment.line))
}
