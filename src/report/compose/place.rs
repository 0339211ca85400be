//! Where a node's files lie: known only when all nodes of the run are, and
//! put into its view last.

use crate::report::view;
use crate::report::words::count;

/// Puts a node in its place among the others of a run.
///
/// `slug` is its unique name. With `files`, pages are written; with
/// `scripted`, its cleanup script, too.
pub fn place(node: &mut view::Node, slug: &str, files: bool, scripted: bool) {
    slug.clone_into(&mut node.slug);
    node.page = files.then(|| view::page_of(slug));
    node.script = (files && scripted).then(|| view::script_of(slug));
    super::conclude(node);
}

/// To read and run the script that lies at `script`, if it is written.
pub(super) fn script_step(node: &str, script: Option<&str>, planned: usize) -> view::Step {
    let name = script
        .and_then(|path| path.rsplit('/').next())
        .unwrap_or("the cleanup script (written with `-o DIR`)");
    view::Step {
        text: format!(
            "Read {name}, copy it to {node} and start it: without options it changes nothing and says what it would do about {}. Every guard is evaluated again on the node.",
            count(planned, "entry", "entries")
        ),
        commands: script
            .map(|_| vec![format!("sh {name}"), format!("sh {name} --execute")])
            .unwrap_or_default(),
        runs_script: true,
    }
}
