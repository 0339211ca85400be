//! Where a node's files lie: known only when all nodes of the run are, and
//! put into its view last.

use crate::report::view;

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
