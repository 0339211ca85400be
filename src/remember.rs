//! What was made of the same bytes before, in this run. It only saves time:
//! an empty memory gives the same.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;

/// What was made of bytes, by these bytes. When they and their places take
/// more than a bound, all are forgotten.
#[derive(Debug)]
pub(crate) struct Memory<V> {
    hasher: RandomState,
    most: usize,
    known: Mutex<Known<V>>,
}

#[derive(Debug)]
struct Known<V> {
    by_hash: HashMap<u64, Entry<V>, RandomState>,
    bytes: usize,
}

impl<V> Default for Known<V> {
    fn default() -> Self {
        Self {
            by_hash: HashMap::default(),
            bytes: 0,
        }
    }
}

#[derive(Debug)]
struct Entry<V> {
    head: Box<[u8]>,
    body: Box<[u8]>,
    made: V,
}

impl<V: Clone> Memory<V> {
    /// An empty memory that keeps at most so many bytes, besides what is made
    /// of them.
    pub(crate) fn of(most: usize) -> Self {
        Self {
            hasher: RandomState::default(),
            most,
            known: Mutex::default(),
        }
    }

    /// What was made of the same head and the same body before, or what
    /// `make` makes of them now.
    ///
    /// # Errors
    /// Those of `make`; they are not remembered.
    pub(crate) fn get<E>(
        &self,
        head: &[u8],
        body: &[u8],
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<V, E> {
        let hash = self.hasher.hash_one((head, body));
        if let Some(entry) = self.known().by_hash.get(&hash)
            && *entry.head == *head
            && *entry.body == *body
        {
            return Ok(entry.made.clone());
        }
        let made = make()?;
        let size = head.len() + body.len() + size_of::<Entry<V>>();
        if size > self.most {
            return Ok(made);
        }
        let mut known = self.known();
        if known.bytes + size > self.most {
            *known = Known::default();
        }
        known.bytes += size;
        let entry = Entry {
            head: head.into(),
            body: body.into(),
            made: made.clone(),
        };
        known.by_hash.insert(hash, entry);
        Ok(made)
    }

    fn known(&self) -> MutexGuard<'_, Known<V>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn get(memory: &Memory<String>, head: &str, body: &[u8], made: &str) -> String {
        let make = || Ok::<_, ()>(made.to_owned());
        memory.get(head.as_bytes(), body, make).unwrap()
    }

    #[test]
    fn only_of_the_same_bytes_nothing_is_made_again() {
        let memory = Memory::of(10_000);
        assert_eq!(get(&memory, "a", b"x", "first"), "first");
        assert_eq!(get(&memory, "a", b"x", "again"), "first");
        assert_eq!(get(&memory, "b", b"x", "other head"), "other head");
        assert_eq!(get(&memory, "a", b"y", "other body"), "other body");
        assert_eq!(get(&memory, "ax", b"", "moved"), "moved");
        assert_eq!(get(&memory, "a", b"x", "still"), "first");
    }

    #[test]
    fn an_error_is_not_remembered() {
        let memory = Memory::of(10_000);
        assert_eq!(memory.get(b"a", b"x", || Err("failed")), Err("failed"));
        assert_eq!(get(&memory, "a", b"x", "made"), "made");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let memory = Memory::of(10_000);
        let large = [b'x'; 4_000];
        for head in ["a", "b", "c", "d"] {
            assert_eq!(get(&memory, head, &large, head), head);
            assert!(memory.known().bytes <= 10_000);
        }
        assert_eq!(get(&memory, "a", &large, "anew"), "anew");
        // What is larger than all that is remembered leaves the rest there.
        assert_eq!(get(&memory, "e", &[b'x'; 20_000], "huge"), "huge");
        assert_eq!(get(&memory, "a", &large, "again"), "anew");
        // Many small ones are bounded by the room that each takes.
        for number in 0..1_000_u32 {
            get(&memory, "", &number.to_le_bytes(), "small");
            assert!(memory.known().by_hash.len() <= 10_000 / size_of::<Entry<String>>());
        }
    }
}
