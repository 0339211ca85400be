//! Facts as text: one line of JSON a node, `{"dmaudit_facts":2,…}`.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Cleanup, Facts};
use crate::checks::shared::Shared;
use crate::model::cluster::Signature;
use crate::report::json::write_one_line;
use crate::report::view;

/// The version of the format: raised whenever a line of the one before would
/// be read wrongly or not at all.
pub const VERSION: u64 = 2;

/// Values that a line may hold: a node at the bounds of the reader has half
/// as many. Each takes more memory than the two bytes it may be written with.
const MOST_VALUES: usize = 4_000_000;

#[derive(Serialize)]
struct Written<'a> {
    dmaudit_facts: u64,
    signature: &'a Signature,
    shared: &'a Shared,
    node: &'a view::Node,
    cleanup: &'a Option<Cleanup>,
}

#[derive(Deserialize)]
struct Read {
    signature: Signature,
    shared: Shared,
    node: view::Node,
    cleanup: Option<Cleanup>,
}

#[derive(Deserialize)]
struct Versioned {
    dmaudit_facts: u64,
}

/// What a line says of itself; the rest of it is not looked at.
#[derive(Debug, Clone, Deserialize)]
pub struct Head {
    /// Which node, and when.
    pub signature: Signature,
    node: HeadNode,
}

#[derive(Debug, Clone, Deserialize)]
struct HeadNode {
    bundle: String,
}

impl Head {
    /// The bundle that the node was read from, as a person called it then.
    pub fn bundle(&self) -> &Path {
        Path::new(&self.node.bundle)
    }

    /// Reads the head of a line.
    ///
    /// # Errors
    /// What is wrong with the line, and what to do.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        checked_version(line)?;
        serde_json::from_slice(line).map_err(broken)
    }
}

impl Facts {
    /// The node as one line, with its end.
    ///
    /// # Errors
    /// None that an input could cause.
    pub fn to_line(&self) -> Result<Vec<u8>, String> {
        let mut line = Vec::new();
        self.write_line(&mut line)
            .map_err(|error| format!("facts could not be written: {error}"))?;
        Ok(line)
    }

    /// Writes what [`Facts::to_line`] gives.
    ///
    /// # Errors
    /// Only those of `out`.
    pub fn write_line(&self, out: impl Write) -> io::Result<()> {
        let written = Written {
            dmaudit_facts: VERSION,
            signature: &self.signature,
            shared: &self.shared,
            node: &self.node,
            cleanup: &self.cleanup,
        };
        write_one_line(&written, out)
    }

    /// Reads a line. It may come from a stranger: what the parts of the
    /// report rely on is checked.
    ///
    /// # Errors
    /// What is wrong with the line, and what to do.
    pub fn from_line(line: &[u8]) -> Result<Self, String> {
        checked_version(line)?;
        let values = line
            .iter()
            .filter(|byte| matches!(byte, b',' | b'[' | b'{'));
        if values.count() > MOST_VALUES {
            return Err("it has more values than the facts of any node".to_owned());
        }
        let read: Read = serde_json::from_slice(line).map_err(broken)?;
        let mut facts = Self {
            signature: read.signature,
            shared: read.shared,
            node: read.node,
            cleanup: read.cleanup,
        };
        super::guard::check(&mut facts)
            .map_err(|what| format!("{what}; make the facts anew from the bundles"))?;
        Ok(facts)
    }
}

fn checked_version(line: &[u8]) -> Result<(), String> {
    let versioned: Versioned = serde_json::from_slice(line).map_err(broken)?;
    match versioned.dmaudit_facts {
        VERSION => Ok(()),
        other => Err(format!(
            "these are facts of version {other}, and this dmaudit reads version {VERSION}: make \
             them anew from the bundles with this dmaudit's `facts`, or analyze them with the \
             dmaudit that wrote them"
        )),
    }
}

fn broken(error: serde_json::Error) -> String {
    format!(
        "expected the facts of a node, version {VERSION}: {error}; copy the file again, or make \
         the facts anew from the bundles"
    )
}
