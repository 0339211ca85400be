//! One node's facts: all that a report needs of a bundle once it was read and
//! judged. They are plain values, independent of the run they came from.

mod guard;
pub mod input;
pub mod line;
mod place;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::audit::Audit;
use crate::bundle::Bundle;
use crate::checks::shared::Shared;
use crate::cleanup::plan::Plan;
use crate::cleanup::script::{self, About};
use crate::config::Thresholds;
use crate::model::cluster::Signature;
use crate::model::read::{self, Configurations};
use crate::report::{compose, view};

/// A node, read and judged.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    /// Which node, and when.
    pub signature: Signature,
    /// What the other nodes of its cluster need to know of it.
    pub shared: Shared,
    /// What is shown of it, not yet in its place among the nodes of a run.
    pub node: view::Node,
    /// What its cleanup script is made of, if there is something to do.
    pub cleanup: Option<Cleanup>,
}

/// What a cleanup script is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cleanup {
    /// What it says of itself.
    pub about: About,
    /// What it does.
    pub plan: Plan,
}

impl Facts {
    /// Reads and judges a bundle, `now`. Its bytes go as soon as the node is
    /// read. `known` has the configurations of other bundles.
    pub fn of(
        bundle: Bundle,
        known: &Configurations,
        thresholds: Thresholds,
        now: DateTime<Utc>,
    ) -> Self {
        let signature = read::signature(&bundle);
        let node = read::node(&bundle, known);
        drop(bundle);
        Self::of_audit(signature, Audit::of_node(node, thresholds), now)
    }

    /// The facts of a node that was audited.
    pub fn of_audit(signature: Signature, mut audit: Audit, now: DateTime<Utc>) -> Self {
        let mut node = compose::node(&mut audit);
        let about = audit.about(now);
        let shared = audit.shared;
        let plan = audit.planning.plan;
        let cleanup = (!plan.items.is_empty()).then_some(Cleanup { about, plan });
        // A node that no script can know says so instead.
        let refusal = cleanup
            .as_ref()
            .and_then(|cleanup| script::check(&cleanup.about).err());
        let refused = refusal.is_some();
        node.notes.extend(refusal.map(|error| error.to_string()));
        Self {
            signature,
            shared,
            node,
            cleanup: cleanup.filter(|_| !refused),
        }
    }
}
