//! How much of all that a bundle lists is taken into memory together.
//!
//! Each list has a bound of its own, ten times what the largest node known
//! has. A node with ten times of everything is none, and would take twice the
//! memory that a bundle may take. What a report makes of each thing was
//! measured (`tests/memory.rs`), as the maximum resident set of the program.

use crate::model::guest::Guest;
use crate::model::node::Holder;

/// Bytes for all of them, besides the program's own.
const BYTES: usize = 200 << 20;

/// What is left of the room.
#[derive(Debug)]
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(BYTES)
    }
}

/// What things of a node take: their verdicts, findings, rows and texts.
pub(super) mod cost {
    use super::{Guest, Holder};

    /// An entry and its verdict, findings and place in the plan, with a name of
    /// so many bytes, which is told some thirty times.
    pub fn entry(name: usize) -> usize {
        3_800 + 34 * name
    }

    /// A holder, which is told in the findings of its entry.
    pub fn holder(holder: &Holder) -> usize {
        600 + 18
            * match holder {
                Holder::Process { command, .. } => command.len(),
                Holder::Mount(path) | Holder::Kernel(path) => path.len(),
                Holder::Swap => 0,
            }
    }

    /// A guest and the volumes that its configuration names.
    pub fn guest(guest: &Guest) -> usize {
        1_500 + 8 * guest.name.len() + 700 * (guest.references.len() + guest.snapshots.len())
    }

    /// A row of `qm list` or `pct list`.
    pub const LISTED: usize = 1_000;

    /// An entry that lies on another.
    pub const DEPENDENCY: usize = 400;

    /// A segment of a table.
    pub const SEGMENT: usize = 400;

    /// A row of LVM's reports.
    pub const ROW: usize = 1_100;

    /// A line of the kernel's log.
    pub const LOG_LINE: usize = 1_700;

    /// A thin pool's status.
    pub const POOL: usize = 1_700;

    /// A multipath device, and each of its paths.
    pub const MULTIPATH: usize = 1_500;
}

impl Room {
    /// Takes so many bytes, or what is left.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.0 = self.0.saturating_sub(bytes);
    }

    /// Takes so many bytes.
    ///
    /// # Errors
    /// Why what has as many is not read, if that is more than is left.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), String> {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(self.0);
        match left {
            Some(_) => Ok(()),
            None => {
                Err("not read, since no node has as much as the bundle lists in all".to_owned())
            }
        }
    }
}
