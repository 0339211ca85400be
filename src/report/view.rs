//! The report's view model: all that any renderer prints, already decided,
//! ordered and worded. Renderers lay it out and escape it, nothing more.

use serde::Serialize;

/// A whole run's report.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The analyzer's version.
    pub version: String,
    /// When the analysis ran, RFC 3339.
    pub analyzed_at: String,
    /// The nodes, worst first.
    pub nodes: Vec<Node>,
    /// The clusters, worst first.
    pub clusters: Vec<Cluster>,
    /// Inputs that could not be read.
    pub rejected: Vec<Rejected>,
    /// Sums over all nodes.
    pub totals: Totals,
    /// What is wrong and what to do first, in two sentences.
    pub headline: String,
}

/// Sums over all nodes of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Totals {
    /// Number of nodes.
    pub nodes: usize,
    /// Guests' entries: valid, duplicate, orphan and unknown.
    pub entries: usize,
    /// Valid entries.
    pub valid: usize,
    /// Duplicate entries.
    pub duplicates: usize,
    /// Orphaned entries.
    pub orphans: usize,
    /// Entries without a verdict.
    pub unknown: usize,
    /// Critical findings, of nodes and clusters.
    pub critical: usize,
    /// Warnings, of nodes and clusters.
    pub warnings: usize,
    /// How many nodes have each grade, best first; `none` last.
    pub grades: Vec<Count>,
}

/// A labelled number, for charts and lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Count {
    /// What is counted.
    pub label: String,
    /// How many.
    pub count: usize,
}

/// An input that could not be analyzed.
#[derive(Debug, Clone, Serialize)]
pub struct Rejected {
    /// The input as given or found.
    pub path: String,
    /// Why, and what to do.
    pub error: String,
}

/// One node.
#[derive(Debug, Clone, Serialize)]
pub struct Node {
    /// The node's name as recorded.
    pub node: String,
    /// A name for it that is unique in this run (`pve1`, `alpha-pve1`,
    /// `pve1-2`), of `[A-Za-z0-9._-]`: file names are made of it.
    pub slug: String,
    /// Cluster name.
    pub cluster: Option<String>,
    /// `clustered`, `standalone` or `unknown`.
    pub environment: String,
    /// When the snapshot was taken, RFC 3339 or `unknown`.
    pub collected_at: String,
    /// The bundle it came from.
    pub bundle: String,
    /// The bundle's manifest: its collector's version, or that there is none.
    pub manifest: String,
    /// PVE version (`8.2.4`).
    pub pve_version: Option<String>,
    /// Kernel release.
    pub kernel: Option<String>,
    /// 0 to 100.
    pub score: Option<i64>,
    /// `A+` to `F`.
    pub grade: Option<String>,
    /// Why this grade: one sentence.
    pub grade_reason: String,
    /// How the score came about: `100`, `−20 × 1 critical issue`, ….
    pub score_steps: Vec<String>,
    /// What is wrong and what to do first, in two sentences.
    pub headline: String,
    /// The numbers.
    pub summary: Summary,
    /// Findings, worst first.
    pub findings: Vec<Finding>,
    /// Every entry, the ones with issues first.
    pub entries: Vec<Entry>,
    /// The guests of this node, by VMID.
    pub guests: Vec<Guest>,
    /// Next free VMIDs and what they would meet.
    pub next_vmids: Option<NextVmids>,
    /// Entries (any verdict) with an open count above 0, and what holds them.
    pub open_devices: Vec<OpenDevice>,
    /// The storages of storage.cfg, with status and use.
    pub storages: Vec<Storage>,
    /// Thin pools with their use.
    pub pools: Vec<Pool>,
    /// Physical volumes.
    pub physical: Vec<Physical>,
    /// CPU, memory, load, uptime.
    pub system: Vec<Fact>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What was not collected or failed, and what that leaves open.
    pub missing: Vec<Missing>,
    /// Checks that could not run for lack of evidence.
    pub checks_not_run: Vec<CheckNotRun>,
    /// Lines and files of the bundle that were not understood.
    pub notes: Vec<String>,
    /// Findings by volume group, worst first.
    pub issues_by_vg: Vec<Count>,
    /// The page's path relative to the output folder.
    pub page: Option<String>,
    /// The cleanup script's path relative to the output folder.
    pub script: Option<String>,
    /// The cleanup script's items, in order.
    pub planned: Vec<Planned>,
}

/// A node's numbers, as in the JSON summary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Guests' entries: valid, duplicate, orphan and unknown.
    pub entries: usize,
    /// Valid entries.
    pub valid: usize,
    /// Duplicate entries.
    pub duplicates: usize,
    /// Orphaned entries.
    pub orphans: usize,
    /// Entries without a verdict.
    pub unknown: usize,
    /// Guests' entries that are open, or whose open count is unknown.
    pub in_use: usize,
    /// Guests of this node.
    pub guests: usize,
    /// Guests that run.
    pub guests_running: usize,
}

/// A finding, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check's name.
    pub check: String,
    /// The check's one-line description.
    pub title: String,
    /// `critical`, `warning`, `info`.
    pub severity: String,
    /// What it is about.
    pub subject: String,
    /// The guest it concerns.
    pub vmid: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What it leads to.
    pub impact: String,
    /// What to do.
    pub remedy: String,
    /// Recorded lines.
    pub evidence: Vec<String>,
}

/// One dm entry.
#[derive(Debug, Clone, Serialize)]
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
    pub guest_kind: Option<String>,
    /// The volume id that a configuration would name it by
    /// (`local-lvm:vm-100-disk-0`).
    pub volume: Option<String>,
    /// The verdict's name.
    pub verdict: String,
    /// The reason's name.
    pub reason: Option<String>,
    /// One sentence on the verdict.
    pub explanation: String,
    /// `backed`, `stale`, `unknown`.
    pub lv_state: String,
    /// `remove`, `deactivate`, `none`.
    pub action: String,
    /// Why nothing is done.
    pub action_reason: Option<String>,
    /// Size in bytes, from its table.
    pub size: Option<u64>,
    /// The thin pool that its volume lies in, by LVM's metadata.
    pub pool: Option<String>,
    /// Worst severity of the findings about it, if any.
    pub severity: Option<String>,
}

/// A guest of the node.
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

/// A device that something holds open.
#[derive(Debug, Clone, Serialize)]
pub struct OpenDevice {
    /// The entry's name.
    pub name: String,
    /// `major:minor`.
    pub devno: String,
    /// Open count.
    pub open: Option<u32>,
    /// The entry's verdict.
    pub verdict: String,
    /// Processes, child devices, mounts, swap; a sentence when none is known.
    pub holders: Vec<String>,
}

/// A storage.
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
pub struct Physical {
    /// The device, as LVM names it.
    pub device: String,
    /// Its volume group.
    pub vg: String,
    /// Size in bytes.
    pub size: Option<u64>,
}

/// A thin pool.
#[derive(Debug, Clone, Serialize)]
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

/// A name and a value, for plain lists.
#[derive(Debug, Clone, Serialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value, with unit.
    pub value: String,
}

/// Something to do.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// One or two sentences.
    pub text: String,
    /// Commands to type, each one line, if any.
    pub commands: Vec<String>,
}

/// Evidence that is missing or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The command id or file.
    pub id: String,
    /// `missing`, `failed` or `timed out`.
    pub state: String,
    /// What it said (exit status, first line of standard error).
    pub detail: String,
    /// What can't be concluded without it.
    pub consequence: String,
}

/// A check that could not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckNotRun {
    /// The check's name.
    pub check: String,
    /// What to collect for it.
    pub needs: String,
}

/// One item of the cleanup script.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// The entry.
    pub name: String,
    /// `remove` or `deactivate`.
    pub action: String,
    /// One sentence.
    pub why: String,
}

/// A cluster.
#[derive(Debug, Clone, Serialize)]
pub struct Cluster {
    /// The cluster's name.
    pub cluster: String,
    /// Unique name for files.
    pub slug: String,
    /// Nodes in this run.
    pub nodes: Vec<ClusterNode>,
    /// Members by corosync.conf of which no bundle was given.
    pub absent: Vec<String>,
    /// Worst node's grade, F with any critical finding.
    pub grade: Option<String>,
    /// Findings that need more than one node to see.
    pub findings: Vec<Finding>,
    /// Warnings about the comparison itself (snapshots far apart, …).
    pub notes: Vec<String>,
    /// What is wrong and what to do first.
    pub headline: String,
    /// The shared volumes and where they are active and open.
    pub matrix: Matrix,
    /// What to do, in order over the nodes.
    pub steps: Vec<Step>,
    /// The page's path relative to the output folder.
    pub page: Option<String>,
}

/// A node of a cluster, with links.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterNode {
    /// The node's name.
    pub node: String,
    /// Its unique name.
    pub slug: String,
    /// Its grade.
    pub grade: Option<String>,
    /// When its snapshot was taken, RFC 3339 or `unknown`.
    pub collected_at: String,
}

/// Shared volumes over nodes.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Matrix {
    /// Column heads: the nodes.
    pub nodes: Vec<String>,
    /// A row a volume.
    pub rows: Vec<MatrixRow>,
}

/// A shared volume and its state on each node.
#[derive(Debug, Clone, Serialize)]
pub struct MatrixRow {
    /// `vg/lv`.
    pub volume: String,
    /// The guest's VMID.
    pub vmid: Option<u64>,
    /// The node whose configuration references it.
    pub home: Option<String>,
    /// For each node: `open`, `active`, `stale`, or `-` (no entry).
    pub cells: Vec<String>,
    /// Whether a finding is about it.
    pub issue: bool,
}
