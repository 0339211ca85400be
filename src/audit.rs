//! One node, all the way: from its bundle to verdicts, findings and a plan.

use chrono::{DateTime, Utc};

use crate::bundle::Bundle;
use crate::checks::{self, Case, Check};
use crate::cleanup::planner::{self, Planning};
use crate::cleanup::script::About;
use crate::config::Thresholds;
use crate::model::finding::Finding;
use crate::model::node::Node;
use crate::model::read;
use crate::verdicts::{self, Verdicts};

/// What is known of one node.
#[derive(Debug, Clone)]
pub struct Audit {
    /// The node.
    pub node: Node,
    /// The verdicts on its entries.
    pub verdicts: Verdicts,
    /// Its findings, worst first.
    pub findings: Vec<Finding>,
    /// Checks that could not run, and what they need.
    pub not_run: Vec<(&'static Check, &'static str)>,
    /// What may be done.
    pub planning: Planning,
    /// The numbers that it was judged by.
    pub thresholds: Thresholds,
}

impl Audit {
    /// Audits a node's bundle by the usual thresholds.
    pub fn of(bundle: &Bundle) -> Self {
        Self::of_node(read::node(bundle), Thresholds::default())
    }

    /// Audits a node.
    pub fn of_node(node: Node, thresholds: Thresholds) -> Self {
        let verdicts = verdicts::judge(&node);
        let (findings, not_run) = checks::node_findings(&Case {
            node: &node,
            verdicts: &verdicts,
            thresholds,
        });
        let planning = planner::plan(&node, &verdicts);
        Self {
            node,
            verdicts,
            findings,
            not_run,
            planning,
            thresholds,
        }
    }

    /// What a script says of itself, analyzed `now`.
    pub fn about(&self, now: DateTime<Utc>) -> About {
        let node = &self.node;
        About {
            node: node.name.clone(),
            cluster: node.membership.cluster.clone(),
            machine_id_sha256: node.machine_id_sha256.clone(),
            boot_id: node.boot_id.clone(),
            // Unknown is older than any limit.
            collected_at: node.collected_at.unwrap_or(DateTime::UNIX_EPOCH),
            bundle: node.bundle.clone(),
            dmaudit_version: env!("CARGO_PKG_VERSION").to_owned(),
            analyzed_at: now,
        }
    }

    /// The node with its verdicts, as checks take it.
    pub fn case(&self) -> Case<'_> {
        Case {
            node: &self.node,
            verdicts: &self.verdicts,
            thresholds: self.thresholds,
        }
    }
}
