//! A node's findings, counted by what they are about.

use std::collections::{BTreeMap, HashMap};

use crate::model::finding::Severity;
use crate::report::view;

/// Counts a node's findings by entry, guest and volume group.
pub(super) fn tally(node: &mut view::Node) {
    let mut by_subject: HashMap<&str, Severity> = HashMap::new();
    let mut by_guest: HashMap<u64, (usize, Severity)> = HashMap::new();
    for finding in &node.findings {
        let severity = severity(finding);
        let worst = by_subject.entry(&finding.subject).or_insert(severity);
        *worst = severity.min(*worst);
        if let Some(vmid) = finding.vmid.filter(|_| severity != Severity::Info) {
            let (issues, worst) = by_guest.entry(vmid).or_insert((0, severity));
            *issues += 1;
            *worst = severity.min(*worst);
        }
    }
    for entry in &mut node.entries {
        let worst = by_subject.get(entry.name.as_str());
        entry.severity = worst.map(|severity| severity.as_str().into());
    }
    for guest in &mut node.guests {
        let found = by_guest.get(&guest.vmid);
        guest.issues = found.map_or(0, |(issues, _)| *issues);
        if guest.health != "unknown" {
            guest.health = match found {
                Some((_, Severity::Critical)) => "critical",
                Some(_) => "warning",
                None => "healthy",
            }
            .to_owned();
        }
    }
    node.issues_by_vg = by_vg(node);
}

fn severity(finding: &view::Finding) -> Severity {
    let known = Severity::ALL.into_iter();
    let mut known = known.filter(|severity| severity.as_str() == finding.severity);
    known.next().unwrap_or(Severity::Info)
}

/// Critical findings and warnings by the volume group of their subject.
fn by_vg(node: &view::Node) -> Vec<view::Count> {
    let vgs: HashMap<&str, &str> = node
        .entries
        .iter()
        .filter_map(|entry| Some((entry.name.as_str(), entry.vg.as_deref()?)))
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &node.findings {
        if severity(finding) != Severity::Info
            && let Some(vg) = vgs.get(finding.subject.as_str())
        {
            *counts.entry(vg).or_default() += 1;
        }
    }
    let mut counts: Vec<view::Count> = counts
        .into_iter()
        .map(|(vg, count)| view::Count {
            label: vg.to_owned(),
            count,
        })
        .collect();
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
    counts
}
