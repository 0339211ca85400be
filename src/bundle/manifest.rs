//! `manifest.json`: what the collector says it put into the bundle, format 1.
//!
//! It is read leniently: every field may be missing or of a wrong type, which
//! loses that field and no other, and unknown fields are passed over. No tree
//! of values is built, which could take many times the text's memory.

use serde::Deserialize;

use super::loose_json::{Sha256, from_object, list, loosely, texts};

/// The newest format of the manifest that is understood.
pub const MANIFEST_FORMAT: u64 = 1;

/// A bundle's manifest.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// Version of the manifest's format: [`MANIFEST_FORMAT`].
    #[serde(deserialize_with = "loosely")]
    pub format: Option<u64>,
    /// Version of the collector that wrote it.
    #[serde(deserialize_with = "loosely")]
    pub collector: Option<String>,
    /// Whether its names are stand-ins (`dmaudit redact`).
    #[serde(deserialize_with = "loosely")]
    pub redacted: bool,
    /// The node's name.
    #[serde(deserialize_with = "loosely")]
    pub node: Option<String>,
    /// When the collection began, RFC 3339.
    #[serde(deserialize_with = "loosely")]
    pub started_at: Option<String>,
    /// When it ended, RFC 3339.
    #[serde(deserialize_with = "loosely")]
    pub finished_at: Option<String>,
    /// SHA-256 of the node's `/etc/machine-id`, as hexadecimal digits.
    #[serde(deserialize_with = "loosely")]
    pub machine_id_sha256: Option<String>,
    /// The commands that were run; `None` where the manifest has no such list.
    #[serde(deserialize_with = "list")]
    pub commands: Option<Vec<CommandRecord>>,
    /// The files that were copied; `None` where the manifest has no such list.
    #[serde(deserialize_with = "list")]
    pub files: Option<Vec<FileRecord>>,
    /// Files that are there on the node and could not be read.
    #[serde(deserialize_with = "list")]
    pub unread: Option<Vec<UnreadRecord>>,
    /// Folders that exist on the node, also the empty ones; absolute paths.
    #[serde(deserialize_with = "texts")]
    pub directories: Option<Vec<String>>,
}

/// A command by the manifest.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct CommandRecord {
    /// The id: the name of the output's file without `.out`.
    #[serde(deserialize_with = "loosely")]
    pub id: String,
    /// The command line.
    #[serde(deserialize_with = "loosely")]
    pub command: Option<String>,
    /// Exit status; none where the command was ended or never began.
    #[serde(deserialize_with = "loosely")]
    pub status: Option<i32>,
    /// Whether it was ended because it took too long.
    #[serde(deserialize_with = "loosely")]
    pub timed_out: bool,
    /// How long it ran, in seconds.
    #[serde(deserialize_with = "loosely")]
    pub seconds: Option<f64>,
    /// Bytes of its standard output.
    #[serde(deserialize_with = "loosely")]
    pub bytes: Option<u64>,
    /// SHA-256 of its standard output.
    #[serde(deserialize_with = "loosely")]
    pub sha256: Option<Sha256>,
}

/// A copied file by the manifest.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct FileRecord {
    /// Absolute path on the node.
    #[serde(deserialize_with = "loosely")]
    pub path: String,
    /// Bytes as they lie in the bundle.
    #[serde(deserialize_with = "loosely")]
    pub bytes: Option<u64>,
    /// SHA-256 of those.
    #[serde(deserialize_with = "loosely")]
    pub sha256: Option<Sha256>,
    /// Whether the collector blanked secrets in it.
    #[serde(deserialize_with = "loosely")]
    pub masked: bool,
}

/// A file that could not be read on the node.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct UnreadRecord {
    /// Absolute path on the node.
    #[serde(deserialize_with = "loosely")]
    pub path: String,
    /// What went wrong.
    #[serde(deserialize_with = "loosely")]
    pub error: Option<String>,
}

impl Manifest {
    /// Reads the text of a manifest.
    ///
    /// # Errors
    /// The JSON parser's message, with line and column, or that the text is
    /// no JSON object.
    pub fn parse(text: &str) -> Result<Self, String> {
        from_object(text)
    }

    /// Whether it lists all that the bundle should hold, so that what is
    /// missing can be named.
    pub(super) fn names_everything(&self) -> bool {
        self.commands.is_some() && self.files.is_some()
    }
}
