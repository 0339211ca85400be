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
    // RFC 4180: lines end in CR LF.
    let mut builder = csv::WriterBuilder::new();
    builder.terminator(csv::Terminator::CRLF);
    let mut writer = builder.from_writer(out);
    for row in rows {
        let cells = row.into_iter().map(cell);
        writer.write_record(cells).map_err(io::Error::other)?;
    }
    writer.flush()
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
fn safe(text: &str) -> String {
    // Where a spreadsheet separates cells by something else than commas, a
    // text is several cells, and quotes or blanks may stand before each.
    let mut safe = String::new();
    let mut begins = true;
    for c in printable(text).chars() {
        if begins && is_formulas_first(c) {
            safe.push('\'');
        }
        begins = match c {
            ';' | '|' | ',' => true,
            '"' | '\'' => begins,
            c => begins && c.is_whitespace(),
        };
        safe.push(c);
    }
    safe
}

/// With which characters spreadsheets begin a formula, in both widths.
fn is_formulas_first(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}
