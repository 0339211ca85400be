//! From inputs to reports, node by node: each is read, judged, rendered and
//! let go. Only a short row of it is kept, and what its cluster needs until
//! the last of the cluster's nodes was read.

mod history;
mod input;
mod map;
mod order;
mod together;
mod turns;
mod waiting;
mod whole;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use rayon::prelude::*;

use crate::bundle::{self, Discovery, Limits, Rejected, Repeats};
use crate::checks::shared::Shared;
use crate::config::Config;
use crate::facts::{Cleanup, Facts};
use crate::model::read::Configurations;
use crate::report::compose::{self, Policy, Rows};
use crate::report::view;
use history::Points;
use input::{Input, Raw};
use order::{Order, Piece};
use turns::in_order;
use waiting::Waiting;

pub use map::Line;
pub use whole::{Reduced, of_bundles, of_facts, reduced, whole};

/// What to analyze.
#[derive(Debug)]
pub struct Job {
    inputs: Vec<Input>,
    rejected: Vec<Rejected>,
    limits: Limits,
    policy: Policy,
    known: Configurations,
    repeats: Repeats,
    now: DateTime<Utc>,
}

/// What every node of a run is judged by.
#[derive(Clone, Copy)]
struct Terms<'a> {
    policy: &'a Policy,
    known: &'a Configurations,
    now: DateTime<Utc>,
}

/// A node that was analyzed, in its place.
#[derive(Debug)]
pub struct Analyzed {
    /// What is shown of it.
    pub node: view::Node,
    /// The page of its cluster, relative to the output folder.
    pub cluster_page: Option<String>,
    /// What its cleanup script is made of, if there is something to do.
    pub cleanup: Option<Cleanup>,
}

/// What takes the nodes of a run, in two parts: what is made of a node at any
/// time, and what is done in the order of the run meanwhile.
pub trait Sink {
    /// What is made of a node, to be put in order.
    type Made: Send;

    /// What ends the run.
    type Error: Send;

    /// The part that makes it.
    type Maker: Maker<Made = Self::Made, Error = Self::Error>;

    /// The part that takes it.
    type Taker: Taker<Made = Self::Made, Error = Self::Error>;

    /// Says that this many nodes will come, and is told whether their pages
    /// and scripts are written.
    fn begin(&mut self, nodes: usize) -> bool;

    /// Both parts.
    fn parts(&mut self) -> (&Self::Maker, &mut Self::Taker);
}

/// Makes of nodes what is needed.
pub trait Maker: Sync {
    /// As of the [`Sink`].
    type Made: Send;

    /// As of the [`Sink`].
    type Error: Send;

    /// Makes of a node what is needed; called from many threads.
    ///
    /// # Errors
    /// What ends the run.
    fn make(&self, node: Analyzed) -> Result<Self::Made, Self::Error>;
}

/// Takes what was made, in the order of the run; called from one thread after
/// the other.
pub trait Taker: Send {
    /// As of the [`Sink`].
    type Made: Send;

    /// As of the [`Sink`].
    type Error: Send;

    /// Takes what was made of a node.
    ///
    /// # Errors
    /// What ends the run.
    fn take(&mut self, made: Self::Made) -> Result<(), Self::Error>;

    /// Takes a cluster, all of whose nodes were taken before.
    ///
    /// # Errors
    /// What ends the run.
    fn cluster(&mut self, cluster: view::Cluster) -> Result<(), Self::Error>;
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// A row for each node and each cluster, worst first.
    pub rows: Rows,
    /// The sums.
    pub totals: view::Totals,
    /// What is wrong and what to do first.
    pub headline: String,
    /// Inputs that could not be read, sorted.
    pub rejected: Vec<view::Rejected>,
    /// What is to be said of the configuration's rules.
    pub remarks: Vec<String>,
}

impl Job {
    /// Looks for the inputs at these paths.
    pub fn new(paths: &[PathBuf], limits: Limits, now: DateTime<Utc>) -> Self {
        Self::of(bundle::discover(paths), limits, now)
    }

    /// What was found. Facts are looked through for their nodes.
    pub fn of(discovery: Discovery, limits: Limits, now: DateTime<Utc>) -> Self {
        let (inputs, rejected) = input::inputs(discovery.sources, &limits);
        Self {
            inputs,
            rejected: [discovery.rejected, rejected].concat(),
            limits,
            policy: Policy::new(Config::default(), now),
            known: Configurations::default(),
            repeats: Repeats::default(),
            now,
        }
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            policy: &self.policy,
            known: &self.known,
            now: self.now,
        }
    }

    /// Applies a configuration.
    #[must_use]
    pub fn configured(mut self, config: Config) -> Self {
        self.policy = Policy::new(config, self.now);
        self
    }

    /// How many inputs there are; a node's facts are one.
    pub fn inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Analyzes all inputs. `done` is called for each that was read.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn run<S: Sink>(
        mut self,
        sink: &mut S,
        done: impl Fn() + Sync,
    ) -> Result<Outcome, S::Error> {
        let mut rejected = std::mem::take(&mut self.rejected);
        let (found, unreadable) = order::signatures(&self.inputs, &self.limits, &self.repeats);
        rejected.extend(unreadable);
        let mut order = Order::of(found);
        let (points, unreadable) = self.points(&order);
        rejected.extend(unreadable);
        let files = sink.begin(order.units.len());
        let (maker, taker) = sink.parts();
        let mut run = Running::new(&order, &self.policy);
        while !order.reads.is_empty() {
            let mut failed = Vec::new();
            let sizes: Vec<u64> = (order.reads.iter())
                .map(|(source, _)| self.inputs.get(*source).map_or(0, Input::size))
                .collect();
            let make = |(source, parts): &(usize, Vec<(usize, usize)>)| {
                let read = self.read((&order, &points), *source, parts, files, maker);
                done();
                read
            };
            in_order(&order.reads, &sizes, make, |(source, parts), read| {
                let mut found = BTreeSet::new();
                let mut take = |node: Node<_>| {
                    found.insert(node.unit);
                    run.node(node, &order, files, taker)
                };
                match read {
                    Read::Nodes(nodes) => nodes.into_iter().try_for_each(take)?,
                    // One after the other, as their turn is now.
                    Read::Large(nodes) => {
                        let again = || self.wanted(*source, parts);
                        let bytes = |(_, raw): &(usize, Raw)| raw.bytes();
                        let unread = together::in_groups(nodes, again, bytes, |some| {
                            let made = self.place_all((&order, &points), some, files, maker)?;
                            made.into_iter().try_for_each(&mut take)
                        })?;
                        rejected.extend(unread);
                    }
                    Read::Rejected(error) => rejected.push(error),
                    Read::Failed(error) => return Err(error),
                }
                let units = parts.iter().map(|(_, unit)| *unit);
                failed.extend(units.filter(|unit| !found.contains(unit)));
                Ok(())
            })?;
            // Where a node's newest bundle fails, the one before it counts.
            order.reads = Vec::new();
            for unit in failed {
                let next = order.units.get_mut(unit).and_then(|unit| {
                    let next: Piece = *unit.older.first()?;
                    unit.older.remove(0);
                    unit.newest = next;
                    Some(next)
                });
                match next {
                    Some(next) => order.reads.push((next.source, vec![(next.part, unit)])),
                    None => run.lost(unit, &order, files, taker)?,
                }
            }
        }
        Ok(run.outcome(rejected))
    }

    fn read<M: Maker>(
        &self,
        (order, points): (&Order, &Points),
        source: usize,
        parts: &[(usize, usize)],
        files: bool,
        maker: &M,
    ) -> Read<M> {
        let found = match self.wanted(source, parts) {
            Ok(found) => found,
            Err(error) => return Read::Rejected(error),
        };
        if !together::fits(&found, |(_, raw)| raw.bytes()) {
            // While it waits, others are read: it is read again at its turn.
            return Read::Large((order.reads.len() == 1).then(|| found.into()));
        }
        match self.place_all((order, points), found, files, maker) {
            Ok(nodes) => Read::Nodes(nodes),
            Err(error) => Read::Failed(error),
        }
    }

    /// The nodes that are wanted of an input, with their unit each.
    fn wanted(
        &self,
        source: usize,
        parts: &[(usize, usize)],
    ) -> Result<Vec<(usize, Raw)>, Rejected> {
        let Some(input) = self.inputs.get(source) else {
            return Ok(Vec::new());
        };
        let wanted: BTreeMap<usize, usize> = parts.iter().copied().collect();
        let found = input.read(&self.limits, &self.repeats)?;
        let found = found.into_iter().enumerate();
        let wanted = found.filter_map(|(part, raw)| Some((*wanted.get(&part)?, raw)));
        Ok(wanted.collect())
    }

    fn place_all<M: Maker>(
        &self,
        (order, points): (&Order, &Points),
        nodes: Vec<(usize, Raw)>,
        files: bool,
        maker: &M,
    ) -> Result<Vec<Node<M::Made>>, M::Error> {
        let place = |node| place((order, points), node, self.terms(), files, maker);
        nodes.into_par_iter().map(place).collect()
    }
}

/// Analyzes nodes that are in memory.
fn run_raw<S: Sink>(
    nodes: Vec<Raw>,
    now: DateTime<Utc>,
    sink: &mut S,
) -> Result<Outcome, S::Error> {
    let found = nodes.iter().enumerate().map(|(source, node)| {
        let piece = Piece { source, part: 0 };
        (piece, node.signature())
    });
    let order = Order::of(found.collect());
    let policy = Policy::new(Config::default(), now);
    let known = Configurations::default();
    let terms = Terms {
        policy: &policy,
        known: &known,
        now,
    };
    let files = sink.begin(order.units.len());
    let (maker, taker) = sink.parts();
    let mut nodes: Vec<Option<Raw>> = nodes.into_iter().map(Some).collect();
    let older = order.units.iter().flat_map(|unit| unit.older.iter());
    let points: Points = older
        .filter_map(|piece| {
            let node = nodes.get_mut(piece.source).and_then(Option::take)?;
            Some((*piece, view_point(node, terms)))
        })
        .collect();
    let mut run = Running::new(&order, &policy);
    for (source, parts) in &order.reads {
        let node = nodes.get_mut(*source).and_then(Option::take);
        if let (Some(node), [(_, unit)]) = (node, &parts[..]) {
            let node = place((&order, &points), (*unit, node), terms, files, maker)?;
            run.node(node, &order, files, taker)?;
        }
    }
    Ok(run.outcome(Vec::new()))
}

/// What came of reading an input.
enum Read<M: Maker> {
    Nodes(Vec<Node<M::Made>>),
    /// Nodes that are too large to be analyzed at the same time, by unit; to
    /// be read again where there are others to read meanwhile.
    Large(Option<VecDeque<(usize, Raw)>>),
    Rejected(Rejected),
    Failed(M::Error),
}

/// A node, as it waits for its turn.
struct Node<M> {
    unit: usize,
    row: view::Row,
    headline: String,
    shared: Option<Waiting>,
    made: M,
}

/// Puts a node in its place and has the sink make of it what it needs.
fn place<M: Maker>(
    (order, points): (&Order, &Points),
    (unit, raw): (usize, Raw),
    terms: Terms<'_>,
    files: bool,
    maker: &M,
) -> Result<Node<M::Made>, M::Error> {
    let facts = judged(raw, terms);
    let (slug, group) = order
        .units
        .get(unit)
        .map(|unit| (unit.slug.as_str(), unit.group))
        .unwrap_or_default();
    let mut node = facts.node;
    compose::place(&mut node, slug, files, facts.cleanup.is_some());
    if let Some(unit) = order.units.get(unit) {
        node.history = history::of(unit, points, &node);
    }
    Ok(Node {
        unit,
        row: view::Row::of(&node),
        headline: node.headline.clone(),
        shared: group.map(|_| Waiting::of(facts.shared)),
        made: maker.make(Analyzed {
            node,
            cluster_page: group.and_then(|group| order.page(group, files)),
            cleanup: facts.cleanup,
        })?,
    })
}

impl Order {
    fn page(&self, cluster: usize, files: bool) -> Option<String> {
        let slug = &self.clusters.get(cluster)?.slug;
        files.then(|| format!("clusters/{slug}.html"))
    }
}

/// What is kept while a run goes on.
struct Running<'a> {
    policy: &'a Policy,
    rows: Rows,
    /// Nodes of clusters that are not complete, by cluster.
    waiting: BTreeMap<usize, Vec<(Waiting, view::Row)>>,
    /// Nodes of each cluster that are still to come.
    left: Vec<usize>,
}

impl<'a> Running<'a> {
    fn new(order: &Order, policy: &'a Policy) -> Self {
        Self {
            policy,
            rows: Rows::default(),
            waiting: BTreeMap::new(),
            left: order.clusters.iter().map(|cluster| cluster.units).collect(),
        }
    }

    fn outcome(self, mut rejected: Vec<Rejected>) -> Outcome {
        let mut rows = self.rows;
        rows.sort();
        let totals = rows.totals();
        rejected.sort();
        rejected.dedup();
        Outcome {
            headline: compose::headline(&rows, &totals),
            totals,
            rows,
            rejected: rejected.into_iter().map(view_of).collect(),
            remarks: self.policy.remarks(),
        }
    }

    fn node<T: Taker>(
        &mut self,
        node: Node<T::Made>,
        order: &Order,
        files: bool,
        taker: &mut T,
    ) -> Result<(), T::Error> {
        taker.take(node.made)?;
        let group = order.units.get(node.unit).and_then(|unit| unit.group);
        if let (Some(group), Some(shared)) = (group, node.shared) {
            let waiting = self.waiting.entry(group).or_default();
            waiting.push((shared, node.row.clone()));
        }
        self.rows.add_node(node.row, node.headline);
        self.lost(node.unit, order, files, taker)
    }

    /// One node less to wait for.
    fn lost<T: Taker>(
        &mut self,
        unit: usize,
        order: &Order,
        files: bool,
        taker: &mut T,
    ) -> Result<(), T::Error> {
        let Some(group) = order.units.get(unit).and_then(|unit| unit.group) else {
            return Ok(());
        };
        if let Some(left) = self.left.get_mut(group) {
            *left = left.saturating_sub(1);
            if *left > 0 {
                return Ok(());
            }
        }
        let Some(nodes) = self.waiting.remove(&group) else {
            return Ok(());
        };
        let Some(cluster) = order.clusters.get(group) else {
            return Ok(());
        };
        let unpacked = nodes
            .into_iter()
            .map(|(waiting, row)| (waiting.unpacked(), row));
        let mut nodes: Vec<(Shared, view::Row)> = unpacked.collect();
        nodes.sort_by(|(a, _), (b, _)| a.node.cmp(&b.node));
        let members: Vec<compose::Member<'_>> =
            nodes.iter().map(|(shared, row)| (shared, row)).collect();
        let view = compose::cluster(
            &cluster.name,
            &members,
            cluster.slug.clone(),
            order.page(group, files),
            self.policy,
        );
        self.rows.add_cluster(&view);
        taker.cluster(view)
    }
}

/// The numbers of an older bundle.
fn view_point(node: Raw, terms: Terms<'_>) -> view::Point {
    let mut facts = judged(node, terms);
    compose::conclude(&mut facts.node);
    view::Point::of(&facts.node)
}

/// A node's facts, with the configuration applied to them.
fn judged(raw: Raw, terms: Terms<'_>) -> Facts {
    let policy = terms.policy;
    let mut facts = raw.facts(terms.known, policy.thresholds(), terms.now);
    let plan = facts.cleanup.as_mut().map(|cleanup| &mut cleanup.plan);
    policy.apply(&mut facts.node, plan);
    let empty = |cleanup: &mut Cleanup| cleanup.plan.items.is_empty();
    facts.cleanup.take_if(empty);
    facts
}

fn view_of(rejected: Rejected) -> view::Rejected {
    view::Rejected {
        path: rejected.path,
        error: rejected.error,
    }
}
