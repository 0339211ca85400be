//! What a node's or a fleet's history says.

use std::collections::BTreeMap;

use super::view::{Point, Row};

/// Thin pools that a sentence compares, the fullest.
const POOLS: usize = 128;

/// From the first snapshot to the last, in a line: `since 2026-11-20: score
/// 40 -> 60, orphans 6 -> 4`; nothing without a history.
pub fn sentence(history: &[Point]) -> Option<String> {
    let [first, .., last] = history else {
        return None;
    };
    let score = |point: &Point| {
        point
            .score
            .map_or_else(|| "none".to_owned(), |score| score.to_string())
    };
    let mut changes = Vec::new();
    if first.score != last.score {
        changes.push(format!("score {} -> {}", score(first), score(last)));
    }
    for (what, was, is) in [
        ("critical issues", first.critical, last.critical),
        ("warnings", first.warnings, last.warnings),
        ("orphans", first.orphans, last.orphans),
        ("duplicates", first.duplicates, last.duplicates),
    ] {
        // Without a grade there are no verdicts to count.
        if was != is && first.grade.is_some() && last.grade.is_some() {
            changes.push(format!("{what} {was} -> {is}"));
        }
    }
    let then = first.used();
    let (pools, more) = last.fullest(POOLS);
    for pool in pools {
        if let (Some(was), Some(is)) = (then.get(&*pool.name), pool.data_percent)
            && (was - is).abs() >= 1.0
        {
            changes.push(format!("{} {was:.0} % -> {is:.0} % full", pool.name));
        }
    }
    let snapshots = history.len();
    let mut changes = match changes.is_empty() {
        true => "score, issues and pools as they were".to_owned(),
        false => changes.join(", "),
    };
    if more > 0 {
        changes.push_str(&format!(", {more} more pools not compared"));
    }
    Some(format!(
        "since {}: {changes} ({snapshots} snapshots)",
        first.day()
    ))
}

/// A day of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// `2026-11-20`.
    pub day: String,
    /// Orphans of the nodes as last seen by then.
    pub orphans: usize,
    /// Nodes that had been seen, with a grade.
    pub nodes: usize,
}

/// The orphans of all nodes that have a history, on each day of a snapshot:
/// of each node what was last seen by then. A snapshot without a grade has no
/// verdicts and counts as not taken.
pub fn fleet(rows: &[Row]) -> Vec<Day> {
    // On each day: nodes, the place of a snapshot in its history, its orphans.
    let mut taken: BTreeMap<&str, Vec<(usize, usize, usize)>> = BTreeMap::new();
    for (node, row) in rows.iter().enumerate() {
        for (place, point) in row.history.iter().enumerate() {
            if point.grade.is_some() {
                let of_day = taken.entry(point.day()).or_default();
                of_day.push((node, place, point.orphans));
            }
        }
    }
    // What was last seen of each node.
    let mut seen: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    let mut sum = 0;
    let day = |(day, taken): (&str, Vec<_>)| {
        for (node, place, orphans) in taken {
            let last = seen.entry(node).or_insert((place, 0));
            // A clock that went wrong makes no snapshot newer.
            if place >= last.0 {
                sum = sum - last.1 + orphans;
                *last = (place, orphans);
            }
        }
        Day {
            day: day.to_owned(),
            orphans: sum,
            nodes: seen.len(),
        }
    };
    taken.into_iter().map(day).collect()
}
