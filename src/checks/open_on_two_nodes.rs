//! Guests' volumes on shared storage that are open on more than one node.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{and_more, vg_lv};
use super::shared::{MOST_HELD, Opened, Shared};
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

/// Volumes that are told one by one, the others are counted. Of each what holds
/// it on a node as [`Opened`] has it, and: …
const MOST_FINDINGS: usize = 200;

/// … nodes on which it is open,
const MOST_NODES: usize = 40;

/// … nodes on which something is to be done, which is said in several places,
const MOST_REMEDIES: usize = 8;

/// … and recorded lines.
const MOST_LINES: usize = 100;

fn run(nodes: &[&Shared]) -> Outcome {
    let guests = Guests::of(nodes);
    let mut needs = None;
    let (mut findings, mut more) = (Vec::new(), 0);
    for opened in opened(nodes).into_values() {
        let names: BTreeSet<&str> = opened.iter().map(|(on, _)| on.node.as_str()).collect();
        if names.len() < 2 {
            continue;
        }
        let owners = owners(&opened);
        if owners.iter().any(|vmid| guests.migrating.contains(vmid)) {
            continue;
        }
        if let Some(missing) = owners.iter().find_map(|vmid| guests.unsure(*vmid)) {
            needs = Some(missing);
        } else if findings.len() < MOST_FINDINGS {
            findings.extend(finding(&opened));
        } else {
            more += 1;
        }
    }
    findings.extend((more > 0).then(|| further(more)));
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
fn owners(opened: &[OpenOn<'_>]) -> BTreeSet<u64> {
    opened
        .iter()
        .flat_map(|(_, one)| one.named_vmid.into_iter().chain(one.referenced_by))
        .collect()
}

/// What all nodes say of the guests.
struct Guests {
    /// Whether any node's configurations were read.
    configurations: bool,
    unread: BTreeSet<u64>,
    migrating: BTreeSet<u64>,
    /// Those of which two nodes show different homes.
    moved: BTreeSet<u64>,
}

impl Guests {
    fn of(nodes: &[&Shared]) -> Self {
        let mut homes = BTreeMap::new();
        let (mut migrating, mut moved) = (BTreeSet::new(), BTreeSet::new());
        for home in nodes.iter().flat_map(|node| &node.homes) {
            if home.migrating {
                migrating.insert(home.vmid);
            }
            if *homes.entry(home.vmid).or_insert(&home.node) != &home.node {
                moved.insert(home.vmid);
            }
        }
        Self {
            configurations: nodes.iter().any(|node| node.configurations),
            unread: nodes
                .iter()
                .flat_map(|node| &node.unread)
                .copied()
                .collect(),
            migrating,
            moved,
        }
    }

    /// Why it can't be told whether a guest is being migrated, if so.
    fn unsure(&self, vmid: u64) -> Option<&'static str> {
        if !self.configurations {
            return Some("/etc/pve with the guests' configurations, which tell a migration");
        }
        if self.unread.contains(&vmid) {
            return Some("the configuration of every guest whose disk is open on two nodes");
        }
        // It moved between the snapshots: each shows a different moment.
        (self.moved.contains(&vmid))
            .then_some("snapshots of all nodes from the same moment: a guest moved in between")
    }
}

const IMPACT: &str = "Two nodes write to one disk and neither knows of the other: its file systems are destroyed, unless they are made for that.";

/// Volumes that are not told one by one.
fn further(volumes: usize) -> Finding {
    Finding {
        check: CHECK.name,
        severity: Severity::Critical,
        subject: "further volumes".to_owned(),
        vmid: None,
        message: format!(
            "More volumes are open on several nodes, {volumes} besides the {MOST_FINDINGS} that are told one by one."
        ),
        impact: IMPACT.into(),
        remedy: "Do as with the others, then collect and analyze again: it will tell those that are left.".into(),
        evidence: Vec::new(),
    }
}

fn finding(opened: &[OpenOn<'_>]) -> Option<Finding> {
    let (_, first) = opened.first()?;
    let name = opened
        .iter()
        .find_map(|(_, one)| one.known_as.as_ref())
        .or(first.named.as_ref());
    let (vg, lv) = name?;
    // Facts may have more of them than a node's own.
    let holders = |one: &Opened| match one.holders.split_at(MOST_HELD.min(one.holders.len())) {
        ([], _) => "a holder that was not recorded".to_owned(),
        (some, others) => and_more(some, others.len() + one.further),
    };
    let mut who: Vec<String> = opened
        .iter()
        .take(MOST_NODES)
        .map(|(on, one)| format!("{} by {}", on.node, holders(one)))
        .collect();
    who.extend(more(opened.len(), MOST_NODES));
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
    let not_meant = || opened.iter().filter(|(_, one)| !one.valid);
    let mut wrong: Vec<String> = not_meant()
        .take(MOST_REMEDIES)
        .map(|(on, one)| {
            format!(
                "on {}, find out what holds it ({}), stop that, then lvchange -an {}",
                on.node,
                holders(one),
                vg_lv(vg, lv)
            )
        })
        .collect();
    let others = more(not_meant().count(), MOST_REMEDIES);
    wrong.extend(others.map(|more| format!("likewise on {more}")));
    Some(Finding {
        check: CHECK.name,
        severity: if meant {
            Severity::Warning
        } else {
            Severity::Critical
        },
        subject: format!("{vg}/{lv}"),
        vmid: first.vmid,
        message,
        impact: IMPACT.into(),
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
        evidence: lines(opened),
    })
}

/// How many there are besides the first ones, if there are any.
fn more(all: usize, first: usize) -> Option<String> {
    (all > first).then(|| format!("{} more", all - first))
}

fn lines(opened: &[OpenOn<'_>]) -> Vec<String> {
    let of_one = |one: &Opened| 1 + one.holders.len() + usize::from(one.further > 0);
    let all = opened.iter().map(|(_, one)| of_one(one)).sum();
    let mut lines: Vec<String> = opened.iter().flat_map(evidence).take(MOST_LINES).collect();
    lines.extend(more(all, MOST_LINES).map(|more| format!("{more} lines of this kind")));
    lines
}

fn evidence<'a>((on, one): &'a OpenOn<'a>) -> impl Iterator<Item = String> + 'a {
    let node = &on.node;
    let at = on.collected_at.map(|at| at.to_rfc3339());
    let taken = at.map_or_else(String::new, |at| format!(" (snapshot of {at})"));
    let further = (one.further > 0).then(|| format!("{} more", one.further));
    let held = one.holders.iter().cloned().chain(further);
    std::iter::once(format!("{node}{taken}: {}", one.evidence))
        .chain(held.map(move |holder| format!("{node}: held by {holder}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::shared::Home;

    /// A node on which this many volumes are open, each with so many holders.
    fn node(number: usize, volumes: usize, holders: usize) -> Shared {
        let opened = |volume: usize| Opened {
            vg_uuid: "V".to_owned(),
            lv_uuid: format!("{volume:04}"),
            known_as: Some(("v".to_owned(), format!("vm-{volume}-disk-0"))),
            named: None,
            vmid: Some(100),
            named_vmid: Some(100),
            referenced_by: None,
            valid: false,
            holders: (1..=holders.min(4))
                .map(|pid| format!("process {pid}"))
                .collect(),
            further: holders.saturating_sub(4),
            evidence: "open count 1".to_owned(),
        };
        Shared {
            node: format!("n{number:03}"),
            configurations: true,
            homes: vec![Home {
                vmid: 100,
                node: "n000".to_owned(),
                migrating: false,
            }],
            opened: (0..volumes).map(opened).collect(),
            ..Shared::default()
        }
    }

    fn found(nodes: &[Shared]) -> Vec<Finding> {
        run(&nodes.iter().collect::<Vec<_>>()).findings
    }

    #[test]
    fn many_nodes_and_holders_are_counted() {
        let nodes: Vec<Shared> = (0..100).map(|number| node(number, 1, 9)).collect();
        let found = found(&nodes);
        assert_eq!(found.len(), 1);
        let finding = &found[0];
        let message = &finding.message;
        assert!(message.starts_with("v/vm-0-disk-0 is open on 100 nodes: on n000 by process 1, process 2, process 3, process 4 and 5 more; on n001"));
        assert!(message.ends_with("; on 60 more. No migration is under way."));
        assert!(finding.remedy.contains("; likewise on 92 more. Then"));
        assert_eq!(finding.evidence.len(), 101);
        assert_eq!(finding.evidence[5], "n000: held by 5 more");
        assert_eq!(finding.evidence[100], "500 more lines of this kind");
    }

    #[test]
    fn a_cluster_of_32_nodes_is_told_whole() {
        let nodes: Vec<Shared> = (0..32).map(|number| node(number, 1, 2)).collect();
        let found = found(&nodes);
        assert!(
            found[0]
                .message
                .contains("; on n031 by process 1, process 2.")
        );
        assert_eq!(found[0].evidence.len(), 32 * 3);
    }

    #[test]
    fn many_volumes_are_counted() {
        let found = found(&[node(0, 500, 1), node(1, 500, 1)]);
        assert_eq!(found.len(), 201);
        assert!(found[200].message.contains("300 besides the 200"));
    }
}
