//! From inputs to facts: each is read and judged for itself, whatever the
//! others hold.

use rayon::prelude::*;

use super::turns::{chunks, in_turn};
use super::{Job, view_of};
use crate::bundle::Rejected;
use crate::report::{compose, view};

/// What came of an input: its nodes' lines, or why there are none.
type Lines = Result<Vec<Vec<u8>>, Rejected>;

impl Job {
    /// Has `take` write the facts of every bundle, a line each, in the order
    /// of the inputs; older bundles of a node, too. `done` is called for each
    /// input that was read. Returns the inputs that could not be read, sorted.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn facts(
        mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), String>,
        done: impl Fn() + Sync,
    ) -> Result<Vec<view::Rejected>, String> {
        let reads: Vec<(usize, ())> = (0..self.inputs.len()).map(|input| (input, ())).collect();
        let mut rejected = std::mem::take(&mut self.rejected);
        for some in chunks(&reads, &self.inputs) {
            let made = in_turn(some, |(input, ())| {
                let lines = self.lines(*input);
                done();
                lines
            });
            for lines in made {
                match lines? {
                    Ok(lines) => lines.iter().try_for_each(|line| take(line))?,
                    Err(error) => rejected.push(error),
                }
            }
        }
        rejected.sort();
        rejected.dedup();
        Ok(rejected.into_iter().map(view_of).collect())
    }

    fn lines(&self, input: usize) -> Result<Lines, String> {
        let Some(input) = self.inputs.get(input) else {
            return Ok(Ok(Vec::new()));
        };
        let nodes = match input.read(&self.limits, &self.repeats) {
            Ok(nodes) => nodes,
            Err(error) => return Ok(Err(error)),
        };
        let lines: Result<Vec<_>, String> = nodes
            .into_par_iter()
            .map(|node| {
                let mut facts = node.facts(&self.known, self.policy.thresholds(), self.now);
                compose::conclude(&mut facts.node);
                facts.to_line()
            })
            .collect();
        lines.map(Ok)
    }
}
