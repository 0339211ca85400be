//! What an e-mail needs of a run: little, however much the nodes have.

use std::collections::BTreeMap;

use super::parts::{NAME, TEXT, clip};
use crate::report::compose::Rows;
use crate::report::html::Run;
use crate::report::view::{
    Cluster, ClusterRow, Finding, Missing, Node, Rejected, Report, Row, Step, Totals,
};
use crate::report::words::list;

/// Most findings that a mail shows, and so of a node's.
pub(super) const FINDINGS: usize = 10;

/// Most steps that a mail shows, and so of a node's.
pub(super) const STEPS: usize = 6;

/// Gaps that are kept of a node; of more only their number is.
const GAPS: usize = 100;

/// Characters of a line of a command.
const COMMAND: usize = 200;

/// A run, as an e-mail tells it.
#[derive(Debug)]
pub struct Digest<'a> {
    pub(super) run: Run<'a>,
    /// Worst first.
    pub(super) nodes: Vec<(&'a Row, NodePart)>,
    /// Worst first.
    pub(super) clusters: Vec<(&'a ClusterRow, ClusterPart)>,
    pub(super) totals: &'a Totals,
    pub(super) headline: &'a str,
    pub(super) rejected: &'a [Rejected],
}

/// What is kept of a run's nodes and clusters besides their rows, by their
/// unique names.
#[derive(Debug, Default)]
pub struct Parts {
    nodes: BTreeMap<String, NodePart>,
    clusters: BTreeMap<String, ClusterPart>,
}

/// What is kept of a node.
#[derive(Debug, Default)]
pub struct NodePart {
    /// The worst, clipped.
    pub(super) findings: Vec<Finding>,
    /// What could not be judged, each text once, clipped.
    pub(super) gaps: Vec<String>,
    /// Gaps of which no text is kept.
    pub(super) more_gaps: usize,
    /// The first, clipped.
    pub(super) steps: Vec<Step>,
    /// How many steps there are.
    pub(super) all_steps: usize,
}

/// What is kept of a cluster.
#[derive(Debug, Default)]
pub(super) struct ClusterPart {
    /// The worst, clipped.
    pub(super) findings: Vec<Finding>,
    /// Its first steps, clipped.
    pub(super) steps: Vec<Step>,
    /// The members of which no bundle was given, if any, in words.
    pub(super) absent: Option<String>,
}

impl<'a> Digest<'a> {
    /// Puts together what was kept of a run whose `rows` are sorted.
    #[must_use]
    pub fn new(
        run: Run<'a>,
        rows: &'a Rows,
        (totals, headline): (&'a Totals, &'a str),
        rejected: &'a [Rejected],
        mut parts: Parts,
    ) -> Self {
        let nodes = rows.nodes.iter();
        let nodes = nodes.map(|row| (row, parts.nodes.remove(&row.slug).unwrap_or_default()));
        let clusters = rows.clusters.iter();
        let clusters =
            clusters.map(|row| (row, parts.clusters.remove(&row.slug).unwrap_or_default()));
        Self {
            run,
            nodes: nodes.collect(),
            clusters: clusters.collect(),
            totals,
            headline,
            rejected,
        }
    }

    /// What an e-mail needs of a report that is held as a whole, whose `rows`
    /// these are.
    #[must_use]
    pub fn of(report: &'a Report, rows: &'a Rows) -> Self {
        let mut parts = Parts::default();
        for node in &report.nodes {
            parts.add_node(node.slug.clone(), NodePart::of(node));
        }
        report
            .clusters
            .iter()
            .for_each(|one| parts.add_cluster(one));
        let said = (&report.totals, report.headline.as_str());
        Self::new(Run::of(report), rows, said, &report.rejected, parts)
    }

    /// Whether something is not known: a node has no grade, or an input could
    /// not be read.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.nodes.is_empty()
            || !self.rejected.is_empty()
            || self.nodes.iter().any(|(row, _)| row.grade.is_none())
    }

    /// Findings of nodes and clusters: critical ones, warnings, and others.
    #[must_use]
    pub fn findings(&self) -> [usize; 3] {
        let nodes = self.nodes.iter();
        let nodes = nodes.map(|(row, _)| (row.critical, row.warnings, row.findings));
        let clusters = self.clusters.iter();
        let clusters = clusters.map(|(row, _)| (row.critical, row.warnings, row.findings));
        let mut sums = [0; 3];
        for (critical, warnings, all) in nodes.chain(clusters) {
            let each = [critical, warnings, all.saturating_sub(critical + warnings)];
            sums.iter_mut().zip(each).for_each(|(sum, one)| *sum += one);
        }
        sums
    }
}

impl Parts {
    /// Keeps what is needed of the node of this unique name.
    pub fn add_node(&mut self, slug: String, part: NodePart) {
        self.nodes.insert(slug, part);
    }

    /// Keeps what is needed of a cluster.
    pub fn add_cluster(&mut self, cluster: &Cluster) {
        let absent = match &cluster.absent[..] {
            [] => None,
            absent => Some(clip(
                &format!("no bundle was given of {}.", list(absent, 6)),
                TEXT,
            )),
        };
        let part = ClusterPart {
            findings: worst(&cluster.findings),
            steps: cluster.steps.iter().take(3).map(clipped).collect(),
            absent,
        };
        self.clusters.insert(cluster.slug.clone(), part);
    }
}

impl NodePart {
    /// What is kept of a node.
    #[must_use]
    pub fn of(node: &Node) -> Self {
        let mut needs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for one in &node.checks_not_run {
            needs.entry(&one.needs).or_default().push(&one.check);
        }
        let not_run = needs.iter().map(|(needs, checks)| {
            format!(
                "not checked: {}; that needs {}.",
                list(checks, 8),
                needs.trim_end_matches('.')
            )
        });
        let mut part = Self {
            findings: worst(&node.findings),
            steps: node.steps.iter().take(STEPS).map(clipped).collect(),
            all_steps: node.steps.len(),
            ..Self::default()
        };
        for text in node.missing.iter().map(missing).chain(not_run) {
            if part.gaps.contains(&text) {
                continue;
            }
            match part.gaps.len() < GAPS {
                true => part.gaps.push(text),
                false => part.more_gaps += 1,
            }
        }
        part.gaps
            .iter_mut()
            .for_each(|text| *text = clip(text, TEXT));
        part
    }
}

fn missing(one: &Missing) -> String {
    let colon = if one.detail.is_empty() { "" } else { ": " };
    format!(
        "{} {}{colon}{}. {}",
        one.id,
        one.state,
        one.detail.trim_end_matches('.'),
        one.consequence
    )
}

/// The first findings, which are the worst, without what a mail does not show.
fn worst(findings: &[Finding]) -> Vec<Finding> {
    let clipped = |finding: &Finding| Finding {
        check: finding.check.clone(),
        title: clip(&finding.title, 2 * NAME).into(),
        severity: finding.severity.clone(),
        subject: clip(&finding.subject, 2 * NAME),
        vmid: finding.vmid,
        message: clip(&finding.message, TEXT),
        impact: clip(&finding.impact, TEXT).into(),
        remedy: clip(&finding.remedy, TEXT).into(),
        evidence: Vec::new(),
    };
    findings.iter().take(FINDINGS).map(clipped).collect()
}

fn clipped(step: &Step) -> Step {
    let commands = step.commands.iter().take(6);
    Step {
        runs_script: false,
        text: clip(&step.text, TEXT),
        commands: commands.map(|line| clip(line, COMMAND)).collect(),
    }
}
