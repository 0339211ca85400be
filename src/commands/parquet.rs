//! The tables of `--parquet`, written as the nodes come.

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::output::Staged;
use crate::report::html::Run;
use crate::report::parquet::{self, File};
use crate::report::tables::Table;
use crate::report::view;

/// A node's rows of each table.
pub(super) type Rows = parquet::Batches;

/// The files, each of which appears whole at the end.
///
/// The encoder must not be looked at from two threads, but a run shares what
/// takes its nodes. The locks are never waited for: nodes are added by one.
pub(super) struct Parquet([Mutex<File<Staged>>; 4]);

impl Parquet {
    /// Begins the files below `folder`.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn begin(folder: &Path, run: Run<'_>) -> Result<Self, String> {
        let begun = |table: Table| {
            let name = format!("{}.parquet", table.name());
            let file = Staged::new(folder, &name)?;
            File::begin(table, file, run.version, run.analyzed_at)
                .map(Mutex::new)
                .map_err(|error| format!("{name} could not be written: {error}"))
        };
        Table::each(begun).map(Self)
    }

    /// A node's rows, to be added in its turn.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub(super) fn rows(node: &view::Node) -> Result<Rows, String> {
        parquet::of_node(node).map_err(|error| error.to_string())
    }

    /// Adds rows.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn add(&mut self, rows: &Rows) -> Result<(), String> {
        for (file, rows) in self.0.iter_mut().zip(rows) {
            let file = file.get_mut().unwrap_or_else(PoisonError::into_inner);
            file.write(rows)
                .map_err(|error| file.out().failed(&io::Error::other(error)))?;
        }
        Ok(())
    }

    /// Adds a cluster's rows.
    ///
    /// # Errors
    ///
    /// As those of [`Self::add`].
    pub(super) fn cluster(&mut self, cluster: &view::Cluster) -> Result<(), String> {
        let rows = parquet::of_cluster(cluster).map_err(|error| error.to_string())?;
        self.add(&rows)
    }

    /// Writes what is left, and gives the files their names.
    ///
    /// # Errors
    ///
    /// A line that says what went wrong.
    pub(super) fn end(self) -> Result<(), String> {
        for (table, file) in Table::ALL.into_iter().zip(self.0) {
            file.into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .end()
                .map_err(|error| format!("{}.parquet could not be written: {error}", table.name()))?
                .keep()?;
        }
        Ok(())
    }
}
