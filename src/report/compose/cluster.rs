//! A cluster's page: what is seen only by looking at its nodes together.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use crate::checks;
use crate::checks::shared::Shared;
use crate::config::Thresholds;
use crate::report::compose::policy::Policy;
use crate::report::score::cluster_grade;
use crate::report::view;
use crate::report::words::{count, list};

/// A node of a cluster: what the others need to know of it, and its row.
pub type Member<'a> = (&'a Shared, &'a view::Row);

/// Builds a cluster's view from its nodes, sorted by name.
pub fn cluster(
    name: &str,
    members: &[Member<'_>],
    slug: String,
    page: Option<String>,
    policy: &Policy,
) -> view::Cluster {
    let shared: Vec<&Shared> = members.iter().map(|(shared, _)| *shared).collect();
    let (findings, not_run) = checks::cluster_findings(&shared);
    let findings = findings.into_iter().map(super::node::finding).collect();
    let (findings, ignored) = policy.set_aside(None, Some(name), findings);
    let grade = cluster_grade(
        members.iter().map(|(_, node)| node.grade.as_deref()),
        &findings,
    );
    let present: BTreeSet<&str> = shared.iter().map(|node| node.node.as_str()).collect();
    let absent: BTreeSet<&str> = shared
        .iter()
        .flat_map(|node| &node.members)
        .map(String::as_str)
        .filter(|member| !present.contains(member))
        .collect();
    let mut notes = notes(members, policy.thresholds());
    notes.extend(not_run.iter().map(|(check, needs)| {
        format!(
            "{} could not run on all nodes: it needs {needs}",
            check.name
        )
    }));
    view::Cluster {
        cluster: name.to_owned(),
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
        findings,
        ignored,
        notes,
        page,
    }
}

fn notes(members: &[Member<'_>], thresholds: Thresholds) -> Vec<String> {
    let times: Vec<_> = members
        .iter()
        .filter_map(|(shared, _)| shared.collected_at)
        .collect();
    let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
        return Vec::new();
    };
    let apart = *last - *first;
    if apart <= TimeDelta::minutes(i64::from(thresholds.snapshots_apart_minutes)) {
        return Vec::new();
    }
    vec![format!(
        "The nodes' snapshots lie {} minutes apart: what looks like a contradiction may be a guest that moved in between. Collect all nodes at once.",
        apart.num_minutes()
    )]
}

fn headline(members: &[Member<'_>], findings: &[view::Finding]) -> String {
    let critical: Vec<_> = view::of_severity(findings, "critical").collect();
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

/// Cells of the table of volumes over nodes. Each takes some 80 bytes of the
/// page; 5,000 volumes over 32 nodes have 160,000.
const MOST_CELLS: usize = 400_000;

/// What the nodes show of a shared volume, by VG and LV.
type Seen<'a> = BTreeMap<(&'a str, &'a str), Volume<'a>>;

#[derive(Default)]
struct Volume<'a> {
    vmid: Option<u64>,
    home: Option<&'a str>,
    issue: bool,
    /// Where it is active: columns and states.
    on: Vec<(usize, view::Cell)>,
}

/// Every shared volume that is active somewhere, and its state on each node:
/// as many as there is room for, those with an issue first.
fn matrix(members: &[Member<'_>], findings: &[view::Finding]) -> view::Matrix {
    let mut volumes: Vec<_> = seen(members, findings).into_iter().collect();
    volumes.sort_by_key(|(_, volume)| !volume.issue);
    let room = MOST_CELLS / members.len().max(1);
    let left_out = volumes.split_off(room.min(volumes.len()));
    let row = |((vg, lv), volume): ((&str, &str), Volume<'_>)| {
        let mut cells = vec![view::Cell::Absent; members.len()];
        for (column, state) in volume.on {
            if let Some(cell) = cells.get_mut(column) {
                *cell = state;
            }
        }
        view::MatrixRow {
            volume: format!("{vg}/{lv}"),
            vmid: volume.vmid,
            home: volume.home.map(str::to_owned),
            cells,
            issue: volume.issue,
        }
    };
    view::Matrix {
        nodes: members.iter().map(|(_, node)| node.node.clone()).collect(),
        rows: volumes.into_iter().map(row).collect(),
        left_out: left_out.len(),
        left_out_issues: left_out.iter().filter(|(_, one)| one.issue).count(),
    }
}

fn seen<'a>(members: &[Member<'a>], findings: &[view::Finding]) -> Seen<'a> {
    let mut seen = Seen::new();
    let between: BTreeSet<&str> = findings
        .iter()
        .map(|finding| finding.subject.as_str())
        .collect();
    for (column, (shared, _)) in members.iter().enumerate() {
        for volume in &shared.volumes {
            let of_all = seen.entry((volume.vg.as_str(), volume.lv.as_str()));
            let of_all = of_all.or_insert_with(|| Volume {
                vmid: volume.vmid,
                issue: between.contains(format!("{}/{}", volume.vg, volume.lv).as_str()),
                ..Volume::default()
            });
            of_all.home = of_all.home.or(volume.home.as_deref());
            of_all.issue |= volume.issue || between.contains(volume.entry.as_str());
            let state = match (volume.stale, volume.in_use) {
                (true, _) => view::Cell::Stale,
                (_, true) => view::Cell::Open,
                (_, false) => view::Cell::Active,
            };
            of_all.on.push((column, state));
        }
    }
    seen
}

/// The order over the nodes: contradictions between them first, then each
/// node's own critical issues, then the scripts, worst node first.
fn steps(members: &[Member<'_>], findings: &[view::Finding]) -> Vec<view::Step> {
    let step = |text: String| view::Step {
        text,
        commands: Vec::new(),
        runs_script: false,
    };
    let mut steps: Vec<view::Step> = view::of_severity(findings, "critical")
        .map(|finding| step(format!("{}: {}", finding.subject, finding.remedy)))
        .collect();
    let mut nodes: Vec<_> = members.iter().map(|(_, node)| node).collect();
    nodes.sort_by_key(|node| (node.score.unwrap_or(i64::MAX), node.node.clone()));
    for node in &nodes {
        let critical = node.critical;
        if critical > 0 {
            steps.push(step(format!(
                "{}: clear its {} as its page says.",
                node.node,
                count(critical, "critical issue", "critical issues")
            )));
        }
    }
    for node in &nodes {
        if let Some(script) = node.script() {
            steps.push(step(format!(
                "{}: review and run {script} there, its dry run first ({}).",
                node.node,
                count(node.planned, "entry", "entries")
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
