//! The plan for one node: what a script may do, in which order, and what it
//! must find unchanged when it does.

use std::collections::BTreeMap;

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

impl Plan {
    /// Takes out what is to be kept (entries with the reason, in words), and
    /// what hangs together with it: the entries that it stands on, which it
    /// holds, and the dependents on top of it, which were only in its way.
    /// Returns what was taken out.
    pub fn keep(&mut self, kept: &BTreeMap<&str, String>) -> Vec<Skipped> {
        let mut out: BTreeMap<usize, (&str, String)> = BTreeMap::new();
        let mut new: Vec<usize> = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            if let Some(why) = kept.get(item.name.as_str()) {
                let why = format!("the configuration ignores it: {why}");
                out.insert(index, ("ignored", why));
                new.push(index);
            }
        }
        while let Some(stays) = new.pop().and_then(|index| self.items.get(index)) {
            for (index, item) in self.items.iter().enumerate() {
                let below = stays.may_stand_on(item);
                let above = item.verdict == Verdict::Dependent && item.may_stand_on(stays);
                if (below || above) && item.name != stays.name && !out.contains_key(&index) {
                    let why = format!("{} stays, and the two hang together", stays.name);
                    out.insert(index, ("held", why));
                    new.push(index);
                }
            }
        }
        let out: Vec<Skipped> = out
            .into_iter()
            .rev()
            .map(|(index, (reason, why))| Skipped {
                name: self.items.remove(index).name,
                reason: reason.to_owned(),
                why,
            })
            .collect();
        self.skipped.extend(out.iter().cloned());
        out
    }
}

impl Item {
    /// Whether this entry's table names another one's device; without a table
    /// that can't be told.
    fn may_stand_on(&self, other: &Self) -> bool {
        let device = other.devno.to_string();
        let names = |line: &String| line.split_ascii_whitespace().any(|word| word == device);
        self.table.is_empty() || self.table.iter().any(names)
    }
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
