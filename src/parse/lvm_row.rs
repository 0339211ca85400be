//! A row of an LVM report. A node has thousands, all with the same columns.

use std::borrow::Cow;

/// The columns that are asked for; the name of another one is kept with each
/// of its cells.
const USUAL: [&str; 34] = [
    "vg_name",
    "vg_uuid",
    "lv_name",
    "lv_uuid",
    "lv_attr",
    "lv_size",
    "pool_lv",
    "origin",
    "data_percent",
    "metadata_percent",
    "lv_tags",
    "lv_active",
    "lv_device_open",
    "lv_kernel_major",
    "lv_kernel_minor",
    "lv_dm_path",
    "lv_time",
    "lv_autoactivation",
    "segtype",
    "seg_start",
    "seg_size",
    "seg_pe_ranges",
    "devices",
    "vg_attr",
    "vg_size",
    "vg_free",
    "vg_extent_size",
    "vg_autoactivation",
    "pv_name",
    "pv_uuid",
    "pv_major",
    "pv_minor",
    "pv_size",
    "pe_start",
];

/// One row of a report: cells by column name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row(Vec<(Cow<'static, str>, String)>);

impl Row {
    /// A row without cells.
    pub fn new() -> Self {
        Self::default()
    }

    /// A row without cells, and room for some.
    pub(super) fn with_capacity(cells: usize) -> Self {
        Self(Vec::with_capacity(cells))
    }

    /// How many cells it has.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The cell of a column; the last one where a report has several.
    pub fn get(&self, column: &str) -> Option<&String> {
        let mut cells = self.0.iter().rev();
        cells.find(|(name, _)| name == column).map(|(_, cell)| cell)
    }

    /// The cell of a column, to be changed.
    pub fn get_mut(&mut self, column: &str) -> Option<&mut String> {
        let mut cells = self.0.iter_mut().rev();
        cells.find(|(name, _)| name == column).map(|(_, cell)| cell)
    }

    /// Sets the cell of a column.
    pub fn insert(&mut self, column: &'static str, cell: String) {
        match self.get_mut(column) {
            Some(old) => *old = cell,
            None => self.0.push((Cow::Borrowed(column), cell)),
        }
    }

    /// Adds a cell behind the others.
    pub(super) fn push(&mut self, column: Cow<'static, str>, cell: String) {
        self.0.push((column, cell));
    }

    /// Columns and cells in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &String)> {
        self.0.iter().map(|(name, cell)| (name.as_ref(), cell))
    }
}

/// A column's name, without a copy where it is a usual one.
pub(super) fn column(name: &str) -> Cow<'static, str> {
    USUAL.iter().find(|usual| **usual == name).map_or_else(
        || Cow::Owned(name.to_owned()),
        |usual| Cow::Borrowed(*usual),
    )
}

impl<const N: usize> From<[(&'static str, String); N]> for Row {
    fn from(cells: [(&'static str, String); N]) -> Self {
        let cells = cells.map(|(column, cell)| (Cow::Borrowed(column), cell));
        Self(cells.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_cell_of_a_column_counts() {
        let mut row = Row::from([("lv_name", "a".to_owned())]);
        row.push(column("lv_name"), "b".to_owned());
        assert_eq!(row.get("lv_name").map(String::as_str), Some("b"));
        row.insert("lv_name", "c".to_owned());
        assert_eq!(row.get("lv_name").map(String::as_str), Some("c"));
        row.insert("lv_size", "1".to_owned());
        assert_eq!(row.len(), 3);
        assert_eq!(row.get("vg_name"), None);
    }
}
