//! A whole run: the sums over its nodes and clusters, and what to do first.

use std::cmp::Reverse;

use chrono::{DateTime, SecondsFormat, Utc};

use crate::report::score::GRADES;
use crate::report::view;
use crate::report::words::count;

/// A time as reports write it.
pub fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(super) fn time_or_unknown(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| "unknown".to_owned(), time)
}

/// What is kept of a run: a row a node, and what its clusters came to.
#[derive(Debug, Default)]
pub struct Rows {
    /// The nodes' rows.
    pub nodes: Vec<view::Row>,
    /// Where the worst node's row is, and what is wrong and what to do first
    /// on that node: of no other it is needed.
    worst: Option<(usize, String)>,
    /// The clusters' rows.
    pub clusters: Vec<view::ClusterRow>,
}

impl Rows {
    /// The rows of a report, in its order.
    pub fn of(report: &view::Report) -> Self {
        let mut rows = Self::default();
        for node in &report.nodes {
            rows.add_node(view::Row::of(node), node.headline.clone());
        }
        report.clusters.iter().for_each(|one| rows.add_cluster(one));
        rows
    }

    /// Keeps a node's row, and its headline for as long as no node is worse.
    pub fn add_node(&mut self, row: view::Row, headline: String) {
        let worst = self.worst.as_ref();
        let worst = worst.and_then(|(index, _)| self.nodes.get(*index));
        if worst.is_none_or(|worst| badness(&row) < badness(worst)) {
            self.worst = Some((self.nodes.len(), headline));
        }
        self.nodes.push(row);
    }

    /// Keeps what is needed of a cluster.
    pub fn add_cluster(&mut self, cluster: &view::Cluster) {
        self.clusters.push(view::ClusterRow::of(cluster));
    }

    /// Sorts nodes and clusters, the worst first.
    pub fn sort(&mut self) {
        self.nodes.sort_by(|a, b| badness(a).cmp(&badness(b)));
        if let Some((index, _)) = &mut self.worst {
            *index = 0;
        }
        sort_worst_first(&mut self.clusters, |row| {
            // Its own faults count before those of its nodes.
            let own = i64::try_from(row.critical).unwrap_or(i64::MAX);
            (row.grade.as_deref(), Some(-own), &row.slug)
        });
    }

    /// The sums.
    pub fn totals(&self) -> view::Totals {
        let mut totals = view::Totals {
            nodes: self.nodes.len(),
            ..view::Totals::default()
        };
        for node in &self.nodes {
            totals.entries += node.summary.entries;
            totals.valid += node.summary.valid;
            totals.duplicates += node.summary.duplicates;
            totals.orphans += node.summary.orphans;
            totals.unknown += node.summary.unknown;
            totals.critical += node.critical;
            totals.warnings += node.warnings;
            totals.ignored += node.ignored;
        }
        for cluster in &self.clusters {
            totals.critical += cluster.critical;
            totals.warnings += cluster.warnings;
            totals.ignored += cluster.ignored;
        }
        let with = |grade: Option<&str>| {
            let nodes = self.nodes.iter();
            nodes.filter(|node| node.grade.as_deref() == grade).count()
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
}

/// Sorts what has a grade, a score and a name, the worst first.
pub fn sort_worst_first<T>(
    list: &mut [T],
    key: impl Fn(&T) -> (Option<&str>, Option<i64>, &String),
) {
    list.sort_by(|a, b| rank(key(a)).cmp(&rank(key(b))));
}

fn badness(row: &view::Row) -> (Reverse<usize>, i64, &String) {
    rank((row.grade.as_deref(), row.score, &row.slug))
}

/// The worse, the lower.
fn rank<'a>(
    (grade, score, name): (Option<&str>, Option<i64>, &'a String),
) -> (Reverse<usize>, i64, &'a String) {
    (Reverse(grade_rank(grade)), score.unwrap_or(0), name)
}

/// Worst is highest; a node without a grade is worse than all but F: nothing
/// is known of it.
fn grade_rank(grade: Option<&str>) -> usize {
    match grade {
        None => 2 * GRADES.len() - 3,
        Some(grade) => 2 * GRADES.iter().position(|known| *known == grade).unwrap_or(0),
    }
}

/// What is wrong in the whole run and what to do first, of rows that are
/// sorted, the worst first.
pub fn headline(rows: &Rows, totals: &view::Totals) -> String {
    let worst_headline = rows.worst.as_ref().map_or("", |(_, headline)| headline);
    match &rows.nodes[..] {
        [] => "No node could be analyzed. See the rejected inputs for what to do.".to_owned(),
        [_] if rows.clusters.iter().all(|cluster| cluster.findings == 0) => {
            worst_headline.to_owned()
        }
        [worst, ..] => {
            let failing = rows.nodes.iter();
            let failing = failing.filter(|node| node.grade.as_deref() == Some("F"));
            let state = match failing.count() {
                0 => format!(
                    "No node of {} fails; {} left over.",
                    rows.nodes.len(),
                    count(totals.orphans, "entry is", "entries are")
                ),
                failing => format!(
                    "{failing} of {} fail, with {} in all.",
                    count(rows.nodes.len(), "node", "nodes"),
                    count(totals.critical, "critical issue", "critical issues")
                ),
            };
            let shared = rows.clusters.iter().find(|cluster| cluster.critical > 0);
            let first = match shared {
                Some(cluster) => format!(
                    "Begin with cluster {}: {}",
                    cluster.cluster, cluster.headline
                ),
                None => format!("Begin with {}: {worst_headline}", worst.slug),
            };
            format!("{state} {first}")
        }
    }
}
