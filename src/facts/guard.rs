//! What is made sure of when facts were read: a stranger may have written
//! them, and the reports rely on what their own composer never does.

use super::Facts;
use crate::checks;
use crate::model::verdict::{Action, LvState, Verdict};
use crate::report::compose;
use crate::report::score::GRADES;
use crate::report::view;

const SEVERITIES: [&str; 3] = ["critical", "warning", "info"];

const HEALTHS: [&str; 4] = ["healthy", "warning", "critical", "unknown"];

const VERDICTS: [Verdict; 6] = [
    Verdict::Valid,
    Verdict::Duplicate,
    Verdict::Orphan,
    Verdict::Dependent,
    Verdict::System,
    Verdict::Unknown,
];

/// The most that is counted of anything on a node: sums over a fleet stay
/// numbers.
const MOST: usize = u32::MAX as usize;

/// Checks facts, and replaces what is known better here.
///
/// # Errors
/// What contradicts itself or is out of bounds.
pub(super) fn check(facts: &mut Facts) -> Result<(), String> {
    one_node(facts)?;
    names(facts)?;
    words(&mut facts.node)?;
    numbers(&facts.node)?;
    // Commands that a report tells people to type are this program's own.
    for advice in &mut facts.node.prevention {
        advice
            .commands
            .retain(|command| compose::is_advice(command));
    }
    // The report lists what the script does, and nothing else.
    if let Some(cleanup) = &facts.cleanup {
        facts.node.planned = compose::planned(&cleanup.plan);
    }
    Ok(())
}

/// All parts are of one node.
fn one_node(facts: &Facts) -> Result<(), String> {
    let name = &facts.signature.node;
    let others = [Some(&facts.shared.node), Some(&facts.node.node)]
        .into_iter()
        .chain([facts.cleanup.as_ref().map(|cleanup| &cleanup.about.node)]);
    for other in others.flatten() {
        if other != name {
            return Err(format!(
                "its parts are of two nodes, {name:?} and {other:?}"
            ));
        }
    }
    let id = &facts.signature.machine_id_sha256;
    if let Some(cleanup) = &facts.cleanup
        && cleanup.about.machine_id_sha256 != *id
    {
        return Err("its parts are of two machines".to_owned());
    }
    Ok(())
}

/// What is said of many findings is short.
fn names(facts: &Facts) -> Result<(), String> {
    let (signature, node) = (&facts.signature, &facts.node);
    let clusters = [&signature.cluster, &node.cluster].into_iter().flatten();
    let mut names = clusters.chain([&signature.node]);
    names.try_for_each(|name| view::a_name(name))?;
    let missing = node.missing.iter().map(|one| &one.id);
    let mut ids = missing.chain(node.checks_not_run.iter().map(|one| &one.check));
    ids.try_for_each(|id| view::an_id(id))
}

/// Words that decide on colours, sums and exit status are known ones.
fn words(node: &mut view::Node) -> Result<(), String> {
    let known = |what: &str, word: &str, list: &[&'static str]| {
        let found = list.iter().find(|known| **known == word);
        found
            .copied()
            .ok_or_else(|| format!("no {what} is called {word:?}"))
    };
    if let Some(grade) = &node.grade {
        known("grade", grade, &GRADES)?;
    }
    for finding in &mut node.findings {
        // The words of a list take no memory of their own.
        finding.severity = known("severity", &finding.severity, &SEVERITIES)?.into();
        if let Some(check) = checks::by_name(&finding.check) {
            finding.check = check.name.into();
        }
    }
    for guest in &node.guests {
        known("health of a guest", &guest.health, &HEALTHS)?;
    }
    let verdicts = VERDICTS.map(Verdict::as_str);
    let states = [LvState::Backed, LvState::Stale, LvState::Unknown].map(LvState::as_str);
    let actions = [Action::Remove, Action::Deactivate, Action::None].map(Action::as_str);
    for entry in &node.entries {
        known("verdict", &entry.verdict, &verdicts)?;
        known("state of a volume", &entry.lv_state, &states)?;
        known("action", &entry.action, &actions)?;
        if let Some(severity) = &entry.severity {
            known("severity", severity, &SEVERITIES)?;
        }
    }
    Ok(())
}

/// Numbers are such as a node can have.
fn numbers(node: &view::Node) -> Result<(), String> {
    if node.score.is_some_and(|score| !(0..=100).contains(&score)) {
        return Err("its score is not one of 0 to 100".to_owned());
    }
    if node.score.is_some() != node.grade.is_some() {
        return Err("it has a score without a grade, or a grade without a score".to_owned());
    }
    if !node.thresholds.are_sane() {
        return Err("its thresholds are no percentages".to_owned());
    }
    let summary = &node.summary;
    let of = |verdict: Verdict| {
        let entries = node.entries.iter();
        entries
            .filter(|entry| entry.verdict == verdict.as_str())
            .count()
    };
    let sums = [
        (summary.valid, of(Verdict::Valid)),
        (summary.duplicates, of(Verdict::Duplicate)),
        (summary.orphans, of(Verdict::Orphan)),
        (summary.unknown, of(Verdict::Unknown)),
        (summary.guests, node.guests.len()),
    ];
    let judged = summary
        .valid
        .checked_add(summary.duplicates)
        .and_then(|sum| sum.checked_add(summary.orphans))
        .and_then(|sum| sum.checked_add(summary.unknown));
    if sums.iter().any(|(said, there)| said != there)
        || judged != Some(summary.entries)
        || summary.in_use > summary.entries
        || summary.guests_running > summary.guests
    {
        return Err("its sums are not those of its entries and guests".to_owned());
    }
    let counted = node.issues_by_vg.iter().map(|count| count.count);
    let guests = node.guests.iter();
    if counted
        .chain(guests.flat_map(|guest| [guest.disks, guest.entries, guest.issues]))
        .any(|count| count > MOST)
    {
        return Err("a number in it is larger than any node's".to_owned());
    }
    Ok(())
}
