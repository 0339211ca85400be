//! A report that is held in memory as a whole.

use std::convert::Infallible;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::input::Raw;
use super::{Analyzed, Job, Maker, Outcome, Sink, Taker};
use crate::bundle::{Bundle, Limits};
use crate::config::Config;
use crate::facts::{Cleanup, Facts};
use crate::report::{compose, view};

/// A run, of each of whose nodes `of` makes what is kept.
struct Collected<T, F> {
    maker: Reduce<F>,
    kept: Kept<T>,
    files: bool,
}

/// What was taken.
struct Kept<T> {
    nodes: Vec<(Rank, T)>,
    clusters: Vec<view::Cluster>,
}

/// What the order by badness depends on.
struct Rank {
    grade: Option<String>,
    score: Option<i64>,
    slug: String,
}

/// Makes of a node what is kept of it.
struct Reduce<F>(F);

/// Nodes and clusters of a run, worst first.
pub struct Reduced<T> {
    /// What was kept of each node.
    pub nodes: Vec<T>,
    /// The clusters.
    pub clusters: Vec<view::Cluster>,
    /// Inputs that could not be read, sorted.
    pub rejected: Vec<view::Rejected>,
}

/// A node as it is.
type Entire = (view::Node, Option<Cleanup>);

fn entire(node: Analyzed) -> Entire {
    (node.node, node.cleanup)
}

impl<T: Send, F: Fn(Analyzed) -> T + Sync> Collected<T, F> {
    fn new(of: F, files: bool) -> Self {
        Self {
            maker: Reduce(of),
            kept: Kept {
                nodes: Vec::new(),
                clusters: Vec::new(),
            },
            files,
        }
    }

    /// The nodes worst first, with their place in the run, and the clusters.
    fn sorted(self) -> (Vec<(usize, T)>, Vec<view::Cluster>) {
        let mut nodes: Vec<(usize, (Rank, T))> = self.kept.nodes.into_iter().enumerate().collect();
        compose::sort_worst_first(&mut nodes, |(_, (rank, _))| {
            (rank.grade.as_deref(), rank.score, &rank.slug)
        });
        let mut clusters = self.kept.clusters;
        compose::sort_worst_first(&mut clusters, |cluster| {
            let own = view::count_of_severity(&cluster.findings, "critical");
            let own = i64::try_from(own).unwrap_or(i64::MAX);
            (cluster.grade.as_deref(), Some(-own), &cluster.slug)
        });
        let nodes = nodes.into_iter().map(|(at, (_, node))| (at, node));
        (nodes.collect(), clusters)
    }
}

impl<F: Fn(Analyzed) -> Entire + Sync> Collected<Entire, F> {
    fn report(
        self,
        outcome: Result<Outcome, Infallible>,
        now: DateTime<Utc>,
    ) -> (view::Report, Vec<Option<Cleanup>>) {
        let outcome = never_fails(outcome);
        let (nodes, clusters) = self.sorted();
        let (run_order, nodes): (Vec<usize>, Vec<_>) = nodes.into_iter().unzip();
        let (nodes, cleanups) = nodes.into_iter().unzip();
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

fn never_fails(outcome: Result<Outcome, Infallible>) -> Outcome {
    match outcome {
        Ok(outcome) => outcome,
        Err(never) => match never {},
    }
}

impl<T: Send, F: Fn(Analyzed) -> T + Sync> Sink for Collected<T, F> {
    type Made = (Rank, T);
    type Error = Infallible;
    type Maker = Reduce<F>;
    type Taker = Kept<T>;

    fn begin(&mut self, _nodes: usize) -> bool {
        self.files
    }

    fn parts(&mut self) -> (&Reduce<F>, &mut Kept<T>) {
        (&self.maker, &mut self.kept)
    }
}

impl<T: Send, F: Fn(Analyzed) -> T + Sync> Maker for Reduce<F> {
    type Made = (Rank, T);
    type Error = Infallible;

    fn make(&self, node: Analyzed) -> Result<Self::Made, Infallible> {
        let rank = Rank {
            grade: node.node.grade.clone(),
            score: node.node.score,
            slug: node.node.slug.clone(),
        };
        Ok((rank, self.0(node)))
    }
}

impl<T: Send> Taker for Kept<T> {
    type Made = (Rank, T);
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

/// What `of` makes of each node of bundles and folders of bundles, as soon as
/// it was analyzed; nothing else of it is kept. As with [`whole`], nothing is
/// written.
#[must_use]
pub fn reduced<T: Send>(
    paths: &[PathBuf],
    limits: &Limits,
    config: Config,
    now: DateTime<Utc>,
    of: impl Fn(view::Node) -> T + Sync,
) -> Reduced<T> {
    let mut collected = Collected::new(|node: Analyzed| of(node.node), false);
    let outcome = Job::new(paths, limits.clone(), now)
        .configured(config)
        .run(&mut collected, || ());
    let rejected = never_fails(outcome).rejected;
    let (nodes, clusters) = collected.sorted();
    Reduced {
        nodes: nodes.into_iter().map(|(_, node)| node).collect(),
        clusters,
        rejected,
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
    let mut collected = Collected::new(entire, false);
    let outcome = Job::new(paths, limits.clone(), now)
        .configured(config)
        .run(&mut collected, || ());
    collected.report(outcome, now).0
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
    let mut collected = Collected::new(entire, true);
    let outcome = super::run_raw(nodes, now, &mut collected);
    collected.report(outcome, now).0
}
