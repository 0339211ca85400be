//! Guests' configurations that were read before. Every bundle of a cluster
//! holds those of all its guests, most of them the same byte for byte.

use std::sync::Arc;

use crate::model::guest::Guest;
use crate::parse::Parsed;
use crate::remember::Memory;

/// Bytes of the texts that are remembered at most: the guests of some large
/// clusters. What is made of them takes about five times as much.
const MOST: usize = 4 << 20;

/// A guest by its configuration, none where that holds no settings; or why
/// it was not read.
pub(super) type Read = Result<Parsed<Option<Arc<Guest>>>, String>;

/// The configurations of other bundles of a run, by path and bytes.
#[derive(Debug)]
pub struct Configurations(Memory<Parsed<Option<Arc<Guest>>>>);

impl Default for Configurations {
    fn default() -> Self {
        Self(Memory::of(MOST))
    }
}

impl Configurations {
    /// What was made of the same bytes at the same path before, or what
    /// `read` makes of them.
    pub(super) fn get(&self, path: &str, bytes: &[u8], read: impl FnOnce() -> Read) -> Read {
        self.0.get(path.as_bytes(), bytes, read)
    }
}
