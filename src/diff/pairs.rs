//! Which node of one time is which of the other.

use std::collections::BTreeMap;

use super::side::Node;

/// Nodes by their places: the same one at both times, or at one only.
pub(super) type Pair = (Option<usize>, Option<usize>);

/// Pairs the nodes. A machine id tells a machine through time, unless several
/// nodes were cloned with it; where one side has none, cluster and name do.
pub(super) fn pair(before: &[Node], after: &[Node]) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    let mut open: Vec<usize> = (0..after.len()).collect();
    let mut left: Vec<usize> = (0..before.len()).collect();
    let places = |nodes: &[Node]| -> BTreeMap<String, usize> {
        let mut all: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, node) in nodes.iter().enumerate() {
            if let Some(id) = &node.machine_id_sha256 {
                all.entry(id.clone()).or_default().push(at);
            }
        }
        let alone = all.into_iter();
        alone
            .filter_map(|(id, places)| match places[..] {
                [one] => Some((id, one)),
                _ => None,
            })
            .collect()
    };
    let (machines_before, machines_after) = (places(before), places(after));
    for (id, was) in &machines_before {
        if let Some(is) = machines_after.get(id) {
            pairs.push((Some(*was), Some(*is)));
            left.retain(|at| at != was);
            open.retain(|at| at != is);
        }
    }
    for was in left {
        let Some(node) = before.get(was) else {
            continue;
        };
        let found = open.iter().position(|at| {
            after
                .get(*at)
                .is_some_and(|other| same_name(node, other) && !other_machine(node, other))
        });
        pairs.push((Some(was), found.map(|place| open.remove(place))));
    }
    pairs.extend(open.into_iter().map(|is| (None, Some(is))));
    pairs
}

fn same_name(a: &Node, b: &Node) -> bool {
    a.node == b.node && a.cluster == b.cluster
}

fn other_machine(a: &Node, b: &Node) -> bool {
    match (&a.machine_id_sha256, &b.machine_id_sha256) {
        (Some(a), Some(b)) => a != b,
        _ => false,
    }
}
