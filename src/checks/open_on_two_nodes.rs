//! Guests' volumes on shared storage that are open on more than one node.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::vg_lv;
use super::shared::{Opened, Shared};
use super::{Check, Outcome, Run};
use crate::model::finding::{Finding, Severity};

pub(super) const CHECK: Check = Check {
    name: "open-on-two-nodes",
    title: "A shared volume is open on more than one node",
    page: include_str!("../../docs/checks/open-on-two-nodes.md"),
    run: Run::Cluster(run),
};

/// A volume that is open on a node.
type OpenOn<'a> = (&'a Shared, &'a Opened);

fn run(nodes: &[&Shared]) -> Outcome {
    let mut needs = None;
    let mut findings = Vec::new();
    for opened in opened(nodes).into_values() {
        let names: BTreeSet<&str> = opened.iter().map(|(on, _)| on.node.as_str()).collect();
        if names.len() < 2 {
            continue;
        }
        let guests = guests(&opened);
        if guests.iter().any(|vmid| migrates(nodes, *vmid)) {
            continue;
        }
        if let Some(missing) = guests.iter().find_map(|vmid| unsure(nodes, *vmid)) {
            needs = Some(missing);
            continue;
        }
        findings.extend(finding(&opened));
    }
    Outcome { findings, needs }
}

/// What is open, by the UUIDs of VG and LV.
fn opened<'a>(nodes: &[&'a Shared]) -> BTreeMap<(&'a str, &'a str), Vec<OpenOn<'a>>> {
    let mut opened: BTreeMap<_, Vec<OpenOn<'a>>> = BTreeMap::new();
    for node in nodes {
        for one in &node.opened {
            opened
                .entry((one.vg_uuid.as_str(), one.lv_uuid.as_str()))
                .or_default()
                .push((node, one));
        }
    }
    opened
}

/// The guests whose volume it is, by name and by reference.
fn guests(opened: &[OpenOn<'_>]) -> BTreeSet<u64> {
    opened
        .iter()
        .flat_map(|(_, one)| one.named_vmid.into_iter().chain(one.referenced_by))
        .collect()
}

fn migrates(nodes: &[&Shared], vmid: u64) -> bool {
    nodes
        .iter()
        .flat_map(|node| &node.homes)
        .any(|home| home.vmid == vmid && home.migrating)
}

/// Why it can't be told whether a guest is being migrated, if so.
fn unsure(nodes: &[&Shared], vmid: u64) -> Option<&'static str> {
    if nodes.iter().all(|node| !node.configurations) {
        return Some("/etc/pve with the guests' configurations, which tell a migration");
    }
    if nodes.iter().any(|node| node.unread.contains(&vmid)) {
        return Some("the configuration of every guest whose disk is open on two nodes");
    }
    // It moved between the snapshots: each shows a different moment.
    let homes: BTreeSet<&str> = nodes
        .iter()
        .flat_map(|node| &node.homes)
        .filter(|home| home.vmid == vmid)
        .map(|home| home.node.as_str())
        .collect();
    (homes.len() > 1)
        .then_some("snapshots of all nodes from the same moment: a guest moved in between")
}

fn finding(opened: &[OpenOn<'_>]) -> Option<Finding> {
    let (_, first) = opened.first()?;
    let name = opened
        .iter()
        .find_map(|(_, one)| one.known_as.as_ref())
        .or(first.named.as_ref());
    let (vg, lv) = name?;
    let holders = |one: &Opened| match one.holders.as_slice() {
        [] => "a holder that was not recorded".to_owned(),
        holders => holders.join(", "),
    };
    let who: Vec<String> = opened
        .iter()
        .map(|(on, one)| format!("{} by {}", on.node, holders(one)))
        .collect();
    // Guests on every one of the nodes have it in their configurations.
    let owners: BTreeSet<u64> = opened
        .iter()
        .filter(|(_, one)| one.valid)
        .filter_map(|(_, one)| one.referenced_by)
        .collect();
    let meant = owners.len() > 1 && opened.iter().all(|(_, one)| one.valid);
    let mut message = format!(
        "{vg}/{lv} is open on {} nodes: on {}.",
        opened.len(),
        who.join("; on ")
    );
    message.push_str(if meant {
        " Guests on each of them have it in their configurations."
    } else {
        " No migration is under way."
    });
    let wrong: Vec<String> = opened
        .iter()
        .filter(|(_, one)| !one.valid)
        .map(|(on, one)| {
            format!(
                "on {}, find out what holds it ({}), stop that, then lvchange -an {}",
                on.node,
                holders(one),
                vg_lv(vg, lv)
            )
        })
        .collect();
    Some(Finding {
        check: CHECK.name,
        severity: if meant { Severity::Warning } else { Severity::Critical },
        subject: format!("{vg}/{lv}"),
        vmid: first.vmid,
        message,
        impact: "Two nodes write to one disk and neither knows of the other: its file systems are destroyed, unless they are made for that."
            .into(),
        remedy: if meant {
            "Right only with a file system or database that is made for shared disks. Else take the disk out of one of the guests, now.".into()
        } else if wrong.is_empty() {
            "Find out on which node the guest really runs, stop it on the other, and check its file systems.".into()
        } else {
            format!(
                "Now, and before the guest is restarted or moved: {}. Then check the guest's file systems.",
                wrong.join("; ")
            ).into()
        },
        evidence: opened.iter().flat_map(evidence).collect(),
    })
}

fn evidence((on, one): &OpenOn<'_>) -> Vec<String> {
    let node = &on.node;
    let at = on.collected_at.map(|at| at.to_rfc3339());
    let taken = at.map_or_else(String::new, |at| format!(" (snapshot of {at})"));
    let held = one.holders.iter();
    std::iter::once(format!("{node}{taken}: {}", one.evidence))
        .chain(held.map(|holder| format!("{node}: held by {holder}")))
        .collect()
}
