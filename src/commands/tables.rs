//! The tables of `--csv`, written as the nodes come.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use super::output::Staged;
use crate::report::csv::{self, Table};
use crate::report::view;

/// The files, each of which appears whole at the end.
pub(super) struct Tables {
    files: [(Table, Staged); 4],
    /// Clusters' findings by unique name: they come in the order in which the
    /// clusters became complete.
    clusters: BTreeMap<String, Vec<u8>>,
}

impl Tables {
    /// Begins the files below `folder`.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn begin(folder: &Path) -> Result<Self, String> {
        let begun = |table: Table| -> Result<(Table, Staged), String> {
            let mut file = Staged::new(folder, table.file())?;
            table
                .head()
                .and_then(|head| file.write_all(&head))
                .map_err(|error| file.failed(&error))?;
            Ok((table, file))
        };
        let [nodes, entries, guests, findings] = Table::ALL;
        Ok(Self {
            files: [
                begun(nodes)?,
                begun(entries)?,
                begun(guests)?,
                begun(findings)?,
            ],
            clusters: BTreeMap::new(),
        })
    }

    /// Adds a node's rows.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn node(&mut self, rows: &[Vec<u8>; 4]) -> Result<(), String> {
        for ((_, file), rows) in self.files.iter_mut().zip(rows) {
            file.write_all(rows).map_err(|error| file.failed(&error))?;
        }
        Ok(())
    }

    /// Keeps a cluster's rows.
    ///
    /// # Errors
    ///
    /// None in practice.
    pub(super) fn cluster(&mut self, cluster: &view::Cluster) -> Result<(), String> {
        let rows = csv::of_cluster(cluster).map_err(|error| error.to_string())?;
        self.clusters.insert(cluster.slug.clone(), rows);
        Ok(())
    }

    /// Writes what is left, and gives the files their names.
    ///
    /// # Errors
    ///
    /// A line that names the file and says what went wrong.
    pub(super) fn end(self) -> Result<(), String> {
        for (table, mut file) in self.files {
            if table == Table::Findings {
                for rows in self.clusters.values() {
                    file.write_all(rows).map_err(|error| file.failed(&error))?;
                }
            }
            file.keep()?;
        }
        Ok(())
    }
}
