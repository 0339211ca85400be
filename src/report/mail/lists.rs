//! The lists of the e-mail: findings, gaps and steps, the worst of all nodes
//! and how many more there are.

use std::collections::BTreeMap;

use serde::Serialize;

use super::page::{NAME, TEXT};
use super::parts::clip;
use crate::report::html::words;
use crate::report::view::{Finding, Report, Step};
use crate::report::words::{count, list};

/// Most findings, gaps and steps that a mail shows.
const FINDINGS: usize = 10;
const GAPS: usize = 6;
const STEPS: usize = 6;

#[derive(Serialize)]
pub(super) struct Gap {
    subject: String,
    text: String,
}

#[derive(Serialize)]
pub(super) struct Item<'a> {
    severity: &'a str,
    title: String,
    place: Option<String>,
    subject: String,
    message: String,
    impact: String,
    remedy: String,
}

/// How many of a list are not shown, in words.
pub(super) fn rest(all: usize, shown: usize, one: &str, many: &str) -> Option<String> {
    (all > shown).then(|| format!("And {}.", count(all - shown, one, many)))
}

/// The worst findings of all nodes and clusters, and how many more there are.
pub(super) fn findings(report: &Report) -> (Vec<Item<'_>>, Option<String>) {
    let several = report.nodes.len() > 1;
    let clusters = report.clusters.iter().flat_map(|cluster| {
        let place = format!("cluster {}", cluster.cluster);
        cluster
            .findings
            .iter()
            .map(move |one| (Some(place.clone()), one))
    });
    let nodes = report.nodes.iter().flat_map(|node| {
        let place = several.then(|| node.slug.clone());
        node.findings.iter().map(move |one| (place.clone(), one))
    });
    let rank = |finding: &Finding| match finding.severity.as_ref() {
        "critical" => 0,
        "warning" => 1,
        _ => 2,
    };
    let mut all: Vec<(Option<String>, &Finding)> = clusters.chain(nodes).collect();
    // Stable: within a severity clusters come first, then the worst node.
    all.sort_by_key(|(_, finding)| rank(finding));
    let mut left = [0; 3];
    for (_, finding) in all.iter().skip(FINDINGS) {
        if let Some(number) = left.get_mut(rank(finding)) {
            *number += 1;
        }
    }
    let words = left
        .into_iter()
        .zip(["critical", "warning", "for information"]);
    let words: Vec<String> = words
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{} {word}", words::count(number)))
        .collect();
    let more = (!words.is_empty()).then(|| {
        let number = words::count(left.iter().sum());
        format!(
            "And {number} more: {}. The whole report has them all.",
            words.join(", ")
        )
    });
    let shown = all.iter().take(FINDINGS).map(|(place, finding)| Item {
        severity: &finding.severity,
        title: clip(&finding.title, 160),
        place: place.as_deref().map(|place| clip(place, NAME)),
        subject: clip(&finding.subject, 160),
        message: clip(&finding.message, TEXT),
        impact: clip(&finding.impact, TEXT),
        remedy: clip(&finding.remedy, TEXT),
    });
    (shown.collect(), more)
}

/// What could not be judged, and why: the same gap of several nodes is one.
pub(super) fn gaps(report: &Report) -> (Vec<Gap>, Option<String>) {
    let mut by_text: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut order = Vec::new();
    for node in &report.nodes {
        let missing = node.missing.iter().map(|one| {
            let colon = if one.detail.is_empty() { "" } else { ": " };
            format!(
                "{} {}{colon}{}. {}",
                one.id,
                one.state,
                one.detail.trim_end_matches('.'),
                one.consequence
            )
        });
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
        for text in missing.chain(not_run) {
            let nodes = by_text.entry(text.clone()).or_default();
            if nodes.is_empty() {
                order.push(text);
            }
            nodes.push(&node.slug);
        }
    }
    let rejected = report.rejected.iter().map(|one| Gap {
        subject: clip(&one.path, 160),
        text: clip(&format!("rejected: {}", one.error), TEXT),
    });
    let absent = report
        .clusters
        .iter()
        .filter(|one| !one.absent.is_empty())
        .map(|one| Gap {
            subject: clip(&format!("cluster {}", one.cluster), 160),
            text: clip(
                &format!("no bundle was given of {}.", list(&one.absent, 6)),
                TEXT,
            ),
        });
    let missing = order.into_iter().map(|text| Gap {
        subject: by_text
            .get(&text)
            .map_or_else(String::new, |nodes| clip(&list(nodes, 4), 340)),
        text: clip(&text, TEXT),
    });
    let mut all: Vec<Gap> = rejected.chain(absent).chain(missing).collect();
    let more = rest(all.len(), GAPS, "more gap", "more gaps");
    all.truncate(GAPS);
    (all, more)
}

/// What to do next: one node's steps; of several, the clusters' first and then
/// which script to review.
pub(super) fn steps(report: &Report) -> (Vec<Step>, Option<String>) {
    let clipped = |step: &Step| Step {
        runs_script: false,
        text: clip(&step.text, TEXT),
        commands: step
            .commands
            .iter()
            .take(6)
            .map(|line| clip(line, 200))
            .collect(),
    };
    let mut all: Vec<Step> = match &report.nodes[..] {
        [one] => one.steps.iter().map(clipped).collect(),
        _ => {
            let clusters = report
                .clusters
                .iter()
                .flat_map(|one| one.steps.iter().take(3));
            let scripts = report.nodes.iter().filter(|one| !one.planned.is_empty());
            let scripts = scripts.map(|one| Step {
                runs_script: false,
                text: format!(
                    "{}: review `cleanup-{}.sh` ({}) and try it on the node: without options it changes nothing. It would take down {}.",
                    one.slug,
                    one.slug,
                    match one.script {
                        Some(_) => "attached",
                        None => "`dmaudit analyze -o DIR` writes it",
                    },
                    count(one.planned.len(), "entry", "entries")
                ),
                commands: Vec::new(),
            });
            clusters.map(clipped).chain(scripts).collect()
        }
    };
    let more = rest(
        all.len(),
        STEPS,
        "more step in the whole report",
        "more steps in the whole report",
    );
    all.truncate(STEPS);
    if all.is_empty() {
        let text = if report.nodes.is_empty() || !report.rejected.is_empty() {
            "Collect again what was rejected: `sh dmaudit-collect.sh`, as root on the node."
        } else {
            "Nothing needs to be done now."
        };
        all.push(Step {
            runs_script: false,
            text: text.to_owned(),
            commands: Vec::new(),
        });
    }
    (all, more)
}
