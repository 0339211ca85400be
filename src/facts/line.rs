//! Facts as text: one line of JSON a node, `{"dmaudit_facts":2,…}`.

use std::io::{self, Read, Write};
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

/// Bytes that a line's facts may take in memory, by its own bytes and values.
/// A node at the bounds of the reader needs 150 MiB.
const MOST_BYTES: u64 = 192 << 20;

/// Bytes that a value takes, however short it is written.
const VALUE_BYTES: u64 = 64;

#[derive(Serialize)]
struct Written<'a> {
    dmaudit_facts: u64,
    signature: &'a Signature,
    shared: &'a Shared,
    node: &'a view::Node,
    cleanup: &'a Option<Cleanup>,
}

#[derive(Deserialize)]
struct Parts {
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
        checked_version(serde_json::from_slice(line))?;
        serde_json::from_slice(line).map_err(broken)
    }

    /// As [`Head::read`], of a line that `open` gives anew each time.
    ///
    /// # Errors
    /// As those of [`Head::read`].
    pub fn read_from<R: Read>(open: impl Fn() -> io::Result<R>) -> Result<Self, String> {
        checked_version(serde_json::from_reader(open().map_err(unread)?))?;
        serde_json::from_reader(open().map_err(unread)?).map_err(broken)
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
        checked_version(serde_json::from_slice(line))?;
        Weight::default().add(line)?;
        serde_json::from_slice(line)
            .map_err(broken)
            .and_then(Self::checked)
    }

    /// As [`Facts::from_line`], of a line that `open` gives anew each time and
    /// that is not held in memory.
    ///
    /// # Errors
    /// As those of [`Facts::from_line`].
    pub fn from_line_of<R: Read>(open: impl Fn() -> io::Result<R>) -> Result<Self, String> {
        checked_version(serde_json::from_reader(open().map_err(unread)?))?;
        let mut weight = Weight::default();
        let mut line = open().map_err(unread)?;
        let mut piece = vec![0; 1 << 16];
        loop {
            match line.read(&mut piece).map_err(unread)? {
                0 => break,
                length => weight.add(piece.get(..length).unwrap_or_default())?,
            }
        }
        serde_json::from_reader(open().map_err(unread)?)
            .map_err(broken)
            .and_then(Self::checked)
    }

    fn checked(read: Parts) -> Result<Self, String> {
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

/// What a line's facts take in memory.
#[derive(Default)]
struct Weight(u64);

impl Weight {
    /// Adds a part of the line.
    fn add(&mut self, part: &[u8]) -> Result<(), String> {
        let begins = |byte: &&u8| matches!(byte, b',' | b'[' | b'{');
        let values = part.iter().filter(begins).count() as u64;
        self.0 += part.len() as u64 + VALUE_BYTES * values;
        match self.0 > MOST_BYTES {
            true => Err("it has more values than the facts of any node".to_owned()),
            false => Ok(()),
        }
    }
}

fn checked_version(versioned: serde_json::Result<Versioned>) -> Result<(), String> {
    match versioned.map_err(broken)?.dmaudit_facts {
        VERSION => Ok(()),
        other => Err(format!(
            "these are facts of version {other}, and this dmaudit reads version {VERSION}: make \
             them anew from the bundles with this dmaudit's `facts`, or analyze them with the \
             dmaudit that wrote them"
        )),
    }
}

fn unread(error: io::Error) -> String {
    format!("it can't be read: {error}")
}

fn broken(error: serde_json::Error) -> String {
    format!(
        "expected the facts of a node, version {VERSION}: {error}; copy the file again, or make \
         the facts anew from the bundles"
    )
}
