//! The plan for one node: what a script may do, in which order, and what it
//! must find unchanged when it does.

use serde::{Deserialize, Serialize};

use crate::model::verdict::{Action, LvState, Verdict};
use crate::parse::DevNo;

/// What a cleanup script of one node does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// What may be done, in order: duplicates, then orphans; children before
    /// the parents they hold open.
    pub items: Vec<Item>,
    /// Duplicates and orphans that nothing is done about, with the reason.
    pub skipped: Vec<Skipped>,
}

/// One entry that a script may remove from the kernel, and what is to be true
/// of it at that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The entry's device-mapper name, of `[A-Za-z0-9+_.-]` only.
    pub name: String,
    /// Its device-mapper UUID in the snapshot, if it has one.
    pub uuid: Option<String>,
    /// Its table in the snapshot, a line a segment, as `dmsetup table NAME`
    /// prints it (`START LENGTH TARGET ARGS`, sectors of 512 bytes); empty
    /// when it was not collected.
    pub table: Vec<String>,
    /// Its device number in the snapshot; another one now is no doubt in
    /// itself (numbers are handed out anew at each activation).
    pub devno: DevNo,
    /// [`Action::Remove`] or [`Action::Deactivate`].
    pub action: Action,
    /// With [`LvState::Unknown`] LVM is asked when the script runs: what it
    /// knows is deactivated, what it does not know is removed.
    pub lv_state: LvState,
    /// Why the entry is planned: `duplicate`, `orphan`, or `dependent` of one.
    pub verdict: Verdict,
    /// Volume group and logical volume, by LVM's rule for names; both or
    /// neither.
    pub vg_lv: Option<(String, String)>,
    /// The guest whose volume it is.
    pub vmid: Option<u64>,
    /// No configuration of the cluster had this VMID in the snapshot: one that
    /// is there now means the VMID was given out again.
    pub guest_gone: bool,
    /// Words (`[A-Za-z0-9+_.-]` only) that no guest configuration of the
    /// cluster may hold now: the volume's name, the entry's name, its UUID.
    pub words: Vec<String>,
    /// One sentence for the person who approves: what it is and why it may
    /// go. Free text from the bundle may stand in it.
    pub why: String,
}

/// An entry that is left alone, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The entry's name, as recorded; any characters.
    pub name: String,
    /// The reason's name: `open`, `held`, `guest-running`, …
    pub reason: String,
    /// One sentence on it.
    pub why: String,
}
