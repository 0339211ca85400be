//! An LVM report as LVM itself prints it: one section, whose cells are all
//! texts without escapes. Of that much JSON is read here, since a node has a
//! megabyte of it; anything else is left to [`super::lvm_rows`].

use std::borrow::Cow;

use super::lvm_row::{Column, MAX_CELL, MAX_COLUMNS, MAX_ROWS};
use super::lvm_rows::Taker;

/// Takes the rows of such a report; none where it is another text, maybe
/// after some rows.
pub(super) fn read<'de>(json: &'de str, taker: &mut Taker<'_, 'de>) -> Option<()> {
    // Seen at once for all texts, of which none may have one.
    let special = |byte: u8| byte == b'\\' || byte < b' ' && byte != b'\n';
    if json.bytes().fold(false, |any, byte| any | special(byte)) {
        return None;
    }
    let mut report = Reader {
        json,
        at: 0,
        places: Vec::new(),
    };
    report.mark(b'{')?;
    (report.text()? == "report").then_some(())?;
    report.mark(b':')?;
    report.mark(b'[')?;
    report.mark(b'{')?;
    (report.text()? == taker.section).then_some(())?;
    report.mark(b':')?;
    report.mark(b'[')?;
    if !report.has(b']') {
        report.rows(taker)?;
    }
    report.mark(b'}')?;
    report.mark(b']')?;
    report.mark(b'}')
}

struct Reader<'de> {
    json: &'de str,
    at: usize,
    /// The last row's cells: the next one's are alike.
    places: Vec<Place<'de>>,
}

/// A cell's place in a row.
#[derive(Clone, Copy)]
struct Place<'de> {
    /// All between the cell before and this one: `, "lv_name":"`.
    before: &'de str,
    name: &'de str,
    column: Option<Column>,
}

impl<'de> Reader<'de> {
    /// The rows behind `[`.
    fn rows(&mut self, taker: &mut Taker<'_, 'de>) -> Option<()> {
        for _ in 0..MAX_ROWS {
            self.mark(b'{')?;
            taker.row.clear();
            if !self.has(b'}') {
                self.cells(taker)?;
            }
            (taker.take)(&taker.row);
            if !self.has(b',') {
                return self.mark(b']');
            }
        }
        None
    }

    /// The cells behind `{`.
    fn cells(&mut self, taker: &mut Taker<'_, 'de>) -> Option<()> {
        for number in 0..MAX_COLUMNS {
            let Place { name, column, .. } = self.place(number)?;
            let cell = self.rest_of_text()?;
            taker.put(column, Cow::Borrowed(name), Cow::Borrowed(cell));
            if self.has(b'}') {
                return Some(());
            }
        }
        None
    }

    /// What leads to a row's cell of this number.
    fn place(&mut self, number: usize) -> Option<Place<'de>> {
        if let Some(place) = self.places.get(number)
            && self.json.get(self.at..)?.starts_with(place.before)
        {
            self.at += place.before.len();
            return Some(*place);
        }
        let from = self.at;
        if number > 0 {
            self.mark(b',')?;
        }
        let name = self.text()?;
        self.mark(b':')?;
        self.mark(b'"')?;
        let place = Place {
            before: self.json.get(from..self.at)?,
            name,
            column: Column::named(name),
        };
        self.places.truncate(number);
        self.places.push(place);
        Some(place)
    }

    /// Whether a mark is next; then it is passed.
    fn has(&mut self, mark: u8) -> bool {
        let bytes = self.json.as_bytes();
        while let Some(b' ' | b'\n') = bytes.get(self.at) {
            self.at += 1;
        }
        let has = bytes.get(self.at) == Some(&mark);
        self.at += usize::from(has);
        has
    }

    fn mark(&mut self, mark: u8) -> Option<()> {
        self.has(mark).then_some(())
    }

    fn text(&mut self) -> Option<&'de str> {
        self.mark(b'"')?;
        self.rest_of_text()
    }

    /// The text behind `"`; none where it is too long, or has the line end
    /// that JSON doesn't allow there.
    fn rest_of_text(&mut self) -> Option<&'de str> {
        let rest = self.json.get(self.at..)?;
        let end = memchr::memchr2(b'"', b'\n', rest.as_bytes())?;
        let (text, after) = rest.split_at_checked(end)?;
        (after.starts_with('"') && end <= MAX_CELL).then_some(())?;
        self.at += end + 1;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::parse::lvm_json::Row;
    use crate::parse::lvm_rows::Document;
    use proptest::prelude::*;
    use serde::de::DeserializeSeed;

    fn plain<'a>(json: &'a str) -> Option<Vec<Row<'a>>> {
        let mut rows = Vec::new();
        let mut take = |row: &Row<'a>| rows.push(row.clone());
        let read = read(json, &mut Taker::new("lv", &mut take));
        read.map(|()| rows)
    }

    fn by_serde<'a>(json: &'a str) -> Option<Vec<Row<'a>>> {
        let mut rows = Vec::new();
        let mut take = |row: &Row<'a>| rows.push(row.clone());
        let seed = Document(&mut Taker::new("lv", &mut take));
        let read = seed.deserialize(&mut serde_json::Deserializer::from_str(json));
        read.ok().map(|()| rows)
    }

    #[test]
    fn what_lvm_prints_is_read() {
        let json = r#"{"report": [ {"lv": [
            {"lv_name":"a", "lv_host":"h", "lv_size":""},
            {"lv_name":"b", "lv_size":"1", "lv_host":"ü"},
            {} ] } ] }"#;
        assert_eq!(plain(json).unwrap().len(), 3);
        assert_eq!(plain(json), by_serde(json));
        assert_eq!(plain(r#"{"report":[{"lv":[]}]}"#), Some(Vec::new()));
    }

    #[test]
    fn anything_else_is_left() {
        for json in [
            r#"{"report":[{"lv":[{"lv_name":1}]}]}"#,
            r#"{"report":[{"lv":[{"lv_name":"\""}]}]}"#,
            r#"{"report":[{"lv":[{"lv_name":"a"},]}]}"#,
            r#"{"report":[{"lv":[{"lv_name":"a"}]}], "log":[]}"#,
            r#"{"report":[{"vg":[{"vg_name":"a"}]}]}"#,
            "{\"report\":[{\"lv\":[{\"lv_name\":\"a\nb\"}]}]}",
            &format!(
                "{{\"report\":[{{\"lv\":[{{\"a\":\"{}\"}}]}}]}}",
                "x".repeat(MAX_CELL + 1)
            ),
            &format!(
                "{{\"report\":[{{\"lv\":[{}{{}}]}}]}}",
                "{},".repeat(MAX_ROWS)
            ),
            "{",
            "",
        ] {
            assert_eq!(plain(json), None, "{json:.100}");
        }
        let most = format!(
            "{{\"report\":[{{\"lv\":[{}{{}}]}}]}}",
            "{},".repeat(MAX_ROWS - 1)
        );
        assert_eq!(plain(&most).unwrap().len(), MAX_ROWS);
    }

    proptest! {
        #[test]
        fn serde_reads_the_same(json in "(\\{\"report\":\\[\\{\"lv\":\\[)?([{},:\\[\\] \\n]|\"(lv_name|lv_size|other|ä|\\\\n|\\PC)\"|\"lv_name\":\"a\"|\\{\"lv_name\":\"b\"\\},){0,20}(\\]\\}\\]\\})?") {
            if let Some(rows) = plain(&json) {
                prop_assert_eq!(Some(rows), by_serde(&json));
            }
        }

        #[test]
        fn rows_are_read_alike(rows in prop::collection::vec(prop::collection::vec(("lv_name|lv_size|lv_attr|x|lv_host|ö", "[a-zA-Z0-9 äß]{0,8}"), 0..6), 0..6)) {
            let rows: Vec<String> = rows
                .iter()
                .map(|cells| {
                    let cells: Vec<_> = cells.iter().map(|(name, cell)| format!("\"{name}\":\"{cell}\"")).collect();
                    format!("{{{}}}", cells.join(", "))
                })
                .collect();
            let json = format!("{{\"report\":[{{\"lv\":[{}]}}]}}", rows.join(",\n"));
            let read = plain(&json);
            prop_assert!(read.is_some());
            prop_assert_eq!(read, by_serde(&json));
        }
    }
}
