//! Parts that several pages share: findings by severity, charts with their
//! words.

use minijinja::value::Value;
use serde::Serialize;

use super::{safe, words};
use crate::report::charts::{Ink, bar, ring};
use crate::report::view::Finding;

/// Findings of one severity.
#[derive(Serialize)]
pub(super) struct Group<'a> {
    severity: &'static str,
    title: &'static str,
    meaning: &'static str,
    /// Whether each finding is unfolded from the start.
    open: bool,
    items: Vec<Item<'a>>,
}

/// A finding and the anchor it is found by on its page.
#[derive(Serialize)]
pub(super) struct Item<'a> {
    id: String,
    finding: &'a Finding,
}

/// Groups findings by severity, worst first; an unheard-of severity is a note.
pub(super) fn groups(findings: &[Finding]) -> Vec<Group<'_>> {
    let rank = |finding: &Finding| match finding.severity.as_ref() {
        "critical" => 0,
        "warning" => 1,
        _ => 2,
    };
    let kinds = [
        (
            "critical",
            "Critical",
            "Data is at risk, or a guest can't work. Act now.",
        ),
        (
            "warning",
            "Warnings",
            "Left over, or going to fail. Clean up.",
        ),
        (
            "info",
            "For information",
            "Worth knowing; nothing is wrong yet.",
        ),
    ];
    let group = |(at, (severity, title, meaning))| {
        let items: Vec<Item> = findings
            .iter()
            .enumerate()
            .filter(|(_, finding)| rank(finding) == at)
            .map(|(number, finding)| Item {
                id: anchor(number),
                finding,
            })
            .collect();
        Group {
            severity,
            title,
            meaning,
            open: at == 0 && items.len() <= 3,
            items,
        }
    };
    let all = kinds.into_iter().enumerate().map(group);
    all.filter(|group| !group.items.is_empty()).collect()
}

/// The anchor of a page's finding by its place in the list.
pub(super) fn anchor(number: usize) -> String {
    format!("issue-{}", number + 1)
}

/// A chart of entries by verdict with its words.
#[derive(Serialize)]
pub(super) struct VerdictChart {
    svg: Value,
    total: usize,
    parts: Vec<Part>,
    note: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Part {
    label: &'static str,
    class: &'static str,
    count: usize,
}

/// The chart of guests' entries by verdict.
pub(super) fn verdict_chart(
    [valid, duplicates, orphans, unknown]: [usize; 4],
    note: Option<String>,
) -> Result<VerdictChart, String> {
    let parts = [
        ("Valid", "ok", Ink::Ok, valid),
        ("Duplicate", "critical", Ink::Critical, duplicates),
        ("Orphan", "warning", Ink::Warning, orphans),
        ("Unknown", "quiet", Ink::Quiet, unknown),
    ];
    let title = format!(
        "Entries by verdict: {valid} valid, {duplicates} duplicate, {orphans} orphaned, {unknown} unknown"
    );
    let inks = parts.map(|(_, _, ink, count)| (ink, count));
    Ok(VerdictChart {
        svg: safe(ring(&title, &inks)?),
        total: valid + duplicates + orphans + unknown,
        parts: parts
            .map(|(label, class, _, count)| Part {
                label,
                class,
                count,
            })
            .into(),
        note,
    })
}

/// A labelled bar.
#[derive(Serialize)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: String,
    pub(super) note: Option<String>,
    pub(super) svg: Value,
}

/// Bars for counts, the longest for the largest.
pub(super) fn count_bars<'a>(
    counts: impl Iterator<Item = (&'a str, usize)> + Clone,
) -> Result<Vec<Bar>, String> {
    let most = counts.clone().map(|(_, count)| count).max().unwrap_or(0);
    counts
        .map(|(label, count)| {
            let title = format!("{label}: {count}");
            let share = count as f64 / most.max(1) as f64;
            Ok(Bar {
                label: label.to_owned(),
                value: words::count(count as i64),
                note: None,
                svg: safe(bar(&title, share, Ink::Info, &[])?),
            })
        })
        .collect()
}
