//! The subcommands. They connect the steps and hold no logic of their own.

/// [`tell`] with a format.
macro_rules! tell {
    ($($part:tt)*) => { $crate::commands::tell(&format!($($part)*)) };
}

pub mod analyze;
pub mod collect;
pub mod diff;
pub mod explain;
pub mod facts;
mod interrupt;
pub mod mail;
mod mailed;
mod monitoring;
mod output;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(not(feature = "parquet"))]
#[path = "no_parquet.rs"]
mod parquet;
mod printed;
pub mod redact;
mod reports;
pub mod restore_names;
pub mod shell;
mod tables;
pub mod verify;

pub use printed::tell;
