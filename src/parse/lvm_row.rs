//! A row of an LVM report. A node has thousands, all with the same columns.

use std::borrow::Cow;

/// Rows of one report that are read: more than any node's LVM lists.
pub const MAX_ROWS: usize = 25_000;

/// Bytes of a cell; LVM's names have 127, and lists of tags and extents fit.
pub(super) const MAX_CELL: usize = 8192;

/// Columns of a row; LVM itself has some 150.
pub(super) const MAX_COLUMNS: usize = 200;

macro_rules! columns {
    ($($column:ident $name:literal,)*) => {
        /// A column that is read, by the name it has in LVM's reports.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Column {
            $(#[doc = concat!("`", $name, "`")] $column,)*
        }

        /// Every column, in the order of their numbers.
        const COLUMNS: &[(Column, &str)] = &[$((Column::$column, $name),)*];
    };
}

columns! {
    VgName "vg_name",
    VgUuid "vg_uuid",
    LvName "lv_name",
    LvUuid "lv_uuid",
    LvAttr "lv_attr",
    LvSize "lv_size",
    PoolLv "pool_lv",
    Origin "origin",
    DataPercent "data_percent",
    MetadataPercent "metadata_percent",
    LvTags "lv_tags",
    LvActive "lv_active",
    LvTime "lv_time",
    LvAutoactivation "lv_autoactivation",
    SegType "segtype",
    SegStart "seg_start",
    SegSize "seg_size",
    SegPeRanges "seg_pe_ranges",
    Devices "devices",
    VgAttr "vg_attr",
    VgSize "vg_size",
    VgFree "vg_free",
    VgExtentSize "vg_extent_size",
    VgAutoactivation "vg_autoactivation",
    PvName "pv_name",
    PvUuid "pv_uuid",
    PvAttr "pv_attr",
    PvMajor "pv_major",
    PvMinor "pv_minor",
    PvSize "pv_size",
    PeStart "pe_start",
}

impl Column {
    /// The column of this name, if it is one that is read.
    pub fn named(name: &str) -> Option<Self> {
        COLUMNS
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(column, _)| *column)
    }
}

/// One row of a report, with the cells of the columns that are read each in
/// its place, and the others behind them. What the report has without escapes
/// is not copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    cells: [Option<Cow<'a, str>>; COLUMNS.len()],
    others: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl Default for Row<'_> {
    fn default() -> Self {
        Self {
            cells: [const { None }; COLUMNS.len()],
            others: Vec::new(),
        }
    }
}

impl<'a> Row<'a> {
    /// The cell of a column, as printed.
    pub fn get(&self, column: Column) -> Option<&str> {
        self.cells.get(column as usize)?.as_deref()
    }

    /// The cell of a column without blanks around it; empty where there is
    /// none.
    pub fn text(&self, column: Column) -> &str {
        self.get(column).map_or("", str::trim)
    }

    /// Sets the cell of a column: the last one counts where a report has
    /// several.
    pub fn set(&mut self, column: Column, cell: impl Into<Cow<'a, str>>) {
        if let Some(place) = self.cells.get_mut(column as usize) {
            *place = Some(cell.into());
        }
    }

    /// Adds the cell of a column that is not read.
    pub(super) fn push_other(&mut self, name: Cow<'a, str>, cell: Cow<'a, str>) {
        self.others.push((name, cell));
    }

    /// Takes all cells out, to fill it with the next row's.
    pub(super) fn clear(&mut self) {
        self.cells.fill(None);
        self.others.clear();
    }

    /// Columns and cells.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let read = COLUMNS.iter().zip(&self.cells);
        read.filter_map(|((_, name), cell)| Some((*name, cell.as_deref()?)))
            .chain(self.others.iter().map(|(name, cell)| (&**name, &**cell)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_its_place_and_name() {
        for (place, (column, name)) in COLUMNS.iter().enumerate() {
            assert_eq!(*column as usize, place);
            assert_eq!(Column::named(name), Some(*column));
        }
        assert_eq!(Column::named("lv_device_open"), None);
    }

    #[test]
    fn the_last_cell_of_a_column_counts() {
        let mut row = Row::default();
        row.set(Column::LvName, "a");
        row.set(Column::LvName, "b ");
        row.push_other("lv_host".into(), "c".into());
        assert_eq!(row.get(Column::LvName), Some("b "));
        assert_eq!(row.text(Column::LvName), "b");
        assert_eq!(row.get(Column::VgName), None);
        assert_eq!(row.text(Column::VgName), "");
        let cells: Vec<_> = row.iter().collect();
        assert_eq!(cells, [("lv_name", "b "), ("lv_host", "c")]);
        row.clear();
        assert_eq!(row, Row::default());
    }
}
