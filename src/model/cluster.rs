//! Which nodes belong together.
//!
//! A cluster's name and members come from `corosync.conf`. Two customers'
//! clusters of the same name are kept apart by what can't be the same in
//! both: the UUID of a shared volume group of one name, and the machine id of
//! a node of one name.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::node::{Environment, Node};

/// Nodes of one cluster, by their positions in the list that was grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The cluster's name.
    pub name: String,
    /// The newest snapshot of each node, by node name.
    pub nodes: Vec<usize>,
    /// Older snapshots of the same nodes.
    pub superseded: Vec<usize>,
}

/// Groups nodes into clusters. A node that is in none is in no group.
pub fn group(nodes: &[&Node]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut by_key: BTreeMap<(String, BTreeSet<String>), Vec<usize>> = BTreeMap::new();
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    // Newest first, so that an older snapshot finds the newer one there.
    order.sort_by_key(|index| {
        let collected = nodes.get(*index).and_then(|node| node.collected_at);
        (std::cmp::Reverse(collected), *index)
    });
    for index in order {
        let Some(node) = nodes.get(index) else {
            continue;
        };
        let Some(key) = key(node) else {
            continue;
        };
        let candidates = by_key.entry(key.clone()).or_default();
        let fits = candidates.iter().copied().find_map(|group| {
            let relation = groups
                .get(group)
                .map(|group| relation(nodes, group, node))?;
            (relation != Relation::Other).then_some((group, relation))
        });
        match fits {
            Some((group, relation)) => {
                if let Some(group) = groups.get_mut(group) {
                    match relation {
                        Relation::Older => group.superseded.push(index),
                        _ => group.nodes.push(index),
                    }
                }
            }
            None => {
                candidates.push(groups.len());
                groups.push(Group {
                    name: key.0,
                    nodes: vec![index],
                    superseded: Vec::new(),
                });
            }
        }
    }
    for group in &mut groups {
        group
            .nodes
            .sort_by_key(|index| nodes.get(*index).map(|node| &node.name));
    }
    groups.sort_by(|a, b| (&a.name, a.nodes.first()).cmp(&(&b.name, b.nodes.first())));
    groups
}

/// Snapshots of the same node that is in no cluster, but for the newest.
pub fn superseded_standalone(nodes: &[&Node]) -> Vec<usize> {
    let machine = |node: &Node| {
        let id = node.machine_id_sha256.clone()?;
        (!is_in_cluster(node)).then(|| (node.name.clone(), id))
    };
    let mut newest: BTreeMap<(String, String), Option<DateTime<Utc>>> = BTreeMap::new();
    for node in nodes {
        if let Some(machine) = machine(node) {
            let latest = newest.entry(machine).or_insert(None);
            *latest = (*latest).max(node.collected_at);
        }
    }
    nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| {
            let latest = machine(node).and_then(|machine| newest.get(&machine));
            latest.is_some_and(|latest| *latest > node.collected_at)
        })
        .map(|(index, _)| index)
        .collect()
}

/// Whether a node belongs to a cluster whose name is known.
fn is_in_cluster(node: &Node) -> bool {
    node.membership.environment == Environment::Clustered && node.membership.cluster.is_some()
}

fn key(node: &Node) -> Option<(String, BTreeSet<String>)> {
    if !is_in_cluster(node) {
        return None;
    }
    let name = node.membership.cluster.clone()?;
    Some((name, node.membership.members.iter().cloned().collect()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// Another node of this cluster.
    Member,
    /// An older snapshot of a node that is there.
    Older,
    /// Not this cluster.
    Other,
}

fn relation(nodes: &[&Node], group: &Group, node: &Node) -> Relation {
    let mut relation = Relation::Member;
    for member in group.nodes.iter().filter_map(|index| nodes.get(*index)) {
        if member.name == node.name {
            if !is_same_machine(member, node) || member.collected_at == node.collected_at {
                return Relation::Other;
            }
            relation = Relation::Older;
        } else if shared_storage_differs(member, node) {
            return Relation::Other;
        }
    }
    relation
}

fn is_same_machine(a: &Node, b: &Node) -> bool {
    a.name == b.name && a.machine_id_sha256.is_some() && a.machine_id_sha256 == b.machine_id_sha256
}

/// Whether two nodes see different VGs under the name of a shared one.
fn shared_storage_differs(a: &Node, b: &Node) -> bool {
    a.storages
        .iter()
        .filter(|storage| storage.shared)
        .filter_map(|storage| storage.vg.as_deref())
        .any(|vg| {
            let of = |node: &Node| -> BTreeSet<String> {
                node.lvm.vg_uuids(vg).map(str::to_owned).collect()
            };
            let (a, b) = (of(a), of(b));
            !a.is_empty() && !b.is_empty() && a.is_disjoint(&b)
        })
}
