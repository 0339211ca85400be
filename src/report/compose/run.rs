//! A whole run: all nodes, their clusters, the sums.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};

use super::{Place, cluster, node};
use crate::audit::Audit;
use crate::model::cluster::{group, superseded_standalone};
use crate::model::node::Node;
use crate::report::score::GRADES;
use crate::report::slugs;
use crate::report::view;
use crate::report::words::count;

/// Which files a run writes, so that pages can link to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// None: console or JSON only.
    None,
    /// Pages and scripts.
    All,
}

/// A time as reports write it.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(super) fn time_or_unknown(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "unknown".to_owned(), time)
}

/// Builds the report of a run, and says which audit each of its nodes came
/// from.
pub fn report(
    audits: &[Audit],
    rejected: Vec<view::Rejected>,
    now: DateTime<Utc>,
    files: Files,
) -> (view::Report, Vec<usize>) {
    let nodes: Vec<&Node> = audits.iter().map(|audit| &audit.node).collect();
    let groups = group(&nodes);
    let mut older: BTreeSet<usize> = groups
        .iter()
        .flat_map(|group| group.superseded.clone())
        .collect();
    older.extend(superseded_standalone(&nodes));
    let current: Vec<usize> = (0..audits.len())
        .filter(|index| !older.contains(index))
        .collect();
    let views = node_views(audits, &current, files);
    let by_audit: BTreeMap<usize, &view::Node> = current.iter().copied().zip(&views).collect();

    let names: Vec<(&str, Option<&str>)> = groups
        .iter()
        .map(|group| (group.name.as_str(), None))
        .collect();
    let mut clusters: Vec<view::Cluster> = groups
        .iter()
        .zip(slugs::unique(&names))
        .map(|(group, slug)| {
            let members = group
                .nodes
                .iter()
                .filter_map(|index| Some((audits.get(*index)?, *by_audit.get(index)?)))
                .collect();
            let page = (files == Files::All).then(|| format!("clusters/{slug}.html"));
            cluster::cluster(group, &members, slug, page)
        })
        .collect();
    clusters.sort_by_key(|cluster| std::cmp::Reverse(grade_rank(cluster.grade.as_deref())));

    let mut order: Vec<(usize, view::Node)> = current.into_iter().zip(views).collect();
    order.sort_by(|(_, a), (_, b)| {
        let key = |node: &view::Node| {
            let rank = grade_rank(node.grade.as_deref());
            (std::cmp::Reverse(rank), node.score.unwrap_or(0))
        };
        key(a).cmp(&key(b)).then_with(|| a.slug.cmp(&b.slug))
    });
    let (sources, nodes): (Vec<usize>, Vec<view::Node>) = order.into_iter().unzip();
    let totals = totals(&nodes, &clusters);
    let report = view::Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        analyzed_at: time(now),
        headline: headline(&nodes, &clusters, &totals),
        nodes,
        clusters,
        rejected,
        totals,
    };
    (report, sources)
}

fn node_views(audits: &[Audit], current: &[usize], files: Files) -> Vec<view::Node> {
    let current: Vec<&Audit> = current
        .iter()
        .filter_map(|index| audits.get(*index))
        .collect();
    let names: Vec<(&str, Option<&str>)> = current
        .iter()
        .map(|audit| {
            (
                audit.node.name.as_str(),
                audit.node.membership.cluster.as_deref(),
            )
        })
        .collect();
    current
        .iter()
        .zip(slugs::unique(&names))
        .map(|(audit, slug)| {
            let written = files == Files::All;
            let scripted = written && audit.script.is_some();
            node::node(
                audit,
                Place {
                    page: written.then(|| format!("nodes/{slug}.html")),
                    script: scripted.then(|| format!("cleanup/cleanup-{slug}.sh")),
                    slug,
                },
            )
        })
        .collect()
}

/// Worst is highest; a node without a grade is worse than all but F: nothing
/// is known of it.
fn grade_rank(grade: Option<&str>) -> usize {
    match grade {
        None => 2 * GRADES.len() - 3,
        Some(grade) => 2 * GRADES.iter().position(|known| *known == grade).unwrap_or(0),
    }
}

fn totals(nodes: &[view::Node], clusters: &[view::Cluster]) -> view::Totals {
    let mut totals = view::Totals {
        nodes: nodes.len(),
        ..view::Totals::default()
    };
    for node in nodes {
        totals.entries += node.summary.entries;
        totals.valid += node.summary.valid;
        totals.duplicates += node.summary.duplicates;
        totals.orphans += node.summary.orphans;
        totals.unknown += node.summary.unknown;
    }
    let findings = nodes
        .iter()
        .flat_map(|node| &node.findings)
        .chain(clusters.iter().flat_map(|cluster| &cluster.findings));
    for finding in findings {
        match finding.severity.as_str() {
            "critical" => totals.critical += 1,
            "warning" => totals.warnings += 1,
            _ => {}
        }
    }
    let with = |grade: Option<&str>| {
        nodes
            .iter()
            .filter(|node| node.grade.as_deref() == grade)
            .count()
    };
    totals.grades = GRADES
        .iter()
        .map(|grade| (*grade, with(Some(*grade))))
        .chain([("none", with(None))])
        .map(|(label, count)| view::Count {
            label: label.to_owned(),
            count,
        })
        .collect();
    totals
}

fn headline(nodes: &[view::Node], clusters: &[view::Cluster], totals: &view::Totals) -> String {
    match nodes {
        [] => "No node could be analyzed. See the rejected inputs for what to do.".to_owned(),
        [one] if clusters.iter().all(|cluster| cluster.findings.is_empty()) => one.headline.clone(),
        _ => {
            let failing: Vec<&str> = nodes
                .iter()
                .filter(|node| node.grade.as_deref() == Some("F"))
                .map(|node| node.slug.as_str())
                .collect();
            let shared = clusters.iter().find(|cluster| {
                cluster
                    .findings
                    .iter()
                    .any(|finding| finding.severity == "critical")
            });
            let state = match failing.len() {
                0 => format!(
                    "No node of {} fails; {} left over.",
                    nodes.len(),
                    count(totals.orphans, "entry is", "entries are")
                ),
                failing => format!(
                    "{failing} of {} fail, with {} in all.",
                    count(nodes.len(), "node", "nodes"),
                    count(totals.critical, "critical issue", "critical issues")
                ),
            };
            let first = match (shared, nodes.first()) {
                (Some(cluster), _) => format!(
                    "Begin with cluster {}: {}",
                    cluster.cluster, cluster.headline
                ),
                (None, Some(worst)) => format!("Begin with {}: {}", worst.slug, worst.headline),
                (None, None) => String::new(),
            };
            format!("{state} {first}")
        }
    }
}
