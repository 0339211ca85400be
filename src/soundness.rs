//! Whether a bundle is sound: unchanged, complete, and what can't be
//! concluded from what it lacks.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::audit::Audit;
use crate::bundle::{Bundle, Manifest};
use crate::model::evidence::{SOURCES, State};
use crate::model::node::{Environment, Node};

/// How sound a bundle is, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Soundness {
    /// All is there as it was collected.
    Complete,
    /// Evidence is missing, failed or could not be read on the node.
    Incomplete,
    /// The bundle is not what its manifest says.
    Damaged,
}

/// Something that is not there as it should be, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// A command's id, or a path.
    pub what: String,
    /// What became of it.
    pub why: String,
}

/// What is known of one bundle's soundness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The bundle, as a person names it.
    pub bundle: String,
    /// The node it is of.
    pub node: String,
    /// How sound it is.
    pub state: Soundness,
    /// The collector's version, by the manifest.
    pub collector: Option<String>,
    /// When it was collected, RFC 3339.
    pub collected_at: Option<String>,
    /// Whether there is a manifest to compare with.
    pub manifest: bool,
    /// Outputs and files whose bytes are those of the manifest's SHA-256.
    pub hashes_match: usize,
    /// Outputs and files that the manifest gives no SHA-256 for.
    pub without_hash: usize,
    /// What is damaged, lost or was put in after the collection.
    pub damaged: Vec<Fault>,
    /// Commands that the analysis uses and the bundle has not.
    pub missing: Vec<String>,
    /// Commands that failed or did not end in time.
    pub failed: Vec<Fault>,
    /// What the collector could not read on the node.
    pub unread: Vec<Fault>,
    /// What can't be concluded from this bundle, in sentences.
    pub not_concluded: Vec<String>,
    /// What else was noted while it was read.
    pub notes: Vec<String>,
}

/// Looks at a bundle.
pub fn report(bundle: &Bundle) -> Report {
    let audit = Audit::of(bundle);
    let node = &audit.node;
    let manifest = bundle.manifest();
    let (damaged, unread) = faults(bundle, manifest);
    let hashes = Hashes::of(bundle, manifest);
    let mut missing = Vec::new();
    let mut failed = Vec::new();
    for id in bundle.commands() {
        match node.evidence.state(id) {
            _ if bundle.command(id).is_some_and(|output| output.damaged) => {}
            State::Present | State::Missing => {}
            // Not every node has multipath-tools, and it is none the worse.
            State::Failed(_) if id == "multipath" && status(bundle, id) == Some(127) => {}
            State::Failed(why) => failed.push(Fault {
                what: id.to_owned(),
                why: match status(bundle, id) {
                    Some(127) => format!("not installed on the node ({why})"),
                    _ => why.clone(),
                },
            }),
            State::TimedOut => failed.push(Fault {
                what: id.to_owned(),
                why: "did not end within the collector's limit".to_owned(),
            }),
        }
    }
    for source in &SOURCES {
        if *node.evidence.state(source.id) == State::Missing {
            missing.push(source.id.to_owned());
        }
    }
    let incomplete =
        manifest.is_none() || !(missing.is_empty() && failed.is_empty() && unread.is_empty());
    Report {
        bundle: bundle.source().to_owned(),
        node: node.name.clone(),
        state: match (damaged.is_empty(), incomplete) {
            (false, _) => Soundness::Damaged,
            (true, true) => Soundness::Incomplete,
            (true, false) => Soundness::Complete,
        },
        collector: manifest.and_then(|manifest| manifest.collector.clone()),
        collected_at: node
            .collected_at
            .map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        manifest: manifest.is_some(),
        hashes_match: hashes.matching,
        without_hash: hashes.none,
        damaged,
        missing,
        failed,
        unread,
        not_concluded: not_concluded(&audit),
        notes: bundle.notes().to_vec(),
    }
}

fn status(bundle: &Bundle, id: &str) -> Option<i32> {
    bundle.command(id)?.status
}

/// What is damaged, and what the collector itself could not read.
fn faults(bundle: &Bundle, manifest: Option<&Manifest>) -> (Vec<Fault>, Vec<Fault>) {
    let by_collector: BTreeSet<&str> = manifest
        .and_then(|manifest| manifest.unread.as_deref())
        .unwrap_or_default()
        .iter()
        .map(|record| record.path.as_str())
        .collect();
    let (unread, mut damaged): (Vec<Fault>, Vec<Fault>) = bundle
        .unread()
        .iter()
        .map(|unread| Fault {
            what: unread.path.clone(),
            why: unread.error.clone(),
        })
        .partition(|fault| by_collector.contains(fault.what.as_str()));
    damaged.extend(bundle.cut().map(|why| Fault {
        what: "the archive".to_owned(),
        why: format!("its end is missing: {why}"),
    }));
    let Some(manifest) = manifest else {
        return (damaged, unread);
    };
    let added = |what: &str| Fault {
        what: what.to_owned(),
        why: "not in the manifest: it was put in after the collection".to_owned(),
    };
    if let Some(commands) = &manifest.commands {
        let known: BTreeSet<&str> = commands.iter().map(|record| record.id.as_str()).collect();
        damaged.extend(
            bundle
                .commands()
                .filter(|id| !known.contains(id))
                .map(|id| added(&format!("commands/{id}.out"))),
        );
    }
    if let Some(files) = &manifest.files {
        let known: BTreeSet<&str> = files.iter().map(|record| record.path.as_str()).collect();
        damaged.extend(
            bundle
                .files_below("")
                .filter(|(path, _)| !known.contains(path))
                .map(|(path, _)| added(path)),
        );
    }
    (damaged, unread)
}

/// How many outputs and files could be compared with the manifest. What
/// differs is no longer in the bundle, but damaged.
#[derive(Default)]
struct Hashes {
    matching: usize,
    none: usize,
}

impl Hashes {
    fn of(bundle: &Bundle, manifest: Option<&Manifest>) -> Self {
        let mut hashes = Self::default();
        let mut count = |present: bool, hashed: bool| match (present, hashed) {
            (true, true) => hashes.matching += 1,
            (true, false) => hashes.none += 1,
            (false, _) => {}
        };
        let Some(manifest) = manifest else {
            return hashes;
        };
        for record in manifest.commands.iter().flatten() {
            let output = bundle.command(&record.id);
            count(
                output.is_some_and(|output| !output.damaged),
                record.sha256.is_some(),
            );
        }
        for record in manifest.files.iter().flatten() {
            count(bundle.file(&record.path).is_some(), record.sha256.is_some());
        }
        hashes
    }
}

/// What the verdicts and checks can't say of this node, worst first.
fn not_concluded(audit: &Audit) -> Vec<String> {
    let node = &audit.node;
    let mut sentences = Vec::new();
    if let Some(why) = node.ungraded() {
        sentences.push(format!("No grade is given: {why}."));
    }
    sentences.extend(guests(node));
    sentences.extend(
        node.evidence
            .gaps()
            .into_iter()
            .map(|gap| format!("{}: {}", gap.id, gap.consequence)),
    );
    sentences.extend(audit.not_run.iter().map(|(check, needs)| {
        format!("The check {} could not run: it needs {needs}.", check.name)
    }));
    sentences
}

fn guests(node: &Node) -> Vec<String> {
    let mut sentences = Vec::new();
    if node.membership.environment == Environment::Clustered && !node.guests.whole_cluster {
        sentences.push(
            "The other nodes' guests are not all in this bundle: a guest that is gone can't be \
             told from one that lives on another node."
                .to_owned(),
        );
    }
    sentences.extend(node.guests.unread.iter().map(|(vmid, why)| {
        format!("Guest {vmid}: {why}; its entries get no verdict and are left alone.")
    }));
    sentences
}
