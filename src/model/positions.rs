//! Where in a list the member with some key is.
//!
//! The key is the member's own: it is not kept a second time. Hashes are
//! seeded at random, so nobody can make a bundle whose keys collide; nothing
//! is ever listed in their order.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Positions of a list's members by a key of theirs.
#[derive(Debug, Clone, Default)]
pub(super) struct Positions {
    /// Each with its key's hash.
    table: HashTable<(u64, usize)>,
    seed: RandomState,
}

impl Positions {
    /// Room for the keys of so many members.
    pub(super) fn with_capacity(members: usize) -> Self {
        Self {
            table: HashTable::with_capacity(members),
            seed: RandomState::default(),
        }
    }

    /// The position whose member has this key, as `has` tells.
    pub(super) fn get(&self, key: impl Hash, has: impl Fn(usize) -> bool) -> Option<usize> {
        let hash = self.seed.hash_one(key);
        let found = self.table.find(hash, |(of, at)| *of == hash && has(*at));
        found.map(|(_, at)| *at)
    }

    /// Keeps a position under its member's key, unless there is one with this
    /// key already, as `has` tells; which one is kept.
    pub(super) fn add(&mut self, key: impl Hash, at: usize, has: impl Fn(usize) -> bool) -> usize {
        let hash = self.seed.hash_one(key);
        let same = |(of, other): &(u64, usize)| *of == hash && has(*other);
        match self.table.entry(hash, same, |(of, _)| *of) {
            Entry::Occupied(kept) => kept.get().1,
            Entry::Vacant(place) => place.insert((hash, at)).get().1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_member_with_a_key_is_found() {
        let list = ["a", "b", "a", "c"];
        let mut positions = Positions::default();
        for (at, member) in list.iter().enumerate() {
            let kept = positions.add(member, at, |other| list[other] == *member);
            assert_eq!(kept, if at == 2 { 0 } else { at });
        }
        let find = |key: &str| positions.get(key, |at| list[at] == key);
        assert_eq!(find("a"), Some(0));
        assert_eq!(find("c"), Some(3));
        assert_eq!(find("d"), None);
    }
}
