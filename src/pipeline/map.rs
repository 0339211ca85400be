//! From inputs to facts: each is read and judged for itself, whatever the
//! others hold.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write};

use rayon::prelude::*;

use super::input::{Input, Raw};
use super::turns::in_order;
use super::{Job, together, view_of};
use crate::bundle::Rejected;
use crate::facts::Facts;
use crate::report::{compose, json, view};

/// A node's line of facts.
pub enum Line {
    /// As text, with its end.
    Text(Vec<u8>),
    /// Of a large node, whose text is never held as a whole.
    Large(Box<Facts>),
}

impl Line {
    /// Writes the line.
    ///
    /// # Errors
    /// Only those of `out`.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        match self {
            Self::Text(text) => out.write_all(text),
            Self::Large(facts) => {
                let mut out = BufWriter::with_capacity(BUFFER, out);
                facts.write_line(&mut out)?;
                out.flush()
            }
        }
    }
}

/// Bytes of a large line that are written at once.
const BUFFER: usize = 1 << 16;

/// What came of an input.
enum Read {
    /// Its nodes' lines.
    Lines(Vec<Line>),
    /// Nodes that are too large to be analyzed at the same time; to be read
    /// again where there are others to read meanwhile.
    Large(Option<VecDeque<Raw>>),
    /// Why there are none.
    Rejected(Rejected),
}

impl Job {
    /// Has `take` write the facts of every bundle, a line each, in the order
    /// of the inputs; older bundles of a node, too. `done` is called for each
    /// input that was read. Returns the inputs that could not be read, sorted.
    ///
    /// # Errors
    /// Those of `take`.
    pub fn facts(
        mut self,
        mut take: impl FnMut(&Line) -> Result<(), String> + Send,
        done: impl Fn() + Sync,
    ) -> Result<Vec<view::Rejected>, String> {
        let mut rejected = std::mem::take(&mut self.rejected);
        let sizes: Vec<u64> = self.inputs.iter().map(Input::size).collect();
        let make = |input: &Input| {
            let read = self.lines_of(input);
            done();
            read
        };
        in_order(&self.inputs, &sizes, make, |input, read| {
            match read? {
                Read::Lines(lines) => lines.iter().try_for_each(&mut take)?,
                // One after the other, as their turn is now.
                Read::Large(nodes) => {
                    let again = || input.read(&self.limits, &self.repeats);
                    let unread = together::in_groups(nodes, again, Raw::bytes, |some| {
                        self.lines(some)?.iter().try_for_each(&mut take)
                    })?;
                    rejected.extend(unread);
                }
                Read::Rejected(error) => rejected.push(error),
            }
            Ok::<(), String>(())
        })?;
        rejected.sort();
        rejected.dedup();
        Ok(rejected.into_iter().map(view_of).collect())
    }

    fn lines_of(&self, input: &Input) -> Result<Read, String> {
        let nodes = match input.read(&self.limits, &self.repeats) {
            Ok(nodes) => nodes,
            Err(error) => return Ok(Read::Rejected(error)),
        };
        match together::fits(&nodes, Raw::bytes) {
            true => self.lines(nodes).map(Read::Lines),
            // While it waits, others are read: it is read again at its turn.
            false => Ok(Read::Large((self.inputs.len() == 1).then(|| nodes.into()))),
        }
    }

    fn lines(&self, nodes: Vec<Raw>) -> Result<Vec<Line>, String> {
        let line = |node: Raw| {
            let mut facts = node.facts(&self.known, self.policy.thresholds(), self.now);
            compose::conclude(&mut facts.node);
            match json::is_large(&facts.node) {
                true => Ok(Line::Large(Box::new(facts))),
                false => facts.to_line().map(Line::Text),
            }
        };
        nodes.into_par_iter().map(line).collect()
    }
}
