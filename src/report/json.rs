//! `report.json`, schema 1: what other programs rely on.

use serde::Serialize;

use super::json_text::Plain;
use super::view;

/// The schema's number. Fields may be added within it; none changes meaning.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    tool: Tool<'a>,
    analyzed_at: &'a str,
    nodes: Vec<Node<'a>>,
    clusters: Vec<Cluster<'a>>,
    rejected: &'a [view::Rejected],
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct Node<'a> {
    node: &'a str,
    cluster: Option<&'a str>,
    environment: &'a str,
    collected_at: Option<&'a str>,
    bundle: &'a str,
    pve_version: Option<&'a str>,
    kernel: Option<&'a str>,
    score: Option<i64>,
    grade: Option<&'a str>,
    summary: &'a view::Summary,
    entries: Vec<Entry<'a>>,
    guests: Vec<Guest<'a>>,
    findings: Vec<Finding<'a>>,
    next_vmids: &'a Option<view::NextVmids>,
    evidence: Evidence<'a>,
    notes: &'a [String],
    page: Option<&'a str>,
    script: Option<&'a str>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    uuid: Option<&'a str>,
    devno: &'a str,
    open: Option<u32>,
    holders: &'a [String],
    vg: Option<&'a str>,
    lv: Option<&'a str>,
    vmid: Option<u64>,
    guest_kind: Option<&'a str>,
    volume: Option<&'a str>,
    verdict: &'a str,
    reason: Option<&'a str>,
    lv_state: &'a str,
    action: &'a str,
    action_reason: Option<&'a str>,
}

#[derive(Serialize)]
struct Guest<'a> {
    vmid: u64,
    kind: &'a str,
    name: &'a str,
    status: &'a str,
    locked: Option<&'a str>,
    disks: usize,
    issues: usize,
}

#[derive(Serialize)]
struct Finding<'a> {
    check: &'a str,
    severity: &'a str,
    subject: &'a str,
    vmid: Option<u64>,
    message: &'a str,
    impact: &'a str,
    remedy: &'a str,
    evidence: &'a [String],
}

#[derive(Serialize)]
struct Evidence<'a> {
    missing: Vec<&'a str>,
    failed: Vec<&'a str>,
}

#[derive(Serialize)]
struct Cluster<'a> {
    cluster: &'a str,
    nodes: Vec<&'a str>,
    grade: Option<&'a str>,
    findings: Vec<Finding<'a>>,
    notes: &'a [String],
    page: Option<&'a str>,
}

/// Writes a report as JSON, with a line end.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(report: &view::Report, mut out: impl std::io::Write) -> std::io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        tool: Tool {
            name: "dmaudit",
            version: &report.version,
        },
        analyzed_at: &report.analyzed_at,
        nodes: report.nodes.iter().map(node).collect(),
        clusters: report.clusters.iter().map(cluster).collect(),
        rejected: &report.rejected,
    };
    let mut json = serde_json::Serializer::with_formatter(&mut out, Plain::default());
    document.serialize(&mut json)?;
    out.write_all(b"\n")
}

fn node(node: &view::Node) -> Node<'_> {
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
        next_vmids: &node.next_vmids,
        evidence: Evidence {
            missing: evidence(false),
            failed: evidence(true),
        },
        notes: &node.notes,
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

fn cluster(cluster: &view::Cluster) -> Cluster<'_> {
    Cluster {
        cluster: &cluster.cluster,
        nodes: cluster
            .nodes
            .iter()
            .map(|node| node.node.as_str())
            .collect(),
        grade: cluster.grade.as_deref(),
        findings: cluster.findings.iter().map(finding).collect(),
        notes: &cluster.notes,
        page: cluster.page.as_deref(),
    }
}
