//! The checks, from real recordings in to findings out. The recordings are of
//! nodes with real device-mapper and LVM; each test changes one thing in a
//! copy of them, one test so that the check fires, one close by so that it
//! must not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alpha;
mod boot;
mod cluster;
mod holders;
mod kernel_log;
mod many;
mod missing_evidence;
mod multipath;
mod overlaps;
mod pages;
mod recording;
mod state;
mod tables;
mod thin;
mod vmids;
mod volumes;
