//! What stands for `--parquet` in a build without it.

use std::path::Path;

use crate::report::html::Run;
use crate::report::view;

/// A node's rows.
pub(super) type Rows = ();

/// There are none in this build.
pub(super) enum Parquet {}

impl Parquet {
    /// Says that this build has none.
    ///
    /// # Errors
    ///
    /// Always.
    pub(super) fn begin(_: &Path, _: Run<'_>) -> Result<Self, String> {
        Err(
            "--parquet: this dmaudit was built without Parquet; build one with `cargo build \
             --release --locked --features parquet`, or take --csv"
                .to_owned(),
        )
    }

    pub(super) fn rows(_: &view::Node) -> Result<Rows, String> {
        Ok(())
    }

    pub(super) fn add(&mut self, (): &Rows) -> Result<(), String> {
        match *self {}
    }

    pub(super) fn cluster(&mut self, _: &view::Cluster) -> Result<(), String> {
        match *self {}
    }

    pub(super) fn end(self) -> Result<(), String> {
        match self {}
    }
}
