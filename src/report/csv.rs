//! The [tables](super::tables) as comma-separated values, for spreadsheets and
//! databases.
//!
//! A spreadsheet takes a cell for a formula by its first character. Texts come
//! from bundles, so one that begins like a formula gets an apostrophe before
//! it, and so does what follows `;`, `|` or `,` in one: some countries'
//! spreadsheets separate cells by these. Numbers stay numbers.

use std::io::{self, Write};

use super::tables::{Row, Table, Value};
use super::view;
use super::words::printable;

/// The line of a table's columns' names.
///
/// # Errors
///
/// None in practice.
pub fn head(table: Table) -> io::Result<Vec<u8>> {
    let names = table.columns().iter().map(|(name, _)| Value::Text(name));
    written([names.collect()])
}

/// A node's rows of each table, in the tables' order.
///
/// # Errors
///
/// None in practice.
pub fn of_node(node: &view::Node) -> io::Result<[Vec<u8>; 4]> {
    Table::each(|table| written(table.rows(node)))
}

/// Writes a node's rows of one of the tables.
///
/// # Errors
///
/// Those of `out`.
pub fn write_node(table: Table, node: &view::Node, out: impl Write) -> io::Result<()> {
    write(table.rows(node), out)
}

/// A cluster's rows of a table.
///
/// # Errors
///
/// None in practice.
pub fn of_cluster(table: Table, cluster: &view::Cluster) -> io::Result<Vec<u8>> {
    written(table.rows_of_cluster(cluster))
}

fn written<'a>(rows: impl IntoIterator<Item = Row<'a>>) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    write(rows, &mut out)?;
    Ok(out)
}

fn write<'a>(rows: impl IntoIterator<Item = Row<'a>>, out: impl Write) -> io::Result<()> {
    let mut writer = lines().from_writer(out);
    for row in rows {
        let cells = row.into_iter().map(cell);
        writer.write_record(cells).map_err(io::Error::other)?;
    }
    writer.flush()
}

/// How lines are written.
pub(crate) fn lines() -> csv::WriterBuilder {
    // RFC 4180: lines end in CR LF.
    let mut builder = csv::WriterBuilder::new();
    builder.terminator(csv::Terminator::CRLF);
    builder
}

fn cell(value: Value<'_>) -> String {
    match value {
        Value::Unknown => String::new(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Text(text) => safe(text),
        Value::List(texts) => safe(&texts.join(" | ")),
    }
}

/// A text that is no formula. `A+` is a grade, not a formula: it does not
/// begin like one.
pub(crate) fn safe(text: &str) -> String {
    let mut safe = String::new();
    let mut begins = true;
    for c in printable(text).chars() {
        if begins && is_formulas_first(c) {
            safe.push('\'');
        }
        begins = begins_behind(begins, c);
        safe.push(c);
    }
    safe
}

/// The text that [`safe`] was given, without control characters: no
/// apostrophe stands before what would begin a formula.
pub(crate) fn plain(safe: &str) -> String {
    let mut plain = String::with_capacity(safe.len());
    let mut begins = true;
    for c in safe.chars() {
        if begins && is_formulas_first(c) && plain.ends_with('\'') {
            plain.pop();
        }
        begins = begins_behind(begins, c);
        plain.push(c);
    }
    plain
}

/// Whether a cell may begin behind a character. Where a spreadsheet separates
/// cells by something else than commas, a text is several cells, and quotes or
/// blanks may stand before each.
fn begins_behind(begins: bool, c: char) -> bool {
    match c {
        ';' | '|' | ',' => true,
        '"' | '\'' => begins,
        c => begins && c.is_whitespace(),
    }
}

/// With which characters spreadsheets begin a formula, in both widths.
fn is_formulas_first(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safe_text_is_plain_again() {
        for text in [
            "",
            "=1+1",
            "'=1",
            "''-x",
            "a=b",
            "A+",
            "a | =b; '@c,\" +d",
            "=",
            "'",
            "-'-=",
            "＝x",
        ] {
            assert_eq!(plain(&safe(text)), text);
        }
        assert_eq!(safe("a | =b"), "a | '=b");
        assert_eq!(plain("=unsafe"), "=unsafe");
    }
}
