//! The verdicts, from real recordings in to what a user relies on out. The
//! recordings are of two nodes with real device-mapper and LVM; each test
//! changes one thing in a copy of them, or has a few entries of its own making.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod absence;
mod alpha;
mod duplicates;
mod guests;
mod layers;
mod plan;
mod recording;
mod references;
