//! From audits to the view model: what is shown, in which order, in which
//! words.

mod cluster;
mod conclude;
mod node;
mod node_parts;
mod node_storage;
mod place;
mod policy;
mod prevention;
mod run;
mod tally;

pub use cluster::{Member, cluster};
pub use conclude::conclude;
pub use node::{node, planned};
pub use place::place;
pub use policy::Policy;
pub use prevention::is_advice;
pub use run::{Rows, headline, sort_worst_first, time};
