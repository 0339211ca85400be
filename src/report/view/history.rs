//! A node through time: a few numbers of each of its snapshots.

use serde::{Deserialize, Serialize};

use super::{Node, count_of_severity};

/// One snapshot of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Point {
    /// When it was taken, RFC 3339.
    pub collected_at: String,
    /// `A+` to `F`.
    pub grade: Option<String>,
    /// 0 to 100.
    pub score: Option<i64>,
    /// Critical findings.
    pub critical: usize,
    /// Warnings.
    pub warnings: usize,
    /// Guests' entries.
    pub entries: usize,
    /// Orphaned entries.
    pub orphans: usize,
    /// Duplicate entries.
    pub duplicates: usize,
    /// Thin pools by name.
    pub pools: Vec<PoolUse>,
}

/// A thin pool's use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolUse {
    /// `vg/lv`.
    pub name: String,
    /// Per cent of its data space used.
    pub data_percent: Option<f64>,
    /// Per cent of its metadata space used.
    pub metadata_percent: Option<f64>,
}

impl Point {
    /// The numbers of a node's snapshot.
    pub fn of(node: &Node) -> Self {
        let pools = node.pools.iter().map(|pool| PoolUse {
            name: pool.name.clone(),
            data_percent: pool.data_percent,
            metadata_percent: pool.metadata_percent,
        });
        Self {
            collected_at: node.collected_at.clone(),
            grade: node.grade.clone(),
            score: node.score,
            critical: count_of_severity(&node.findings, "critical"),
            warnings: count_of_severity(&node.findings, "warning"),
            entries: node.summary.entries,
            orphans: node.summary.orphans,
            duplicates: node.summary.duplicates,
            pools: pools.collect(),
        }
    }

    /// The day it was taken: `2026-11-20`.
    pub fn day(&self) -> &str {
        self.collected_at.split('T').next().unwrap_or_default()
    }
}
