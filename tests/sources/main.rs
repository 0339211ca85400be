//! pvereports and sosreports of recorded nodes, and that they say of a node what its bundle says.
#![allow(clippy::unwrap_used, clippy::panic)]

mod agreement;
mod hostile;
mod reports;
mod what_is_missing;
