//! The subcommands. They connect the steps and hold no logic of their own.

pub mod analyze;
pub mod collect;
pub mod diff;
pub mod explain;
mod interrupt;
pub mod mail;
mod monitoring;
mod output;
pub mod verify;
