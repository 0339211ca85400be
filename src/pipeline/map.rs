//! From inputs to facts: each is read and judged for itself, whatever the
//! others hold.

use rayon::prelude::*;

use super::input::Input;
use super::turns::in_order;
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
        mut take: impl FnMut(&[u8]) -> Result<(), String> + Send,
        done: impl Fn() + Sync,
    ) -> Result<Vec<view::Rejected>, String> {
        let mut rejected = std::mem::take(&mut self.rejected);
        let sizes: Vec<u64> = self.inputs.iter().map(Input::size).collect();
        let make = |input: &Input| {
            let lines = self.lines(input);
            done();
            lines
        };
        in_order(&self.inputs, &sizes, make, |_, lines| {
            match lines? {
                Ok(lines) => lines.iter().try_for_each(|line| take(line))?,
                Err(error) => rejected.push(error),
            }
            Ok::<(), String>(())
        })?;
        rejected.sort();
        rejected.dedup();
        Ok(rejected.into_iter().map(view_of).collect())
    }

    fn lines(&self, input: &Input) -> Result<Lines, String> {
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
