//! What came of a collection: for people on standard error, for programs on
//! standard output.

use std::path::Path;

use serde::Serialize;

use crate::collect::Outcome;
use crate::report::words::{count, printable, size};

/// One line on a host. What the remote side said can't command a terminal.
pub(super) fn line(outcome: &Outcome) -> String {
    let target = &outcome.target;
    printable(&match &outcome.result {
        Ok(bundle) => format!(
            "{target}: {} ({}, {} s)",
            bundle.path.display(),
            size(bundle.bytes),
            outcome.seconds
        ),
        Err(failure) => format!(
            "{target}: failed, {}: {}",
            failure.kind.name(),
            failure.detail
        ),
    })
}

/// Tells on standard error what failed and why, what to know of the others,
/// and what to do next.
pub(super) fn tell(outcomes: &[Outcome], folder: &Path) {
    let collected = outcomes.iter().filter(|one| one.result.is_ok()).count();
    tell!(
        "dmaudit: {collected} of {} collected into {}",
        count(outcomes.len(), "host", "hosts"),
        folder.display()
    );
    for outcome in outcomes {
        match &outcome.result {
            Ok(bundle) => {
                for note in &bundle.notes {
                    tell!("  {}: {}", outcome.target, printable(note));
                }
            }
            Err(failure) => {
                tell!("  {}", line(outcome));
                for said in &failure.stderr {
                    tell!("    | {}", printable(said));
                }
                if let Some(advice) = failure.kind.advice() {
                    tell!("    → {advice}");
                }
            }
        }
    }
    if collected > 0 {
        tell!("next: dmaudit analyze {} -o report", shown(folder));
    }
}

/// A path as a shell takes it.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c));
    if plain && !text.starts_with('-') {
        text
    } else {
        format!("'{}'", printable(&text).replace('\'', "'\\''"))
    }
}

/// The bundles' paths, one a line.
pub(super) fn paths(outcomes: &[Outcome]) -> String {
    outcomes
        .iter()
        .filter_map(|outcome| {
            Some(format!(
                "{}\n",
                outcome.result.as_ref().ok()?.path.display()
            ))
        })
        .collect()
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    hosts: Vec<Host<'a>>,
}

#[derive(Serialize)]
struct Host<'a> {
    host: String,
    seconds: u64,
    node: Option<&'a str>,
    bundle: Option<String>,
    bytes: Option<u64>,
    notes: &'a [String],
    failure: Option<&'static str>,
    detail: Option<&'a str>,
    stderr: &'a [String],
}

/// All outcomes as JSON, schema 1.
pub(super) fn json(outcomes: &[Outcome]) -> Result<String, String> {
    let hosts = outcomes
        .iter()
        .map(|outcome| {
            let bundle = outcome.result.as_ref().ok();
            let failure = outcome.result.as_ref().err();
            Host {
                host: outcome.target.to_string(),
                seconds: outcome.seconds,
                node: bundle.map(|bundle| bundle.node.as_str()),
                bundle: bundle.map(|bundle| bundle.path.display().to_string()),
                bytes: bundle.map(|bundle| bundle.bytes),
                notes: bundle.map_or(&[], |bundle| &bundle.notes),
                failure: failure.map(|failure| failure.kind.name()),
                detail: failure.map(|failure| failure.detail.as_str()),
                stderr: failure.map_or(&[], |failure| &failure.stderr),
            }
        })
        .collect();
    let mut text = Vec::new();
    crate::report::json::write_value(&Document { schema: 1, hosts }, &mut text)
        .map_err(|error| error.to_string())?;
    String::from_utf8(text).map_err(|error| error.to_string())
}
