//! What may be done about a node's entries, and the script that does it.

pub mod plan;
pub mod planner;
pub mod script;
pub mod shell;
