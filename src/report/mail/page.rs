//! What the e-mail says: chosen from the view model, and bounded.

use serde::Serialize;

use super::lists::{Gap, Item, findings, gaps, rest, steps};
use super::parts::clip;
use crate::report::html::words;
use crate::report::score::GRADES;
use crate::report::view::{Finding, Node, Report, Step};
use crate::report::words::{count, printable};

/// Most nodes that a mail shows. With the texts' and the lists' limits it stays below the 102 KB at which Gmail cuts.
const NODES: usize = 20;
/// Characters of a name, and of a sentence or two.
pub(super) const NAME: usize = 80;
pub(super) const TEXT: usize = 600;

/// The templates' input.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    subject: String,
    preview: String,
    kicker: String,
    name: String,
    when: String,
    grade: Option<&'a str>,
    score: Option<i64>,
    headline: String,
    tiles: Vec<Tile>,
    verdicts: Vec<Part>,
    gaps: Vec<Gap>,
    more_gaps: Option<String>,
    nodes: Vec<Row<'a>>,
    more_nodes: Option<String>,
    findings_title: &'static str,
    findings: Vec<Item<'a>>,
    more_findings: Option<String>,
    ignored: Option<String>,
    steps: Vec<Step>,
    more_steps: Option<String>,
    enclosed: &'a [String],
    version: &'a str,
    analyzed: String,
}

#[derive(Serialize)]
struct Tile {
    label: &'static str,
    count: usize,
    colour: &'static str,
}

#[derive(Serialize)]
struct Part {
    label: &'static str,
    count: usize,
    /// Share of the bar; a part that exists is seen.
    percent: usize,
    colour: &'static str,
}

#[derive(Serialize)]
struct Row<'a> {
    grade: Option<&'a str>,
    name: String,
    cluster: Option<String>,
    critical: usize,
    warnings: usize,
    orphans: usize,
}

impl<'a> Page<'a> {
    pub(super) fn new(report: &'a Report, enclosed: &'a [String]) -> Self {
        let one = match &report.nodes[..] {
            [one] => Some(one),
            _ => None,
        };
        let read =
            |time: &str| words::time(time).map_or_else(|| clip(time, NAME), |(read, _)| read);
        let analyzed = read(&report.analyzed_at);
        let (findings, more_findings) = findings(report);
        let (gaps, more_gaps) = gaps(report);
        let (steps, more_steps) = steps(report);
        let rows = if one.is_some() {
            &[][..]
        } else {
            &report.nodes[..]
        };
        Self {
            subject: subject(report),
            preview: clip(&report.headline, 140),
            kicker: match one {
                Some(node) => match &node.cluster {
                    Some(cluster) => format!("Node of cluster {}", clip(cluster, NAME)),
                    None => "Node".to_owned(),
                },
                None => "Device-mapper audit".to_owned(),
            },
            name: clip(&name(report), NAME),
            when: match one {
                Some(node) => {
                    let age = words::age(&node.collected_at, &report.analyzed_at);
                    let age = age.map_or_else(String::new, |age| format!(", {age}"));
                    let version = node.pve_version.as_deref();
                    let version = version
                        .map_or_else(String::new, |v| format!("Proxmox VE {} · ", clip(v, 20)));
                    format!("{version}Snapshot of {}{age}", read(&node.collected_at))
                }
                None => format!("Analyzed {analyzed}"),
            },
            grade: worst(report),
            score: one.and_then(|node| node.score),
            headline: clip(&report.headline, TEXT),
            tiles: tiles(report),
            verdicts: verdicts(report),
            gaps,
            more_gaps,
            nodes: rows.iter().take(NODES).map(row).collect(),
            more_nodes: rest(rows.len(), NODES, "more node", "more nodes"),
            findings_title: if more_findings.is_some() {
                "The worst issues"
            } else {
                "Issues, worst first"
            },
            findings,
            more_findings,
            ignored: (report.totals.ignored > 0)
                .then(|| format!("{}.", crate::report::words::ignored(report.totals.ignored))),
            steps,
            more_steps,
            enclosed,
            version: &report.version,
            analyzed,
        }
    }
}

/// The subject: whose, how bad, and how much. Names are as recorded, with what
/// can't be seen (line ends, too) written as its number.
pub fn subject(report: &Report) -> String {
    let totals = &report.totals;
    let mut parts = Vec::new();
    let ungraded = report
        .nodes
        .iter()
        .filter(|node| node.grade.is_none())
        .count();
    match (&report.nodes[..], worst(report)) {
        ([], _) => parts.push("no node could be analyzed".to_owned()),
        (_, None) => parts.push("not graded".to_owned()),
        ([_], Some(grade)) => parts.push(format!("grade {grade}")),
        (_, Some(grade)) => parts.push(format!("worst grade {grade}")),
    }
    let mut say = |number: usize, one: &str, many: &str| {
        if number > 0 {
            parts.push(count(number, one, many));
        }
    };
    say(totals.critical, "critical", "critical");
    say(totals.orphans, "orphan", "orphans");
    if totals.critical + totals.orphans == 0 {
        say(totals.warnings, "warning", "warnings");
    }
    say(totals.unknown, "unknown", "unknown");
    if worst(report).is_some() {
        say(ungraded, "node not graded", "nodes not graded");
    }
    say(report.rejected.len(), "input rejected", "inputs rejected");
    if parts.len() == 1 && worst(report).is_some() {
        parts.push("no issues".to_owned());
    }
    let about = match &report.nodes[..] {
        [] => "dmaudit".to_owned(),
        _ => clip(&printable(&name(report)), NAME),
    };
    format!("{about}: {}", parts.join(", "))
}

/// What the mail is about: the node, the cluster if it is one cluster's nodes,
/// or their number.
fn name(report: &Report) -> String {
    let nodes = count(report.nodes.len(), "node", "nodes");
    match (&report.nodes[..], &report.clusters[..]) {
        ([], _) => "No node".to_owned(),
        ([one], _) => one.node.clone(),
        (all, [cluster]) if all.len() == cluster.nodes.len() => {
            format!("{} ({nodes})", clip(&cluster.cluster, 60))
        }
        _ => nodes,
    }
}

/// The worst grade given; nothing if none was.
fn worst(report: &Report) -> Option<&str> {
    let nodes = report.nodes.iter().filter_map(|node| node.grade.as_deref());
    let clusters = report
        .clusters
        .iter()
        .filter_map(|one| one.grade.as_deref());
    nodes
        .chain(clusters)
        .max_by_key(|grade| GRADES.iter().position(|known| known == grade))
}

fn severities(findings: &[Finding]) -> (usize, usize) {
    let with = |severity: &str| {
        findings
            .iter()
            .filter(|one| one.severity == severity)
            .count()
    };
    (with("critical"), with("warning"))
}

fn row(node: &Node) -> Row<'_> {
    let (critical, warnings) = severities(&node.findings);
    Row {
        grade: node.grade.as_deref(),
        name: clip(&node.slug, NAME),
        cluster: node.cluster.as_deref().map(|cluster| clip(cluster, NAME)),
        critical,
        warnings,
        orphans: node.summary.orphans,
    }
}

fn tiles(report: &Report) -> Vec<Tile> {
    let totals = &report.totals;
    let tile = |label, count, colour| Tile {
        label,
        count,
        colour: if count > 0 { colour } else { "#c3ccd7" },
    };
    if report.nodes.is_empty() {
        return Vec::new();
    }
    vec![
        tile("Critical issues", totals.critical, "#b3261e"),
        tile("Warnings", totals.warnings, "#e39a1e"),
        tile("Orphans", totals.orphans, "#e39a1e"),
        tile("Duplicates", totals.duplicates, "#b3261e"),
        tile("Unknown", totals.unknown, "#8b97a8"),
        tile("Guests’ entries", totals.entries, "#c3ccd7"),
    ]
}

fn verdicts(report: &Report) -> Vec<Part> {
    let totals = &report.totals;
    let all = [
        ("valid", totals.valid, "#2b9a63"),
        ("duplicate", totals.duplicates, "#d23b30"),
        ("orphaned", totals.orphans, "#e39a1e"),
        ("unknown", totals.unknown, "#8b97a8"),
    ];
    let part = |(label, count, colour)| Part {
        label,
        count,
        percent: (count * 100 / totals.entries.max(1)).max(1),
        colour,
    };
    let present = all.into_iter().filter(|(_, count, _)| *count > 0);
    present.map(part).collect()
}
