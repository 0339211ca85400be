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
        let mut known = self.known();
        known.bytes += path.len() + bytes.len();
        if known.bytes > MOST {
            *known = Known::default();
        }
        known.by_hash.insert(hash, entry);
        read
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
