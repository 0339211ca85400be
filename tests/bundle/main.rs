//! Bundles of every kind, sound and hostile, through the library's door.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arbitrary;
mod archives;
mod brief;
mod damage;
mod discovery;
mod hostile;
mod kinds;
mod limits;
mod manifest;
mod repeats;
mod truncation;
