//! A node through time: a few numbers of each of its snapshots.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Node, Pool, count_of_severity};

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
    /// Further thin pools, which are not listed; left out where there are none.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more_pools: usize,
}

fn is_none(number: &usize) -> bool {
    *number == 0
}

/// Thin pools that a point lists. Of more, the first by name: the same at all
/// times.
const MOST_POOLS: usize = 500;

/// A thin pool's use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PoolUse {
    /// `vg/lv`.
    // Shared by all copies of a history.
    pub name: Arc<str>,
    /// Per cent of its data space used.
    pub data_percent: Option<f64>,
    /// Per cent of its metadata space used.
    pub metadata_percent: Option<f64>,
}

impl Point {
    /// The numbers of a node's snapshot.
    pub fn of(node: &Node) -> Self {
        let mut pools: Vec<&Pool> = node.pools.iter().collect();
        if pools.len() > MOST_POOLS {
            pools.sort_by_key(|pool| &pool.name);
            pools.truncate(MOST_POOLS);
        }
        let more_pools = node.pools.len() - pools.len();
        let pools = pools.into_iter().map(|pool| PoolUse {
            name: pool.name.as_str().into(),
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
            more_pools,
        }
    }

    /// Its pools: of more than `most` the fullest, and how many more there
    /// are.
    pub fn fullest(&self, most: usize) -> (Vec<&PoolUse>, usize) {
        let mut pools: Vec<&PoolUse> = self.pools.iter().collect();
        if pools.len() > most {
            let percent = |pool: &PoolUse| pool.data_percent.unwrap_or(-1.0);
            pools.sort_by(|a, b| percent(b).total_cmp(&percent(a)));
            pools.truncate(most);
        }
        let more = self.pools.len() - pools.len() + self.more_pools;
        (pools, more)
    }

    /// Per cent of data used by each pool, where it is known.
    pub fn used(&self) -> BTreeMap<&str, f64> {
        let mut used = BTreeMap::new();
        for pool in &self.pools {
            if let Some(percent) = pool.data_percent {
                used.entry(&*pool.name).or_insert(percent);
            }
        }
        used
    }

    /// The day it was taken: `2026-11-20`.
    pub fn day(&self) -> &str {
        self.collected_at.split('T').next().unwrap_or_default()
    }
}
