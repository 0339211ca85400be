//! The rows of one section of an LVM report, read one at a time: a forged
//! document of some megabytes would become a gigabyte of values.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::lvm_row::{Column, MAX_CELL, MAX_COLUMNS, MAX_ROWS, Row};

/// Takes the rows of a section, each into the same place.
pub(super) struct Taker<'t, 'de> {
    pub section: &'t str,
    pub take: &'t mut dyn FnMut(&Row<'de>),
    pub row: Row<'de>,
    /// Whether the section was met.
    pub met: bool,
    rows: usize,
    /// The last row's columns: the next one has the same, in the same order.
    columns: Vec<(String, Option<Column>)>,
}

impl<'t, 'de> Taker<'t, 'de> {
    pub(super) fn new(section: &'t str, take: &'t mut dyn FnMut(&Row<'de>)) -> Self {
        Self {
            section,
            take,
            rows: 0,
            met: false,
            row: Row::default(),
            columns: Vec::new(),
        }
    }

    /// Which column the one of this name at this place is.
    fn column(&mut self, place: usize, name: &str) -> Option<Column> {
        if let Some((known, column)) = self.columns.get(place)
            && known == name
        {
            return *column;
        }
        let column = Column::named(name);
        self.columns.truncate(place);
        self.columns.push((name.to_owned(), column));
        column
    }

    pub fn put(&mut self, column: Option<Column>, name: Cow<'de, str>, cell: Cow<'de, str>) {
        match column {
            Some(column) => self.row.set(column, cell),
            None => self.row.push_other(name, cell),
        }
    }
}

/// `{"report": [{SECTION: [row, …], …}, …], …}`.
pub(super) struct Document<'r, 't, 'de>(pub &'r mut Taker<'t, 'de>);

/// `[{SECTION: [row, …]}, …]`.
struct Parts<'r, 't, 'de>(&'r mut Taker<'t, 'de>);

/// `{SECTION: [row, …]}`.
struct Part<'r, 't, 'de>(&'r mut Taker<'t, 'de>);

/// `[row, …]`.
struct Rows<'r, 't, 'de>(&'r mut Taker<'t, 'de>);

/// `{"column": "cell", …}`.
struct Cells<'r, 't, 'de>(&'r mut Taker<'t, 'de>);

/// `"column"` or a section.
struct Key;

/// `"cell"`; LVM's own `json_std` format has numbers and null, too.
struct Cell;

macro_rules! seed {
    ($type:ty, $value:ty, $method:ident) => {
        impl<'de> DeserializeSeed<'de> for $type {
            type Value = $value;
            fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<$value, D::Error> {
                from.$method(self)
            }
        }
    };
}
seed!(Document<'_, '_, 'de>, (), deserialize_map);
seed!(Parts<'_, '_, 'de>, (), deserialize_seq);
seed!(Part<'_, '_, 'de>, (), deserialize_map);
seed!(Rows<'_, '_, 'de>, (), deserialize_seq);
seed!(Cells<'_, '_, 'de>, (), deserialize_map);
seed!(Key, Cow<'de, str>, deserialize_str);
seed!(Cell, Cow<'de, str>, deserialize_any);

impl<'de> Visitor<'de> for Document<'_, '_, 'de> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with \"report\"")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = false;
        while let Some(key) = map.next_key_seed(Key)? {
            if key == "report" && !seen {
                seen = true;
                map.next_value_seed(Parts(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if seen {
            Ok(())
        } else {
            Err(A::Error::missing_field("report"))
        }
    }
}

impl<'de> Visitor<'de> for Parts<'_, '_, 'de> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of reports")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Part(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

impl<'de> Visitor<'de> for Part<'_, '_, 'de> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a report's sections")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key)? {
            if key == self.0.section {
                self.0.met = true;
                map.next_value_seed(Rows(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_, 'de> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of rows")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let taker = self.0;
        while list.next_element_seed(Cells(&mut *taker))?.is_some() {
            if taker.rows == MAX_ROWS {
                return Err(A::Error::custom(format_args!(
                    "more than {MAX_ROWS} rows, which no node has"
                )));
            }
            taker.rows += 1;
            (taker.take)(&taker.row);
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Cells<'_, '_, 'de> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a row: an object of texts")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let taker = self.0;
        taker.row.clear();
        let mut place = 0;
        while let Some(name) = map.next_key_seed(Key)? {
            let cell = map.next_value_seed(Cell)?;
            if name.len() > MAX_CELL || cell.len() > MAX_CELL || place == MAX_COLUMNS {
                return Err(A::Error::custom(format_args!(
                    "a row larger than LVM's: over {MAX_COLUMNS} columns or {MAX_CELL} bytes in one"
                )));
            }
            let column = taker.column(place, &name);
            taker.put(column, name, cell);
            place += 1;
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a column's name")
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'de> Visitor<'de> for Cell {
    type Value = Cow<'de, str>;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text or a number")
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_string()))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(number.to_string()))
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(number.to_string()))
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(number.to_string()))
    }
}
