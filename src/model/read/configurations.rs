//! Guests' configurations that were read before. Every bundle of a cluster
//! holds those of all its guests, most of them the same byte for byte.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::quality::RandomState;

use crate::model::guest::Guest;
use crate::parse::Parsed;

/// Bytes of the texts that are remembered at most: the guests of some large
/// clusters. What is made of them takes about five times as much.
const MOST: usize = 4 << 20;

/// A guest by its configuration, none where that holds no settings; or why
/// it was not read.
pub(super) type Read = Result<Parsed<Option<Arc<Guest>>>, String>;

/// The configurations of other bundles of a run, by path and bytes. What is
/// in here only saves time: an empty one gives the same guests.
#[derive(Debug, Default)]
pub struct Configurations {
    hasher: RandomState,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    by_hash: HashMap<u64, Entry, RandomState>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    path: Box<str>,
    bytes: Box<[u8]>,
    read: Read,
}

impl Configurations {
    /// What was made of the same bytes at the same path before, or what
    /// `read` makes of them.
    pub(super) fn get(&self, path: &str, bytes: &[u8], read: impl FnOnce() -> Read) -> Read {
        let hash = self.hasher.hash_one((path, bytes));
        if let Some(entry) = self.known().by_hash.get(&hash)
            && *entry.path == *path
            && *entry.bytes == *bytes
        {
            return entry.read.clone();
        }
        let read = read();
        let entry = Entry {
            path: path.into(),
            bytes: bytes.into(),
            read: read.clone(),
        };
        let size = path.len() + bytes.len();
        let mut known = self.known();
        if known.bytes + size > MOST {
            *known = Known::default();
        }
        known.bytes += size;
        known.by_hash.insert(hash, entry);
        read
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::model::guest::{Guest, GuestKind};

    fn read(name: &str) -> Read {
        Ok(Parsed::new(Some(Arc::new(Guest {
            vmid: 100,
            kind: GuestKind::Vm,
            node: "pve1".to_owned(),
            path: "/etc/pve/nodes/pve1/qemu-server/100.conf".to_owned(),
            readable: true,
            name: name.to_owned(),
            lock: None,
            status: None,
            template: false,
            references: Vec::new(),
            snapshots: Vec::new(),
        }))))
    }

    fn name(read: Read) -> String {
        read.unwrap().value.unwrap().name.clone()
    }

    #[test]
    fn only_the_same_bytes_at_the_same_path_are_read_once() {
        let known = Configurations::default();
        assert_eq!(name(known.get("/a", b"x", || read("first"))), "first");
        assert_eq!(name(known.get("/a", b"x", || read("again"))), "first");
        assert_eq!(
            name(known.get("/b", b"x", || read("other path"))),
            "other path"
        );
        assert_eq!(
            name(known.get("/a", b"y", || read("other bytes"))),
            "other bytes"
        );
        assert_eq!(name(known.get("/a", b"x", || read("still"))), "first");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let known = Configurations::default();
        let large = vec![b'x'; MOST / 2];
        for path in ["/a", "/b", "/c", "/d"] {
            assert_eq!(name(known.get(path, &large, || read(path))), path);
            assert!(known.known().bytes <= MOST + large.len() + path.len());
        }
        assert_eq!(name(known.get("/a", &large, || read("anew"))), "anew");
        // Larger than all that is remembered: read, and nothing else.
        let huge = vec![b'x'; 2 * MOST];
        assert_eq!(name(known.get("/e", &huge, || read("huge"))), "huge");
    }
}
