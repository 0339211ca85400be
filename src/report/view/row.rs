//! A node in a few hundred bytes: all that stays in memory of it once its own
//! page is written.

use std::collections::BTreeMap;

use crate::config::Labels;

use super::{Cluster, Finding, Node, Point, Summary, Word};

/// What lists of nodes, sums and clusters show of a node.
#[derive(Debug, Clone)]
pub struct Row {
    /// The node's name as recorded.
    pub node: String,
    /// Its unique name in this run.
    pub slug: String,
    /// Cluster name.
    pub cluster: Option<String>,
    /// Whose node it is and where it stands.
    pub labels: Labels,
    /// When the snapshot was taken, RFC 3339 or `unknown`.
    pub collected_at: String,
    /// PVE version.
    pub pve_version: Option<String>,
    /// Kernel release.
    pub kernel: Option<String>,
    /// 0 to 100.
    pub score: Option<i64>,
    /// `A+` to `F`.
    pub grade: Option<String>,
    /// The numbers.
    pub summary: Summary,
    /// Critical findings.
    pub critical: usize,
    /// Warnings.
    pub warnings: usize,
    /// All findings.
    pub findings: usize,
    /// Findings that the configuration ignores.
    pub ignored: usize,
    /// Entries that the cleanup script covers.
    pub planned: usize,
    /// Whether its page is written.
    pub has_page: bool,
    /// Whether its cleanup script is written.
    pub has_script: bool,
    /// This and older snapshots, as of the node.
    pub history: Vec<Point>,
    /// Its findings by check.
    pub checks: Vec<CheckCount>,
}

/// What lists of clusters and sums show of a cluster.
#[derive(Debug, Clone)]
pub struct ClusterRow {
    /// Its name.
    pub cluster: String,
    /// Its unique name in this run.
    pub slug: String,
    /// Its grade.
    pub grade: Option<String>,
    /// What is wrong and what to do first.
    pub headline: String,
    /// Nodes in this run.
    pub nodes: usize,
    /// Members of which no bundle was given.
    pub absent: usize,
    /// Findings that need more than one node to see.
    pub findings: usize,
    /// Findings that the configuration ignores.
    pub ignored: usize,
    /// Critical ones among them.
    pub critical: usize,
    /// Warnings among them.
    pub warnings: usize,
    /// Its page, relative to the output folder.
    pub page: Option<String>,
    /// Its findings by check.
    pub checks: Vec<CheckCount>,
}

impl ClusterRow {
    /// The row of a cluster.
    pub fn of(cluster: &Cluster) -> Self {
        Self {
            cluster: cluster.cluster.clone(),
            slug: cluster.slug.clone(),
            grade: cluster.grade.clone(),
            headline: cluster.headline.clone(),
            nodes: cluster.nodes.len(),
            absent: cluster.absent.len(),
            findings: cluster.findings.len(),
            ignored: cluster.ignored.len(),
            critical: count_of_severity(&cluster.findings, "critical"),
            warnings: count_of_severity(&cluster.findings, "warning"),
            page: cluster.page.clone(),
            checks: CheckCount::of(&cluster.findings),
        }
    }
}

/// How often a check found something on a node or in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckCount {
    /// The check's name.
    pub check: Word,
    /// The worst severity of its findings.
    pub severity: Word,
    /// Its findings.
    pub count: usize,
}

impl Row {
    /// The row of a node.
    pub fn of(node: &Node) -> Self {
        Self {
            node: node.node.clone(),
            slug: node.slug.clone(),
            cluster: node.cluster.clone(),
            collected_at: node.collected_at.clone(),
            pve_version: node.pve_version.clone(),
            kernel: node.kernel.clone(),
            score: node.score,
            grade: node.grade.clone(),
            summary: node.summary.clone(),
            critical: count_of_severity(&node.findings, "critical"),
            warnings: count_of_severity(&node.findings, "warning"),
            findings: node.findings.len(),
            ignored: node.ignored.len(),
            labels: node.labels.clone(),
            planned: node.planned.len(),
            has_page: node.page.is_some(),
            has_script: node.script.is_some(),
            history: node.history.clone(),
            checks: CheckCount::of(&node.findings),
        }
    }

    /// Its page, relative to the output folder.
    pub fn page(&self) -> Option<String> {
        self.has_page.then(|| page_of(&self.slug))
    }

    /// Its cleanup script, relative to the output folder.
    pub fn script(&self) -> Option<String> {
        self.has_script.then(|| script_of(&self.slug))
    }
}

/// The page of the node of this unique name, relative to the output folder.
pub fn page_of(slug: &str) -> String {
    format!("nodes/{slug}.html")
}

/// The cleanup script of the node of this unique name, relative to the output
/// folder.
pub fn script_of(slug: &str) -> String {
    format!("cleanup/cleanup-{slug}.sh")
}

impl CheckCount {
    /// Findings counted by check, sorted by its name. They are sorted worst
    /// first, so the first of a check is its worst.
    pub fn of(findings: &[Finding]) -> Vec<Self> {
        let mut counts: BTreeMap<&Word, (&Word, usize)> = BTreeMap::new();
        for finding in findings {
            let counted = counts.entry(&finding.check);
            counted.or_insert((&finding.severity, 0)).1 += 1;
        }
        counts
            .into_iter()
            .map(|(check, (severity, count))| Self {
                check: check.clone(),
                severity: severity.clone(),
                count,
            })
            .collect()
    }
}

/// How many findings have this severity.
pub fn count_of_severity(findings: &[Finding], severity: &str) -> usize {
    of_severity(findings, severity).count()
}

/// The findings that have this severity, in their order.
pub fn of_severity<'a>(
    findings: &'a [Finding],
    severity: &'a str,
) -> impl Iterator<Item = &'a Finding> {
    let findings = findings.iter();
    findings.filter(move |finding| finding.severity == severity)
}
