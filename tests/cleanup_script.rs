//! The cleanup script as a node meets it: run by real shells, against
//! stand-ins for the commands that look at and change the system.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "cleanup/node.rs"]
mod node;
#[path = "cleanup/world.rs"]
mod world;

#[path = "cleanup/device_guards.rs"]
mod device_guards;
#[path = "cleanup/guest_guards.rs"]
mod guest_guards;
#[path = "cleanup/hostile.rs"]
mod hostile;
#[path = "cleanup/interrupted.rs"]
mod interrupted;
#[path = "cleanup/lvm_guards.rs"]
mod lvm_guards;
#[path = "cleanup/prompts.rs"]
mod prompts;
#[path = "cleanup/refusals.rs"]
mod refusals;
#[path = "cleanup/running.rs"]
mod running;
#[path = "cleanup/text.rs"]
mod text;
#[path = "cleanup/undo.rs"]
mod undo;
#[path = "cleanup/use_guards.rs"]
mod use_guards;

use dmaudit::cleanup::plan::Item;
use node::{Node, shells};

/// One of the shells, another one for another text: each guard is tried once,
/// and every shell gets its share.
fn some_shell(text: &str) -> &'static str {
    let shells = shells();
    shells[text.len() % shells.len()]
}

/// Lets one thing be otherwise than the snapshot said, and asserts that the
/// item, which would go without it, is then left alone, with that reason.
#[track_caller]
fn left_alone(item: Item, said: &str, change: impl Fn(&mut Node)) {
    let mut node = Node::with(vec![item]);
    change(&mut node);
    let devices = node.devices();
    let run = node.run(some_shell(said), &["--execute", "--yes"]);
    run.expect_nothing_done(1, said);
    assert_eq!(node.devices(), devices);
}

/// The same for what looks like a reason and is none: the item goes.
#[track_caller]
fn goes(item: Item, call: &str, change: impl Fn(&mut Node)) {
    let mut node = Node::with(vec![item]);
    change(&mut node);
    let run = node.run(some_shell(call), &["--execute", "--yes"]);
    assert_eq!(run.changes(), [call], "{}", run.text);
    assert_eq!(run.code, Some(0), "{}", run.text);
}
