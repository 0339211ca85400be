//! A node's page: what its template needs besides the view model.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::Value;
use serde::Serialize;

use super::history::{History, of_node};
use super::markup::href;
use super::parts::{
    Bar, Group, VerdictChart, anchor, count_bars, groups, one_by_one, verdict_chart,
};
use super::picture::{Vg, picture};
use super::rows::{Table, VERDICTS, needs_attention};
use super::{Run, depth, safe, words};
use crate::config::Labels;
use crate::report::charts::{Ink, bar, gauge};
use crate::report::view::{
    CheckNotRun, Entry, Fact, Guest, Ignored, Missing, NextVmids, Node, Physical, Pool, Prevention,
    Step, Storage, Summary,
};

/// The template's input.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    run: Run<'a>,
    node: Head<'a>,
    index_href: String,
    cluster_href: Option<String>,
    script_href: Option<String>,
    script_name: Option<&'a str>,
    age: Option<String>,
    gauge: Value,
    running_note: String,
    environment_sentence: String,
    system: Vec<Fact>,
    verdicts: VerdictChart,
    vg_bars: Vec<Bar>,
    use_bars: Vec<Bar>,
    use_note: String,
    groups: Vec<Group>,
    history: Option<History<'a>>,
    picture: Vec<Vg<'a>>,
    issue_count: usize,
    guest_count: usize,
    guests_attention: Vec<GuestRow<'a>>,
    guests_rest: Vec<GuestRow<'a>>,
    entry_count: usize,
    verdict_names: Vec<&'a str>,
    entries_attention: Value,
    entries_rest: Value,
    rest_count: usize,
    open_count: usize,
    open_rows: Value,
}

/// The view model's node without its long lists, which are sorted into rows.
#[derive(Serialize)]
struct Head<'a> {
    node: &'a str,
    cluster: Option<&'a str>,
    environment: &'a str,
    collected_at: &'a str,
    bundle: &'a str,
    manifest: &'a str,
    pve_version: Option<&'a str>,
    kernel: Option<&'a str>,
    score: Option<i64>,
    grade: Option<&'a str>,
    grade_reason: &'a str,
    score_steps: &'a [String],
    headline: &'a str,
    summary: &'a Summary,
    next_vmids: &'a Option<NextVmids>,
    storages: &'a [Storage],
    pools: &'a [Pool],
    physical: &'a [Physical],
    steps: &'a [Step],
    missing: &'a [Missing],
    checks_not_run: &'a [CheckNotRun],
    notes: &'a [String],
    planned: Value,
    ignored: &'a [Ignored],
    prevention: &'a [Prevention],
    labels: &'a Labels,
}

#[derive(Serialize)]
struct GuestRow<'a> {
    guest: &'a Guest,
    /// The anchor of the first finding about it.
    link: Option<String>,
}

/// Puts a node's page together.
pub(super) fn page<'a>(
    run: Run<'a>,
    node: &'a Arc<Node>,
    cluster_page: Option<&str>,
) -> Result<Page<'a>, String> {
    let depth = depth(node.page.as_deref());
    let grade = node.grade.as_deref();
    let mut by_vmid = BTreeMap::new();
    for (number, finding) in node.findings.iter().enumerate() {
        if let Some(vmid) = finding.vmid {
            by_vmid.entry(vmid).or_insert(number);
        }
    }
    let guest_row = |guest: &'a Guest| GuestRow {
        guest,
        link: by_vmid.get(&guest.vmid).copied().map(anchor),
    };
    let attention = node.entries.iter().filter(|entry| needs_attention(entry));
    let attention_count = attention.count();
    let rest_count = node.entries.len() - attention_count;
    let (guests_attention, guests_rest): (Vec<_>, Vec<_>) = node
        .guests
        .iter()
        .partition(|guest| guest.health != "healthy" || guest.issues > 0);
    let score = node.score.map_or("no score".to_owned(), |score| {
        format!("score {score} of 100")
    });
    let gauge = gauge(
        &format!("Grade {}, {score}", grade.unwrap_or("none")),
        node.score,
        Ink::of_grade(grade),
    )?;
    let summary = &node.summary;
    let counts = [
        summary.valid,
        summary.duplicates,
        summary.orphans,
        summary.unknown,
    ];
    Ok(Page {
        run,
        node: head(node),
        history: of_node(&node.history)?,
        index_href: href(depth, "index.html"),
        cluster_href: cluster_page.map(|page| href(depth, page)),
        script_href: node.script.as_deref().map(|script| href(depth, script)),
        script_name: node
            .script
            .as_deref()
            .map(|script| script.rsplit('/').next().unwrap_or(script)),
        age: words::age(&node.collected_at, run.analyzed_at),
        gauge: safe(gauge),
        running_note: match summary.guests {
            0 => String::new(),
            _ => format!("{} running", summary.guests_running),
        },
        environment_sentence: environment(node),
        system: system(node),
        verdicts: verdict_chart(counts, others(&node.entries))?,
        vg_bars: count_bars(
            node.issues_by_vg
                .iter()
                .map(|vg| (vg.label.as_str(), vg.count)),
        )?,
        use_bars: use_bars(node)?,
        use_note: format!(
            "The marks stand at {} % and {} %.",
            node.thresholds.thin_pool_high, node.thresholds.thin_pool_urgent
        ),
        groups: groups(node),
        picture: picture(node),
        issue_count: node.findings.len(),
        guest_count: node.guests.len(),
        guests_attention: guests_attention.into_iter().map(guest_row).collect(),
        guests_rest: guests_rest.into_iter().map(guest_row).collect(),
        entry_count: node.entries.len(),
        verdict_names: VERDICTS
            .into_iter()
            .filter(|name| node.entries.iter().any(|entry| entry.verdict == *name))
            .collect(),
        rest_count,
        open_count: node.open_devices.len(),
        open_rows: Table::Open(Arc::clone(node)).of(node.open_devices.len()),
        entries_attention: Table::Attention(Arc::clone(node)).of(attention_count),
        entries_rest: Table::Rest(Arc::clone(node)).of(rest_count),
    })
}

fn head(node: &Arc<Node>) -> Head<'_> {
    Head {
        node: &node.node,
        cluster: node.cluster.as_deref(),
        environment: &node.environment,
        collected_at: &node.collected_at,
        bundle: &node.bundle,
        manifest: &node.manifest,
        pve_version: node.pve_version.as_deref(),
        kernel: node.kernel.as_deref(),
        score: node.score,
        grade: node.grade.as_deref(),
        grade_reason: &node.grade_reason,
        score_steps: &node.score_steps,
        headline: &node.headline,
        summary: &node.summary,
        next_vmids: &node.next_vmids,
        storages: &node.storages,
        pools: &node.pools,
        physical: &node.physical,
        steps: &node.steps,
        missing: &node.missing,
        checks_not_run: &node.checks_not_run,
        notes: &node.notes,
        planned: one_by_one(node, |node| &node.planned),
        ignored: &node.ignored,
        prevention: &node.prevention,
        labels: &node.labels,
    }
}

/// The entries that the summary does not count, in a sentence.
fn others(entries: &[Entry]) -> Option<String> {
    let count = |verdict| {
        entries
            .iter()
            .filter(|entry| entry.verdict == verdict)
            .count()
    };
    let dependent = match count("dependent") {
        0 => None,
        number => Some(format!("{number} dependent on a guest's entry")),
    };
    let system = match count("system") {
        0 => None,
        number => Some(format!("{number} of the system")),
    };
    let parts: Vec<String> = dependent.into_iter().chain(system).collect();
    (!parts.is_empty()).then(|| format!("Not counted here: {}.", parts.join(", ")))
}

fn environment(node: &Node) -> String {
    match (node.environment.as_str(), &node.cluster) {
        ("clustered", Some(cluster)) => format!("Clustered: a member of the cluster {cluster}."),
        ("clustered", None) => "Clustered; the cluster's name was not collected.".to_owned(),
        ("standalone", _) => "Standalone: this node is in no cluster.".to_owned(),
        _ => "The snapshot does not say whether this node is in a cluster.".to_owned(),
    }
}

/// The system's facts, the kernel and PVE's version among them.
fn system(node: &Node) -> Vec<Fact> {
    let known = |name: &str| node.system.iter().any(|fact| fact.name == name);
    let versions = [("PVE", &node.pve_version), ("Kernel", &node.kernel)];
    let missing = versions.into_iter().filter(|(name, _)| !known(name));
    let missing = missing.filter_map(|(name, value)| {
        Some(Fact {
            name: name.to_owned(),
            value: value.clone()?,
        })
    });
    missing.chain(node.system.iter().cloned()).collect()
}

/// Bars for storages and thin pools, with what they hold.
fn use_bars(node: &Node) -> Result<Vec<Bar>, String> {
    let limits = node.thresholds;
    let marks = [limits.thin_pool_high, limits.thin_pool_urgent].map(|mark| mark.round() as i32);
    let mut bars = Vec::new();
    let mut add = |label: String, percent: f64, note: Option<String>| {
        let ink = match percent {
            percent if percent >= limits.thin_pool_urgent => Ink::Critical,
            percent if percent >= limits.thin_pool_high => Ink::Warning,
            _ => Ink::Ok,
        };
        let value = words::percent(percent);
        let title = format!("{label}: {value} used");
        let svg = safe(bar(&title, percent / 100.0, ink, &marks)?);
        bars.push(Bar {
            label,
            value,
            note,
            svg,
        });
        Ok::<(), String>(())
    };
    for storage in &node.storages {
        let (used, total) = (storage.used, storage.total);
        let share = used.zip(total.filter(|total| *total > 0));
        let percent = storage
            .percent
            .or(share.map(|(used, total)| used as f64 / total as f64 * 100.0));
        if let Some(percent) = percent {
            let note = share
                .map(|(used, total)| format!("{} of {}", words::size(used), words::size(total)));
            add(storage.id.clone(), percent, note)?;
        }
    }
    for pool in &node.pools {
        if let Some(percent) = pool.data_percent {
            let note = pool.promised.zip(pool.size).map(|(promised, size)| {
                format!("{}, {} promised", words::size(size), words::size(promised))
            });
            add(format!("{} data", pool.name), percent, note)?;
        }
        if let Some(percent) = pool.metadata_percent {
            add(format!("{} metadata", pool.name), percent, None)?;
        }
    }
    Ok(bars)
}
