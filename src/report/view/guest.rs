//! Guests, and the VM IDs that are next.

use serde::{Deserialize, Serialize};

/// A guest of the node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Guest {
    /// Its VMID.
    pub vmid: u64,
    /// `vm` or `ct`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// `running`, `stopped`, …, or `unknown`.
    pub status: String,
    /// The lock's name, if it is locked.
    pub locked: Option<String>,
    /// Whether it is a template.
    pub template: bool,
    /// Number of volumes that its configuration references.
    pub disks: usize,
    /// Number of its entries on this node.
    pub entries: usize,
    /// Number of findings about it.
    pub issues: usize,
    /// `healthy`, `warning`, `critical`, `unknown`.
    pub health: String,
}

/// The next free VMIDs of the cluster's range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NextVmids {
    /// Lowest VMID of the range.
    pub lower: u64,
    /// One past the highest VMID of the range.
    pub upper: u64,
    /// Free VMIDs, lowest first: the first ones, and the ones that meet
    /// something.
    pub ids: Vec<NextVmid>,
    /// One sentence: what the next guest meets.
    pub sentence: String,
}

/// A free VMID and what a guest that gets it would meet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NextVmid {
    /// The VMID.
    pub vmid: u64,
    /// Whether it is one of the very next.
    pub next: bool,
    /// `free`, `blocked` (creating a volume fails) or `leftover` (works, but
    /// old data lies beside it).
    pub outcome: String,
    /// What it meets.
    pub meets: Vec<String>,
}
