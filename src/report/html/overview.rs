//! The overview page. It carries a short row per node, so that it stays small
//! for thousands of them and no node has to be kept for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::Value;
use serde::Serialize;

use super::history::{Trend, of_fleet};
use super::markup::href;
use super::parts::{Bar, VerdictChart, count_bars, one_by_one, verdict_chart};
use super::{Run, safe, words};
use crate::checks;
use crate::config::Labels;
use crate::report::charts::{Ink, columns};
use crate::report::compose::Rows;
use crate::report::history;
use crate::report::view::{self, CheckCount, Rejected, Row, Totals, Word};

/// Grades, worst first: how rows sort.
const GRADES: [&str; 6] = ["F", "D", "C", "B", "A", "A+"];

/// What the overview says.
#[derive(Debug, Clone)]
pub struct Overview {
    totals: Totals,
    headline: String,
    nodes: Arc<Vec<NodeRow>>,
    clusters: Vec<ClusterRow>,
    rejected: Vec<Rejected>,
    checks: BTreeMap<Word, CheckRow>,
    versions: BTreeMap<String, usize>,
    kernels: BTreeMap<String, usize>,
    labels: BTreeMap<Labels, LabelRow>,
    days: Vec<history::Day>,
    /// Nodes that have a history.
    traced: usize,
}

#[derive(Debug, Clone, Serialize)]
struct NodeRow {
    label: String,
    href: Option<String>,
    cluster: Option<String>,
    labels: Labels,
    grade: Option<String>,
    rank: usize,
    score: Option<i64>,
    critical: usize,
    warnings: usize,
    duplicates: usize,
    orphans: usize,
    unknown: usize,
    entries: usize,
    pve_version: Option<String>,
    collected_at: String,
}

impl NodeRow {
    fn of(node: &Row) -> Self {
        let summary = &node.summary;
        Self {
            label: node.node.clone(),
            href: node.page().map(|page| href(0, &page)),
            cluster: node.cluster.clone(),
            labels: node.labels.clone(),
            grade: node.grade.clone(),
            rank: rank(node.grade.as_deref()),
            score: node.score,
            critical: node.critical,
            warnings: node.warnings,
            duplicates: summary.duplicates,
            orphans: summary.orphans,
            unknown: summary.unknown,
            entries: summary.entries,
            pve_version: node.pve_version.clone(),
            collected_at: node.collected_at.clone(),
        }
    }
}

/// Sums over the nodes of a customer at a site.
#[derive(Debug, Clone, Serialize)]
struct LabelRow {
    labels: Labels,
    grade: Option<String>,
    rank: usize,
    nodes: usize,
    critical: usize,
    warnings: usize,
    duplicates: usize,
    orphans: usize,
}

#[derive(Debug, Clone, Serialize)]
struct ClusterRow {
    cluster: String,
    href: Option<String>,
    grade: Option<String>,
    rank: usize,
    nodes: usize,
    absent: usize,
    critical: usize,
    warnings: usize,
    headline: String,
}

/// A check's findings over all nodes and clusters.
#[derive(Debug, Clone, Serialize)]
struct CheckRow {
    check: Word,
    title: Word,
    severity: Word,
    #[serde(skip)]
    rank: usize,
    findings: usize,
    nodes: usize,
}

/// The template's input.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    run: Run<'a>,
    page_title: String,
    headline: &'a str,
    totals: &'a Totals,
    worst: Option<&'a str>,
    grades: Value,
    grade_names: Vec<&'a str>,
    verdicts: VerdictChart,
    clusters: &'a [ClusterRow],
    nodes: Value,
    labels: Vec<&'a LabelRow>,
    checks: Vec<&'a CheckRow>,
    versions: Vec<Bar>,
    kernels: Vec<Bar>,
    trend: Option<Trend>,
    rejected: &'a [Rejected],
    rejected_note: String,
}

impl Overview {
    /// The overview of a run's nodes and clusters, in their order.
    pub fn of(rows: &Rows, totals: &Totals, headline: &str, rejected: &[Rejected]) -> Self {
        let nodes = rows.nodes.iter().map(NodeRow::of).collect();
        let mut overview = Self {
            totals: totals.clone(),
            headline: headline.to_owned(),
            nodes: Arc::new(nodes),
            clusters: Vec::with_capacity(rows.clusters.len()),
            rejected: rejected.to_vec(),
            checks: BTreeMap::new(),
            versions: BTreeMap::new(),
            kernels: BTreeMap::new(),
            labels: BTreeMap::new(),
            days: history::fleet(&rows.nodes),
            traced: rows
                .nodes
                .iter()
                .filter(|row| !row.history.is_empty())
                .count(),
        };
        for node in &rows.nodes {
            overview.add_node(node);
        }
        for cluster in &rows.clusters {
            overview.add_cluster(cluster);
        }
        overview
    }

    /// Adds a node's findings and versions to the sums.
    fn add_node(&mut self, node: &Row) {
        self.add_labels(node);
        self.add_findings(&node.checks);
        for (counts, value) in [
            (&mut self.versions, &node.pve_version),
            (&mut self.kernels, &node.kernel),
        ] {
            let value = value.as_deref().unwrap_or("not collected");
            *counts.entry(value.to_owned()).or_default() += 1;
        }
    }

    /// Adds a node to the sums of its customer and site.
    fn add_labels(&mut self, node: &Row) {
        let row = self.labels.entry(node.labels.clone());
        let row = row.or_insert_with(|| LabelRow {
            labels: node.labels.clone(),
            grade: None,
            rank: usize::MAX,
            nodes: 0,
            critical: 0,
            warnings: 0,
            duplicates: 0,
            orphans: 0,
        });
        let rank = rank(node.grade.as_deref());
        if rank < row.rank {
            row.rank = rank;
            row.grade.clone_from(&node.grade);
        }
        row.nodes += 1;
        row.critical += node.critical;
        row.warnings += node.warnings;
        row.duplicates += node.summary.duplicates;
        row.orphans += node.summary.orphans;
    }

    /// Adds a cluster's row, and its findings to the sums.
    fn add_cluster(&mut self, cluster: &view::ClusterRow) {
        self.clusters.push(ClusterRow {
            cluster: cluster.cluster.clone(),
            href: cluster.page.as_deref().map(|page| href(0, page)),
            grade: cluster.grade.clone(),
            rank: rank(cluster.grade.as_deref()),
            nodes: cluster.nodes,
            absent: cluster.absent,
            critical: cluster.critical,
            warnings: cluster.warnings,
            headline: cluster.headline.clone(),
        });
        self.add_findings(&cluster.checks);
    }

    fn add_findings(&mut self, counts: &[CheckCount]) {
        for counted in counts {
            let rank = severity_rank(&counted.severity);
            let row = self
                .checks
                .entry(counted.check.clone())
                .or_insert_with(|| CheckRow {
                    check: counted.check.clone(),
                    title: checks::by_name(&counted.check)
                        .map_or_else(|| counted.check.clone(), |check| check.title.into()),
                    severity: counted.severity.clone(),
                    rank,
                    findings: 0,
                    nodes: 0,
                });
            if rank < row.rank {
                row.severity.clone_from(&counted.severity);
                row.rank = rank;
            }
            row.findings += counted.count;
            row.nodes += 1;
        }
    }

    /// Puts the page together.
    pub(super) fn page<'a>(&'a self, run: Run<'a>) -> Result<Page<'a>, String> {
        let totals = &self.totals;
        let grades: Vec<_> = totals
            .grades
            .iter()
            .map(|grade| {
                (
                    grade.label.clone(),
                    grade.count,
                    Ink::of_grade(Some(&grade.label)),
                )
            })
            .collect();
        let told: Vec<String> = totals
            .grades
            .iter()
            .map(|grade| format!("{}: {}", grade.label, grade.count))
            .collect();
        let title = format!("Nodes by grade: {}", told.join(", "));
        let labelled = self
            .labels
            .keys()
            .any(|labels| *labels != Labels::default());
        let mut labels: Vec<&LabelRow> = self.labels.values().filter(|_| labelled).collect();
        labels.sort_by_key(|row| row.rank);
        let mut checks: Vec<&CheckRow> = self.checks.values().collect();
        checks.sort_by(|a, b| (a.rank, b.findings, &a.check).cmp(&(b.rank, a.findings, &b.check)));
        let graded = self
            .nodes
            .iter()
            .map(|row| (row.rank, row.grade.as_deref()));
        let all = graded.chain(
            self.clusters
                .iter()
                .map(|row| (row.rank, row.grade.as_deref())),
        );
        Ok(Page {
            run,
            page_title: scope(self.nodes.len(), self.clusters.len()),
            headline: &self.headline,
            totals,
            worst: all
                .min_by_key(|(rank, _)| *rank)
                .and_then(|(_, grade)| grade),
            grades: safe(columns(&title, &grades)?),
            grade_names: totals
                .grades
                .iter()
                .filter(|grade| grade.count > 0)
                .map(|grade| grade.label.as_str())
                .collect(),
            verdicts: verdict_chart(
                [
                    totals.valid,
                    totals.duplicates,
                    totals.orphans,
                    totals.unknown,
                ],
                None,
            )?,
            clusters: &self.clusters,
            nodes: one_by_one(&self.nodes, |nodes| nodes),
            labels,
            checks,
            versions: by_count(&self.versions)?,
            kernels: by_count(&self.kernels)?,
            trend: of_fleet(&self.days, self.traced)?,
            rejected: &self.rejected,
            rejected_note: match self.rejected.len() {
                1 => "1 input could not be read".to_owned(),
                many => format!("{} inputs could not be read", words::count(many as i64)),
            },
        })
    }
}

/// What a report is about: `2 nodes, 1 cluster`.
fn scope(nodes: usize, clusters: usize) -> String {
    let number = |count: usize, what: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{} {what}{plural}", words::count(count as i64))
    };
    match clusters {
        0 => number(nodes, "node"),
        _ => format!("{}, {}", number(nodes, "node"), number(clusters, "cluster")),
    }
}

/// Where a grade sorts, worst first; no grade comes last.
fn rank(grade: Option<&str>) -> usize {
    GRADES
        .iter()
        .position(|name| Some(*name) == grade)
        .unwrap_or(GRADES.len())
}

fn severity_rank(severity: &str) -> usize {
    match severity {
        "critical" => 0,
        "warning" => 1,
        _ => 2,
    }
}

/// Bars for counts, largest first.
fn by_count(counts: &BTreeMap<String, usize>) -> Result<Vec<Bar>, String> {
    let mut sorted: Vec<_> = counts
        .iter()
        .map(|(label, count)| (label.as_str(), *count))
        .collect();
    sorted.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    count_bars(sorted.into_iter())
}
