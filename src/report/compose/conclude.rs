//! What a node's findings come to: grade, headline and next steps. Drawn from
//! its view alone, so that it can be drawn again when a finding is set aside.

use crate::report::score::Faults;
use crate::report::view;
use crate::report::words::{count, list};

const COLLECT: &str = "sh dmaudit-collect.sh";

/// Draws a node's conclusions from its findings, entries and plan.
pub fn conclude(node: &mut view::Node) {
    super::tally::tally(node);
    super::prevention::keep_needed(node);
    let faults = Faults::of(node);
    let usable = node.ungraded.is_none();
    node.score = usable.then(|| faults.score());
    node.grade = usable.then(|| faults.grade().to_owned());
    node.grade_reason = match &node.ungraded {
        None => faults.reason(),
        Some(why) => format!("No grade: {why}."),
    };
    node.score_steps = if usable { faults.steps() } else { Vec::new() };
    node.headline = headline(node, faults);
    node.steps = steps(node);
}

/// What is wrong and what to do first, in two sentences.
fn headline(node: &view::Node, faults: Faults) -> String {
    if let Some(why) = &node.unjudged {
        return format!(
            "No entry of a guest can be judged: {why}. Collect again while `pvecm status` and `ls /etc/pve/nodes` answer; until then remove nothing."
        );
    }
    if node.entries.is_empty() {
        return "The bundle lists no device-mapper entry. If the node has guests on LVM, collect again as root.".to_owned();
    }
    let found = found(node, faults);
    match &node.ungraded {
        None => found,
        Some(why) => format!("Collect again, for what follows is not all: {why}. {found}"),
    }
}

/// What is wrong among the entries that are listed.
fn found(node: &view::Node, faults: Faults) -> String {
    let critical: Vec<_> = view::of_severity(&node.findings, "critical").collect();
    if let Some(first) = critical.first() {
        let issues = count(critical.len(), "critical issue", "critical issues");
        let rest = match faults.orphans {
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
    if faults.orphans > 0 {
        let can = match node.planned.len() {
            0 => "The cleanup script can take down none of them as things stand: see why below."
                .to_owned(),
            some => format!(
                "Review the cleanup script, which covers {}, and start with its dry run.",
                count(some, "entry", "entries")
            ),
        };
        return format!(
            "{} not used by any guest of this node; nothing critical. {can}",
            match faults.orphans {
                1 => "1 entry is".to_owned(),
                orphans => format!("{orphans} entries are"),
            }
        );
    }
    let warnings: Vec<_> = view::of_severity(&node.findings, "warning").collect();
    if let Some(first) = warnings.first() {
        return format!(
            "Every {}entry has its guest, but there {}: {} First: {}",
            if node.ungraded.is_some() {
                "listed "
            } else {
                ""
            },
            match warnings.len() {
                1 => "is 1 warning".to_owned(),
                many => format!("are {many} warnings"),
            },
            first_sentence(&first.message),
            first_sentence(&first.remedy)
        );
    }
    let entries = match node.summary.entries {
        0 => "No guest has an entry; everything else is".to_owned(),
        1 => "The one entry of a guest is".to_owned(),
        many => format!("All {many} entries of guests are"),
    };
    match node.ignored.len() {
        _ if node.ungraded.is_some() => "Nothing wrong is seen among those.".to_owned(),
        0 => format!("{entries} valid and nothing is left over. Nothing needs to be done."),
        ignored => format!(
            "Nothing needs to be done, but for what the configuration ignores: {}.",
            count(ignored, "finding", "findings")
        ),
    }
}

/// The first sentence of a text: up to a full stop before a blank.
fn first_sentence(text: &str) -> &str {
    text.find(". ")
        .and_then(|end| text.get(..=end))
        .unwrap_or(text)
}

/// What to do, in order.
fn steps(node: &view::Node) -> Vec<view::Step> {
    let mut steps = Vec::new();
    let step = |text: String, commands: Vec<String>| view::Step {
        text,
        commands,
        runs_script: false,
    };
    if let Some(why) = &node.unjudged {
        steps.push(step(
            format!("Nothing may be removed on this evidence: {why}. Check the cluster file system, then collect again."),
            ["systemctl status pve-cluster", "ls /etc/pve/nodes", COLLECT].map(str::to_owned).to_vec(),
        ));
        return steps;
    }
    if let Some(why) = &node.ungraded {
        steps.push(step(
            format!("Collect again: {why}."),
            vec![COLLECT.to_owned()],
        ));
    }
    for finding in view::of_severity(&node.findings, "critical") {
        if finding.check != "duplicate-entry" {
            steps.push(step(
                format!("{}: {}", finding.subject, finding.remedy),
                Vec::new(),
            ));
        }
    }
    if !node.planned.is_empty() {
        let script = node.script.as_deref();
        steps.push(script_step(&node.node, script, node.planned.len()));
    }
    let left = node.left_alone.iter();
    let left: Vec<String> = left
        .map(|one| format!("{} ({})", one.name, one.why))
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
    let warnings = view::of_severity(&node.findings, "warning")
        .filter(|finding| !finding.check.starts_with("orphan-"));
    for finding in warnings.take(12) {
        steps.push(step(
            format!("{}: {}", finding.subject, finding.remedy),
            Vec::new(),
        ));
    }
    if !steps.is_empty() && node.ungraded.is_none() {
        steps.push(step(
            "Collect and analyze again: what was taken down must be gone, and nothing new may have come.".to_owned(),
            vec![COLLECT.to_owned()],
        ));
    }
    steps
}

/// To read and run the script that lies at `script`, if it is written.
fn script_step(node: &str, script: Option<&str>, planned: usize) -> view::Step {
    let name = script
        .and_then(|path| path.rsplit('/').next())
        .unwrap_or("the cleanup script (written with `-o DIR`)");
    view::Step {
        text: format!(
            "Read {name}, copy it to {node} and start it: without options it changes nothing and says what it would do about {}. Every guard is evaluated again on the node.",
            count(planned, "entry", "entries")
        ),
        commands: script
            .map(|_| vec![format!("sh {name}"), format!("sh {name} --execute")])
            .unwrap_or_default(),
        runs_script: true,
    }
}
