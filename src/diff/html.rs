//! A comparison as an HTML page.

use std::io;

use serde::Serialize;

use super::{ClusterDiff, Diff, FindingChange, NodeDiff, State};
use crate::report::html::{Html, Run};

/// Writes a comparison's page, which stands alone.
///
/// # Errors
/// Those of `out`; else the template that failed is named, which no bundle can
/// cause.
pub fn write(diff: &Diff, html: &Html, out: &mut dyn io::Write) -> io::Result<()> {
    let run = Run {
        version: &diff.version,
        analyzed_at: &diff.analyzed_at,
    };
    html.write("diff.html", page(run, diff), out)
}

/// The template's input.
#[derive(Serialize)]
struct Page<'a> {
    run: Run<'a>,
    diff: &'a Diff,
    still: usize,
    nodes: Vec<Section<'a, NodeDiff>>,
    clusters: Vec<Section<'a, ClusterDiff>>,
}

/// A node or cluster with its findings by what became of them.
#[derive(Serialize)]
struct Section<'a, T> {
    id: String,
    it: &'a T,
    groups: Vec<Group<'a>>,
}

#[derive(Serialize)]
struct Group<'a> {
    title: &'static str,
    tone: &'static str,
    changes: Vec<&'a FindingChange>,
}

/// Puts a comparison's page together: its findings by what became of them.
fn page<'a>(run: Run<'a>, diff: &'a Diff) -> Page<'a> {
    let nodes = diff.nodes.iter().enumerate().map(|(at, node)| Section {
        id: format!("node-{}", at + 1),
        it: node,
        groups: groups(&node.findings),
    });
    let clusters = diff.clusters.iter().enumerate();
    let clusters = clusters
        .filter(|(_, cluster)| !cluster.findings.is_empty())
        .map(|(at, cluster)| Section {
            id: format!("cluster-{}", at + 1),
            it: cluster,
            groups: groups(&cluster.findings),
        });
    Page {
        run,
        diff,
        still: diff.totals.remaining + diff.totals.changed,
        nodes: nodes.collect(),
        clusters: clusters.collect(),
    }
}

fn groups(changes: &[FindingChange]) -> Vec<Group<'_>> {
    let kinds = [
        (State::New, "New", "critical"),
        (State::Unknown, "Unknown now", "quiet"),
        (State::Changed, "Still there, changed", "warning"),
        (State::Remaining, "Still there", "warning"),
        (State::Resolved, "Resolved", "ok"),
    ];
    kinds
        .into_iter()
        .map(|(state, title, tone)| Group {
            title,
            tone,
            changes: changes.iter().filter(|one| one.state == state).collect(),
        })
        .filter(|group| !group.changes.is_empty())
        .collect()
}
