//! The report's view model: all that any renderer prints, already decided,
//! ordered and worded. Renderers lay it out and escape it, nothing more.

mod cluster;
mod entry;
mod guest;
mod history;
mod row;
mod storage;

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use crate::config::{Labels, Thresholds};

pub use cluster::{Cell, Cluster, ClusterNode, Matrix, MatrixRow};
pub use entry::{Entry, OpenDevice, Planned, Word};
pub use guest::{Guest, NextVmid, NextVmids};
pub use history::{Point, PoolUse};
pub use row::{CheckCount, ClusterRow, Row, count_of_severity, of_severity, page_of, script_of};
pub use storage::{Physical, Pool, Storage};

/// A whole run's report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// The analyzer's version.
    pub version: String,
    /// When the analysis ran, RFC 3339.
    pub analyzed_at: String,
    /// The nodes, worst first.
    pub nodes: Vec<Node>,
    /// For each of them its place in the order in which the run read them,
    /// which is that of `report.json`.
    pub run_order: Vec<usize>,
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
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
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
    /// Findings that the configuration ignores, of nodes and clusters.
    pub ignored: usize,
    /// How many nodes have each grade, best first; `none` last.
    pub grades: Vec<Count>,
}

/// A labelled number, for charts and lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// What is counted.
    pub label: String,
    /// How many.
    pub count: usize,
}

/// An input that could not be analyzed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rejected {
    /// The input as given or found.
    pub path: String,
    /// Why, and what to do.
    pub error: String,
}

/// One node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Node {
    /// The node's name as recorded.
    pub node: String,
    /// A name for it that is unique in this run (`pve1`, `alpha-pve1`,
    /// `pve1-2`), of `[A-Za-z0-9._-]`: file names are made of it.
    pub slug: String,
    /// Cluster name.
    pub cluster: Option<String>,
    /// SHA-256 of the node's machine id, in hexadecimal.
    #[serde(default)]
    pub machine_id_sha256: Option<String>,
    /// `clustered`, `standalone` or `unknown`.
    pub environment: String,
    /// Whose node it is and where it stands, by the configuration.
    #[serde(default)]
    pub labels: Labels,
    /// The numbers that its findings were judged by.
    #[serde(default)]
    pub thresholds: Thresholds,
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
    /// Why no grade can be given, if so.
    pub ungraded: Option<String>,
    /// Why no guest's entry can be judged, if so.
    pub unjudged: Option<String>,
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
    /// Findings that count, worst first.
    pub findings: Vec<Finding>,
    /// Findings that the configuration sets aside, worst first.
    #[serde(default)]
    pub ignored: Vec<Ignored>,
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
    /// Entries that should go, but that the cleanup script leaves alone.
    pub left_alone: Vec<LeftAlone>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What keeps the findings from coming back, on this node.
    #[serde(default)]
    pub prevention: Vec<Prevention>,
    /// What was not collected or failed, and what that leaves open.
    pub missing: Vec<Missing>,
    /// Checks that could not run for lack of evidence.
    pub checks_not_run: Vec<CheckNotRun>,
    /// Lines and files of the bundle that were not understood.
    pub notes: Vec<String>,
    /// Findings by volume group, worst first.
    pub issues_by_vg: Vec<Count>,
    /// This and older snapshots, oldest first; nothing if there is no older one.
    #[serde(default)]
    pub history: Vec<Point>,
    /// The page's path relative to the output folder.
    pub page: Option<String>,
    /// The cleanup script's path relative to the output folder.
    pub script: Option<String>,
    /// The cleanup script's items, in order.
    pub planned: Vec<Planned>,
}

/// A node's numbers, as in the JSON summary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The check's name.
    pub check: Word,
    /// The check's one-line description.
    pub title: Word,
    /// `critical`, `warning`, `info`.
    pub severity: Word,
    /// What it is about.
    pub subject: String,
    /// The guest it concerns.
    pub vmid: Option<u64>,
    /// What is wrong.
    pub message: String,
    /// What it leads to.
    pub impact: Cow<'static, str>,
    /// What to do.
    pub remedy: Cow<'static, str>,
    /// Recorded lines.
    pub evidence: Vec<String>,
}

/// A finding that the configuration sets aside: it is shown, but does not
/// count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why, in the words of who wrote the configuration.
    pub reason: String,
    /// The last day on which it is ignored, `YYYY-MM-DD` (UTC).
    pub until: String,
}

/// An entry that should go, but that the cleanup script leaves alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftAlone {
    /// The entry.
    pub name: String,
    /// Why, in a sentence without its full stop.
    pub why: String,
}

/// Bytes of a node's or cluster's name: 128 characters, and a mark that there
/// were more.
const NAME_BYTES: usize = 128 * 4 + '…'.len_utf8();

/// Bytes of the id of a command, a file or a check. The longest has 27.
const ID_BYTES: usize = 64;

/// Makes sure that a node's or cluster's name is no longer than those that
/// this program writes.
///
/// # Errors
/// That it is.
pub fn a_name(name: &str) -> Result<(), String> {
    within(name, "a name", NAME_BYTES)
}

/// Makes sure that the id of evidence or of a check is no longer than those
/// that this program writes.
///
/// # Errors
/// That it is.
pub fn an_id(id: &str) -> Result<(), String> {
    within(id, "an id", ID_BYTES)
}

fn within(text: &str, what: &str, most: usize) -> Result<(), String> {
    match text.len() > most {
        true => Err(format!(
            "it has {what} of {} bytes, and none has more than {most}",
            text.len()
        )),
        false => Ok(()),
    }
}

/// A name and a value, for plain lists.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// Its value, with unit.
    pub value: String,
}

/// Something to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Step {
    /// One or two sentences.
    pub text: String,
    /// Commands to type, each one line, if any.
    pub commands: Vec<String>,
    /// Whether it is to run the node's cleanup script.
    pub runs_script: bool,
}

/// What keeps findings from coming back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Prevention {
    /// What it is about.
    pub title: String,
    /// What to do or to keep to, and why: one or two sentences.
    pub text: String,
    /// Lines for a file that the text names.
    pub settings: Vec<String>,
    /// Commands to type on the node, each one line.
    pub commands: Vec<String>,
    /// The checks whose findings it prevents.
    pub checks: Vec<String>,
}

/// Evidence that is missing or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckNotRun {
    /// The check's name.
    pub check: String,
    /// What to collect for it.
    pub needs: String,
}
