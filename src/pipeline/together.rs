//! Several nodes of one input: how many of them are analyzed at the same time.

use std::collections::VecDeque;

/// Bytes of the nodes of one input that are analyzed at the same time. What is
/// made of a byte can take 20 in memory.
const AT_ONCE_BYTES: u64 = 4 << 20;

/// Whether nodes of so many bytes may all be analyzed at the same time.
pub(super) fn fits<T>(nodes: &[T], bytes: impl Fn(&T) -> u64) -> bool {
    nodes.len() < 2 || nodes.iter().map(bytes).sum::<u64>() <= AT_ONCE_BYTES
}

/// Takes from the front as many as may be analyzed at the same time: at least
/// one, if there is one.
fn next<T>(nodes: &mut VecDeque<T>, bytes: impl Fn(&T) -> u64) -> Vec<T> {
    let mut sum = 0_u64;
    let fit = nodes.iter().take_while(|node| {
        sum = sum.saturating_add(bytes(node));
        sum <= AT_ONCE_BYTES
    });
    let count = fit.count().max(1).min(nodes.len());
    nodes.drain(..count).collect()
}

/// Has `take` be given all nodes, as many at once as may be. They are read now
/// where they did not wait in memory; why they can't be is handed back.
pub(super) fn in_groups<T, R, E>(
    nodes: Option<VecDeque<T>>,
    read: impl FnOnce() -> Result<Vec<T>, R>,
    bytes: impl Fn(&T) -> u64,
    mut take: impl FnMut(Vec<T>) -> Result<(), E>,
) -> Result<Option<R>, E> {
    let mut nodes = match nodes.map_or_else(|| read().map(VecDeque::from), Ok) {
        Ok(nodes) => nodes,
        Err(rejected) => return Ok(Some(rejected)),
    };
    while !nodes.is_empty() {
        take(next(&mut nodes, &bytes))?;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_nodes_go_together_and_a_large_one_alone() {
        let mib = |count: u64| count << 20;
        let mut nodes: VecDeque<u64> = [1, 2, 1, 1, 9, 3, 2].map(mib).into();
        let mut groups = Vec::new();
        while !nodes.is_empty() {
            groups.push(next(&mut nodes, |bytes| *bytes));
        }
        let expected: [&[u64]; 5] = [&[1, 2, 1], &[1], &[9], &[3], &[2]];
        assert_eq!(
            groups,
            expected.map(|group| group.iter().copied().map(mib).collect::<Vec<_>>())
        );
        assert!(next(&mut VecDeque::<u64>::new(), |_| 1).is_empty());
    }

    #[test]
    fn a_single_node_fits_whatever_it_has() {
        assert!(fits(&[u64::MAX], |bytes| *bytes));
        assert!(fits(&[AT_ONCE_BYTES / 2; 2], |bytes| *bytes));
        assert!(!fits(&[AT_ONCE_BYTES / 2 + 1; 2], |bytes| *bytes));
    }
}
