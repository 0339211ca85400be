//! A report that is held in memory as a whole.

use std::convert::Infallible;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::{Analyzed, Job, Outcome, Sink};
use crate::bundle::{Bundle, Limits};
use crate::report::{compose, view};

#[derive(Default)]
struct Collected {
    nodes: Vec<view::Node>,
    clusters: Vec<view::Cluster>,
    files: bool,
}

impl Collected {
    fn report(self, outcome: Result<Outcome, Infallible>, now: DateTime<Utc>) -> view::Report {
        let Self {
            mut nodes,
            mut clusters,
            ..
        } = self;
        compose::sort_worst_first(&mut nodes, |node| {
            (node.grade.as_deref(), node.score, &node.slug)
        });
        compose::sort_worst_first(&mut clusters, |cluster| {
            (cluster.grade.as_deref(), None, &cluster.slug)
        });
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(never) => match never {},
        };
        view::Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            analyzed_at: compose::time(now),
            nodes,
            clusters,
            rejected: outcome.rejected,
            totals: outcome.totals,
            headline: outcome.headline,
        }
    }
}

impl Sink for Collected {
    type Made = view::Node;
    type Error = Infallible;

    fn begin(&mut self, _nodes: usize) -> bool {
        self.files
    }

    fn make(&self, node: Analyzed) -> Result<view::Node, Infallible> {
        Ok(node.node)
    }

    fn take(&mut self, made: view::Node) -> Result<(), Infallible> {
        self.nodes.push(made);
        Ok(())
    }

    fn cluster(&mut self, cluster: view::Cluster) -> Result<(), Infallible> {
        self.clusters.push(cluster);
        Ok(())
    }
}

/// The report on bundles and folders of bundles, held in memory as a whole:
/// for one customer's nodes, not for a fleet. Nothing is written, so no node
/// has a page or a script. Nodes and clusters come worst first; inputs that
/// could not be read are in its `rejected`.
#[must_use]
pub fn whole(paths: &[PathBuf], limits: &Limits, now: DateTime<Utc>) -> view::Report {
    let mut collected = Collected::default();
    let outcome = Job::new(paths, limits.clone(), now).run(&mut collected, || ());
    collected.report(outcome, now)
}

/// The report on bundles that are in memory, with all pages and scripts in
/// their places, though none is written.
#[must_use]
pub fn of_bundles(bundles: Vec<Bundle>, now: DateTime<Utc>) -> view::Report {
    let mut collected = Collected {
        files: true,
        ..Collected::default()
    };
    let outcome = super::run_bundles(bundles, now, &mut collected);
    collected.report(outcome, now)
}
