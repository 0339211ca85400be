//! A node's page.

use crate::audit::Audit;
use crate::checks;
use crate::cleanup::plan::Plan;
use crate::config::Labels;
use crate::model::finding::Finding;
use crate::model::verdict::{Action, Verdict};
use crate::report::compose::node_parts as parts;
use crate::report::compose::node_storage as storage;
use crate::report::view;

/// Builds a node's view, but for its place and its conclusions: see
/// [`super::place`]. Its findings are taken from the audit: a large node's
/// are not held twice.
pub fn node(audit: &mut Audit) -> view::Node {
    let entries = parts::entries(audit);
    let prevention = super::prevention::of(audit);
    let findings = std::mem::take(&mut audit.findings);
    let audit = &*audit;
    let node = &audit.node;
    let summary = parts::summary(audit);
    let planned = planned(&audit.planning.plan);
    view::Node {
        node: node.name.clone(),
        slug: node.name.clone(),
        cluster: node.membership.cluster.clone(),
        machine_id_sha256: node.machine_id_sha256.clone(),
        environment: node.membership.environment.as_str().to_owned(),
        collected_at: super::run::time_or_unknown(node.collected_at),
        bundle: node.bundle.clone(),
        manifest: match &node.collector {
            Some(collector) => format!("collector {collector}"),
            None => "no manifest: what was collected, and when, is taken from the files themselves"
                .to_owned(),
        },
        pve_version: node.pve.manager.clone(),
        kernel: node.kernel.clone(),
        ungraded: node.ungraded().map(str::to_owned),
        unjudged: node.guests.unusable.clone(),
        score: None,
        grade: None,
        grade_reason: String::new(),
        score_steps: Vec::new(),
        headline: String::new(),
        findings: findings.into_iter().map(finding).collect(),
        ignored: Vec::new(),
        labels: Labels::default(),
        thresholds: audit.thresholds,
        entries,
        guests: parts::guests(audit),
        next_vmids: parts::next_vmids(audit),
        open_devices: parts::open_devices(audit),
        storages: storage::storages(node),
        pools: storage::pools(node),
        physical: storage::physical(node),
        system: storage::system(node),
        left_alone: left_alone(audit),
        prevention,
        steps: Vec::new(),
        missing: parts::missing(node),
        checks_not_run: audit
            .not_run
            .iter()
            .map(|(check, needs)| view::CheckNotRun {
                check: check.name.to_owned(),
                needs: (*needs).to_owned(),
            })
            .collect(),
        notes: node.notes.clone(),
        issues_by_vg: Vec::new(),
        history: Vec::new(),
        page: None,
        script: None,
        planned,
        summary,
    }
}

/// Entries that should go, but that the script leaves alone, and why.
fn left_alone(audit: &Audit) -> Vec<view::LeftAlone> {
    let wrong = |verdict| matches!(verdict, Verdict::Orphan | Verdict::Duplicate);
    audit
        .verdicts
        .of(&audit.node)
        .filter(|(_, _, judgement)| wrong(judgement.verdict))
        .filter_map(|(index, device, _)| {
            let decision = audit.planning.decisions.get(index)?;
            (decision.action == Action::None).then(|| view::LeftAlone {
                name: device.name.clone(),
                why: decision.why.clone(),
            })
        })
        .collect()
}

/// What a plan's script would do, an item an entry.
pub fn planned(plan: &Plan) -> Vec<view::Planned> {
    let items = plan.items.iter();
    items
        .map(|item| view::Planned {
            name: item.name.clone(),
            action: item.action.as_str().to_owned(),
            why: item.why.clone(),
        })
        .collect()
}

/// A finding, with its check's title.
pub(super) fn finding(finding: Finding) -> view::Finding {
    view::Finding {
        check: finding.check.into(),
        title: checks::by_name(finding.check)
            .map_or(finding.check, |check| check.title)
            .into(),
        severity: finding.severity.as_str().into(),
        subject: finding.subject,
        vmid: finding.vmid,
        message: finding.message,
        impact: finding.impact,
        remedy: finding.remedy,
        evidence: finding.evidence,
    }
}
