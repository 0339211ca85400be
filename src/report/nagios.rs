//! One line for Nagios, Icinga and Checkmk: state, what is wrong, performance
//! data. Sources: the Monitoring Plugins' development guidelines.

use std::io::{self, Write};

use super::monitoring::{grade_number, seconds};
use super::view;
use super::words::{count, is_invisible};

/// How many troubled nodes are named.
const NAMED: usize = 3;

/// Characters of the line before the performance data.
const LENGTH: usize = 800;

/// A plugin's state; the exit status is its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No critical finding and no warning.
    Ok = 0,
    /// A warning.
    Warning = 1,
    /// A critical finding.
    Critical = 2,
    /// Something could not be read or judged, and nothing worse is known.
    Unknown = 3,
}

impl State {
    /// The exit status of a plugin.
    pub fn status(self) -> u8 {
        self as u8
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// Counts as nodes come.
#[derive(Debug, Default)]
pub struct Nagios {
    analyzed_at: Option<i64>,
    nodes: usize,
    ungraded: usize,
    rejected: usize,
    critical: usize,
    warnings: usize,
    totals: view::Summary,
    score: Option<i64>,
    age: Option<i64>,
    worst: Option<String>,
    /// The worst ones first: state's number, and the text.
    troubled: Vec<(u8, String)>,
    more: usize,
}

impl Nagios {
    /// Begins with the time of the analysis, RFC 3339.
    pub fn new(analyzed_at: &str) -> Self {
        Self {
            analyzed_at: seconds(analyzed_at),
            ..Self::default()
        }
    }

    /// Adds a node.
    pub fn add_node(&mut self, node: &view::Node) {
        self.nodes += 1;
        let summary = &node.summary;
        self.totals.entries += summary.entries;
        self.totals.duplicates += summary.duplicates;
        self.totals.orphans += summary.orphans;
        self.totals.unknown += summary.unknown;
        self.totals.in_use += summary.in_use;
        let lower = |old: Option<i64>, new: i64| Some(old.map_or(new, |old| old.min(new)));
        if let Some(score) = node.score {
            self.score = lower(self.score, score);
        }
        if let (Some(now), Some(then)) = (self.analyzed_at, seconds(&node.collected_at)) {
            self.age = Some(self.age.unwrap_or(0).max(now - then));
        }
        match &node.grade {
            Some(grade) => {
                let old = self.worst.as_deref().and_then(grade_number);
                if grade_number(grade) > old {
                    self.worst = Some(grade.clone());
                }
            }
            None => {
                self.ungraded += 1;
                self.trouble(2, format!("{} has no grade", node.slug));
            }
        }
        self.add_findings(
            &format!("{} {}", node.slug, node.grade.as_deref().unwrap_or("?")),
            &node.findings,
        );
    }

    /// Adds a cluster.
    pub fn add_cluster(&mut self, cluster: &view::Cluster) {
        self.add_findings(&format!("cluster {}", cluster.slug), &cluster.findings);
    }

    /// Adds an input that could not be read.
    pub fn add_rejected(&mut self, rejected: &view::Rejected) {
        self.rejected += 1;
        self.trouble(2, format!("rejected {}: {}", rejected.path, rejected.error));
    }

    fn add_findings(&mut self, subject: &str, findings: &[view::Finding]) {
        let of = |severity: &str| {
            let found = findings
                .iter()
                .filter(|finding| finding.severity == severity);
            let mut checks: Vec<&str> = found
                .clone()
                .map(|finding| finding.check.as_ref())
                .collect();
            checks.sort_unstable();
            checks.dedup();
            (found.count(), checks)
        };
        let (critical, critical_checks) = of("critical");
        let (warnings, warning_checks) = of("warning");
        self.critical += critical;
        self.warnings += warnings;
        if critical > 0 {
            self.trouble(
                0,
                format!(
                    "{subject} ({critical} critical: {})",
                    critical_checks.join(", ")
                ),
            );
        } else if warnings > 0 {
            let counted = count(warnings, "warning", "warnings");
            self.trouble(
                1,
                format!("{subject} ({counted}: {})", warning_checks.join(", ")),
            );
        }
    }

    fn trouble(&mut self, rank: u8, text: String) {
        let at = self.troubled.partition_point(|(other, _)| *other <= rank);
        self.troubled.insert(at, (rank, text));
        if self.troubled.len() > NAMED {
            self.troubled.truncate(NAMED);
            self.more += 1;
        }
    }

    /// The state that all which was added comes to.
    pub fn state(&self) -> State {
        if self.critical > 0 {
            State::Critical
        } else if self.warnings > 0 {
            State::Warning
        } else if self.rejected > 0 || self.ungraded > 0 || self.nodes == 0 {
            State::Unknown
        } else {
            State::Ok
        }
    }

    /// Writes the line.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut text = count(self.nodes, "node", "nodes");
        if let Some(grade) = &self.worst {
            text += &format!(", worst grade {grade}");
        }
        text += &format!(
            ", {} critical, {}, {}",
            self.critical,
            count(self.warnings, "warning", "warnings"),
            count(self.totals.orphans, "orphan", "orphans")
        );
        if !self.troubled.is_empty() {
            let named: Vec<&str> = self
                .troubled
                .iter()
                .map(|(_, text)| text.as_str())
                .collect();
            text += &format!(": {}", named.join("; "));
        }
        if self.more > 0 {
            text += &format!("; and {} more", self.more);
        }
        let text: String = one_line(&text).chars().take(LENGTH).collect();
        let mut data = format!(
            "critical={};;0;0 warning={};0;;0 orphans={};;;0 duplicates={};;;0 unknown={};;;0 entries={};;;0 in_use={};;;0 nodes={};;;0 rejected={};;;0",
            self.critical,
            self.warnings,
            self.totals.orphans,
            self.totals.duplicates,
            self.totals.unknown,
            self.totals.entries,
            self.totals.in_use,
            self.nodes,
            self.rejected,
        );
        if let Some(score) = self.score {
            data += &format!(" score={score};;;0;100");
        }
        if let Some(age) = self.age {
            data += &format!(" age={}s;;;0", age.max(0));
        }
        writeln!(out, "DMAUDIT {} - {text} | {data}", self.state().name())
    }
}

/// The line of a run that came to nothing.
pub fn failed(message: &str) -> String {
    format!("DMAUDIT {} - {}", State::Unknown.name(), one_line(message))
}

/// A text without what ends the line or begins the performance data, and
/// without what commands a terminal or hides in a page.
fn one_line(text: &str) -> String {
    text.chars()
        .filter(|&c| !is_invisible(c))
        .map(|c| match c {
            '|' => '/',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}
