//! The inputs of a run: bundles, and nodes whose facts were made before.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rayon::prelude::*;

use crate::bundle::{self, Bundle, Limits, OpenError, Rejected, Repeats, Source};
use crate::config::Thresholds;
use crate::facts::Facts;
use crate::facts::input::{Line, Spool, scan};
use crate::model::cluster::{Common, Signature};
use crate::model::read::{self, Configurations};

/// Entries and guests that several bundles of one archive may list together:
/// a cluster of 32 nodes of the largest kind known. Of each, a report has some
/// thousand bytes, and what its cluster needs waits in memory.
const LISTED_TOGETHER: usize = 64_000;

/// An input.
#[derive(Debug)]
pub(super) enum Input {
    /// One or more bundles.
    Bundles(Source),
    /// A node's facts.
    Line(Box<Line>),
}

/// An input's place among the others: its bundle, node and time, and its
/// line.
type Rank = (PathBuf, String, Option<DateTime<Utc>>, u64);

/// A node in an input, not yet judged.
pub(super) enum Raw {
    Bundle(Box<Bundle>),
    Facts(Box<Facts>),
}

impl Raw {
    /// What tells the node from others.
    pub(super) fn signature(&self) -> Signature {
        match self {
            Self::Bundle(bundle) => read::signature(bundle),
            Self::Facts(facts) => facts.signature.clone(),
        }
    }

    /// Bytes that are in memory of it. Facts have none: what is as large is read
    /// alone.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Bundle(bundle) => bundle.bytes(),
            Self::Facts(_) => 0,
        }
    }

    /// The node's facts, `now`.
    pub(super) fn facts(
        self,
        known: &Configurations,
        thresholds: Thresholds,
        now: DateTime<Utc>,
    ) -> Facts {
        match self {
            Self::Bundle(bundle) => Facts::of(*bundle, known, thresholds, now),
            Self::Facts(facts) => *facts,
        }
    }
}

/// What discovery found, with facts by node. All are in an order that is the
/// same whether a bundle is read itself or by its facts.
pub(super) fn inputs(sources: Vec<Source>, limits: &Limits) -> (Vec<Input>, Vec<Rejected>) {
    let spool = Arc::new(Spool::default());
    let common = Common::default();
    let looked: Vec<(Vec<Input>, Vec<Rejected>)> = sources
        .into_par_iter()
        .map(|source| match source.facts(limits) {
            Ok(None) => (vec![Input::Bundles(source)], Vec::new()),
            Ok(Some(stream)) => {
                let (mut lines, rejected) = scan(&source.name(), stream, limits, &spool);
                for line in &mut lines {
                    common.share(&mut line.head.signature);
                }
                let lines = lines.into_iter().map(Box::new).map(Input::Line);
                (lines.collect(), rejected)
            }
            Err(error) => {
                let rejected = Rejected {
                    path: source.name(),
                    error: error.to_string(),
                };
                (Vec::new(), vec![rejected])
            }
        })
        .collect();
    let (inputs, rejected): (Vec<_>, Vec<_>) = looked.into_iter().unzip();
    let mut inputs: Vec<Input> = inputs.into_iter().flatten().collect();
    inputs.sort_by_cached_key(Input::rank);
    (inputs, rejected.into_iter().flatten().collect())
}

impl Input {
    fn rank(&self) -> Rank {
        match self {
            Self::Bundles(source) => (source.name().into(), String::new(), None, 0),
            Self::Line(line) => {
                let signature = &line.head.signature;
                (
                    line.head.bundle().to_owned(),
                    signature.node.clone(),
                    signature.collected_at,
                    line.number(),
                )
            }
        }
    }

    /// Bytes that are read of it, as they lie there.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Bundles(source) => source.size(),
            Self::Line(line) => line.size(),
        }
    }

    /// What tells its nodes from others.
    pub(super) fn signatures(
        &self,
        limits: &Limits,
        repeats: &Repeats,
    ) -> Result<Vec<Signature>, Rejected> {
        match self {
            Self::Line(line) => Ok(vec![line.head.signature.clone()]),
            Self::Bundles(source) => bundle::open_brief(source, limits, repeats)
                .map(|bundles| bundles.iter().map(read::signature).collect())
                .map_err(|error| rejected(source, &error)),
        }
    }

    /// Its nodes.
    pub(super) fn read(&self, limits: &Limits, repeats: &Repeats) -> Result<Vec<Raw>, Rejected> {
        match self {
            Self::Line(line) => Ok(vec![Raw::Facts(Box::new(line.read()?))]),
            Self::Bundles(source) => bundle::open_with(source, limits, repeats)
                .and_then(|bundles| allowed_together(&bundles).map(|()| bundles))
                .map(|bundles| bundles.into_iter().map(Box::new).map(Raw::Bundle).collect())
                .map_err(|error| rejected(source, &error)),
        }
    }
}

fn allowed_together(bundles: &[Bundle]) -> Result<(), OpenError> {
    if bundles.len() < 2 || bundles.iter().map(read::listed).sum::<usize>() <= LISTED_TOGETHER {
        return Ok(());
    }
    Err(OpenError::Limit {
        what: "entries and guests for several bundles in one archive",
        limit: LISTED_TOGETHER as u64,
        option: None,
    })
}

fn rejected(source: &Source, error: &OpenError) -> Rejected {
    Rejected {
        path: source.name(),
        error: error.to_string(),
    }
}
