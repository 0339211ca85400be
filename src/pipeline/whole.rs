//! A report that is held in memory as a whole.

use std::convert::Infallible;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::input::Raw;
use super::{Analyzed, Job, Maker, Outcome, Sink, Taker};
use crate::bundle::{Bundle, Limits};
use crate::cleanup::script;
use crate::config::Config;
use crate::facts::{Cleanup, Facts};
use crate::report::{compose, view};

#[derive(Default)]
struct Collected {
    kept: Kept,
    files: bool,
}

/// What was taken.
#[derive(Default)]
struct Kept {
    nodes: Vec<(view::Node, Option<Cleanup>)>,
    clusters: Vec<view::Cluster>,
}

/// Leaves a node as it is.
struct AsIs;

impl Collected {
    fn with_files() -> Self {
        Self {
            files: true,
            ..Self::default()
        }
    }

    fn report(
        self,
        outcome: Result<Outcome, Infallible>,
        now: DateTime<Utc>,
    ) -> (view::Report, Vec<Option<Cleanup>>) {
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(never) => match never {},
        };
        let mut nodes: Vec<(usize, _)> = self.kept.nodes.into_iter().enumerate().collect();
        compose::sort_worst_first(&mut nodes, |(_, (node, _))| {
            (node.grade.as_deref(), node.score, &node.slug)
        });
        let (run_order, nodes): (Vec<usize>, Vec<_>) = nodes.into_iter().unzip();
        let (nodes, cleanups) = nodes.into_iter().unzip();
        let mut clusters = self.kept.clusters;
        compose::sort_worst_first(&mut clusters, |cluster| {
            let own = view::count_of_severity(&cluster.findings, "critical");
            let own = i64::try_from(own).unwrap_or(i64::MAX);
            (cluster.grade.as_deref(), Some(-own), &cluster.slug)
        });
        let report = view::Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            analyzed_at: compose::time(now),
            nodes,
            run_order,
            clusters,
            rejected: outcome.rejected,
            totals: outcome.totals,
            headline: outcome.headline,
        };
        (report, cleanups)
    }
}

impl Sink for Collected {
    type Made = (view::Node, Option<Cleanup>);
    type Error = Infallible;
    type Maker = AsIs;
    type Taker = Kept;

    fn begin(&mut self, _nodes: usize) -> bool {
        self.files
    }

    fn parts(&mut self) -> (&AsIs, &mut Kept) {
        (&AsIs, &mut self.kept)
    }
}

impl Maker for AsIs {
    type Made = (view::Node, Option<Cleanup>);
    type Error = Infallible;

    fn make(&self, node: Analyzed) -> Result<Self::Made, Infallible> {
        Ok((node.node, node.cleanup))
    }
}

impl Taker for Kept {
    type Made = (view::Node, Option<Cleanup>);
    type Error = Infallible;

    fn take(&mut self, made: Self::Made) -> Result<(), Infallible> {
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
pub fn whole(
    paths: &[PathBuf],
    limits: &Limits,
    config: Config,
    now: DateTime<Utc>,
) -> view::Report {
    let mut collected = Collected::default();
    let outcome = Job::new(paths, limits.clone(), now)
        .configured(config)
        .run(&mut collected, || ());
    collected.report(outcome, now).0
}

/// As [`whole`], with the pages' and scripts' names in the report, and the
/// cleanup script of each of its nodes that has something to do, in their
/// order.
#[must_use]
pub fn whole_with_scripts(
    paths: &[PathBuf],
    limits: &Limits,
    config: Config,
    now: DateTime<Utc>,
) -> (view::Report, Vec<Option<String>>) {
    let mut collected = Collected::with_files();
    let outcome = Job::new(paths, limits.clone(), now)
        .configured(config)
        .run(&mut collected, || ());
    let (report, cleanups) = collected.report(outcome, now);
    let script = |cleanup: &Cleanup| script::render(&cleanup.plan, &cleanup.about).ok();
    let scripts = cleanups
        .iter()
        .map(|cleanup| cleanup.as_ref().and_then(script))
        .collect();
    (report, scripts)
}

/// The report on bundles that are in memory, with all pages and scripts in
/// their places, though none is written.
#[must_use]
pub fn of_bundles(bundles: Vec<Bundle>, now: DateTime<Utc>) -> view::Report {
    let bundles = bundles.into_iter().map(Box::new).map(Raw::Bundle);
    of_raw(bundles.collect(), now)
}

/// As [`of_bundles`], of nodes' facts.
#[must_use]
pub fn of_facts(facts: Vec<Facts>, now: DateTime<Utc>) -> view::Report {
    let facts = facts.into_iter().map(Box::new).map(Raw::Facts);
    of_raw(facts.collect(), now)
}

fn of_raw(nodes: Vec<Raw>, now: DateTime<Utc>) -> view::Report {
    let mut collected = Collected::with_files();
    let outcome = super::run_raw(nodes, now, &mut collected);
    collected.report(outcome, now).0
}
