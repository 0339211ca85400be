//! The same nodes at two times: what was resolved, what is new, what is still
//! there, and what the later evidence can't tell.
//!
//! Evidence that is missing later resolves nothing: a finding whose check
//! could not run again is `unknown`, never `resolved`.

mod compare;
mod entries;
mod findings;
pub mod html;
mod pairs;
mod side;
pub mod text;
mod words;

use std::sync::Arc;

use serde::Serialize;

pub use compare::compare;
pub use side::{Node, Side};

use crate::report::view::Rejected;

/// The number of the JSON document's schema.
pub const SCHEMA: u32 = 1;

/// What became of the nodes between two times.
#[derive(Debug, Clone, Serialize)]
pub struct Diff {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The analyzer's version.
    pub version: String,
    /// When the comparison ran, RFC 3339.
    pub analyzed_at: String,
    /// Did it work: one line.
    pub answer: String,
    /// The sums over nodes and clusters.
    pub totals: Tally,
    /// The nodes by name.
    pub nodes: Vec<NodeDiff>,
    /// The clusters by name.
    pub clusters: Vec<ClusterDiff>,
    /// Inputs that could not be read.
    pub rejected: Vec<Rejected>,
}

/// A node at two times.
#[derive(Debug, Clone, Serialize)]
pub struct NodeDiff {
    /// Its name, the later one.
    pub node: String,
    /// Its earlier name, where that was another.
    pub was: Option<String>,
    /// Its cluster.
    pub cluster: Option<String>,
    /// Did it work: one line.
    pub answer: String,
    /// What was found before; nothing if the node is only in AFTER.
    pub before: Option<Then>,
    /// What was found after; nothing if the node is only in BEFORE.
    pub after: Option<Then>,
    /// What the reader has to know of the comparison itself.
    pub notes: Vec<String>,
    /// How many findings took which way.
    pub tally: Tally,
    /// Each finding of either time, the new ones first.
    pub findings: Vec<FindingChange>,
    /// Entries that came, went or changed, by name.
    pub entries: Vec<EntryChange>,
}

/// A cluster at two times: only what takes more than one node to see.
#[derive(Debug, Clone, Serialize)]
pub struct ClusterDiff {
    /// Its name.
    pub cluster: String,
    /// Its grade before.
    pub grade_before: Option<String>,
    /// Its grade after.
    pub grade_after: Option<String>,
    /// How many findings took which way.
    pub tally: Tally,
    /// Each finding of either time, the new ones first.
    pub findings: Vec<FindingChange>,
}

/// A node at one of the times.
#[derive(Debug, Clone, Serialize)]
pub struct Then {
    /// When its snapshot was taken, RFC 3339.
    pub collected_at: Option<String>,
    /// `A+` to `F`.
    pub grade: Option<String>,
    /// 0 to 100.
    pub score: Option<i64>,
    /// Findings of any severity.
    pub findings: usize,
    /// Entries of any kind.
    pub entries: usize,
}

/// How many findings took which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Findings before.
    pub before: usize,
    /// Gone, and the evidence says so.
    pub resolved: usize,
    /// Still there as they were.
    pub remaining: usize,
    /// Still there with another severity or message.
    pub changed: usize,
    /// Of the changed ones, those that are more severe than before.
    pub worse: usize,
    /// Whether they are still there can't be told.
    pub unknown: usize,
    /// There only now.
    pub new: usize,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.before += other.before;
        self.resolved += other.resolved;
        self.remaining += other.remaining;
        self.changed += other.changed;
        self.worse += other.worse;
        self.unknown += other.unknown;
        self.new += other.new;
    }
}

/// What became of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// There only now.
    New,
    /// Whether it is still there can't be told.
    Unknown,
    /// Still there, with another severity or message.
    Changed,
    /// Still there.
    Remaining,
    /// Gone, and the evidence says so.
    Resolved,
}

/// A finding at two times. It is the same one if check, subject and guest are.
#[derive(Debug, Clone, Serialize)]
pub struct FindingChange {
    /// What became of it.
    pub state: State,
    /// The check's name.
    pub check: String,
    /// What it is about.
    pub subject: String,
    /// The guest it concerns.
    pub vmid: Option<u64>,
    /// As it was.
    pub before: Option<Said>,
    /// As it is.
    pub after: Option<Said>,
    /// Why it can't be told, or what weakens `new`; most findings of a node
    /// share one text.
    pub why: Option<Arc<str>>,
}

impl FindingChange {
    /// The finding as last seen.
    pub fn said(&self) -> Option<&Said> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

/// What a finding said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// `critical`, `warning`, `info`.
    pub severity: String,
    /// What is wrong.
    pub message: String,
}

/// An entry that is not as it was.
#[derive(Debug, Clone, Serialize)]
pub struct EntryChange {
    /// Its name.
    pub name: String,
    /// `new`, `gone`, `changed`, or `unknown` (not listed by a snapshot that
    /// may lack entries).
    pub state: &'static str,
    /// As it was.
    pub before: Option<EntryThen>,
    /// As it is.
    pub after: Option<EntryThen>,
    /// What is different, in words.
    pub what: String,
}

/// An entry at one of the times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryThen {
    /// The verdict's name.
    pub verdict: String,
    /// Open count.
    pub open: Option<u32>,
}
