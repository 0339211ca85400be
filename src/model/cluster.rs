//! Which nodes belong together.
//!
//! A cluster's name and members come from `corosync.conf`. Two customers'
//! clusters of the same name are kept apart by what can't be the same in
//! both: the UUID of a shared volume group of one name, and the machine id of
//! a node of one name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::lvm::Lvm;
use super::node::{Environment, Membership};
use super::storage::Storages;

/// What tells a node, its cluster and the moment of its snapshot from those
/// of other bundles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The node's name.
    pub node: String,
    /// Its cluster's name, if it is in one and that is known.
    pub cluster: Option<String>,
    /// The cluster's members; most nodes of a cluster share one set.
    pub members: Arc<BTreeSet<String>>,
    /// SHA-256 of `/etc/machine-id`, in hexadecimal digits.
    pub machine_id_sha256: Option<String>,
    /// When the snapshot was taken.
    pub collected_at: Option<DateTime<Utc>>,
    /// The UUIDs of the shared storages' VGs, by VG name; shared as the
    /// members are.
    pub shared_vgs: Arc<SharedVgs>,
}

/// UUIDs of VGs, by VG name.
pub type SharedVgs = BTreeMap<String, BTreeSet<String>>;

/// What the nodes of a fleet have in common, once each.
#[derive(Debug, Default)]
pub struct Common {
    members: Mutex<BTreeSet<Arc<BTreeSet<String>>>>,
    shared_vgs: Mutex<BTreeSet<Arc<SharedVgs>>>,
}

impl Common {
    /// Has a signature share with the others what is the same in them.
    pub fn share(&self, signature: &mut Signature) {
        once(&self.members, &mut signature.members);
        once(&self.shared_vgs, &mut signature.shared_vgs);
    }
}

fn once<T: Ord>(known: &Mutex<BTreeSet<Arc<T>>>, one: &mut Arc<T>) {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    match known.get(one) {
        Some(same) => *one = Arc::clone(same),
        None => drop(known.insert(Arc::clone(one))),
    }
}

impl Signature {
    /// The signature of a node of this name and membership.
    pub fn new(node: &str, membership: &Membership, storages: &Storages, lvm: &Lvm) -> Self {
        let clustered = membership.environment == Environment::Clustered;
        let shared = storages.iter().filter(|storage| storage.shared);
        Self {
            node: node.to_owned(),
            cluster: membership.cluster.clone().filter(|_| clustered),
            members: Arc::new(membership.members.iter().cloned().collect()),
            shared_vgs: Arc::new(
                shared
                    .filter_map(|storage| storage.vg.as_deref())
                    .map(|vg| (vg.to_owned(), lvm.vg_uuids(vg).map(str::to_owned).collect()))
                    .collect(),
            ),
            machine_id_sha256: None,
            collected_at: None,
        }
    }
}

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
pub fn group(nodes: &[Signature]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut by_key: BTreeMap<(String, Arc<BTreeSet<String>>), Vec<usize>> = BTreeMap::new();
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
            .sort_by_key(|index| nodes.get(*index).map(|node| &node.node));
    }
    groups.sort_by(|a, b| (&a.name, a.nodes.first()).cmp(&(&b.name, b.nodes.first())));
    groups
}

/// Snapshots of the same node that is in no cluster, but for the newest.
pub fn superseded_standalone(nodes: &[Signature]) -> Vec<usize> {
    let machine = |node: &Signature| {
        let id = node.machine_id_sha256.clone()?;
        node.cluster.is_none().then(|| (node.node.clone(), id))
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

fn key(node: &Signature) -> Option<(String, Arc<BTreeSet<String>>)> {
    Some((node.cluster.clone()?, Arc::clone(&node.members)))
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

fn relation(nodes: &[Signature], group: &Group, node: &Signature) -> Relation {
    let mut relation = Relation::Member;
    for member in group.nodes.iter().filter_map(|index| nodes.get(*index)) {
        if member.node == node.node {
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

fn is_same_machine(a: &Signature, b: &Signature) -> bool {
    a.node == b.node && a.machine_id_sha256.is_some() && a.machine_id_sha256 == b.machine_id_sha256
}

/// Whether two nodes see different VGs under the name of a shared one.
fn shared_storage_differs(a: &Signature, b: &Signature) -> bool {
    a.shared_vgs.iter().any(|(vg, a)| {
        b.shared_vgs
            .get(vg)
            .is_some_and(|b| !a.is_empty() && !b.is_empty() && a.is_disjoint(b))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(node: &str, members: &[&str]) -> Signature {
        Signature {
            node: node.to_owned(),
            members: Arc::new(members.iter().map(|one| (*one).to_owned()).collect()),
            ..Signature::default()
        }
    }

    #[test]
    fn nodes_share_what_is_the_same_in_them_and_nothing_else() {
        let common = Common::default();
        let mut nodes = [
            of("pve1", &["pve1", "pve2"]),
            of("pve2", &["pve1", "pve2"]),
            of("pve3", &["pve3"]),
        ];
        let before = nodes.clone();
        nodes.iter_mut().for_each(|one| common.share(one));
        assert_eq!(nodes, before);
        let [one, two, three] = &nodes;
        assert!(Arc::ptr_eq(&one.members, &two.members));
        assert!(!Arc::ptr_eq(&one.members, &three.members));
        assert!(Arc::ptr_eq(&one.shared_vgs, &three.shared_vgs));
    }
}
