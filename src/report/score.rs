//! Score and grade of a node, and the grade of a cluster.

use super::view;

/// Points that each critical issue costs, and the most they cost together.
const CRITICAL: (usize, usize) = (20, 60);
/// Points that each orphan costs, and the most they cost together.
const ORPHAN: (usize, usize) = (5, 40);

/// All grades, best first.
pub const GRADES: [&str; 6] = ["A+", "A", "B", "C", "D", "F"];

/// What a node's score and grade are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// Duplicates beyond the first entry, and critical findings of other
    /// checks.
    pub critical: usize,
    /// Orphaned entries.
    pub orphans: usize,
    /// Warnings.
    pub warnings: usize,
}

impl Faults {
    /// Counts a node's faults, but for those that are ignored. A duplicate's
    /// own finding is that duplicate, an orphan's that orphan.
    pub fn of(node: &view::Node) -> Self {
        let ignored = |of_entry: fn(&str) -> bool| {
            let ignored = node.ignored.iter();
            ignored.filter(|one| of_entry(&one.finding.check)).count()
        };
        let duplicate = |check: &str| check == "duplicate-entry";
        let duplicates = node.summary.duplicates.saturating_sub(ignored(duplicate));
        Self {
            critical: duplicates
                + view::of_severity(&node.findings, "critical")
                    .filter(|finding| !duplicate(&finding.check))
                    .count(),
            orphans: node
                .summary
                .orphans
                .saturating_sub(ignored(|check| check.starts_with("orphan-"))),
            warnings: view::count_of_severity(&node.findings, "warning"),
        }
    }

    /// 100 minus 20 per critical issue (at most 60) minus 5 per orphan (at
    /// most 40).
    pub fn score(self) -> i64 {
        let cost = self.critical_cost() + self.orphan_cost();
        100 - i64::try_from(cost).unwrap_or(100)
    }

    fn critical_cost(self) -> usize {
        self.critical.saturating_mul(CRITICAL.0).min(CRITICAL.1)
    }

    fn orphan_cost(self) -> usize {
        self.orphans.saturating_mul(ORPHAN.0).min(ORPHAN.1)
    }

    /// The grade.
    pub fn grade(self) -> &'static str {
        match (self.critical, self.orphans, self.warnings) {
            (1.., _, _) | (_, 51.., _) => "F",
            (_, 21..=50, _) => "D",
            (_, 6..=20, _) => "C",
            (_, 1..=5, _) => "B",
            (_, 0, 1..) => "A",
            (0, 0, 0) => "A+",
        }
    }

    /// How the score came about, a line a step.
    pub fn steps(self) -> Vec<String> {
        let mut steps = vec!["100 to begin with".to_owned()];
        if self.critical > 0 {
            steps.push(format!(
                "−{} for {} (20 each, at most 60)",
                self.critical_cost(),
                crate::report::words::count(self.critical, "critical issue", "critical issues")
            ));
        }
        if self.orphans > 0 {
            steps.push(format!(
                "−{} for {} (5 each, at most 40)",
                self.orphan_cost(),
                crate::report::words::count(self.orphans, "orphan", "orphans")
            ));
        }
        steps
    }

    /// Why this grade, in a sentence.
    pub fn reason(self) -> String {
        use crate::report::words::count;
        match self.grade() {
            "F" if self.critical > 0 => format!(
                "{}: any critical issue is an F.",
                count(self.critical, "critical issue", "critical issues")
            ),
            "A+" => "No duplicate, no orphan, no warning.".to_owned(),
            "A" => format!(
                "No orphan and nothing critical, but {}.",
                count(self.warnings, "warning", "warnings")
            ),
            grade => format!(
                "{} and nothing critical: {grade}.",
                count(self.orphans, "orphan", "orphans")
            ),
        }
    }
}

/// A cluster's grade: its worst node's, F with any critical finding of its
/// own; none where no node has one.
pub fn cluster_grade<'a>(
    nodes: impl Iterator<Item = Option<&'a str>>,
    findings: &[view::Finding],
) -> Option<&'static str> {
    if view::count_of_severity(findings, "critical") > 0 {
        return Some("F");
    }
    nodes
        .flatten()
        .filter_map(|grade| GRADES.iter().position(|known| *known == grade))
        .max()
        .and_then(|worst| GRADES.get(worst).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(critical: usize, orphans: usize, warnings: usize) -> (i64, &'static str) {
        let faults = Faults {
            critical,
            orphans,
            warnings,
        };
        (faults.score(), faults.grade())
    }

    #[test]
    fn the_scale() {
        assert_eq!(faults(0, 0, 0), (100, "A+"));
        assert_eq!(faults(0, 0, 3), (100, "A"));
        assert_eq!(faults(0, 1, 0), (95, "B"));
        assert_eq!(faults(0, 5, 0), (75, "B"));
        assert_eq!(faults(0, 6, 0), (70, "C"));
        assert_eq!(faults(0, 20, 0), (60, "C"));
        assert_eq!(faults(0, 21, 0), (60, "D"));
        assert_eq!(faults(0, 51, 0), (60, "F"));
        assert_eq!(faults(1, 0, 0), (80, "F"));
        assert_eq!(faults(4, 100, 0), (0, "F"));
        assert_eq!(faults(2, 4, 9), (40, "F"));
    }

    #[test]
    fn a_cluster_is_as_good_as_its_worst_node() {
        let grades = [Some("A+"), None, Some("C"), Some("B")];
        assert_eq!(cluster_grade(grades.into_iter(), &[]), Some("C"));
        assert_eq!(cluster_grade([None].into_iter(), &[]), None);
    }
}
