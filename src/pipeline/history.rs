//! Older bundles of the run's nodes, each read for a few numbers only.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::order::{Order, Piece, Unit};
use super::{Job, Rejected, view_point};
use crate::report::view;

/// The numbers of older bundles.
pub(super) type Points = BTreeMap<Piece, view::Point>;

impl Job {
    /// Reads the older bundles of all nodes, each input once. There is nothing
    /// to do where no node has any.
    pub(super) fn points(&self, order: &Order) -> (Points, Vec<Rejected>) {
        let mut wanted: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for piece in order.units.iter().flat_map(|unit| &unit.older) {
            wanted.entry(piece.source).or_default().insert(piece.part);
        }
        let wanted: Vec<(usize, BTreeSet<usize>)> = wanted.into_iter().collect();
        let read: Vec<Result<Vec<(Piece, view::Point)>, Rejected>> = wanted
            .par_iter()
            .filter_map(|(source, parts)| Some((*source, self.inputs.get(*source)?, parts)))
            .map(|(at, input, parts)| {
                let found = input.read(&self.limits, &self.repeats)?;
                Ok(found
                    .into_iter()
                    .enumerate()
                    .filter(|(part, _)| parts.contains(part))
                    .map(|(part, node)| {
                        let piece = Piece { source: at, part };
                        (piece, view_point(node, self.terms()))
                    })
                    .collect())
            })
            .collect();
        let (mut points, mut rejected) = (Points::new(), Vec::new());
        for read in read {
            match read {
                Ok(read) => points.extend(read),
                Err(error) => rejected.push(error),
            }
        }
        (points, rejected)
    }
}

/// A node's history up to its newest bundle, oldest first; nothing if there
/// is no older one.
pub(super) fn of(unit: &Unit, points: &Points, node: &view::Node) -> Vec<view::Point> {
    let older = unit.older.iter().rev();
    let mut history: Vec<view::Point> = older
        .filter_map(|piece| points.get(piece).cloned())
        .collect();
    if !history.is_empty() {
        history.push(view::Point::of(node));
    }
    history
}
