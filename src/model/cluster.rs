//! Which nodes belong together.
//!
//! A cluster's name and members come from `corosync.conf`. Two customers'
//! clusters of the same name are kept apart by what can't be the same in
//! both: the UUID of a shared volume group of one name, and the machine id of
//! a node of one name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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

/// Comparisons that grouping makes; a large fleet takes a thousandth. A node
/// that comes after them is a group of its own.
const MOST_COMPARED: usize = 20_000_000;

/// Groups nodes into clusters. A node that is in none is in no group.
pub fn group(nodes: &[Signature]) -> Vec<Group> {
    let mut groups: Vec<Growing<'_>> = Vec::new();
    let mut by_key: BTreeMap<(String, Arc<BTreeSet<String>>), Vec<usize>> = BTreeMap::new();
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    // Newest first, so that an older snapshot finds the newer one there.
    order.sort_by_key(|index| {
        let collected = nodes.get(*index).and_then(|node| node.collected_at);
        (std::cmp::Reverse(collected), *index)
    });
    let mut compared = 0;
    for index in order {
        let Some(node) = nodes.get(index) else {
            continue;
        };
        let Some(key) = key(node) else {
            continue;
        };
        let candidates = by_key.entry(key.clone()).or_default();
        let fits = candidates.iter().copied().find_map(|group| {
            let relation = groups.get(group)?.relation(node, &mut compared);
            (relation != Relation::Other).then_some((group, relation))
        });
        let (group, relation) = fits.unwrap_or_else(|| {
            candidates.push(groups.len());
            groups.push(Growing::new(key.0));
            (groups.len() - 1, Relation::Member)
        });
        if let Some(group) = groups.get_mut(group) {
            match relation {
                Relation::Older => group.group.superseded.push(index),
                _ => group.add(index, node),
            }
        }
    }
    let mut groups: Vec<Group> = groups.into_iter().map(|growing| growing.group).collect();
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

/// A group, with what the next node is compared with.
#[derive(Debug)]
struct Growing<'a> {
    group: Group,
    /// Its nodes by name.
    nodes: HashMap<&'a str, &'a Signature>,
    /// What they see under the names of shared VGs.
    vgs: HashMap<&'a str, Views<'a>>,
}

impl<'a> Growing<'a> {
    fn new(name: String) -> Self {
        Self {
            group: Group {
                name,
                nodes: Vec::new(),
                superseded: Vec::new(),
            },
            nodes: HashMap::new(),
            vgs: HashMap::new(),
        }
    }

    fn add(&mut self, index: usize, node: &'a Signature) {
        self.group.nodes.push(index);
        self.nodes.insert(&node.node, node);
        for (vg, uuids) in seen(node) {
            self.vgs.entry(vg).or_default().add(uuids);
        }
    }

    /// What a node is to it.
    fn relation(&self, node: &Signature, compared: &mut usize) -> Relation {
        *compared += 1;
        if *compared > MOST_COMPARED {
            return Relation::Other;
        }
        let namesake = self.nodes.get(node.node.as_str()).copied();
        if namesake
            .is_some_and(|of| !is_same_machine(of, node) || of.collected_at == node.collected_at)
            || self.sees_other_storage(node, namesake, compared)
        {
            return Relation::Other;
        }
        match namesake {
            Some(_) => Relation::Older,
            None => Relation::Member,
        }
    }

    /// Whether any of its nodes, but for one, and this one see different VGs
    /// under the name of a shared one.
    fn sees_other_storage(
        &self,
        node: &Signature,
        but: Option<&Signature>,
        compared: &mut usize,
    ) -> bool {
        seen(node).any(|(vg, uuids)| {
            *compared += 1;
            self.vgs.get(vg).is_some_and(|views| {
                !views.share_one_with(uuids) && {
                    *compared += views.sets.len();
                    views.differ(uuids, but.and_then(|but| but.shared_vgs.get(vg)))
                }
            })
        })
    }
}

/// The shared VGs whose UUIDs a node knows.
fn seen(node: &Signature) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
    let vgs = node
        .shared_vgs
        .iter()
        .filter(|(_, uuids)| !uuids.is_empty());
    vgs.map(|(vg, uuids)| (vg.as_str(), uuids))
}

/// What a group's nodes see under the name of one shared VG.
#[derive(Debug, Default)]
struct Views<'a> {
    /// The UUIDs that all of them see.
    common: BTreeSet<&'a str>,
    /// Each set of UUIDs once, with how many see it.
    sets: Vec<(&'a BTreeSet<String>, usize)>,
}

/// Sets of UUIDs that are remembered of one VG; a cluster has one or two.
const MOST_SETS: usize = 32;

impl<'a> Views<'a> {
    fn add(&mut self, uuids: &'a BTreeSet<String>) {
        match self.sets.is_empty() {
            true => self.common = uuids.iter().map(String::as_str).collect(),
            false => self.common.retain(|uuid| uuids.contains(*uuid)),
        }
        let is_full = self.sets.len() >= MOST_SETS;
        match self.sets.iter_mut().find(|(set, _)| *set == uuids) {
            Some((_, count)) => *count += 1,
            None if is_full => {}
            None => self.sets.push((uuids, 1)),
        }
    }

    /// Whether one of these UUIDs is one that all of them see.
    fn share_one_with(&self, uuids: &BTreeSet<String>) -> bool {
        uuids.iter().any(|uuid| self.common.contains(uuid.as_str()))
    }

    /// Whether any of them, but for one that sees `but`, sees none of these
    /// UUIDs.
    fn differ(&self, uuids: &BTreeSet<String>, but: Option<&BTreeSet<String>>) -> bool {
        self.sets.iter().any(|(set, count)| {
            let others = count - usize::from(but == Some(set));
            others > 0 && set.is_disjoint(uuids)
        })
    }
}

fn is_same_machine(a: &Signature, b: &Signature) -> bool {
    a.node == b.node && a.machine_id_sha256.is_some() && a.machine_id_sha256 == b.machine_id_sha256
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

    /// A node of a cluster that sees these UUIDs under the name of one VG.
    fn seeing(node: &str, uuids: &[&str]) -> Signature {
        let uuids = uuids.iter().map(|one| (*one).to_owned()).collect();
        Signature {
            cluster: Some("alpha".to_owned()),
            machine_id_sha256: Some(node.to_owned()),
            shared_vgs: Arc::new([("san".to_owned(), uuids)].into()),
            ..of(node, &["pve1", "pve2", "pve3"])
        }
    }

    fn at(second: i64, node: Signature) -> Signature {
        Signature {
            collected_at: DateTime::from_timestamp(second, 0),
            ..node
        }
    }

    /// The nodes of each group, and what is superseded in it.
    fn grouped(nodes: &[Signature]) -> Vec<(Vec<usize>, Vec<usize>)> {
        let groups = group(nodes).into_iter();
        groups.map(|one| (one.nodes, one.superseded)).collect()
    }

    #[test]
    fn each_two_nodes_of_a_cluster_see_a_vg_in_common() {
        let all = |sets: [&[&str]; 3]| {
            let nodes = ["pve1", "pve2", "pve3"].into_iter().zip(sets);
            let nodes: Vec<_> = nodes.map(|(node, uuids)| seeing(node, uuids)).collect();
            grouped(&nodes)
        };
        let one = vec![(vec![0, 1, 2], vec![])];
        assert_eq!(all([&["a"], &["a"], &["a", "b"]]), one);
        assert_eq!(all([&["a", "b"], &["b", "c"], &["c", "a"]]), one);
        assert_eq!(all([&["a"], &[], &["a"]]), one);
        // The third and the first have none, though the second has one of each.
        let apart = vec![(vec![0, 1], vec![]), (vec![2], vec![])];
        assert_eq!(all([&["a"], &["a", "b"], &["b", "c"]]), apart);
    }

    #[test]
    fn an_older_snapshot_is_compared_with_the_others() {
        let newer = at(2, seeing("pve1", &["new"]));
        let older = at(1, seeing("pve1", &["old"]));
        let nodes = [newer.clone(), older.clone()];
        assert_eq!(grouped(&nodes), [(vec![0], vec![1])]);
        for (other, with) in [("new", 0), ("old", 1)] {
            let nodes = [
                newer.clone(),
                older.clone(),
                at(3, seeing("pve2", &[other])),
            ];
            let mut groups = grouped(&nodes);
            groups.retain(|(nodes, _)| nodes.contains(&2));
            assert_eq!(groups, [(vec![with, 2], vec![])], "{other}");
        }
        let machine = Signature {
            machine_id_sha256: Some("another".to_owned()),
            ..older
        };
        assert_eq!(grouped(&[newer, machine]).len(), 2);
    }

    #[test]
    fn very_many_nodes_and_vgs_are_not_compared_two_by_two() {
        let uuid = |vg: usize| (format!("v{vg}"), [format!("{vg}")].into());
        let vgs: Arc<SharedVgs> = Arc::new((0..500).map(uuid).collect());
        let node = |number: usize| Signature {
            shared_vgs: Arc::clone(&vgs),
            ..seeing(&format!("n{number}"), &[])
        };
        let nodes: Vec<Signature> = (0..3000).map(node).collect();
        assert_eq!(group(&nodes).len(), 1);
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
