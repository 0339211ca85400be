//! What stands in `report.json`: the doc comments are its schema's.

use serde::Serialize;

use crate::config::Labels;
use crate::report::view;

/// The program that wrote the report.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Tool<'a> {
    /// `dmaudit`.
    pub(super) name: &'static str,
    /// Its version.
    pub(super) version: &'a str,
}

/// A node, judged by its newest bundle.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Node<'a> {
    /// Its name as recorded.
    pub(super) node: &'a str,
    /// Its cluster's name; null for a standalone node, and where it is not known.
    pub(super) cluster: Option<&'a str>,
    /// `clustered`, `standalone` or `unknown`.
    pub(super) environment: &'a str,
    /// Whose node it is and where it stands, by the configuration.
    pub(super) labels: &'a Labels,
    /// When the bundle was collected, RFC 3339.
    pub(super) collected_at: Option<&'a str>,
    /// The bundle's path as given or found.
    pub(super) bundle: &'a str,
    /// `8.2.4`.
    pub(super) pve_version: Option<&'a str>,
    /// The kernel's release.
    pub(super) kernel: Option<&'a str>,
    /// 0 to 100; null without a grade.
    pub(super) score: Option<i64>,
    /// `A+` to `F`; null where the bundle can't tell.
    pub(super) grade: Option<&'a str>,
    /// Sums over entries and guests.
    pub(super) summary: &'a view::Summary,
    /// Every device-mapper entry.
    pub(super) entries: Vec<Entry<'a>>,
    /// The guests of this node.
    pub(super) guests: Vec<Guest<'a>>,
    /// What was found, worst first.
    pub(super) findings: Vec<Finding<'a>>,
    /// What was found and is ignored by the configuration.
    pub(super) ignored: Vec<Ignored<'a>>,
    /// The next free VMIDs and what they would meet.
    pub(super) next_vmids: &'a Option<view::NextVmids>,
    /// What keeps findings from coming back.
    pub(super) prevention: &'a [view::Prevention],
    /// What the bundle lacks.
    pub(super) evidence: Evidence<'a>,
    /// Lines and files of the bundle that were not understood, and other remarks.
    pub(super) notes: &'a [String],
    /// This and older snapshots, oldest first; empty if there is only one.
    pub(super) history: &'a [view::Point],
    /// Its page, relative to the output folder.
    pub(super) page: Option<&'a str>,
    /// Its cleanup script, relative to the output folder.
    pub(super) script: Option<&'a str>,
}

/// A device-mapper entry.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Entry<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its UUID.
    pub(super) uuid: Option<&'a str>,
    /// `major:minor`, or `unknown`.
    pub(super) devno: &'a str,
    /// Its open count; null where it was not collected.
    pub(super) open: Option<u32>,
    /// What holds it open, in words.
    pub(super) holders: &'a [String],
    /// Its volume group.
    pub(super) vg: Option<&'a str>,
    /// Its logical volume.
    pub(super) lv: Option<&'a str>,
    /// The guest whose volume it is.
    pub(super) vmid: Option<u64>,
    /// `vm` or `ct`.
    pub(super) guest_kind: Option<&'a str>,
    /// The volume's id in configurations (`local-lvm:vm-100-disk-0`).
    pub(super) volume: Option<&'a str>,
    /// `valid`, `duplicate`, `orphan`, `dependent`, `system` or `unknown`.
    pub(super) verdict: &'a str,
    /// The reason's name.
    pub(super) reason: Option<&'a str>,
    /// Whether an LV lies behind it: `backed`, `stale` or `unknown`.
    pub(super) lv_state: &'a str,
    /// What the cleanup script would do: `remove`, `deactivate` or `none`.
    pub(super) action: &'a str,
    /// Why it would do nothing.
    pub(super) action_reason: Option<&'a str>,
}

/// A guest of the node.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Guest<'a> {
    /// Its VMID.
    pub(super) vmid: u64,
    /// `vm` or `ct`.
    pub(super) kind: &'a str,
    /// Its name.
    pub(super) name: &'a str,
    /// `running`, `stopped`, …, or `unknown`.
    pub(super) status: &'a str,
    /// The lock's name.
    pub(super) locked: Option<&'a str>,
    /// Volumes that its configuration references.
    pub(super) disks: usize,
    /// Critical findings and warnings about it.
    pub(super) issues: usize,
}

/// A fault.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Finding<'a> {
    /// The check's name.
    pub(super) check: &'a str,
    /// `critical`, `warning` or `info`.
    pub(super) severity: &'a str,
    /// What it is about: an entry, a volume, a VMID, a pool.
    pub(super) subject: &'a str,
    /// The guest it concerns.
    pub(super) vmid: Option<u64>,
    /// What is wrong.
    pub(super) message: &'a str,
    /// What it leads to.
    pub(super) impact: &'a str,
    /// What to do.
    pub(super) remedy: &'a str,
    /// Recorded lines.
    pub(super) evidence: &'a [String],
}

/// A finding that the configuration ignores.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Ignored<'a> {
    #[serde(flatten)]
    pub(super) finding: Finding<'a>,
    /// Why it is ignored.
    pub(super) reason: &'a str,
    /// The last day, `YYYY-MM-DD`, UTC.
    pub(super) until: &'a str,
}

/// What the bundle lacks: ids of commands and files.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Evidence<'a> {
    /// What was not collected.
    pub(super) missing: Vec<&'a str>,
    /// What was tried and failed.
    pub(super) failed: Vec<&'a str>,
    /// Checks that could not run.
    pub(super) checks_not_run: Vec<&'a str>,
}

/// A cluster: what only a look at its nodes together shows.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Cluster<'a> {
    /// Its name.
    pub(super) cluster: &'a str,
    /// Its nodes in this report.
    pub(super) nodes: Vec<&'a str>,
    /// Its worst node's grade, F with a critical finding of its own.
    pub(super) grade: Option<&'a str>,
    /// What was found, worst first.
    pub(super) findings: Vec<Finding<'a>>,
    /// What was found and is ignored by the configuration.
    pub(super) ignored: Vec<Ignored<'a>>,
    /// Remarks on the comparison itself.
    pub(super) notes: &'a [String],
    /// Its page, relative to the output folder.
    pub(super) page: Option<&'a str>,
}
