//! A node's storage, from its physical volumes up.

use serde::{Deserialize, Serialize};

/// A storage.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Storage {
    /// Storage id.
    pub id: String,
    /// `lvm`, `lvmthin`, `dir`, ….
    pub kind: String,
    /// Volume group (and thin pool).
    pub vg: Option<String>,
    /// Thin pool.
    pub thinpool: Option<String>,
    /// Whether it is shared between nodes.
    pub shared: bool,
    /// Nodes it is limited to, empty for all.
    pub nodes: Vec<String>,
    /// `active`, `inactive`, `disabled`, `unknown`.
    pub status: String,
    /// Bytes in all.
    pub total: Option<u64>,
    /// Bytes used.
    pub used: Option<u64>,
    /// Per cent used.
    pub percent: Option<f64>,
}

/// A physical volume of LVM.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Physical {
    /// The device, as LVM names it.
    pub device: String,
    /// Its volume group.
    pub vg: String,
    /// Size in bytes.
    pub size: Option<u64>,
}

/// A thin pool.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pool {
    /// `vg/lv`.
    pub name: String,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Per cent of its data space used.
    pub data_percent: Option<f64>,
    /// Per cent of its metadata space used.
    pub metadata_percent: Option<f64>,
    /// Bytes promised to thin volumes.
    pub promised: Option<u64>,
    /// `ok`, or what is wrong.
    pub state: String,
}
