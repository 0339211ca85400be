//! The subcommands. They connect the steps and hold no logic of their own.

pub mod analyze;
pub mod explain;
pub mod mail;
mod output;
