//! Entries at two times.

use std::collections::BTreeMap;

use super::side::{Entry, Node};
use super::{EntryChange, EntryThen};

/// The entries that are not as they were, by name. Whether an entry is gone
/// is told only by a list that is whole: one of a node with a grade.
pub(super) fn compare(before: &Node, after: &Node) -> Vec<EntryChange> {
    let by_name = |node: &'_ Node| -> BTreeMap<String, usize> {
        let names = node.entries.iter().enumerate();
        names.map(|(at, entry)| (entry.name.clone(), at)).collect()
    };
    let (then, now) = (by_name(before), by_name(after));
    let was = |name: &String| then.get(name).and_then(|at| before.entries.get(*at));
    let is = |name: &String| now.get(name).and_then(|at| after.entries.get(*at));
    let mut names: Vec<&String> = then.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter_map(|name| {
            let (was, is) = (was(name), is(name));
            let (state, what) = match (was, is) {
                (Some(was), Some(is)) => ("changed", changes(was, is)?),
                (None, Some(is)) if before.grade.is_none() => (
                    "unknown",
                    format!(
                        "{}, not listed before, by a snapshot that may lack entries",
                        state_of(is)
                    ),
                ),
                (Some(was), None) if after.grade.is_none() => (
                    "unknown",
                    format!(
                        "was {}, not listed after, by a snapshot that may lack entries",
                        state_of(was)
                    ),
                ),
                (None, Some(is)) => ("new", state_of(is)),
                (Some(was), None) => ("gone", format!("was {}", state_of(was))),
                (None, None) => return None,
            };
            Some(EntryChange {
                name: name.clone(),
                state,
                before: was.map(then_of),
                after: is.map(then_of),
                what,
            })
        })
        .collect()
}

fn then_of(entry: &Entry) -> EntryThen {
    EntryThen {
        verdict: entry.verdict.clone(),
        open: entry.open,
    }
}

fn state_of(entry: &Entry) -> String {
    match entry.open {
        Some(0) => format!("{}, not open", entry.verdict),
        Some(open) => format!("{}, open count {open}", entry.verdict),
        None => format!("{}, open count unknown", entry.verdict),
    }
}

/// What is different of an entry, in words.
fn changes(was: &Entry, is: &Entry) -> Option<String> {
    let mut changes = Vec::new();
    if was.verdict != is.verdict {
        changes.push(format!("verdict {} -> {}", was.verdict, is.verdict));
    }
    match (was.open, is.open) {
        (Some(0), Some(open @ 1..)) => changes.push(format!("opened (open count 0 -> {open})")),
        (Some(open @ 1..), Some(0)) => changes.push(format!("closed (open count {open} -> 0)")),
        _ => {}
    }
    if let (Some(then), Some(now)) = (&was.uuid, &is.uuid)
        && then != now
    {
        changes.push("another device under the same name (its UUID is another)".to_owned());
    }
    (!changes.is_empty()).then(|| changes.join("; "))
}
