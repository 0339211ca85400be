//! One node, all the way: from its bundle to verdicts, findings and a plan.

use chrono::{DateTime, Utc};

use crate::bundle::Bundle;
use crate::checks::next_vmids::FreeIds;
use crate::checks::shared::Shared;
use crate::checks::{self, Case, Check};
use crate::cleanup::planner::{self, Planning};
use crate::cleanup::script::About;
use crate::config::Thresholds;
use crate::model::finding::Finding;
use crate::model::node::Node;
use crate::model::read::{self, Configurations};
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
    /// What the other nodes of its cluster need to know of it.
    pub shared: Shared,
    /// The free VMIDs that are worth naming, where all guests are known.
    pub free_ids: Option<FreeIds>,
    /// What may be done.
    pub planning: Planning,
    /// The numbers that it was judged by.
    pub thresholds: Thresholds,
}

impl Audit {
    /// Audits a node's bundle by the usual thresholds.
    pub fn of(bundle: &Bundle) -> Self {
        let node = read::node(bundle, &Configurations::default());
        Self::of_node(node, Thresholds::default())
    }

    /// Audits a node.
    pub fn of_node(node: Node, thresholds: Thresholds) -> Self {
        let (verdicts, references) = verdicts::judge(&node);
        let case = Case::new(&node, &verdicts, &references, thresholds);
        let (findings, not_run) = checks::node_findings(&case);
        let shared = Shared::of(&case, &findings);
        let free_ids = case.free_ids().cloned();
        let planning = planner::plan(&node, &verdicts);
        Self {
            node,
            verdicts,
            findings,
            not_run,
            shared,
            free_ids,
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
}
