//! LVM's reports with `--reportformat json`: rows of named text cells.
//!
//! Every value is text (`"lv_size":"67108864"`), and which columns there are
//! depends on who asked; so rows are kept by column name.

use serde::de::DeserializeSeed;

use super::Parsed;
pub use super::lvm_row::Row;
use super::lvm_rows::Document;

/// Rows of one report that are read: more than any node's LVM lists.
pub const MAX_ROWS: usize = 25_000;

/// Bytes of a cell; LVM's names have 127, and lists of tags and extents fit.
pub(super) const MAX_CELL: usize = 8192;

/// Columns of a row; LVM itself has some 150.
pub(super) const MAX_COLUMNS: usize = 200;

/// Reads the rows of `section` (`lv`, `vg`, `pv`, `seg`) of a report.
///
/// Text before the first `{` (warnings mixed in) is skipped. Text that is not
/// such a report gives no rows and one problem.
pub fn parse(text: &str, section: &str) -> Parsed<Vec<Row>> {
    let mut parsed = Parsed::new(Vec::new());
    if text.trim().is_empty() {
        parsed.problem(1, "expected LVM's JSON report, found nothing");
        return parsed;
    }
    let start = text.find('{').unwrap_or(0);
    let (before, json) = text.split_at(start);
    let skipped = before.matches('\n').count();
    let mut rows = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let seed = Document {
        section,
        rows: &mut rows,
    };
    match seed.deserialize(&mut deserializer) {
        Ok(()) => parsed.value = rows,
        Err(error) => parsed.problem(
            skipped + error.line(),
            format!("expected LVM's JSON report: {error}"),
        ),
    }
    parsed
}

/// A UUID as LVM prints it, without its dashes: the form device-mapper UUIDs
/// are made of.
pub fn dashless(uuid: &str) -> String {
    uuid.chars().filter(|c| *c != '-').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_are_read_by_column() {
        let text = "  WARNING: something\n  {\"report\": [ {\"lv\": [ {\"lv_name\":\"vm-1-disk-0\", \"lv_size\":\"42\"} ] } ]\n, \"log\": []}\n";
        let parsed = parse(text, "lv");
        assert!(parsed.problems.is_empty(), "{parsed:?}");
        assert_eq!(parsed.value.len(), 1);
        assert_eq!(
            parsed.value[0].get("lv_size").map(String::as_str),
            Some("42")
        );
    }

    #[test]
    fn a_broken_report_names_its_line() {
        let parsed = parse("\n{\"report\": [\n", "lv");
        assert!(parsed.value.is_empty());
        assert!(parsed.problems[0].line >= 2, "{parsed:?}");
        assert_eq!(parse("", "lv").problems.len(), 1);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|[{}\\[\\]\":,\\n]|report|lv){0,60}") {
            parse(&text, "lv");
        }
    }
}
