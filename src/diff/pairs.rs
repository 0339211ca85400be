//! Which node of one time is which of the other.

use std::collections::{BTreeMap, BTreeSet};

use super::side::Node;

/// Nodes by their places: the same one at both times, or at one only.
pub(super) type Pair = (Option<usize>, Option<usize>);

/// Pairs the nodes. A machine id tells a machine through time, unless several
/// nodes were cloned with it; where one side has none, cluster and name do.
pub(super) fn pair(before: &[Node], after: &[Node]) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    let mut left: BTreeSet<usize> = (0..before.len()).collect();
    let mut open = Open::of(after);
    let (machines_before, machines_after) = (machines(before), machines(after));
    for (id, was) in machines_before {
        if let Some(is) = machines_after.get(id) {
            pairs.push((Some(was), Some(*is)));
            left.remove(&was);
            open.remove(*is);
        }
    }
    for was in left {
        let found = before.get(was).and_then(|node| open.first_like(node));
        if let Some(is) = found {
            open.remove(is);
        }
        pairs.push((Some(was), found));
    }
    pairs.extend(open.left.into_iter().map(|is| (None, Some(is))));
    pairs
}

/// The nodes by machine ids that only one of them has.
fn machines(nodes: &[Node]) -> BTreeMap<&str, usize> {
    let mut all: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, node) in nodes.iter().enumerate() {
        if let Some(id) = &node.machine_id_sha256 {
            all.entry(id).or_default().push(at);
        }
    }
    let alone = all.into_iter().filter_map(|(id, places)| match places[..] {
        [one] => Some((id, one)),
        _ => None,
    });
    alone.collect()
}

/// Cluster and name.
type Name<'a> = (Option<&'a str>, &'a str);

/// Nodes that are not paired yet.
struct Open<'a> {
    nodes: &'a [Node],
    left: BTreeSet<usize>,
    by_name: BTreeSet<(Name<'a>, usize)>,
    by_machine: BTreeSet<(Name<'a>, Option<&'a str>, usize)>,
}

impl<'a> Open<'a> {
    fn of(nodes: &'a [Node]) -> Self {
        let named = || nodes.iter().map(name).enumerate();
        let of_machine = |(at, node): (usize, &'a Node)| (name(node), machine(node), at);
        Self {
            nodes,
            left: (0..nodes.len()).collect(),
            by_name: named().map(|(at, name)| (name, at)).collect(),
            by_machine: nodes.iter().enumerate().map(of_machine).collect(),
        }
    }

    fn remove(&mut self, at: usize) {
        self.left.remove(&at);
        if let Some(node) = self.nodes.get(at) {
            self.by_name.remove(&(name(node), at));
            self.by_machine.remove(&(name(node), machine(node), at));
        }
    }

    /// The first of the same name that is not known to be another machine.
    fn first_like(&self, node: &Node) -> Option<usize> {
        let name = name(node);
        let Some(id) = machine(node) else {
            let mut same = self.by_name.range((name, 0)..=(name, usize::MAX));
            return same.next().map(|(_, at)| *at);
        };
        let first = |id| {
            let mut same = (self.by_machine).range((name, id, 0)..=(name, id, usize::MAX));
            same.next().map(|(_, _, at)| *at)
        };
        [None, Some(id)].into_iter().filter_map(first).min()
    }
}

fn name(node: &Node) -> Name<'_> {
    (node.cluster.as_deref(), &node.node)
}

fn machine(node: &Node) -> Option<&str> {
    node.machine_id_sha256.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nodes called `n`, of these machines.
    fn nodes(machines: &[Option<&str>]) -> serde_json::Result<Vec<Node>> {
        let node = |machine: &Option<&str>| {
            serde_json::from_value(serde_json::json!({
                "node": "n", "cluster": null, "machine_id_sha256": machine, "collected_at": null,
                "score": null, "grade": null, "findings": [], "entries": [],
                "evidence": {"missing": [], "failed": []},
            }))
        };
        machines.iter().map(node).collect()
    }

    #[test]
    fn of_one_name_the_first_that_may_be_the_same_machine() -> serde_json::Result<()> {
        let before = nodes(&[Some("a"), None, Some("b"), Some("c"), Some("c"), Some("d")])?;
        let after = nodes(&[Some("e"), Some("b"), None, Some("c"), Some("c"), Some("c")])?;
        let pairs = pair(&before, &after);
        assert_eq!(
            pairs,
            [
                (Some(2), Some(1)),
                (Some(0), Some(2)),
                (Some(1), Some(0)),
                (Some(3), Some(3)),
                (Some(4), Some(4)),
                (Some(5), None),
                (None, Some(5)),
            ]
        );
        Ok(())
    }
}
