//! The tables of `--csv`, written as the nodes come.

use std::io::Write;
use std::path::Path;

use super::output::Staged;
use crate::report::csv;
use crate::report::tables::Table;
use crate::report::view;

/// The files, each of which appears whole at the end.
pub(super) struct Csv([(Table, Staged); 4]);

impl Csv {
    /// Begins the files below `folder`.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn begin(folder: &Path) -> Result<Self, String> {
        let begun = |table: Table| -> Result<(Table, Staged), String> {
            let mut file = Staged::new(folder, &format!("{}.csv", table.name()))?;
            csv::head(table)
                .and_then(|head| file.write_all(&head))
                .map_err(|error| file.failed(&error))?;
            Ok((table, file))
        };
        Table::each(begun).map(Self)
    }

    /// Adds a node's rows.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn node(&mut self, rows: &[Vec<u8>; 4]) -> Result<(), String> {
        for ((_, file), rows) in self.0.iter_mut().zip(rows) {
            file.write_all(rows).map_err(|error| file.failed(&error))?;
        }
        Ok(())
    }

    /// Adds the rows of a large node, whose text is never held as a whole.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn large_node(&mut self, node: &view::Node) -> Result<(), String> {
        for (table, file) in &mut self.0 {
            csv::write_node(*table, node, &mut *file).map_err(|error| file.failed(&error))?;
        }
        Ok(())
    }

    /// Adds a cluster's rows.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn cluster(&mut self, cluster: &view::Cluster) -> Result<(), String> {
        for (table, file) in &mut self.0 {
            csv::of_cluster(*table, cluster)
                .and_then(|rows| file.write_all(&rows))
                .map_err(|error| file.failed(&error))?;
        }
        Ok(())
    }

    /// Gives the files their names.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn end(self) -> Result<(), String> {
        self.0.into_iter().try_for_each(|(_, file)| file.keep())
    }
}
