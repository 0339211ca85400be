//! Entries: what is known of one, what is planned for it, and who has it open.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One of the words that dmaudit itself gives.
pub type Word = Cow<'static, str>;

/// One dm entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The entry's name, as `dmsetup` prints it.
    pub name: String,
    /// Its dm UUID.
    pub uuid: Option<String>,
    /// `major:minor`.
    pub devno: String,
    /// Open count.
    pub open: Option<u32>,
    /// What holds it open.
    pub holders: Vec<String>,
    /// Volume group, by LVM's rule for names.
    pub vg: Option<String>,
    /// Logical volume.
    pub lv: Option<String>,
    /// The guest whose volume it is.
    pub vmid: Option<u64>,
    /// `vm` or `ct`.
    pub guest_kind: Option<Word>,
    /// The volume id that a configuration would name it by
    /// (`local-lvm:vm-100-disk-0`).
    pub volume: Option<String>,
    /// The verdict's name.
    pub verdict: Word,
    /// The reason's name.
    pub reason: Option<Word>,
    /// One sentence on the verdict.
    pub explanation: String,
    /// `backed`, `stale`, `unknown`.
    pub lv_state: Word,
    /// `remove`, `deactivate`, `none`.
    pub action: Word,
    /// Why nothing is done.
    pub action_reason: Option<Word>,
    /// Size in bytes, from its table.
    pub size: Option<u64>,
    /// The thin pool that its volume lies in, by LVM's metadata.
    pub pool: Option<String>,
    /// Worst severity of the findings about it, if any.
    pub severity: Option<Word>,
}

/// A device that something holds open.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenDevice {
    /// The entry's name.
    pub name: String,
    /// `major:minor`.
    pub devno: String,
    /// Open count.
    pub open: Option<u32>,
    /// The entry's verdict.
    pub verdict: Word,
    /// Processes, child devices, mounts, swap; a sentence when none is known.
    pub holders: Vec<String>,
}

/// One item of the cleanup script.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Planned {
    /// The entry.
    pub name: String,
    /// `remove` or `deactivate`.
    pub action: String,
    /// One sentence.
    pub why: String,
}
