//! Two sides make a comparison.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::findings::{self, OfCluster, OfNode};
use super::side::{Cluster, Node, Side};
use super::{ClusterDiff, Diff, NodeDiff, SCHEMA, Tally, Then, entries, pairs, words};
use crate::report::compose;
use crate::report::words::{count, ignored as ignored_words, list};

/// A node at both times, or at one only.
type Pair<'a> = (Option<&'a Node>, Option<&'a Node>);

/// Compares the same nodes at two times, `now`.
pub fn compare(before: Side, after: Side, now: DateTime<Utc>) -> Diff {
    let pairs: Vec<Pair<'_>> = pairs::pair(&before.nodes, &after.nodes)
        .into_iter()
        .map(|(was, is)| {
            (
                was.and_then(|at| before.nodes.get(at)),
                is.and_then(|at| after.nodes.get(at)),
            )
        })
        .collect();
    let mut nodes: Vec<NodeDiff> = pairs.iter().map(|(was, is)| node(*was, *is)).collect();
    nodes.sort_by(|a, b| (&a.cluster, &a.node).cmp(&(&b.cluster, &b.node)));
    let mut names: Vec<&String> = before
        .clusters
        .iter()
        .chain(&after.clusters)
        .map(|cluster| &cluster.cluster)
        .collect();
    names.sort();
    names.dedup();
    let (was, is) = (by_name(&before), by_name(&after));
    let members = members(&pairs);
    let clusters: Vec<ClusterDiff> = names
        .into_iter()
        .map(|name| {
            let sides = [&was, &is].map(|side| side.get(name.as_str()).copied());
            cluster(
                name,
                sides,
                members.get(name.as_str()).map_or(&[], Vec::as_slice),
            )
        })
        .collect();
    let mut totals = Tally::default();
    nodes.iter().for_each(|node| totals.add(node.tally));
    clusters
        .iter()
        .for_each(|cluster| totals.add(cluster.tally));
    let mut rejected = before.rejected.clone();
    rejected.extend(after.rejected.iter().cloned());
    Diff {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        analyzed_at: compose::time(now),
        answer: answer(&nodes, &clusters, &totals),
        totals,
        nodes,
        clusters,
        rejected,
    }
}

fn answer(nodes: &[NodeDiff], clusters: &[ClusterDiff], totals: &Tally) -> String {
    match nodes {
        [] => "No node could be compared: see the rejected inputs for what to do.".to_owned(),
        [one] if clusters.iter().all(|one| one.findings.is_empty()) => one.answer.clone(),
        all => {
            let alone = all
                .iter()
                .filter(|node| node.before.is_none() || node.after.is_none())
                .count();
            let alone = match alone {
                0 => String::new(),
                alone => format!("; {alone} of the nodes at one time only"),
            };
            let nodes = count(all.len(), "node", "nodes");
            format!("{nodes}: {}{alone}", words::tally(totals))
        }
    }
}

fn then(node: &Node) -> Then {
    Then {
        collected_at: node.collected_at.clone(),
        grade: node.grade.clone(),
        score: node.score,
        findings: node.findings.len(),
        entries: node.entries.len(),
    }
}

fn node(was: Option<&Node>, is: Option<&Node>) -> NodeDiff {
    let evidence = OfNode::new(was, is);
    let (findings, tally, ignored) = findings::compare(
        was.map(Node::found).unwrap_or_default(),
        is.map(Node::found).unwrap_or_default(),
        &evidence,
    );
    let (before, after) = (was.map(then), is.map(then));
    let name = is.or(was).map(|node| node.node.clone()).unwrap_or_default();
    let answer = match (&before, &after) {
        (Some(before), Some(after)) => format!(
            "{name}: {}; {}",
            words::tally(&tally),
            words::grades(before, after)
        ),
        (Some(before), None) => format!(
            "{name}: only in BEFORE, with {}: nothing is known of it now",
            count(before.findings, "issue", "issues")
        ),
        (None, Some(after)) => format!(
            "{name}: only in AFTER, with {}; nothing to compare it with",
            count(after.findings, "issue", "issues")
        ),
        (None, None) => String::new(),
    };
    NodeDiff {
        was: was.map(|node| node.node.clone()).filter(|was| *was != name),
        cluster: is.or(was).and_then(|node| node.cluster.clone()),
        node: name,
        answer,
        notes: notes(was, is, &evidence.lost, ignored),
        before,
        after,
        tally,
        findings,
        entries: match (was, is) {
            (Some(was), Some(is)) => entries::compare(was, is),
            _ => Vec::new(),
        },
    }
}

fn notes(was: Option<&Node>, is: Option<&Node>, lost: &[&str], ignored: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if ignored > 0 {
        notes.push(format!("{}: left out here.", ignored_words(ignored)));
    }
    let (Some(was), Some(is)) = (was, is) else {
        return notes;
    };
    let time = |node: &Node| DateTime::parse_from_rfc3339(node.collected_at.as_deref()?).ok();
    if let (Some(then), Some(now)) = (time(was), time(is)) {
        if now < then {
            notes.push("AFTER was collected earlier than BEFORE: give them the other way round if that is not meant.".to_owned());
        } else if now == then {
            notes.push("Both snapshots were taken at the same time: they may be the same one. Collect again.".to_owned());
        }
    }
    if is.grade.is_none() {
        notes.push("AFTER has no grade: nothing counts as resolved. Analyze it by itself to see what it lacks.".to_owned());
    }
    if !lost.is_empty() {
        notes.push(format!(
            "AFTER lacks {}, which BEFORE has: what only that can show is unknown now.",
            list(lost, 8)
        ));
    }
    notes
}

/// The clusters of a side; of two of one name the first.
fn by_name(side: &Side) -> BTreeMap<&str, &Cluster> {
    let last_first = side.clusters.iter().rev();
    last_first.map(|one| (one.cluster.as_str(), one)).collect()
}

/// The nodes that were or are in each cluster.
fn members<'a>(pairs: &[Pair<'a>]) -> BTreeMap<&'a str, Vec<Pair<'a>>> {
    let mut members: BTreeMap<&str, Vec<Pair<'a>>> = BTreeMap::new();
    for pair in pairs {
        let cluster = |node: Option<&'a Node>| node.and_then(|node| node.cluster.as_deref());
        let (was, is) = (cluster(pair.0), cluster(pair.1));
        for name in was.into_iter().chain(is.filter(|_| is != was)) {
            members.entry(name).or_default().push(*pair);
        }
    }
    members
}

fn cluster(name: &str, [was, is]: [Option<&Cluster>; 2], members: &[Pair<'_>]) -> ClusterDiff {
    let (mut less_now, mut less_then) = (Vec::new(), Vec::new());
    for pair in members {
        match pair {
            (Some(was), None) => less_now.push(was.node.as_str()),
            (None, Some(is)) => less_then.push(is.node.as_str()),
            (Some(was), Some(is)) => {
                if is.grade.is_none() || !findings::lost(was, is).is_empty() {
                    less_now.push(is.node.as_str());
                }
                if was.grade.is_none() || !findings::lost(is, was).is_empty() {
                    less_then.push(was.node.as_str());
                }
            }
            (None, None) => {}
        }
    }
    let evidence = OfCluster {
        later: match is {
            None => Some("AFTER does not show this cluster".into()),
            Some(_) => (!less_now.is_empty())
                .then(|| format!("AFTER knows less of {}", list(&less_now, 4)).into()),
        },
        earlier: match was {
            None => Some("BEFORE does not show this cluster".into()),
            Some(_) => (!less_then.is_empty()).then(|| {
                format!(
                    "BEFORE knew less of {}: it may have been there already",
                    list(&less_then, 4)
                )
                .into()
            }),
        },
    };
    let (findings, tally, _) = findings::compare(
        was.map(Cluster::found).unwrap_or_default(),
        is.map(Cluster::found).unwrap_or_default(),
        &evidence,
    );
    ClusterDiff {
        cluster: name.to_owned(),
        grade_before: was.and_then(|one| one.grade.clone()),
        grade_after: is.and_then(|one| one.grade.clone()),
        tally,
        findings,
    }
}
