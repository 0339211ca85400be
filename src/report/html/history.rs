//! A node's and a fleet's history: charts and their tables.

use chrono::DateTime;
use minijinja::value::Value;
use serde::Serialize;

use super::safe;
use crate::report::charts::{Ink, columns, steps};
use crate::report::history;
use crate::report::view::Point;

/// Days that the overview's chart has room for.
const DAYS: usize = 14;

/// What a node's page shows of its history.
#[derive(Serialize)]
pub(super) struct History<'a> {
    sentence: String,
    charts: Vec<Chart>,
    /// The newest first.
    points: Vec<PointRow<'a>>,
}

#[derive(Serialize)]
struct PointRow<'a> {
    point: &'a Point,
    pools: String,
}

/// A value over time with its words.
#[derive(Serialize)]
struct Chart {
    label: String,
    first: String,
    last: String,
    svg: Value,
}

/// The history of a node; nothing without older snapshots.
pub(super) fn of_node(points: &[Point]) -> Result<Option<History<'_>>, String> {
    let Some(sentence) = history::sentence(points) else {
        return Ok(None);
    };
    let graded = |point: &Point, number: usize| point.grade.as_ref().map(|_| number as f64);
    let mut charts = vec![
        chart("Score", points, Some(100.0), Ink::Info, |point| {
            point.score.map(|score| score as f64)
        })?,
        chart(
            "Critical issues and warnings",
            points,
            None,
            Ink::Critical,
            |point| graded(point, point.critical + point.warnings),
        )?,
        chart(
            "Orphans and duplicates",
            points,
            None,
            Ink::Warning,
            |point| graded(point, point.orphans + point.duplicates),
        )?,
    ];
    let pools = points.last().map(|point| &point.pools[..]);
    for pool in pools.unwrap_or_default() {
        let label = format!("{}: per cent full", pool.name);
        charts.push(chart(&label, points, Some(100.0), Ink::Quiet, |point| {
            let pools = point.pools.iter();
            pools
                .filter(|one| one.name == pool.name)
                .find_map(|one| one.data_percent)
        })?);
    }
    let row = |point| PointRow {
        point,
        pools: pools_of(point),
    };
    Ok(Some(History {
        sentence,
        charts: charts.into_iter().flatten().collect(),
        points: points.iter().rev().map(row).collect(),
    }))
}

fn pools_of(point: &Point) -> String {
    let used = point.pools.iter().filter_map(|pool| {
        let percent = super::words::percent(pool.data_percent?);
        Some(format!("{} {percent}", pool.name))
    });
    used.collect::<Vec<_>>().join(", ")
}

/// A chart of a value where it is known at two times or more.
fn chart(
    label: &str,
    points: &[Point],
    most: Option<f64>,
    ink: Ink,
    value: impl Fn(&Point) -> Option<f64>,
) -> Result<Option<Chart>, String> {
    let known: Vec<(f64, f64)> = points
        .iter()
        .filter_map(|point| {
            let time = DateTime::parse_from_rfc3339(&point.collected_at).ok()?;
            Some((time.timestamp() as f64, value(point)?))
        })
        .collect();
    let (Some((start, first)), Some((end, last))) = (known.first(), known.last()) else {
        return Ok(None);
    };
    if known.len() < 2 {
        return Ok(None);
    }
    let highest = known.iter().map(|(_, value)| *value).fold(1.0, f64::max);
    let most = most.unwrap_or(highest);
    let span = (end - start).max(1.0);
    let shares: Vec<(f64, f64)> = known
        .iter()
        .map(|(time, value)| ((time - start) / span, value / most))
        .collect();
    let number = |value: f64| format!("{}", (value * 10.0).round() / 10.0);
    let (first, last) = (number(*first), number(*last));
    let title = format!("{label}: from {first} to {last}");
    Ok(Some(Chart {
        label: label.to_owned(),
        svg: safe(steps(&title, &shares, ink)?),
        first,
        last,
    }))
}

/// What the overview shows of the nodes' history.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Trend {
    svg: Value,
    days: Vec<TrendDay>,
    /// How many nodes it is about.
    nodes: usize,
}

#[derive(Debug, Clone, Serialize)]
struct TrendDay {
    day: String,
    orphans: usize,
    nodes: usize,
}

/// The trend of all nodes that have a history; nothing if none has two days.
pub(super) fn of_fleet(days: &[history::Day], nodes: usize) -> Result<Option<Trend>, String> {
    if days.len() < 2 {
        return Ok(None);
    }
    let days = days.get(days.len().saturating_sub(DAYS)..).unwrap_or(days);
    let label = |day: &str| day.get(5..).unwrap_or(day).to_owned();
    let bars: Vec<(String, usize, Ink)> = days
        .iter()
        .map(|day| (label(&day.day), day.orphans, Ink::Warning))
        .collect();
    let svg = safe(columns("Orphans by day", &bars)?);
    let days = days.iter().map(|day| TrendDay {
        day: day.day.clone(),
        orphans: day.orphans,
        nodes: day.nodes,
    });
    Ok(Some(Trend {
        svg,
        days: days.collect(),
        nodes,
    }))
}
