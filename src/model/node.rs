//! One node, as its bundle shows it.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::model::device::{Devices, Index};
use crate::model::evidence::Evidence;
use crate::model::guest::Guest;
use crate::model::lvm::{LogicalVolume, Lvm};
use crate::model::storage::Storages;
use crate::parse::datacenter::NextIdRange;
use crate::parse::kernel_log::KernelLine;
use crate::parse::lvmconfig::LvmConfig;
use crate::parse::multipath::Multipath;
use crate::parse::pvesm::StorageStatus;
use crate::parse::pveversion::PveVersion;
use crate::parse::thin_status::ThinPoolStatus;

/// One node at one time.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Where it stands among others.
    pub membership: Membership,
    /// When the snapshot was taken.
    pub collected_at: Option<DateTime<Utc>>,
    /// The bundle it came from.
    pub bundle: String,
    /// The collector by the bundle's manifest, if it has one.
    pub collector: Option<String>,
    /// SHA-256 of `/etc/machine-id`, in hexadecimal digits.
    pub machine_id_sha256: Option<String>,
    /// The kernel's boot id.
    pub boot_id: Option<String>,
    /// PVE's version.
    pub pve: PveVersion,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// Its device-mapper devices.
    pub devices: Devices,
    /// Why there may be more of them than are listed, if so.
    pub listing_gap: Option<String>,
    /// What else holds a device open than other devices, by device.
    pub holders: BTreeMap<Index, Vec<Holder>>,
    /// Status of its thin pools, by device-mapper name.
    pub thin_pools: BTreeMap<String, ThinPoolStatus>,
    /// LVM's metadata.
    pub lvm: Lvm,
    /// LVM's filters.
    pub lvm_config: Option<LvmConfig>,
    /// The cluster's storages.
    pub storages: Storages,
    /// Their status on this node.
    pub storage_status: Vec<StorageStatus>,
    /// Its guests and those of other nodes.
    pub guests: Guests,
    /// The range of VMIDs, if `/etc/pve` was collected.
    pub next_ids: Option<NextIdRange>,
    /// The kernel log's device-mapper lines.
    pub kernel_log: Vec<KernelLine>,
    /// Multipath devices.
    pub multipaths: Vec<Multipath>,
    /// Processor, memory, load, uptime: name and value.
    pub system: Vec<(String, String)>,
    /// What the bundle holds and lacks.
    pub evidence: Evidence,
    /// What in the bundle was not understood.
    pub notes: Vec<String>,
}

/// Whether a node is one of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// `corosync.conf` or other nodes' folders say so.
    Clustered,
    /// `/etc/pve` was collected and has neither.
    Standalone,
    /// The bundle does not show it.
    Unknown,
}

impl Environment {
    /// The environment as JSON writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clustered => "clustered",
            Self::Standalone => "standalone",
            Self::Unknown => "unknown",
        }
    }
}

/// A node's place in its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Clustered or not.
    pub environment: Environment,
    /// The cluster's name.
    pub cluster: Option<String>,
    /// The members' names, this node included; empty when not clustered.
    pub members: Vec<String>,
}

/// Who holds a device open, other than a device on top of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// A process.
    Process {
        /// Its id, where known.
        pid: Option<u32>,
        /// Its command.
        command: String,
    },
    /// A mounted file system.
    Mount(String),
    /// Swap space.
    Swap,
    /// A block device that is not device-mapper's (`md0`, `loop1`).
    Kernel(String),
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Process {
                pid: Some(pid),
                command,
            } => write!(f, "process {pid} ({command})"),
            Self::Process { pid: None, command } => write!(f, "process {command}"),
            Self::Mount(point) => write!(f, "mounted on {point}"),
            Self::Swap => f.write_str("swap"),
            Self::Kernel(device) => write!(f, "device {device}"),
        }
    }
}

/// What a bundle tells of guests.
#[derive(Debug, Clone, Default)]
pub struct Guests {
    /// Guests of this node, sorted by VMID: they are found by it.
    pub here: Vec<Guest>,
    /// Guests of other nodes whose configuration was read, sorted by VMID.
    pub elsewhere: Vec<Arc<Guest>>,
    /// Guests known to belong to other nodes although their configuration was
    /// not read, by VMID.
    pub unread_elsewhere: BTreeMap<u64, UnreadElsewhere>,
    /// Guests that exist although their configuration could not be read:
    /// VMID to what is known.
    pub unread: BTreeMap<u64, String>,
    /// Why no conclusion can be drawn from configurations at all, if so.
    pub unusable: Option<String>,
    /// Whether the guests of all other nodes are known, too.
    pub whole_cluster: bool,
}

/// A guest of another node whose configuration was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadElsewhere {
    /// That node.
    pub node: String,
    /// Why its configuration could not be read; none where only a list names
    /// the guest, and its configuration was not collected.
    pub why: Option<String>,
}

/// The first guest with a VMID among guests that are sorted by it.
fn of<G: Borrow<Guest>>(guests: &[G], vmid: u64) -> Option<&Guest> {
    let at = guests.partition_point(|guest| guest.borrow().vmid < vmid);
    let guest = guests.get(at)?.borrow();
    (guest.vmid == vmid).then_some(guest)
}

impl Guests {
    /// The guest of this node with this VMID.
    pub fn here(&self, vmid: u64) -> Option<&Guest> {
        of(&self.here, vmid)
    }

    /// The guest with this VMID on any node whose configuration was read.
    pub fn anywhere(&self, vmid: u64) -> Option<&Guest> {
        self.here(vmid).or_else(|| of(&self.elsewhere, vmid))
    }

    /// The other node that a guest is known to belong to.
    pub fn home_elsewhere(&self, vmid: u64) -> Option<&str> {
        let read = of(&self.elsewhere, vmid).map(|guest| guest.node.as_str());
        read.or_else(|| Some(self.unread_elsewhere.get(&vmid)?.node.as_str()))
    }

    /// Why the configuration of a guest that exists, on whichever node, could
    /// not be read, if so.
    pub fn unread(&self, vmid: u64) -> Option<&str> {
        let elsewhere = || self.unread_elsewhere.get(&vmid)?.why.as_ref();
        let why = self.unread.get(&vmid).or_else(elsewhere);
        why.map(String::as_str)
    }

    /// All guests whose configuration was read or that are listed here; those
    /// of this node first.
    pub fn all(&self) -> impl Iterator<Item = &Guest> {
        let elsewhere = self.elsewhere.iter().map(|guest| &**guest);
        self.here.iter().chain(elsewhere)
    }

    /// Every VMID that is known to be taken.
    pub fn taken(&self) -> BTreeSet<u64> {
        self.all()
            .map(|guest| guest.vmid)
            .chain(self.unread_elsewhere.keys().copied())
            .chain(self.unread.keys().copied())
            .collect()
    }
}

/// Holders of a device that are told by name.
pub const MOST_HOLDERS: usize = 50;

impl Node {
    /// Why no grade can be given, if so: without the guests' configurations
    /// or without a whole listing of the devices, a clean sheet would prove
    /// nothing.
    pub fn ungraded(&self) -> Option<&str> {
        if let Some(why) = &self.guests.unusable {
            return Some(why);
        }
        self.listing_gap.as_deref()
    }

    /// Whether an LV is none of PVE's, though its name is a guest's: its VG is
    /// other hosts', too, and it has no guest's tag.
    pub fn lacks_tag(&self, lv: &LogicalVolume) -> bool {
        lv.tagged == Some(false) && self.storages.only_tagged_on(&lv.vg)
    }

    /// What holds a device open: other devices on top of it, then the rest,
    /// in words. Of more than [`MOST_HOLDERS`] the rest is counted.
    pub fn holder_texts(&self, index: Index) -> Vec<String> {
        let above = self
            .devices
            .above(index)
            .iter()
            .filter_map(|above| self.devices.get(*above))
            .map(|device| format!("device {}", device.name));
        let others = self.holders.get(&index).into_iter().flatten();
        let mut holders = above.chain(others.map(ToString::to_string));
        let mut texts: Vec<String> = holders.by_ref().take(MOST_HOLDERS).collect();
        match holders.count() {
            0 => {}
            more => texts.push(format!("{more} more")),
        }
        texts
    }
}
