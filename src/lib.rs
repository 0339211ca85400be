//! dmaudit reads snapshots ("bundles") of Proxmox VE nodes and says of every
//! device-mapper entry whether it is valid, duplicate, orphaned, stale or
//! overlapping, and why.
//!
//! Data flows one way, and no step knows a later one:
//! bundle → parse → model → checks (verdicts and findings) → cleanup → report.

pub mod audit;
pub mod bundle;
pub mod checks;
pub mod cleanup;
pub mod cli;
pub mod collect;
pub mod commands;
pub mod config;
pub mod diff;
pub mod facts;
pub mod mail;
pub mod model;
pub mod parse;
pub mod pipeline;
pub mod redact;
mod remember;
pub mod report;
pub mod soundness;
mod templates;
pub mod verdicts;
