//! What can be said of an entry, as plain values.

use serde::{Deserialize, Serialize};

/// What an entry is. Every entry of a node has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A guest's volume that the configuration of a guest on this node
    /// references.
    Valid,
    /// A further entry for a disk that another entry already maps.
    Duplicate,
    /// A guest's volume that nothing on this node references.
    Orphan,
    /// A partition or layer on top of a guest's entry; it follows that entry.
    Dependent,
    /// Not a guest's.
    System,
    /// The evidence doesn't allow a verdict.
    Unknown,
}

impl Verdict {
    /// The verdict's name, as JSON and reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Duplicate => "duplicate",
            Self::Orphan => "orphan",
            Self::Dependent => "dependent",
            Self::System => "system",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the entry is a guest's own (`valid`, `duplicate`, `orphan`,
    /// `unknown`): those are the ones that a summary counts.
    pub fn is_guests(self) -> bool {
        matches!(
            self,
            Self::Valid | Self::Duplicate | Self::Orphan | Self::Unknown
        )
    }
}

/// What LVM's metadata, as recorded, says of the logical volume whose UUID an
/// entry carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LvState {
    /// The metadata has a logical volume with this UUID.
    Backed,
    /// The volume group's metadata was read and has no such volume.
    Stale,
    /// The metadata was not read, or the entry carries no LVM UUID.
    Unknown,
}

impl LvState {
    /// The state's name, as JSON and reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Backed => "backed",
            Self::Stale => "stale",
            Self::Unknown => "unknown",
        }
    }
}

/// What a cleanup script may do about an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Remove the mapping from the kernel: LVM does not know it.
    Remove,
    /// Have LVM deactivate the logical volume it knows.
    Deactivate,
    /// Nothing.
    None,
}

impl Action {
    /// The action's name, as JSON and reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Deactivate => "deactivate",
            Self::None => "none",
        }
    }
}
