//! What the e-mail says: chosen from the view model, and bounded.

use serde::Serialize;

use super::digest::Digest;
use super::lists::{Gap, Item, findings, gaps, rest, steps};
use super::parts::{NAME, TEXT, clip};
use crate::report::html::words;
use crate::report::score::GRADES;
use crate::report::view::{Row, Step};
use crate::report::words::{count, printable};

/// Most nodes that a mail shows. With the texts' and the lists' limits it stays below the 102 KB at which Gmail cuts.
const NODES: usize = 20;

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
    nodes: Vec<Line<'a>>,
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
struct Line<'a> {
    grade: Option<&'a str>,
    name: String,
    cluster: Option<String>,
    critical: usize,
    warnings: usize,
    orphans: usize,
}

impl<'a> Page<'a> {
    pub(super) fn new(digest: &'a Digest<'_>, enclosed: &'a [String]) -> Self {
        let one = match &digest.nodes[..] {
            [(one, _)] => Some(*one),
            _ => None,
        };
        let analyzed_at = digest.run.analyzed_at;
        let read =
            |time: &str| words::time(time).map_or_else(|| clip(time, NAME), |(read, _)| read);
        let analyzed = read(analyzed_at);
        let (findings, more_findings) = findings(digest);
        let (gaps, more_gaps) = gaps(digest);
        let (steps, more_steps) = steps(digest);
        let rows = match one {
            Some(_) => &[][..],
            None => &digest.nodes[..],
        };
        Self {
            subject: subject(digest),
            preview: clip(digest.headline, 140),
            kicker: match one {
                Some(node) => match &node.cluster {
                    Some(cluster) => format!("Node of cluster {}", clip(cluster, NAME)),
                    None => "Node".to_owned(),
                },
                None => "Device-mapper audit".to_owned(),
            },
            name: clip(&name(digest), NAME),
            when: match one {
                Some(node) => {
                    let age = words::age(&node.collected_at, analyzed_at);
                    let age = age.map_or_else(String::new, |age| format!(", {age}"));
                    let version = node.pve_version.as_deref();
                    let version = version
                        .map_or_else(String::new, |v| format!("Proxmox VE {} · ", clip(v, 20)));
                    format!("{version}Snapshot of {}{age}", read(&node.collected_at))
                }
                None => format!("Analyzed {analyzed}"),
            },
            grade: worst(digest),
            score: one.and_then(|node| node.score),
            headline: clip(digest.headline, TEXT),
            tiles: tiles(digest),
            verdicts: verdicts(digest),
            gaps,
            more_gaps,
            nodes: rows.iter().take(NODES).map(|(row, _)| line(row)).collect(),
            more_nodes: rest(rows.len(), NODES, "more node", "more nodes"),
            findings_title: if more_findings.is_some() {
                "The worst issues"
            } else {
                "Issues, worst first"
            },
            findings,
            more_findings,
            ignored: (digest.totals.ignored > 0)
                .then(|| format!("{}.", crate::report::words::ignored(digest.totals.ignored))),
            steps,
            more_steps,
            enclosed,
            version: digest.run.version,
            analyzed,
        }
    }
}

/// The subject: whose, how bad, and how much. Names are as recorded, with what
/// can't be seen (line ends, too) written as its number.
pub fn subject(digest: &Digest<'_>) -> String {
    let totals = digest.totals;
    let mut parts = Vec::new();
    let nodes = digest.nodes.iter();
    let ungraded = nodes.filter(|(row, _)| row.grade.is_none()).count();
    match (&digest.nodes[..], worst(digest)) {
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
    if worst(digest).is_some() {
        say(ungraded, "node not graded", "nodes not graded");
    }
    say(digest.rejected.len(), "input rejected", "inputs rejected");
    if parts.len() == 1 && worst(digest).is_some() {
        parts.push("no issues".to_owned());
    }
    let about = match &digest.nodes[..] {
        [] => "dmaudit".to_owned(),
        _ => clip(&printable(&name(digest)), NAME),
    };
    format!("{about}: {}", parts.join(", "))
}

/// What the mail is about: the node, the cluster if it is one cluster's nodes,
/// or their number.
fn name(digest: &Digest<'_>) -> String {
    let nodes = count(digest.nodes.len(), "node", "nodes");
    match (&digest.nodes[..], &digest.clusters[..]) {
        ([], _) => "No node".to_owned(),
        ([(one, _)], _) => one.node.clone(),
        (all, [(cluster, _)]) if all.len() == cluster.nodes => {
            format!("{} ({nodes})", clip(&cluster.cluster, 60))
        }
        _ => nodes,
    }
}

/// The worst grade given; nothing if none was.
fn worst<'d>(digest: &'d Digest<'_>) -> Option<&'d str> {
    let nodes = digest.nodes.iter();
    let nodes = nodes.filter_map(|(row, _)| row.grade.as_deref());
    let clusters = digest.clusters.iter();
    let clusters = clusters.filter_map(|(row, _)| row.grade.as_deref());
    nodes
        .chain(clusters)
        .max_by_key(|grade| GRADES.iter().position(|known| known == grade))
}

fn line(row: &Row) -> Line<'_> {
    Line {
        grade: row.grade.as_deref(),
        name: clip(&row.slug, NAME),
        cluster: row.cluster.as_deref().map(|cluster| clip(cluster, NAME)),
        critical: row.critical,
        warnings: row.warnings,
        orphans: row.summary.orphans,
    }
}

fn tiles(digest: &Digest<'_>) -> Vec<Tile> {
    let totals = digest.totals;
    let tile = |label, count, colour| Tile {
        label,
        count,
        colour: if count > 0 { colour } else { "#c3ccd7" },
    };
    if digest.nodes.is_empty() {
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

fn verdicts(digest: &Digest<'_>) -> Vec<Part> {
    let totals = digest.totals;
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
