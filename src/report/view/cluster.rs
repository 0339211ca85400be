//! A cluster: its nodes, and what only shows when they are seen together.

use serde::{Deserialize, Serialize};

use super::{Finding, Ignored, Step};

/// A cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// Findings that the configuration sets aside.
    #[serde(default)]
    pub ignored: Vec<Ignored>,
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
#[derive(Debug, Clone, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Matrix {
    /// Column heads: the nodes.
    pub nodes: Vec<String>,
    /// A row a volume, those with an issue first.
    pub rows: Vec<MatrixRow>,
    /// Further volumes, which there is no room for.
    #[serde(default)]
    pub left_out: usize,
    /// How many of them have an issue.
    #[serde(default)]
    pub left_out_issues: usize,
}

/// A shared volume and its state on each node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MatrixRow {
    /// `vg/lv`.
    pub volume: String,
    /// The guest's VMID.
    pub vmid: Option<u64>,
    /// The node whose configuration references it.
    pub home: Option<String>,
    /// Its state on each node.
    pub cells: Vec<Cell>,
    /// Whether a finding is about it.
    pub issue: bool,
}

/// A shared volume's state on a node. There are as many as volumes times
/// nodes, so that each is a byte.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cell {
    /// No entry.
    #[default]
    #[serde(rename = "-")]
    Absent,
    /// Mapped, not in use.
    Active,
    /// Something uses it.
    Open,
    /// Mapped, but LVM has no such volume.
    Stale,
}
