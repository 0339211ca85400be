//! Metrics in Prometheus' text format 0.0.4, for node_exporter's textfile
//! collector. Metric names and labels never change meaning.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::monitoring::{grade_number, seconds};
use super::view;
use super::words::printable_lines;

/// Every metric: its name and its help, in the order they are written.
const METRICS: [(&str, &str); 23] = [
    (
        "dmaudit_build_info",
        "The version that wrote these metrics; always 1.",
    ),
    (
        "dmaudit_analyzed_timestamp_seconds",
        "When the analysis ran.",
    ),
    ("dmaudit_rejected_inputs", "Inputs that could not be read."),
    ("dmaudit_node_info", "What is known of a node; always 1."),
    (
        "dmaudit_node_collected_timestamp_seconds",
        "When the node's snapshot was taken.",
    ),
    (
        "dmaudit_node_graded",
        "1 if the evidence allowed a grade, else 0.",
    ),
    (
        "dmaudit_node_grade",
        "The node's grade as a number: 0 for A+, 1 for A, to 5 for F.",
    ),
    ("dmaudit_node_score", "The node's score, 0 to 100."),
    (
        "dmaudit_node_entries",
        "Guests' device-mapper entries by verdict.",
    ),
    (
        "dmaudit_node_entries_in_use",
        "Guests' entries that are open, or whose open count is unknown.",
    ),
    ("dmaudit_node_guests", "Guests of the node."),
    (
        "dmaudit_node_guests_running",
        "Guests of the node that run.",
    ),
    ("dmaudit_node_issues", "Findings by severity."),
    (
        "dmaudit_node_findings",
        "Findings by check and severity; a check without a finding has no sample.",
    ),
    (
        "dmaudit_node_planned_actions",
        "Items of the cleanup script by action.",
    ),
    (
        "dmaudit_node_evidence_missing",
        "Commands and files that are missing from the snapshot or failed.",
    ),
    (
        "dmaudit_node_checks_not_run",
        "Checks that could not run for lack of evidence.",
    ),
    (
        "dmaudit_node_ignored",
        "Findings that the configuration ignores.",
    ),
    (
        "dmaudit_cluster_nodes",
        "Nodes of the cluster whose snapshots were analyzed.",
    ),
    (
        "dmaudit_cluster_nodes_absent",
        "Members of the cluster without a snapshot.",
    ),
    (
        "dmaudit_cluster_grade",
        "The cluster's grade as a number: 0 for A+, 1 for A, to 5 for F.",
    ),
    (
        "dmaudit_cluster_issues",
        "Findings that need more than one node to see, by severity.",
    ),
    (
        "dmaudit_cluster_findings",
        "Findings that need more than one node to see, by check and severity.",
    ),
];

/// Metrics as nodes come; only their lines are kept.
#[derive(Debug)]
pub struct Prometheus {
    lines: BTreeMap<&'static str, String>,
    rejected: usize,
}

impl Prometheus {
    /// Begins with the analyzer's version and the time of the analysis (RFC
    /// 3339).
    pub fn new(version: &str, analyzed_at: &str) -> Self {
        let mut metrics = Self {
            lines: BTreeMap::new(),
            rejected: 0,
        };
        metrics.add("dmaudit_build_info", &[("version", version)], 1);
        if let Some(time) = seconds(analyzed_at) {
            metrics.add("dmaudit_analyzed_timestamp_seconds", &[], time);
        }
        metrics
    }

    /// Adds a node.
    pub fn add_node(&mut self, node: &view::Node) {
        let cluster = node.cluster.as_deref().unwrap_or_default();
        let own = [("node", node.slug.as_str()), ("cluster", cluster)];
        let with = |more: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
            own.iter()
                .chain(more)
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect()
        };
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        self.add_owned(
            "dmaudit_node_info",
            &with(&[
                ("name", &node.node),
                ("environment", &node.environment),
                ("grade", &or_empty(&node.grade)),
                ("customer", &or_empty(&node.labels.customer)),
                ("site", &or_empty(&node.labels.site)),
                ("pve_version", &or_empty(&node.pve_version)),
                ("kernel", &or_empty(&node.kernel)),
            ]),
            1,
        );
        let grade = node.grade.as_deref().and_then(grade_number);
        let optional = [
            (
                "dmaudit_node_collected_timestamp_seconds",
                seconds(&node.collected_at),
            ),
            ("dmaudit_node_graded", Some(i64::from(grade.is_some()))),
            ("dmaudit_node_grade", grade.map(i64::from)),
            ("dmaudit_node_score", node.score),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                self.add(name, &own, value);
            }
        }
        self.add("dmaudit_node_ignored", &own, node.ignored.len());
        let summary = &node.summary;
        for (verdict, number) in [
            ("valid", summary.valid),
            ("duplicate", summary.duplicates),
            ("orphan", summary.orphans),
            ("unknown", summary.unknown),
        ] {
            self.add_owned(
                "dmaudit_node_entries",
                &with(&[("verdict", verdict)]),
                number,
            );
        }
        for (name, number) in [
            ("dmaudit_node_entries_in_use", summary.in_use),
            ("dmaudit_node_guests", summary.guests),
            ("dmaudit_node_guests_running", summary.guests_running),
            ("dmaudit_node_evidence_missing", node.missing.len()),
            ("dmaudit_node_checks_not_run", node.checks_not_run.len()),
        ] {
            self.add(name, &own, number);
        }
        self.add_findings(
            "dmaudit_node_issues",
            "dmaudit_node_findings",
            &own,
            &node.findings,
        );
        for action in ["remove", "deactivate"] {
            let number = node
                .planned
                .iter()
                .filter(|item| item.action == action)
                .count();
            self.add_owned(
                "dmaudit_node_planned_actions",
                &with(&[("action", action)]),
                number,
            );
        }
    }

    /// Adds a cluster.
    pub fn add_cluster(&mut self, cluster: &view::Cluster) {
        let own = [("cluster", cluster.slug.as_str())];
        self.add("dmaudit_cluster_nodes", &own, cluster.nodes.len());
        self.add("dmaudit_cluster_nodes_absent", &own, cluster.absent.len());
        if let Some(grade) = cluster.grade.as_deref().and_then(grade_number) {
            self.add("dmaudit_cluster_grade", &own, grade);
        }
        self.add_findings(
            "dmaudit_cluster_issues",
            "dmaudit_cluster_findings",
            &own,
            &cluster.findings,
        );
    }

    /// Adds an input that could not be read.
    pub fn add_rejected(&mut self, _: &view::Rejected) {
        self.rejected += 1;
    }

    /// Writes all metrics.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn write(mut self, out: &mut dyn Write) -> io::Result<()> {
        self.add("dmaudit_rejected_inputs", &[], self.rejected);
        for (name, help) in METRICS {
            if let Some(lines) = self.lines.get(name) {
                write!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{lines}")?;
            }
        }
        Ok(())
    }

    fn add_findings(
        &mut self,
        by_severity: &'static str,
        by_check: &'static str,
        own: &[(&'static str, &str)],
        findings: &[view::Finding],
    ) {
        for severity in ["critical", "warning", "info"] {
            let of_severity = findings
                .iter()
                .filter(|finding| finding.severity == severity);
            let mut checks: BTreeMap<&str, usize> = BTreeMap::new();
            for finding in of_severity {
                *checks.entry(&finding.check).or_default() += 1;
            }
            let with = |more: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
                own.iter()
                    .chain(more)
                    .map(|(name, value)| (*name, (*value).to_owned()))
                    .collect()
            };
            let total: usize = checks.values().sum();
            self.add_owned(by_severity, &with(&[("severity", severity)]), total);
            for (check, number) in checks {
                let labels = with(&[("check", check), ("severity", severity)]);
                self.add_owned(by_check, &labels, number);
            }
        }
    }

    fn add(&mut self, name: &'static str, labels: &[(&'static str, &str)], value: impl ToString) {
        let labels: Vec<_> = labels
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        self.add_owned(name, &labels, value);
    }

    fn add_owned(
        &mut self,
        name: &'static str,
        labels: &[(&'static str, String)],
        value: impl ToString,
    ) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        let lines = self.lines.entry(name).or_default();
        // Writing to a string can't fail.
        let _ = writeln!(lines, "{name}{labels} {}", value.to_string());
    }
}

/// A label's value, as the format wants it escaped.
fn escaped(text: &str) -> String {
    // A text file of metrics ends in a terminal, too.
    printable_lines(text)
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
