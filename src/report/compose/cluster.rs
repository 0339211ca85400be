//! A cluster's page: what is seen only by looking at its nodes together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::audit::Audit;
use crate::checks::{self, Case};
use crate::model::cluster::Group;
use crate::model::finding::Severity;
use crate::model::verdict::LvState;
use crate::report::score::cluster_grade;
use crate::report::view;
use crate::report::words::{count, list};

/// Snapshots further apart than this describe different moments.
const APART: TimeDelta = TimeDelta::minutes(15);

/// A cluster's nodes: audit and view of each.
type Members<'a> = Vec<(&'a Audit, &'a view::Node)>;

/// Builds a cluster's view.
pub(super) fn cluster(
    group: &Group,
    members: &Members<'_>,
    slug: String,
    page: Option<String>,
) -> view::Cluster {
    let cases: Vec<Case<'_>> = members.iter().map(|(audit, _)| audit.case()).collect();
    let (findings, not_run) = checks::cluster_findings(&cases);
    let grade = cluster_grade(
        members.iter().map(|(_, node)| node.grade.as_deref()),
        &findings,
    );
    let present: BTreeSet<&str> = members
        .iter()
        .map(|(audit, _)| audit.node.name.as_str())
        .collect();
    let absent: BTreeSet<&str> = members
        .iter()
        .flat_map(|(audit, _)| &audit.node.membership.members)
        .map(String::as_str)
        .filter(|member| !present.contains(member))
        .collect();
    let mut notes = notes(members);
    notes.extend(not_run.iter().map(|(check, needs)| {
        format!(
            "{} could not run on all nodes: it needs {needs}",
            check.name
        )
    }));
    view::Cluster {
        cluster: group.name.clone(),
        slug,
        nodes: members
            .iter()
            .map(|(_, node)| view::ClusterNode {
                node: node.node.clone(),
                slug: node.slug.clone(),
                grade: node.grade.clone(),
                collected_at: node.collected_at.clone(),
            })
            .collect(),
        absent: absent.into_iter().map(str::to_owned).collect(),
        grade: grade.map(str::to_owned),
        headline: headline(members, &findings),
        matrix: matrix(members, &findings),
        steps: steps(members, &findings),
        findings: findings.iter().map(super::node::finding).collect(),
        notes,
        page,
    }
}

fn notes(members: &Members<'_>) -> Vec<String> {
    let times: Vec<_> = members
        .iter()
        .filter_map(|(audit, _)| audit.node.collected_at)
        .collect();
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        return Vec::new();
    };
    let apart = *last - *first;
    if apart <= APART {
        return Vec::new();
    }
    vec![format!(
        "The nodes' snapshots lie {} minutes apart: what looks like a contradiction may be a guest that moved in between. Collect all nodes at once.",
        apart.num_minutes()
    )]
}

fn headline(members: &Members<'_>, findings: &[crate::model::finding::Finding]) -> String {
    let critical: Vec<_> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Critical)
        .collect();
    if let Some(first) = critical.first() {
        return format!(
            "{} that only a look at all nodes shows, the worst: {} First: {}",
            count(critical.len(), "critical issue", "critical issues"),
            first.message,
            first.remedy
        );
    }
    let failing: Vec<&str> = members
        .iter()
        .filter(|(_, node)| node.grade.as_deref() == Some("F"))
        .map(|(_, node)| node.node.as_str())
        .collect();
    if !failing.is_empty() {
        return format!(
            "No critical issue between the nodes, but {} by {}. Begin there.",
            if failing.len() == 1 { "an F" } else { "Fs" },
            list(&failing, 5)
        );
    }
    "No critical issue, neither on a node nor between them. Work through the nodes' warnings, if any.".to_owned()
}

/// Every shared volume that is active somewhere, and its state on each node.
fn matrix(members: &Members<'_>, findings: &[crate::model::finding::Finding]) -> view::Matrix {
    let mut rows: BTreeMap<(String, String), view::MatrixRow> = BTreeMap::new();
    let between: BTreeSet<&str> = findings
        .iter()
        .map(|finding| finding.subject.as_str())
        .collect();
    for (column, (audit, node)) in members.iter().enumerate() {
        let subjects: BTreeSet<&str> = node
            .findings
            .iter()
            .filter(|finding| finding.severity != "info")
            .map(|finding| finding.subject.as_str())
            .collect();
        for (_, device, judgement) in audit.verdicts.of(&audit.node) {
            let Some((vg, lv)) = device.volume() else {
                continue;
            };
            if !judgement.verdict.is_guests() || !audit.node.storages.is_shared_vg(vg) {
                continue;
            }
            let row = rows
                .entry((vg.to_owned(), lv.to_owned()))
                .or_insert_with(|| view::MatrixRow {
                    volume: format!("{vg}/{lv}"),
                    vmid: judgement.vmid,
                    home: None,
                    cells: vec!["-".to_owned(); members.len()],
                    issue: false,
                });
            row.home = row
                .home
                .take()
                .or_else(|| judgement.referenced.as_ref().map(|hit| hit.node.clone()));
            row.issue |= subjects.contains(device.name.as_str())
                || between.contains(device.name.as_str())
                || between.contains(row.volume.as_str());
            let cell = match (judgement.lv_state, device.in_use()) {
                (LvState::Stale, _) => "stale",
                (_, true) => "open",
                (_, false) => "active",
            };
            if let Some(slot) = row.cells.get_mut(column) {
                *slot = cell.to_owned();
            }
        }
    }
    view::Matrix {
        nodes: members.iter().map(|(_, node)| node.node.clone()).collect(),
        rows: rows.into_values().collect(),
    }
}

/// The order over the nodes: contradictions between them first, then each
/// node's own critical issues, then the scripts, worst node first.
fn steps(members: &Members<'_>, findings: &[crate::model::finding::Finding]) -> Vec<view::Step> {
    let step = |text: String| view::Step {
        text,
        commands: Vec::new(),
    };
    let mut steps: Vec<view::Step> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Critical)
        .map(|finding| step(format!("{}: {}", finding.subject, finding.remedy)))
        .collect();
    let mut nodes: Vec<_> = members.iter().map(|(_, node)| node).collect();
    nodes.sort_by_key(|node| (node.score.unwrap_or(i64::MAX), node.node.clone()));
    for node in &nodes {
        let critical = node
            .findings
            .iter()
            .filter(|finding| finding.severity == "critical")
            .count();
        if critical > 0 {
            steps.push(step(format!(
                "{}: clear its {} as its page says.",
                node.node,
                count(critical, "critical issue", "critical issues")
            )));
        }
    }
    for node in &nodes {
        if let Some(script) = &node.script {
            steps.push(step(format!(
                "{}: review and run {script} there, its dry run first ({}).",
                node.node,
                count(node.planned.len(), "entry", "entries")
            )));
        }
    }
    if !steps.is_empty() {
        steps.push(step(
            "Collect all nodes again, within a few minutes, and analyze them together.".to_owned(),
        ));
    }
    steps
}
