//! The rows of one section of an LVM report, read without keeping the rest:
//! a forged document of some megabytes would become a gigabyte of values.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::lvm_json::{MAX_CELL, MAX_COLUMNS, MAX_ROWS, Row};
use super::lvm_row::column;

/// `{"report": [{SECTION: [row, …], …}, …], …}`.
pub(super) struct Document<'a> {
    pub section: &'a str,
    pub rows: &'a mut Vec<Row>,
}

/// `[{SECTION: [row, …]}, …]`.
struct Parts<'a>(Document<'a>);

/// `{SECTION: [row, …]}`.
struct Part<'a>(Document<'a>);

/// `[row, …]`.
struct Rows<'a>(&'a mut Vec<Row>);

/// `{"column": "cell", …}`; about so many.
struct Cells(usize);

/// `"column"`.
struct Column;

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
seed!(Document<'_>, (), deserialize_map);
seed!(Parts<'_>, (), deserialize_seq);
seed!(Part<'_>, (), deserialize_map);
seed!(Rows<'_>, (), deserialize_seq);
seed!(Cells, Row, deserialize_map);
seed!(Column, Cow<'static, str>, deserialize_str);
seed!(Cell, String, deserialize_any);

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object with \"report\"")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "report" && !seen {
                seen = true;
                map.next_value_seed(Parts(Document {
                    section: self.section,
                    rows: &mut *self.rows,
                }))?;
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

impl<'de> Visitor<'de> for Parts<'_> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of reports")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Document { section, rows } = self.0;
        loop {
            let part = Part(Document {
                section,
                rows: &mut *rows,
            });
            if list.next_element_seed(part)?.is_none() {
                return Ok(());
            }
        }
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a report's sections")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == self.0.section {
                map.next_value_seed(Rows(&mut *self.0.rows))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of rows")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        loop {
            let cells = self.0.last().map_or(16, Row::len);
            let Some(row) = list.next_element_seed(Cells(cells))? else {
                return Ok(());
            };
            if self.0.len() == MAX_ROWS {
                return Err(A::Error::custom(format_args!(
                    "more than {MAX_ROWS} rows, which no node has"
                )));
            }
            self.0.push(row);
        }
    }
}

impl<'de> Visitor<'de> for Cells {
    type Value = Row;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a row: an object of texts")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let mut row = Row::with_capacity(self.0);
        while let Some(column) = map.next_key_seed(Column)? {
            let cell = map.next_value_seed(Cell)?;
            if column.len() > MAX_CELL || cell.len() > MAX_CELL || row.len() == MAX_COLUMNS {
                return Err(A::Error::custom(format_args!(
                    "a row larger than LVM's: over {MAX_COLUMNS} columns or {MAX_CELL} bytes in one"
                )));
            }
            row.push(column, cell);
        }
        Ok(row)
    }
}

impl<'de> Visitor<'de> for Column {
    type Value = Cow<'static, str>;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a column's name")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(column(text))
    }
}

impl<'de> Visitor<'de> for Cell {
    type Value = String;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a text or a number")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
    fn visit_unit<E: Error>(self) -> Result<String, E> {
        Ok(String::new())
    }
    fn visit_bool<E: Error>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }
}
