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
    /// The clusters' rows.
    pub clusters: Vec<view::ClusterRow>,
}

impl Rows {
    /// The rows of a report, in its order.
    pub fn of(report: &view::Report) -> Self {
        Self {
            nodes: report.nodes.iter().map(view::Row::of).collect(),
            clusters: report.clusters.iter().map(view::ClusterRow::of).collect(),
        }
    }

    /// Keeps what is needed of a cluster.
    pub fn add_cluster(&mut self, cluster: &view::Cluster) {
        self.clusters.push(view::ClusterRow::of(cluster));
    }

    /// Sorts nodes and clusters, the worst first.
    pub fn sort(&mut self) {
        sort_worst_first(&mut self.nodes, |row| {
            (row.grade.as_deref(), row.score, &row.slug)
        });
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
    list.sort_by(|a, b| {
        let ((grade_a, score_a, name_a), (grade_b, score_b, name_b)) = (key(a), key(b));
        (Reverse(grade_rank(grade_a)), score_a.unwrap_or(0), name_a).cmp(&(
            Reverse(grade_rank(grade_b)),
            score_b.unwrap_or(0),
            name_b,
        ))
    });
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
    match &rows.nodes[..] {
        [] => "No node could be analyzed. See the rejected inputs for what to do.".to_owned(),
        [one] if rows.clusters.iter().all(|cluster| cluster.findings == 0) => one.headline.clone(),
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
                None => format!("Begin with {}: {}", worst.slug, worst.headline),
            };
            format!("{state} {first}")
        }
    }
}
