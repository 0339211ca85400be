//! A cluster as it really is: what the nodes' commands then print is one view
//! of it, the expected verdicts and findings are another.

use std::collections::BTreeMap;

/// Bytes of an extent.
pub const EXTENT: u64 = 4 << 20;
/// The major number of device-mapper devices.
pub const DM: u32 = 252;

/// Whose a logical volume is.
#[derive(Clone, PartialEq)]
pub enum Use {
    System,
    /// A guest's configuration names it.
    Referenced(usize),
    /// A guest's, but its configuration no longer names it.
    Dropped(usize),
    /// A deleted guest's.
    Gone,
    /// Renamed to be wiped and removed.
    Deleting,
}

pub enum Kind {
    /// Runs of extents: first and count.
    Linear(Vec<(u64, u64)>),
    /// The id within the pool.
    Thin(u64),
    Pool,
    PoolData(u64, u64),
    PoolMeta(u64, u64),
    Spare(u64, u64),
}

pub struct Lv {
    pub name: String,
    pub uuid: String,
    pub extents: u64,
    pub kind: Kind,
    pub used: Use,
    /// The VMID in its name.
    pub vmid: Option<u32>,
    /// Read-only and skipped by activation: a snapshot or template.
    pub skip: bool,
    pub origin: String,
    /// PVE always gives this name to a new guest's volume.
    pub fixed_name: bool,
}

pub struct Vg {
    pub name: String,
    pub uuid: String,
    pub pv: String,
    pub pv_uuid: String,
    pub devno: (u32, u32),
    pub extents: u64,
    pub next: u64,
    pub lvs: Vec<Lv>,
    pub autoactivation: bool,
}

impl Vg {
    pub fn take(&mut self, count: u64) -> u64 {
        self.next += count;
        self.next - count
    }

    pub fn uuid_of(&self, lv: &Lv) -> String {
        format!("LVM-{}{}", self.uuid, lv.uuid)
            .replace('-', "")
            .replacen("LVM", "LVM-", 1)
    }

    pub fn sector(extent: u64) -> u64 {
        2048 + extent * (EXTENT / 512)
    }
}

pub struct Target {
    pub start: u64,
    pub length: u64,
    pub text: String,
    pub on: Vec<(u32, u32)>,
}

/// What a device is.
#[derive(Clone, PartialEq)]
pub enum Of {
    System,
    /// A volume of the local (false) or the shared VG.
    Lv(bool, usize),
    /// A volume that LVM no longer has; the guest, if it still names it.
    Stale(Option<usize>, u32),
    Double,
    OnTop,
}

pub struct Dev {
    pub name: String,
    pub uuid: String,
    pub minor: u32,
    pub open: u32,
    pub read_only: bool,
    pub suspended: bool,
    pub no_table: bool,
    pub table: Vec<Target>,
    pub of: Of,
    pub process: Option<(u32, &'static str)>,
    /// Part of a problem already.
    pub touched: bool,
}

pub struct Guest {
    pub vmid: u32,
    pub container: bool,
    pub node: usize,
    pub name: String,
    pub running: bool,
    pub pid: u32,
    pub lock: Option<&'static str>,
    pub template: bool,
    pub lines: Vec<String>,
    pub sections: String,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Configs {
    All,
    /// `/etc/pve` was empty.
    None,
}

pub type Findings = BTreeMap<(String, String, &'static str), usize>;

pub struct Node {
    pub name: String,
    pub local: Vg,
    pub devs: Vec<Dev>,
    pub configs: Configs,
    pub log: Vec<String>,
    /// Used blocks of data and metadata, of 10,000 each; the mode.
    pub pool: (u64, u64, &'static str, bool),
    pub failed_paths: usize,
    pub machine: String,
    pub next_minor: u32,
    pub expected: Findings,
}

impl Node {
    pub fn expect(&mut self, check: &str, subject: impl Into<String>, severity: &'static str) {
        *self
            .expected
            .entry((check.to_owned(), subject.into(), severity))
            .or_default() += 1;
    }

    pub fn minor(&mut self) -> u32 {
        self.next_minor += 1;
        self.next_minor - 1
    }
}

pub struct Cluster {
    /// None for a node of its own.
    pub name: Option<String>,
    pub folder: String,
    pub pve: &'static str,
    pub lvm2: &'static str,
    pub nodes: Vec<Node>,
    pub shared: Option<Vg>,
    pub multipath: bool,
    pub guests: Vec<Guest>,
    pub next_vmid: u32,
    pub expected: Findings,
}

/// An LVM device's name.
pub fn dm_name(vg: &str, lv: &str) -> String {
    format!("{}-{}", vg.replace('-', "--"), lv.replace('-', "--"))
}
