//! Which inputs hold which nodes, in which order they are read, and which
//! nodes belong together: all of it known before the first is read whole.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::input::Input;
use crate::bundle::{Limits, Rejected, Repeats};
use crate::model::cluster::{Common, Signature, group, superseded_standalone};
use crate::report::slugs;

/// A bundle: the input that it is in, and which one of the input's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    pub(super) source: usize,
    pub(super) part: usize,
}

/// A node of the run.
#[derive(Debug)]
pub(super) struct Unit {
    /// Its unique name.
    pub(super) slug: String,
    /// Its cluster.
    pub(super) group: Option<usize>,
    /// Its newest bundle.
    pub(super) newest: Piece,
    /// Its older ones, newest first.
    pub(super) older: Vec<Piece>,
}

/// A cluster of the run.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) name: String,
    /// Its unique name.
    pub(super) slug: String,
    /// Its nodes.
    pub(super) units: usize,
}

/// The order of a run.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) units: Vec<Unit>,
    pub(super) clusters: Vec<Cluster>,
    /// Each input once, with the nodes to be read from it: part and unit.
    /// Clusters stay together as far as their inputs do.
    pub(super) reads: Vec<(usize, Vec<(usize, usize)>)>,
}

/// Looks at every input for the nodes in it.
pub(super) fn signatures(
    inputs: &[Input],
    limits: &Limits,
    repeats: &Repeats,
) -> (Vec<(Piece, Signature)>, Vec<Rejected>) {
    let common = Common::default();
    let looked: Vec<Result<Vec<Signature>, Rejected>> = inputs
        .par_iter()
        .map(|input| {
            let mut found = input.signatures(limits, repeats)?;
            found.iter_mut().for_each(|one| common.share(one));
            Ok(found)
        })
        .collect();
    let (mut found, mut rejected) = (Vec::new(), Vec::new());
    for (source, looked) in looked.into_iter().enumerate() {
        match looked {
            Ok(signatures) => found.extend(
                signatures
                    .into_iter()
                    .enumerate()
                    .map(|(part, signature)| (Piece { source, part }, signature)),
            ),
            Err(error) => rejected.push(error),
        }
    }
    (found, rejected)
}

impl Order {
    /// Orders the bundles that were found.
    pub(super) fn of(found: Vec<(Piece, Signature)>) -> Self {
        let (pieces, signatures): (Vec<Piece>, Vec<Signature>) = found.into_iter().unzip();
        let groups = group(&signatures);
        let outdated: BTreeSet<usize> = groups
            .iter()
            .flat_map(|group| group.superseded.iter().copied())
            .chain(superseded_standalone(&signatures))
            .collect();
        let group_of: BTreeMap<usize, usize> = groups
            .iter()
            .enumerate()
            .flat_map(|(number, group)| group.nodes.iter().map(move |index| (*index, number)))
            .collect();
        let current: Vec<usize> = (0..pieces.len())
            .filter(|index| !outdated.contains(index))
            .collect();
        let names: Vec<(&str, Option<&str>)> = current
            .iter()
            .filter_map(|index| signatures.get(*index))
            .map(|signature| (signature.node.as_str(), signature.cluster.as_deref()))
            .collect();
        let mut older = older(&signatures, &outdated);
        let units: Vec<Unit> = current
            .iter()
            .zip(slugs::unique(&names))
            .filter_map(|(index, slug)| {
                let machine = machine(signatures.get(*index)?);
                let older = machine.and_then(|machine| older.remove(&machine));
                let older = older.unwrap_or_default().into_iter();
                Some(Unit {
                    slug,
                    group: group_of.get(index).copied(),
                    newest: *pieces.get(*index)?,
                    older: older
                        .filter_map(|index| pieces.get(index).copied())
                        .collect(),
                })
            })
            .collect();
        let names: Vec<(&str, Option<&str>)> = groups
            .iter()
            .map(|group| (group.name.as_str(), None))
            .collect();
        let clusters = groups
            .iter()
            .zip(slugs::unique(&names))
            .map(|(group, slug)| Cluster {
                name: group.name.clone(),
                slug,
                units: group.nodes.len(),
            })
            .collect();
        let reads = reads(&units);
        Self {
            units,
            clusters,
            reads,
        }
    }
}

/// What tells a machine from others through time.
fn machine(signature: &Signature) -> Option<(Option<String>, String, String)> {
    let id = signature.machine_id_sha256.clone()?;
    Some((signature.cluster.clone(), signature.node.clone(), id))
}

/// Bundles that newer ones of the same machine supersede, newest first.
fn older(
    signatures: &[Signature],
    outdated: &BTreeSet<usize>,
) -> BTreeMap<(Option<String>, String, String), Vec<usize>> {
    let mut by_machine: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    let found = outdated
        .iter()
        .filter_map(|index| Some((*index, machine(signatures.get(*index)?)?)));
    for (index, machine) in found {
        by_machine.entry(machine).or_default().push(index);
    }
    for list in by_machine.values_mut() {
        list.sort_by_key(|index| {
            std::cmp::Reverse(signatures.get(*index).and_then(|one| one.collected_at))
        });
    }
    by_machine
}

fn reads(units: &[Unit]) -> Vec<(usize, Vec<(usize, usize)>)> {
    let mut by_source: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for (number, unit) in units.iter().enumerate() {
        by_source
            .entry(unit.newest.source)
            .or_default()
            .push((unit.newest.part, number));
    }
    let mut reads: Vec<_> = by_source.into_iter().collect();
    let first_group = |parts: &[(usize, usize)]| {
        parts
            .iter()
            .filter_map(|(_, unit)| units.get(*unit)?.group)
            .min()
            // Nodes in no cluster come last.
            .unwrap_or(usize::MAX)
    };
    reads.sort_by_key(|(source, parts)| (first_group(parts), *source));
    reads
}
