//! What a check found, as a plain value.

use std::borrow::Cow;

use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Data is at risk, or a guest can't work: act now.
    Critical,
    /// Something is left over or will go wrong: clean up.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// All severities, worst first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Warning, Self::Info];

    /// The severity's name, as JSON and reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// One fault that a check found on a node or in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's kebab-case name.
    pub check: &'static str,
    /// How bad it is here.
    pub severity: Severity,
    /// What it is about: an entry's name, a volume, a VMID, a pool.
    pub subject: String,
    /// The guest it concerns.
    pub vmid: Option<u64>,
    /// What is wrong, in one or two sentences that stand alone.
    pub message: String,
    /// What it leads to if nothing is done.
    pub impact: Cow<'static, str>,
    /// What to do, with commands where they help.
    pub remedy: Cow<'static, str>,
    /// The recorded lines it rests on, each with where it was recorded.
    pub evidence: Vec<String>,
}
