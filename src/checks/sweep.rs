//! Overlaps among stretches of devices, found by a sweep over them in order:
//! n log n for n stretches, plus the overlaps found.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::parse::DevNo;

/// A stretch of a device that a party takes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stretch<P> {
    /// The device.
    pub device: DevNo,
    /// First sector.
    pub start: u64,
    /// The sector behind the last.
    pub end: u64,
    /// Who takes it up. A party does not overlap itself.
    pub party: P,
    /// The mapping that can write to it; none where it is only allotted.
    pub mapping: Option<usize>,
}

/// Two parties that take up the same sectors, at least one of them by a
/// mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overlap<P> {
    /// The parties, the lesser first.
    pub parties: [P; 2],
    /// The mapping of each, where it has one there.
    pub mappings: [Option<usize>; 2],
    /// The device.
    pub device: DevNo,
    /// First sector of their first overlap.
    pub start: u64,
    /// The sector behind its last.
    pub end: u64,
}

/// At most this many pairs are told apart. Beyond, the bundle describes no
/// working node, and the first ones say enough.
pub(super) const MOST: usize = 1000;

/// At most this many comparisons of stretches that do overlap.
const BUDGET: usize = 5_000_000;

/// Finds who overlaps whom, by device and sector; and whether that is all.
pub(super) fn overlaps<P: Copy + Ord>(mut stretches: Vec<Stretch<P>>) -> (Vec<Overlap<P>>, bool) {
    stretches.retain(|stretch| stretch.start < stretch.end);
    stretches.sort_unstable();
    // The same sectors mapped once more by the same party are no news.
    stretches.dedup_by_key(|s| (s.device, s.start, s.end, s.party, s.mapping.is_some()));

    let mut found = Found::default();
    let mut device = None;
    let (mut mapped, mut allotted) = (Active::default(), Active::default());
    for stretch in &stretches {
        if device != Some(stretch.device) {
            device = Some(stretch.device);
            mapped.clear();
            allotted.clear();
        }
        mapped.drop_ended(stretch.start);
        allotted.drop_ended(stretch.start);
        // What is only allotted can't overlap what is only allotted.
        let with_allotted = stretch.mapping.is_some();
        for other in mapped
            .iter()
            .chain(allotted.iter().filter(|_| with_allotted))
        {
            found.note(stretch, other);
            if found.is_full() {
                return (found.in_order(), false);
            }
        }
        let active = if stretch.mapping.is_some() {
            &mut mapped
        } else {
            &mut allotted
        };
        active.push(stretch);
    }
    (found.in_order(), true)
}

/// Stretches that reach beyond the sweep's place, the soonest to end on top.
struct Active<'a, P> {
    heap: BinaryHeap<Reverse<(u64, &'a Stretch<P>)>>,
}

impl<P: Ord> Default for Active<'_, P> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
        }
    }
}

impl<'a, P: Copy + Ord> Active<'a, P> {
    fn push(&mut self, stretch: &'a Stretch<P>) {
        self.heap.push(Reverse((stretch.end, stretch)));
    }

    fn drop_ended(&mut self, at: u64) {
        while self.heap.peek().is_some_and(|Reverse((end, _))| *end <= at) {
            self.heap.pop();
        }
    }

    fn clear(&mut self) {
        self.heap.clear();
    }

    fn iter(&self) -> impl Iterator<Item = &'a Stretch<P>> {
        self.heap.iter().map(|Reverse((_, stretch))| *stretch)
    }
}

struct Found<P> {
    pairs: BTreeMap<[P; 2], Overlap<P>>,
    compared: usize,
}

impl<P> Default for Found<P> {
    fn default() -> Self {
        Self {
            pairs: BTreeMap::new(),
            compared: 0,
        }
    }
}

impl<P: Copy + Ord> Found<P> {
    fn note(&mut self, a: &Stretch<P>, b: &Stretch<P>) {
        self.compared += 1;
        let (a, b) = match a.party.cmp(&b.party) {
            std::cmp::Ordering::Less => (a, b),
            std::cmp::Ordering::Greater => (b, a),
            std::cmp::Ordering::Equal => return,
        };
        let pair = self.pairs.entry([a.party, b.party]).or_insert(Overlap {
            parties: [a.party, b.party],
            mappings: [None, None],
            device: a.device,
            start: a.start.max(b.start),
            end: a.end.min(b.end),
        });
        for (mapping, new) in pair.mappings.iter_mut().zip([a.mapping, b.mapping]) {
            *mapping = mapping.or(new);
        }
    }

    fn is_full(&self) -> bool {
        self.pairs.len() >= MOST || self.compared >= BUDGET
    }

    fn in_order(self) -> Vec<Overlap<P>> {
        let mut overlaps: Vec<Overlap<P>> = self.pairs.into_values().collect();
        overlaps.sort_by_key(|overlap| (overlap.device, overlap.start, overlap.parties));
        overlaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DISK: DevNo = DevNo { major: 8, minor: 0 };

    fn mapped(party: u32, start: u64, end: u64) -> Stretch<u32> {
        Stretch {
            device: DISK,
            start,
            end,
            party,
            mapping: Some(party as usize),
        }
    }

    fn allotted(party: u32, start: u64, end: u64) -> Stretch<u32> {
        Stretch {
            mapping: None,
            ..mapped(party, start, end)
        }
    }

    fn pairs(stretches: Vec<Stretch<u32>>) -> Vec<[u32; 2]> {
        overlaps(stretches)
            .0
            .iter()
            .map(|overlap| overlap.parties)
            .collect()
    }

    #[test]
    fn neighbours_do_not_overlap() {
        assert!(pairs(vec![mapped(1, 0, 10), mapped(2, 10, 20), mapped(3, 5, 5)]).is_empty());
        assert_eq!(pairs(vec![mapped(1, 0, 11), mapped(2, 10, 20)]), [[1, 2]]);
        let other_disk = Stretch {
            device: DevNo {
                major: 8,
                minor: 16,
            },
            ..mapped(2, 0, 10)
        };
        assert!(pairs(vec![mapped(1, 0, 10), other_disk]).is_empty());
    }

    #[test]
    fn one_pair_is_told_once_with_all_its_mappings() {
        let (found, all) = overlaps(vec![
            mapped(2, 0, 100),
            allotted(1, 0, 40),
            allotted(1, 60, 100),
            mapped(1, 60, 100),
        ]);
        assert!(all);
        assert_eq!(
            found,
            [Overlap {
                parties: [1, 2],
                mappings: [Some(1), Some(2)],
                device: DISK,
                start: 0,
                end: 40,
            }]
        );
    }

    #[test]
    fn what_is_only_allotted_overlaps_nothing_that_is_only_allotted() {
        assert!(pairs(vec![allotted(1, 0, 10), allotted(2, 0, 10)]).is_empty());
        assert_eq!(pairs(vec![allotted(1, 0, 10), mapped(2, 9, 12)]), [[1, 2]]);
        assert!(pairs(vec![allotted(1, 0, 10), mapped(1, 0, 10)]).is_empty());
    }

    #[test]
    fn a_hundred_thousand_mappings() {
        // Disks of 100 sectors side by side; every thousandth begins one
        // sector early, in its neighbour.
        let stretches = (0..100_000u32)
            .map(|party| {
                let start = u64::from(party) * 100;
                let early = u64::from(party > 0 && party % 1000 == 0);
                mapped(party, start - early, start + 100)
            })
            .collect();
        let expected: Vec<[u32; 2]> = (1..100).map(|n| [n * 1000 - 1, n * 1000]).collect();
        assert_eq!(pairs(stretches), expected);
    }

    #[test]
    fn a_pile_of_mappings_ends_and_says_that_it_is_not_all() {
        let (found, all) = overlaps((0..100_000).map(|party| mapped(party, 0, 100)).collect());
        assert!(!all && found.len() == MOST);
        let same_party: Vec<_> = (0..100_000).map(|_| mapped(1, 0, 100)).collect();
        assert_eq!(overlaps(same_party), (vec![], true));
    }

    proptest! {
        #[test]
        fn the_sweep_finds_what_comparing_all_pairs_finds(
            rows in prop::collection::vec((0u32..6, 0u64..40, 0u64..12, any::<bool>()), 0..24)
        ) {
            let stretches: Vec<Stretch<u32>> = rows
                .iter()
                .map(|(party, start, length, live)| match live {
                    true => mapped(*party, *start, start + length),
                    false => allotted(*party, *start, start + length),
                })
                .collect();
            let mut expected = std::collections::BTreeSet::new();
            for a in &stretches {
                for b in &stretches {
                    let live = a.mapping.is_some() || b.mapping.is_some();
                    if a.party < b.party && live && a.start.max(b.start) < a.end.min(b.end) {
                        expected.insert([a.party, b.party]);
                    }
                }
            }
            let found: std::collections::BTreeSet<_> = pairs(stretches).into_iter().collect();
            prop_assert_eq!(found, expected);
        }
    }
}
