//! From audits to the view model: what is shown, in which order, in which
//! words.

mod cluster;
mod node;
mod node_parts;
mod node_storage;
mod run;

pub use node::Place;
pub use run::{Files, report};
