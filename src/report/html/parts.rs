//! Parts that several pages share: findings by severity, charts with their
//! words.

use std::sync::Arc;

use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::{safe, words};
use crate::report::charts::{Ink, bar, ring};
use crate::report::view::{Finding, Node};

/// Findings of one severity.
#[derive(Serialize)]
pub(super) struct Group {
    severity: &'static str,
    title: &'static str,
    meaning: &'static str,
    /// Whether each finding is unfolded from the start.
    open: bool,
    count: usize,
    /// The [`Item`]s.
    items: Value,
}

/// A finding and the anchor it is found by on its page.
#[derive(Serialize)]
struct Item<'a> {
    id: String,
    finding: &'a Finding,
}

/// A list of what `owner` has, each of which becomes the template engine's when
/// its turn comes: all of them at once take several times their room.
pub(super) fn one_by_one<T: Send + Sync + 'static, U: Serialize + Sync + 'static>(
    owner: &Arc<T>,
    list: fn(&T) -> &[U],
) -> Value {
    Value::make_object_iterable(Arc::clone(owner), move |owner| {
        Box::new(list(owner).iter().map(|item| Value::from(Serde(item))))
    })
}

/// What has findings.
pub(super) trait Found: Send + Sync + 'static {
    /// All of them, in the page's order.
    fn findings(&self) -> &[Finding];
}

impl Found for Node {
    fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// Groups findings by severity, worst first; an unheard-of severity is a note.
/// Each becomes the template engine's when its turn comes, as with
/// [`one_by_one`].
pub(super) fn groups(found: &Arc<impl Found>) -> Vec<Group> {
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
    let of_rank = move |at: usize| move |(_, finding): &(usize, &Finding)| rank(finding) == at;
    let group = |(at, (severity, title, meaning))| {
        let findings = found.findings().iter().enumerate();
        let count = findings.filter(of_rank(at)).count();
        Group {
            severity,
            title,
            meaning,
            open: at == 0 && count <= 3,
            count,
            items: Value::make_object_iterable(Arc::clone(found), move |found| {
                let findings = found.findings().iter().enumerate();
                Box::new(findings.filter(of_rank(at)).map(|(number, finding)| {
                    let id = anchor(number);
                    Value::from(Serde(Item { id, finding }))
                }))
            }),
        }
    };
    let all = kinds.into_iter().enumerate().map(group);
    all.filter(|group| group.count > 0).collect()
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
