//! A node's and a fleet's history: charts and their tables.

use std::collections::BTreeMap;

use chrono::DateTime;
use minijinja::value::Value;
use serde::Serialize;

use super::safe;
use crate::report::charts::{Ink, columns, steps};
use crate::report::history;
use crate::report::view::Point;

/// Days that the overview's chart has room for.
const DAYS: usize = 14;

/// Thin pools that a node's page charts and lists, the fullest.
const POOLS: usize = 128;

/// What a node's page shows of its history.
#[derive(Serialize)]
pub(super) struct History<'a> {
    sentence: String,
    charts: Vec<Chart>,
    /// Thin pools without a chart for want of room.
    more_pools: usize,
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
    let graded = |(point, _): &At, number: usize| point.grade.as_ref().map(|_| number as f64);
    let times: Vec<At> = points.iter().map(|point| (point, point.used())).collect();
    let mut charts = vec![
        chart("Score", &times, Some(100.0), Ink::Info, |(point, _)| {
            point.score.map(|score| score as f64)
        })?,
        chart(
            "Critical issues and warnings",
            &times,
            None,
            Ink::Critical,
            |at| graded(at, at.0.critical + at.0.warnings),
        )?,
        chart("Orphans and duplicates", &times, None, Ink::Warning, |at| {
            graded(at, at.0.orphans + at.0.duplicates)
        })?,
    ];
    let pools = points.last().map(|point| point.fullest(POOLS));
    let (pools, more_pools) = pools.unwrap_or_default();
    for pool in pools {
        let label = format!("{}: per cent full", pool.name);
        charts.push(chart(
            &label,
            &times,
            Some(100.0),
            Ink::Quiet,
            |(_, used)| used.get(&*pool.name).copied(),
        )?);
    }
    let row = |point| PointRow {
        point,
        pools: pools_of(point),
    };
    Ok(Some(History {
        sentence,
        charts: charts.into_iter().flatten().collect(),
        more_pools,
        points: points.iter().rev().map(row).collect(),
    }))
}

/// A snapshot, and how full its pools were.
type At<'a> = (&'a Point, BTreeMap<&'a str, f64>);

fn pools_of(point: &Point) -> String {
    let (pools, more) = point.fullest(POOLS);
    let used = pools.into_iter().filter_map(|pool| {
        let percent = super::words::percent(pool.data_percent?);
        Some(format!("{} {percent}", pool.name))
    });
    let more = (more > 0).then(|| format!("{more} more"));
    used.chain(more).collect::<Vec<_>>().join(", ")
}

/// A chart of a value where it is known at two times or more.
fn chart(
    label: &str,
    times: &[At<'_>],
    most: Option<f64>,
    ink: Ink,
    value: impl Fn(&At<'_>) -> Option<f64>,
) -> Result<Option<Chart>, String> {
    let known: Vec<(f64, f64)> = times
        .iter()
        .filter_map(|at| {
            let time = DateTime::parse_from_rfc3339(&at.0.collected_at).ok()?;
            Some((time.timestamp() as f64, value(at)?))
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
