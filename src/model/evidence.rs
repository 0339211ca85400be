//! What a bundle holds and lacks, and what can't be concluded without it.

use std::collections::BTreeMap;

/// What became of one piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is there.
    Present,
    /// It is not in the bundle.
    Missing,
    /// The command failed: exit status and what it said, in one line.
    Failed(String),
    /// The command did not answer within the collector's limit.
    TimedOut,
}

/// The commands that list all device-mapper entries. Without any they print
/// `No devices found`.
pub const LISTINGS: [&str; 4] = [
    "dmsetup-info",
    "dmsetup-info-columns",
    "dmsetup-info-c",
    "dmsetup-ls",
];

/// A command whose output the analysis uses, and what its lack means.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The command id of the bundle.
    pub id: &'static str,
    /// Another id that serves as well, if any.
    pub instead: &'static [&'static str],
    /// What can't be concluded without it.
    pub consequence: &'static str,
}

/// Every command that the analysis uses, most important first.
pub const SOURCES: [Source; 19] = [
    Source {
        id: "dmsetup-info",
        instead: &["dmsetup-info-columns", "dmsetup-info-c"],
        consequence: "Open counts and UUIDs are known only as far as it was printed: an entry without an open count counts as in use.",
    },
    Source {
        id: "qm-list",
        instead: &[],
        consequence: "Which virtual machines run is unknown; the cleanup script asks the node itself.",
    },
    Source {
        id: "pct-list",
        instead: &[],
        consequence: "Which containers run is unknown; the cleanup script asks the node itself.",
    },
    Source {
        id: "dmsetup-table",
        instead: &[],
        consequence: "Second mappings under other names, overlaps and outdated tables can't be seen, nor partitions without a UUID.",
    },
    Source {
        id: "lvs-json",
        instead: &[],
        consequence: "Whether LVM still knows an entry's volume is unknown; the cleanup script asks LVM itself.",
    },
    Source {
        id: "lvs-segments-json",
        instead: &[],
        consequence: "Entries can't be compared with the extents that LVM's metadata gives their volumes.",
    },
    Source {
        id: "vgs-json",
        instead: &[],
        consequence: "Extent sizes, and volume groups without volumes, are unknown.",
    },
    Source {
        id: "pvs-json",
        instead: &[],
        consequence: "Which device a volume's extents lie on is unknown.",
    },
    Source {
        id: "dmsetup-status",
        instead: &[],
        consequence: "Full or failed thin pools can be told only from LVM's percentages.",
    },
    Source {
        id: "lsof",
        instead: &["fuser"],
        consequence: "Which processes hold a device open is unknown.",
    },
    Source {
        id: "holders",
        instead: &["dmsetup-table", "dmsetup-deps", "lsblk"],
        consequence: "Which devices lie on top of an entry is unknown.",
    },
    Source {
        id: "mountinfo",
        instead: &["lsblk"],
        consequence: "Which entries are mounted is unknown.",
    },
    Source {
        id: "swaps",
        instead: &["lsblk"],
        consequence: "Which entries serve as swap is unknown.",
    },
    Source {
        id: "machine-id",
        instead: &[],
        consequence: "The cleanup script recognizes the node by its host name alone.",
    },
    Source {
        id: "boot-id",
        instead: &[],
        consequence: "The cleanup script can't tell whether the node was rebooted since.",
    },
    Source {
        id: "pveversion",
        instead: &[],
        consequence: "Advice that depends on the PVE version is left general.",
    },
    Source {
        id: "pvesm-status",
        instead: &[],
        consequence: "The use of the storages is unknown.",
    },
    Source {
        id: "kernel-dm",
        instead: &[],
        consequence: "Device-mapper failures in the kernel's log can't be shown.",
    },
    Source {
        id: "date",
        instead: &["uname"],
        consequence: "When the snapshot was taken is known from its name or files alone.",
    },
];

/// What became of each command of a bundle.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    states: BTreeMap<String, State>,
}

/// One source that is not there, with what that leaves open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The command id.
    pub id: &'static str,
    /// What became of it.
    pub state: State,
    /// What can't be concluded.
    pub consequence: &'static str,
}

impl Evidence {
    /// Notes what became of a command.
    pub fn note(&mut self, id: &str, state: State) {
        self.states.insert(id.to_owned(), state);
    }

    /// What became of a command.
    pub fn state(&self, id: &str) -> &State {
        self.states.get(id).unwrap_or(&State::Missing)
    }

    /// Whether a command's output is there and it ended well.
    pub fn has(&self, id: &str) -> bool {
        *self.state(id) == State::Present
    }

    /// The commands that are missing in the bundle or failed, by id; one
    /// whose substitute is there is no gap, unless it failed.
    pub fn gaps(&self) -> Vec<Gap> {
        SOURCES
            .iter()
            .filter_map(|source| {
                let state = self.state(source.id);
                let replaced = source.instead.iter().any(|id| self.has(id));
                let gap = match state {
                    State::Present => false,
                    State::Missing => !replaced,
                    State::Failed(_) | State::TimedOut => true,
                };
                gap.then(|| Gap {
                    id: source.id,
                    state: state.clone(),
                    consequence: source.consequence,
                })
            })
            .collect()
    }
}
