//! `report.json`, schema 1: what other programs rely on.

#[cfg(feature = "schema")]
pub mod schema;
mod types;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::json_text::Plain;
use super::view;
use types::{Cluster, Entry, Evidence, Finding, Guest, Ignored, Node, Tool};

/// The schema's number. Fields may be added within it; none changes meaning.
pub const SCHEMA: u32 = 1;

/// Writes a report as JSON, with a line end.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(report: &view::Report, out: impl Write) -> io::Result<()> {
    let mut document = Document::begin(out, &report.version, &report.analyzed_at)?;
    let mut nodes: Vec<_> = report.run_order.iter().zip(&report.nodes).collect();
    nodes.sort_by_key(|(place, _)| **place);
    for (_, node) in nodes {
        match is_large(node) {
            true => document.large_node(node)?,
            false => document.node(&node_text(node)?)?,
        }
    }
    for cluster in &report.clusters {
        document.cluster(cluster)?;
    }
    document.end(&report.rejected).map(drop)
}

/// A document that is written node by node: only the clusters wait for the
/// last node, as text.
pub struct Document<W> {
    out: W,
    nodes: usize,
    /// By unique name.
    clusters: BTreeMap<String, Vec<u8>>,
}

impl<W: Write> Document<W> {
    /// Writes what stands before the nodes.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn begin(mut out: W, version: &str, analyzed_at: &str) -> io::Result<Self> {
        let tool = Tool {
            name: "dmaudit",
            version,
        };
        write!(out, "{{\n  \"schema\": {SCHEMA},\n  \"tool\": ")?;
        out.write_all(&text(&tool, 1)?)?;
        out.write_all(b",\n  \"analyzed_at\": ")?;
        out.write_all(&text(&analyzed_at, 1)?)?;
        out.write_all(b",\n  \"nodes\": [")?;
        Ok(Self {
            out,
            nodes: 0,
            clusters: BTreeMap::new(),
        })
    }

    /// What is written to.
    pub fn out(&self) -> &W {
        &self.out
    }

    /// Writes a node, as [`node_text`] gives it.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn node(&mut self, text: &[u8]) -> io::Result<()> {
        self.before_node()?;
        self.out.write_all(text)
    }

    /// Writes a node that [`is_large`]: its text is never held as a whole.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn large_node(&mut self, node: &view::Node) -> io::Result<()> {
        self.before_node()?;
        let mut out = BufWriter::with_capacity(BUFFER, &mut self.out);
        write_at(&node_of(node), 2, &mut out)?;
        out.flush()
    }

    fn before_node(&mut self) -> io::Result<()> {
        let before: &[u8] = if self.nodes > 0 {
            b",\n    "
        } else {
            b"\n    "
        };
        self.nodes += 1;
        self.out.write_all(before)
    }

    /// Keeps a cluster.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn cluster(&mut self, cluster: &view::Cluster) -> io::Result<()> {
        let text = text(&cluster_of(cluster), 2)?;
        self.clusters.insert(cluster.slug.clone(), text);
        Ok(())
    }

    /// Writes the rest, with a line end.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn end(mut self, rejected: &[view::Rejected]) -> io::Result<W> {
        let close: &[u8] = if self.nodes > 0 { b"\n  ]" } else { b"]" };
        self.out.write_all(close)?;
        self.out.write_all(b",\n  \"clusters\": [")?;
        for (index, cluster) in self.clusters.values().enumerate() {
            let before: &[u8] = if index > 0 { b",\n    " } else { b"\n    " };
            self.out.write_all(before)?;
            self.out.write_all(cluster)?;
        }
        let close: &[u8] = match self.clusters.len() {
            0 => b"]",
            _ => b"\n  ]",
        };
        self.out.write_all(close)?;
        self.out.write_all(b",\n  \"rejected\": ")?;
        self.out.write_all(&text(&rejected, 1)?)?;
        self.out.write_all(b"\n}\n")?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// A node as it stands in a document.
///
/// # Errors
///
/// None in practice.
pub fn node_text(node: &view::Node) -> io::Result<Vec<u8>> {
    text(&node_of(node), 2)
}

/// A node as one line of JSON without indentation, with a line end.
///
/// # Errors
///
/// None in practice.
pub fn node_line(node: &view::Node) -> io::Result<Vec<u8>> {
    line("node", &node_of(node))
}

/// Writes what [`node_line`] gives, of a node that [`is_large`].
///
/// # Errors
///
/// Only those of `out`.
pub fn write_node_line(node: &view::Node, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, out);
    write_line("node", &node_of(node), &mut out)?;
    out.flush()
}

/// Whether a node's text would take about as much memory as the node: it is
/// written at its turn, and not made before.
pub fn is_large(node: &view::Node) -> bool {
    let pools = node.history.iter().map(|point| point.pools.len());
    node.entries.len() + 2 * node.findings.len() + pools.sum::<usize>() > LARGE
}

/// Entries of a large node, and pools in its history; a finding counts as two. Its text has some 4 MiB.
const LARGE: usize = 4096;

/// Bytes that are written at once.
const BUFFER: usize = 1 << 16;

/// A cluster as one line of JSON, as [`node_line`].
///
/// # Errors
///
/// None in practice.
pub fn cluster_line(cluster: &view::Cluster) -> io::Result<Vec<u8>> {
    line("cluster", &cluster_of(cluster))
}

/// An input that was not read as one line of JSON, as [`node_line`].
///
/// # Errors
///
/// None in practice.
pub fn rejected_line(rejected: &view::Rejected) -> io::Result<Vec<u8>> {
    line("rejected", rejected)
}

/// `{"type": KIND, …}`.
#[derive(Serialize)]
struct Line<'a, T> {
    schema: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    value: &'a T,
}

fn line(kind: &'static str, value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    write_line(kind, value, &mut out)?;
    Ok(out)
}

fn write_line(kind: &'static str, value: &impl Serialize, mut out: impl Write) -> io::Result<()> {
    let line = Line {
        schema: SCHEMA,
        kind,
        value,
    };
    write_one_line(&line, &mut out)
}

/// A document of its own on one line, with its end.
///
/// # Errors
///
/// Only those of `out`.
pub fn write_one_line(value: &impl Serialize, mut out: impl Write) -> io::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(
        &mut out,
        Plain::compact(),
    ))?;
    out.write_all(b"\n")
}

/// A document of its own, with a line end.
///
/// # Errors
///
/// Only those of `out`.
pub fn write_value(value: &impl Serialize, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(BUFFER, out);
    write_at(value, 0, &mut out)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// A value as it stands at this depth of a document.
fn text(value: &impl Serialize, depth: usize) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    write_at(value, depth, &mut out)?;
    Ok(out)
}

fn write_at(value: &impl Serialize, depth: usize, out: impl Write) -> io::Result<()> {
    let mut json = serde_json::Serializer::with_formatter(out, Plain::at(depth));
    Ok(value.serialize(&mut json)?)
}

fn node_of(node: &view::Node) -> Node<'_> {
    let evidence = |failed: bool| {
        node.missing
            .iter()
            .filter(|missing| (missing.state == "missing") != failed)
            .map(|missing| missing.id.as_str())
            .collect()
    };
    Node {
        node: &node.node,
        cluster: node.cluster.as_deref(),
        environment: &node.environment,
        labels: &node.labels,
        collected_at: Some(node.collected_at.as_str()).filter(|time| *time != "unknown"),
        bundle: &node.bundle,
        pve_version: node.pve_version.as_deref(),
        kernel: node.kernel.as_deref(),
        score: node.score,
        grade: node.grade.as_deref(),
        summary: &node.summary,
        entries: node.entries.iter().map(entry).collect(),
        guests: node.guests.iter().map(guest).collect(),
        findings: node.findings.iter().map(finding).collect(),
        ignored: node.ignored.iter().map(ignored).collect(),
        next_vmids: &node.next_vmids,
        prevention: &node.prevention,
        evidence: Evidence {
            missing: evidence(false),
            failed: evidence(true),
            checks_not_run: node
                .checks_not_run
                .iter()
                .map(|one| one.check.as_str())
                .collect(),
        },
        notes: &node.notes,
        history: &node.history,
        page: node.page.as_deref(),
        script: node.script.as_deref(),
    }
}

fn entry(entry: &view::Entry) -> Entry<'_> {
    Entry {
        name: &entry.name,
        uuid: entry.uuid.as_deref(),
        devno: &entry.devno,
        open: entry.open,
        holders: &entry.holders,
        vg: entry.vg.as_deref(),
        lv: entry.lv.as_deref(),
        vmid: entry.vmid,
        guest_kind: entry.guest_kind.as_deref(),
        volume: entry.volume.as_deref(),
        verdict: &entry.verdict,
        reason: entry.reason.as_deref(),
        lv_state: &entry.lv_state,
        action: &entry.action,
        action_reason: entry.action_reason.as_deref(),
    }
}

fn guest(guest: &view::Guest) -> Guest<'_> {
    Guest {
        vmid: guest.vmid,
        kind: &guest.kind,
        name: &guest.name,
        status: &guest.status,
        locked: guest.locked.as_deref(),
        disks: guest.disks,
        issues: guest.issues,
    }
}

fn finding(finding: &view::Finding) -> Finding<'_> {
    Finding {
        check: &finding.check,
        severity: &finding.severity,
        subject: &finding.subject,
        vmid: finding.vmid,
        message: &finding.message,
        impact: &finding.impact,
        remedy: &finding.remedy,
        evidence: &finding.evidence,
    }
}

fn ignored(one: &view::Ignored) -> Ignored<'_> {
    Ignored {
        finding: finding(&one.finding),
        reason: &one.reason,
        until: &one.until,
    }
}

fn cluster_of(cluster: &view::Cluster) -> Cluster<'_> {
    Cluster {
        cluster: &cluster.cluster,
        nodes: cluster
            .nodes
            .iter()
            .map(|node| node.node.as_str())
            .collect(),
        grade: cluster.grade.as_deref(),
        findings: cluster.findings.iter().map(finding).collect(),
        ignored: cluster.ignored.iter().map(ignored).collect(),
        notes: &cluster.notes,
        page: cluster.page.as_deref(),
    }
}
