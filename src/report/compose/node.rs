//! A node's page.

use crate::audit::Audit;
use crate::checks;
use crate::cleanup::plan::Plan;
use crate::model::finding::{Finding, Severity};
use crate::model::verdict::{Action, Verdict};
use crate::report::compose::node_parts as parts;
use crate::report::compose::node_storage as storage;
use crate::report::score::Faults;
use crate::report::view;
use crate::report::words::{count, list};

/// Builds a node's view, as if no files were written: see
/// [`super::place`].
pub fn node(audit: &Audit) -> view::Node {
    let node = &audit.node;
    let summary = parts::summary(audit);
    let usable = node.ungraded().is_none();
    let faults = Faults::count(summary.duplicates, summary.orphans, &audit.findings);
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
        score: usable.then(|| faults.score()),
        grade: usable.then(|| faults.grade().to_owned()),
        grade_reason: match node.ungraded() {
            None => faults.reason(),
            Some(why) => format!("No grade: {why}."),
        },
        score_steps: if usable { faults.steps() } else { Vec::new() },
        headline: headline(audit, &summary, planned.len()),
        findings: audit.findings.iter().map(finding).collect(),
        entries: parts::entries(audit),
        guests: parts::guests(audit),
        next_vmids: parts::next_vmids(audit),
        open_devices: parts::open_devices(audit),
        storages: storage::storages(node),
        pools: storage::pools(node),
        physical: storage::physical(node),
        system: storage::system(node),
        steps: steps(audit, planned.len()),
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
        issues_by_vg: parts::issues_by_vg(audit),
        history: Vec::new(),
        page: None,
        script: None,
        planned,
        summary,
    }
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

/// Every command that a step may hold, but for those of the script's step,
/// which [`super::place`] writes.
pub const STEP_COMMANDS: [&str; 3] = [CHECK_CLUSTER[0], CHECK_CLUSTER[1], COLLECT];

const CHECK_CLUSTER: [&str; 2] = ["systemctl status pve-cluster", "ls /etc/pve/nodes"];
const COLLECT: &str = "sh dmaudit-collect.sh";

/// A finding, with its check's title.
pub(super) fn finding(finding: &Finding) -> view::Finding {
    view::Finding {
        check: finding.check.to_owned(),
        title: checks::by_name(finding.check)
            .map_or(finding.check, |check| check.title)
            .to_owned(),
        severity: finding.severity.as_str().to_owned(),
        subject: finding.subject.clone(),
        vmid: finding.vmid,
        message: finding.message.clone(),
        impact: finding.impact.clone(),
        remedy: finding.remedy.clone(),
        evidence: finding.evidence.clone(),
    }
}

/// What is wrong and what to do first, in two sentences.
fn headline(audit: &Audit, summary: &view::Summary, planned: usize) -> String {
    if let Some(why) = &audit.node.guests.unusable {
        return format!(
            "No entry of a guest can be judged: {why}. Collect again while `pvecm status` and `ls /etc/pve/nodes` answer; until then remove nothing."
        );
    }
    if audit.node.devices.is_empty() {
        return "The bundle lists no device-mapper entry. If the node has guests on LVM, collect again as root.".to_owned();
    }
    let of = |severity: Severity| -> Vec<&Finding> {
        audit
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .collect()
    };
    let critical = of(Severity::Critical);
    if let Some(first) = critical.first() {
        let issues = count(critical.len(), "critical issue", "critical issues");
        let rest = match summary.orphans {
            0 => String::new(),
            orphans => format!(
                " and {}",
                count(orphans, "orphaned entry", "orphaned entries")
            ),
        };
        let first_step = first_sentence(&first.remedy);
        return format!(
            "{issues}{rest}, the worst: {} First: {first_step}",
            first_sentence(&first.message)
        );
    }
    if summary.orphans > 0 {
        let can = match planned {
            0 => "The cleanup script can take down none of them as things stand: see why below."
                .to_owned(),
            some => format!(
                "Review the cleanup script, which covers {}, and start with its dry run.",
                count(some, "entry", "entries")
            ),
        };
        return format!(
            "{} not used by any guest of this node; nothing critical. {can}",
            match summary.orphans {
                1 => "1 entry is".to_owned(),
                orphans => format!("{orphans} entries are"),
            }
        );
    }
    let warnings = of(Severity::Warning);
    if let Some(first) = warnings.first() {
        return format!(
            "Every entry has its guest, but there {}: {} First: {}",
            match warnings.len() {
                1 => "is 1 warning".to_owned(),
                many => format!("are {many} warnings"),
            },
            first_sentence(&first.message),
            first_sentence(&first.remedy)
        );
    }
    format!(
        "{} valid and nothing is left over. Nothing needs to be done.",
        match summary.entries {
            0 => "No guest has an entry; everything else is".to_owned(),
            1 => "The one entry of a guest is".to_owned(),
            many => format!("All {many} entries of guests are"),
        }
    )
}

/// The first sentence of a text: up to a full stop before a blank.
fn first_sentence(text: &str) -> &str {
    text.find(". ")
        .and_then(|end| text.get(..=end))
        .unwrap_or(text)
}

/// What to do, in order.
fn steps(audit: &Audit, planned: usize) -> Vec<view::Step> {
    let mut steps = Vec::new();
    let step = |text: String, commands: Vec<String>| view::Step {
        text,
        commands,
        runs_script: false,
    };
    if let Some(why) = &audit.node.guests.unusable {
        steps.push(step(
            format!("Nothing may be removed on this evidence: {why}. Check the cluster file system, then collect again."),
            STEP_COMMANDS.map(str::to_owned).to_vec(),
        ));
        return steps;
    }
    for finding in &audit.findings {
        if finding.severity == Severity::Critical && finding.check != "duplicate-entry" {
            steps.push(step(
                format!("{}: {}", finding.subject, finding.remedy),
                Vec::new(),
            ));
        }
    }
    if planned > 0 {
        steps.push(super::place::script_step(&audit.node.name, None, planned));
    }
    let left: Vec<String> = audit
        .verdicts
        .of(&audit.node)
        .filter(|(index, _, judgement)| {
            matches!(judgement.verdict, Verdict::Orphan | Verdict::Duplicate)
                && audit
                    .planning
                    .decisions
                    .get(*index)
                    .is_some_and(|decision| decision.action == Action::None)
        })
        .map(|(index, device, _)| {
            let why = audit
                .planning
                .decisions
                .get(index)
                .map_or("", |decision| &decision.why);
            format!("{} ({why})", device.name)
        })
        .collect();
    if !left.is_empty() {
        steps.push(step(
            format!(
                "The script leaves these alone until a person has cleared the reason: {}.",
                list(&left, 8)
            ),
            Vec::new(),
        ));
    }
    let warnings = audit.findings.iter().filter(|finding| {
        finding.severity == Severity::Warning && !finding.check.starts_with("orphan-")
    });
    for finding in warnings.take(12) {
        steps.push(step(
            format!("{}: {}", finding.subject, finding.remedy),
            Vec::new(),
        ));
    }
    if !steps.is_empty() {
        steps.push(step(
            "Collect and analyze again: what was taken down must be gone, and nothing new may have come.".to_owned(),
            vec![COLLECT.to_owned()],
        ));
    }
    steps
}
