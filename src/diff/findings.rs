//! Findings at two times.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::side::{Finding, Found, Node};
use super::{FindingChange, Said, State, Tally};
use crate::report::words::list;

/// What a missing finding may be concluded from.
pub(super) trait Evidence {
    /// Why a finding that is gone may still be there; nothing if it is
    /// resolved.
    fn doubt(&self, finding: &Finding) -> Option<Arc<str>>;

    /// Why a finding that is new may have been there before.
    fn earlier(&self, finding: &Finding) -> Option<Arc<str>>;
}

/// Compares the findings of two times, and says how many were left out: what is
/// ignored at one of them is neither resolved nor new at the other.
pub(super) fn compare(
    before: Found<'_>,
    after: Found<'_>,
    evidence: &impl Evidence,
) -> (Vec<FindingChange>, Tally, usize) {
    let ignored = before.ignored.iter().chain(after.ignored);
    let ignored: BTreeSet<_> = ignored.map(identity).collect();
    let counts = |finding: &&Finding| !ignored.contains(&identity(finding));
    let mut then: BTreeMap<_, VecDeque<&Finding>> = BTreeMap::new();
    for finding in before.counting.iter().filter(counts) {
        then.entry(identity(finding))
            .or_default()
            .push_back(finding);
    }
    let count_before = then.values().map(VecDeque::len).sum();
    let mut changes = Vec::new();
    for now in after.counting.iter().filter(counts) {
        let was = then.get_mut(&identity(now)).and_then(VecDeque::pop_front);
        let state = match was {
            None => State::New,
            Some(was) if said(was) == said(now) => State::Remaining,
            Some(_) => State::Changed,
        };
        let why = match was {
            None => evidence.earlier(now),
            Some(_) => None,
        };
        changes.push(change(state, was, Some(now), why));
    }
    for gone in then.into_values().flatten() {
        let why = evidence.doubt(gone);
        let state = match why {
            Some(_) => State::Unknown,
            None => State::Resolved,
        };
        changes.push(change(state, Some(gone), None, why));
    }
    changes.sort_by(|a, b| key(a).cmp(&key(b)));
    let tally = tally(count_before, &changes);
    (changes, tally, ignored.len())
}

fn identity(finding: &Finding) -> (&str, &str, Option<u64>) {
    (&finding.check, &finding.subject, finding.vmid)
}

fn key(change: &FindingChange) -> (State, u8, &str, &str, Option<u64>) {
    (
        change.state,
        change.said().map_or(3, |said| rank(&said.severity)),
        &change.check,
        &change.subject,
        change.vmid,
    )
}

/// 0 is worst.
fn rank(severity: &str) -> u8 {
    match severity {
        "critical" => 0,
        "warning" => 1,
        _ => 2,
    }
}

fn said(finding: &Finding) -> Said {
    Said {
        severity: finding.severity.clone(),
        message: finding.message.clone(),
    }
}

fn change(
    state: State,
    before: Option<&Finding>,
    after: Option<&Finding>,
    why: Option<Arc<str>>,
) -> FindingChange {
    let either = after.or(before);
    FindingChange {
        state,
        check: either.map(|one| one.check.clone()).unwrap_or_default(),
        subject: either.map(|one| one.subject.clone()).unwrap_or_default(),
        vmid: either.and_then(|one| one.vmid),
        before: before.map(said),
        after: after.map(said),
        why,
    }
}

fn tally(before: usize, changes: &[FindingChange]) -> Tally {
    let of = |state| changes.iter().filter(|one| one.state == state).count();
    let worse = |one: &&FindingChange| match (&one.before, &one.after) {
        (Some(before), Some(after)) => rank(&after.severity) < rank(&before.severity),
        _ => false,
    };
    Tally {
        before,
        resolved: of(State::Resolved),
        remaining: of(State::Remaining),
        changed: of(State::Changed),
        worse: changes.iter().filter(worse).count(),
        unknown: of(State::Unknown),
        new: of(State::New),
    }
}

/// What can be said of one node's findings.
pub(super) struct OfNode<'a> {
    before: Option<&'a Node>,
    after: Option<&'a Node>,
    /// Evidence that only BEFORE has.
    pub(super) lost: Vec<&'a str>,
    /// What that means for a finding.
    less_now: Option<Arc<str>>,
    entries_before: BTreeSet<&'a str>,
    /// Verdicts by name.
    entries_after: BTreeMap<&'a str, &'a str>,
}

impl<'a> OfNode<'a> {
    pub(super) fn new(before: Option<&'a Node>, after: Option<&'a Node>) -> Self {
        let entries_before = before.map(|node| node.entries.iter());
        let entries_after = after.map(|node| node.entries.iter());
        let lost = match (before, after) {
            (Some(before), Some(after)) => lost(before, after),
            _ => Vec::new(),
        };
        Self {
            before,
            after,
            less_now: after.and_then(|after| less(after, &lost)).map(Arc::from),
            lost,
            entries_before: entries_before
                .into_iter()
                .flatten()
                .map(|entry| entry.name.as_str())
                .collect(),
            entries_after: entries_after
                .into_iter()
                .flatten()
                .map(|entry| (entry.name.as_str(), entry.verdict.as_str()))
                .collect(),
        }
    }
}

/// What AFTER lacks, where that leaves findings of any check in doubt. One
/// that says which checks could not run is asked for these first.
fn less(after: &Node, lost: &[&str]) -> Option<String> {
    let lacks: Vec<&str> = after.lacks().collect();
    match after.evidence.checks_not_run {
        None if !lacks.is_empty() => Some(format!("AFTER lacks {}", list(&lacks, 4))),
        _ => (!lost.is_empty()).then(|| format!("AFTER lacks {}, which BEFORE has", list(lost, 4))),
    }
}

/// Evidence that a node has before and lacks after.
pub(super) fn lost<'a>(before: &Node, after: &'a Node) -> Vec<&'a str> {
    let lacked: BTreeSet<&str> = before.lacks().collect();
    after.lacks().filter(|id| !lacked.contains(id)).collect()
}

impl Evidence for OfNode<'_> {
    fn doubt(&self, finding: &Finding) -> Option<Arc<str>> {
        let Some(after) = self.after else {
            return Some("AFTER has no bundle of this node".into());
        };
        if after.grade.is_none() {
            return Some("AFTER lacks what a grade needs".into());
        }
        if self.entries_after.is_empty() && !self.entries_before.is_empty() {
            // An empty output is more likely than a node without any entry.
            return Some("AFTER lists no entry at all".into());
        }
        let subject = finding.subject.as_str();
        match self.entries_after.get(subject) {
            // AFTER lists all entries, as it has a grade.
            None if self.entries_before.contains(subject) => return None,
            Some(&"unknown") => {
                return Some(format!("AFTER has no verdict on {subject}").into());
            }
            _ => {}
        }
        match &after.evidence.checks_not_run {
            Some(checks) if checks.contains(&finding.check) => {
                Some("the check could not run in AFTER".into())
            }
            _ => self.less_now.clone(),
        }
    }

    fn earlier(&self, finding: &Finding) -> Option<Arc<str>> {
        let Some(before) = self.before else {
            return Some("BEFORE has no bundle of this node".into());
        };
        let not_run = before.evidence.checks_not_run.as_ref();
        if before.grade.is_none() {
            return Some("BEFORE lacks what a grade needs: it may have been there already".into());
        }
        not_run
            .is_some_and(|checks| checks.contains(&finding.check))
            .then(|| "the check could not run in BEFORE: it may have been there already".into())
    }
}

/// What can be said of a cluster's findings.
pub(super) struct OfCluster {
    /// Why AFTER sees less than BEFORE, if so.
    pub(super) later: Option<Arc<str>>,
    /// Why BEFORE saw less than AFTER, if so.
    pub(super) earlier: Option<Arc<str>>,
}

impl Evidence for OfCluster {
    fn doubt(&self, _: &Finding) -> Option<Arc<str>> {
        self.later.clone()
    }

    fn earlier(&self, _: &Finding) -> Option<Arc<str>> {
        self.earlier.clone()
    }
}
