//! The lists of the e-mail: findings, gaps and steps, the worst of all nodes
//! and how many more there are.

use std::collections::BTreeMap;

use serde::Serialize;

use super::digest::{Digest, FINDINGS, STEPS};
use super::parts::{NAME, TEXT, clip};
use crate::report::html::words;
use crate::report::view::{Finding, Row, Step};
use crate::report::words::{count, list};

/// Most gaps that a mail shows.
const GAPS: usize = 6;

#[derive(Serialize)]
pub(super) struct Gap {
    subject: String,
    text: String,
}

#[derive(Serialize)]
pub(super) struct Item<'a> {
    severity: &'a str,
    title: &'a str,
    place: Option<String>,
    subject: &'a str,
    message: &'a str,
    impact: &'a str,
    remedy: &'a str,
}

/// How many of a list are not shown, in words.
pub(super) fn rest(all: usize, shown: usize, one: &str, many: &str) -> Option<String> {
    (all > shown).then(|| format!("And {}.", count(all - shown, one, many)))
}

/// The worst findings of all nodes and clusters, and how many more there are.
pub(super) fn findings<'d>(digest: &'d Digest<'_>) -> (Vec<Item<'d>>, Option<String>) {
    let several = digest.nodes.len() > 1;
    let clusters = digest.clusters.iter().flat_map(|(row, part)| {
        let place = format!("cluster {}", row.cluster);
        let findings = part.findings.iter();
        findings.map(move |one| (Some(place.clone()), one))
    });
    let nodes = digest.nodes.iter().flat_map(|(row, part)| {
        let place = several.then(|| row.slug.clone());
        part.findings.iter().map(move |one| (place.clone(), one))
    });
    let rank = |finding: &Finding| match finding.severity.as_ref() {
        "critical" => 0,
        "warning" => 1,
        _ => 2,
    };
    let mut worst: Vec<(Option<String>, &Finding)> = clusters.chain(nodes).collect();
    // Stable: within a severity clusters come first, then the worst node.
    worst.sort_by_key(|(_, finding)| rank(finding));
    worst.truncate(FINDINGS);
    let mut left = digest.findings();
    for (_, finding) in &worst {
        if let Some(number) = left.get_mut(rank(finding)) {
            *number = number.saturating_sub(1);
        }
    }
    let words = left
        .into_iter()
        .zip(["critical", "warning", "for information"]);
    let words: Vec<String> = words
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{} {word}", words::count(number as i64)))
        .collect();
    let more = (!words.is_empty()).then(|| {
        let number = words::count(left.iter().sum::<usize>() as i64);
        format!(
            "And {number} more: {}. The whole report has them all.",
            words.join(", ")
        )
    });
    let shown = worst.into_iter().map(|(place, finding)| Item {
        severity: &finding.severity,
        title: &finding.title,
        place: place.as_deref().map(|place| clip(place, NAME)),
        subject: &finding.subject,
        message: &finding.message,
        impact: &finding.impact,
        remedy: &finding.remedy,
    });
    (shown.collect(), more)
}

/// What could not be judged, and why: the same gap of several nodes is one.
pub(super) fn gaps(digest: &Digest<'_>) -> (Vec<Gap>, Option<String>) {
    let mut by_text: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut order = Vec::new();
    for (row, part) in &digest.nodes {
        for text in &part.gaps {
            let nodes = by_text.entry(text).or_default();
            if nodes.is_empty() {
                order.push(text.as_str());
            }
            nodes.push(&row.slug);
        }
    }
    let rejected = digest.rejected.iter().map(|one| Gap {
        subject: clip(&one.path, 2 * NAME),
        text: clip(&format!("rejected: {}", one.error), TEXT),
    });
    let absent = digest.clusters.iter().filter_map(|(row, part)| {
        Some(Gap {
            subject: clip(&format!("cluster {}", row.cluster), 2 * NAME),
            text: part.absent.clone()?,
        })
    });
    let missing = order.into_iter().map(|text| Gap {
        subject: by_text
            .get(text)
            .map_or_else(String::new, |nodes| clip(&list(nodes, 4), 340)),
        text: text.to_owned(),
    });
    let mut all: Vec<Gap> = rejected.chain(absent).chain(missing).collect();
    let untold: usize = digest.nodes.iter().map(|(_, part)| part.more_gaps).sum();
    let more = rest(all.len() + untold, GAPS, "more gap", "more gaps");
    all.truncate(GAPS);
    (all, more)
}

/// What to do next: one node's steps; of several, the clusters' first and then
/// which script to review.
pub(super) fn steps(digest: &Digest<'_>) -> (Vec<Step>, Option<String>) {
    let (mut shown, all) = match &digest.nodes[..] {
        [(_, one)] => (one.steps.clone(), one.all_steps),
        _ => {
            let clusters = digest.clusters.iter();
            let clusters = clusters.flat_map(|(_, part)| part.steps.iter().cloned());
            let scripts = digest.nodes.iter().filter(|(row, _)| row.planned > 0);
            let steps: Vec<Step> = clusters
                .chain(scripts.map(|(row, _)| review(row)))
                .collect();
            let all = steps.len();
            (steps, all)
        }
    };
    let more = rest(
        all,
        STEPS,
        "more step in the whole report",
        "more steps in the whole report",
    );
    shown.truncate(STEPS);
    if shown.is_empty() {
        let text = if digest.nodes.is_empty() || !digest.rejected.is_empty() {
            "Collect again what was rejected: `sh dmaudit-collect.sh`, as root on the node."
        } else {
            "Nothing needs to be done now."
        };
        shown.push(Step {
            runs_script: false,
            text: text.to_owned(),
            commands: Vec::new(),
        });
    }
    (shown, more)
}

/// That a node's script is to be reviewed.
fn review(row: &Row) -> Step {
    Step {
        runs_script: false,
        text: format!(
            "{}: review `cleanup-{}.sh` ({}) and try it on the node: without options it changes nothing. It would take down {}.",
            row.slug,
            row.slug,
            match row.has_script {
                true => "attached",
                false => "`dmaudit analyze -o DIR` writes it",
            },
            count(row.planned, "entry", "entries")
        ),
        commands: Vec::new(),
    }
}
