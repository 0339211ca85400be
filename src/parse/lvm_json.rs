//! LVM's reports with `--reportformat json`: rows of named text cells.
//!
//! Every value is text (`"lv_size":"67108864"`), and which columns there are
//! depends on who asked; so rows are read by column name.

use serde::de::DeserializeSeed;

pub use super::lvm_row::{Column, MAX_ROWS, Row};
use super::lvm_rows::{Document, Taker};
use super::{Parsed, lvm_plain};

/// Reads the rows of `section` (`lv`, `vg`, `pv`, `seg`) of a report: what
/// `read` makes of each, if anything.
///
/// Text before the first `{` (warnings mixed in) is skipped. Text that is not
/// such a report, or has no such section, gives nothing and one problem. `read` may be called anew for
/// rows that it has read.
pub fn parse<'a, T>(
    text: &'a str,
    section: &str,
    mut read: impl FnMut(&Row<'a>) -> Option<T>,
) -> Parsed<Vec<T>> {
    let mut parsed = Parsed::new(Vec::new());
    if text.trim().is_empty() {
        parsed.problem(1, "expected LVM's JSON report, found nothing");
        return parsed;
    }
    let start = text.find('{').unwrap_or(0);
    let (before, json) = text.split_at(start);
    let mut facts = Vec::new();
    let mut take = |row: &Row<'a>| facts.extend(read(row));
    if lvm_plain::read(json, &mut Taker::new(section, &mut take)).is_some() {
        parsed.value = facts;
        return parsed;
    }
    facts.clear();
    let mut take = |row: &Row<'a>| facts.extend(read(row));
    let mut taker = Taker::new(section, &mut take);
    let seed = Document(&mut taker);
    match seed.deserialize(&mut serde_json::Deserializer::from_str(json)) {
        Ok(()) if !taker.met => parsed.problem(
            before.matches('\n').count() + 1,
            format!("expected LVM's JSON report with {section:?}, which LVM prints even where it lists nothing"),
        ),
        Ok(()) => parsed.value = facts,
        Err(error) => parsed.problem(
            before.matches('\n').count() + error.line(),
            format!("expected LVM's JSON report: {error}"),
        ),
    }
    parsed
}

/// A UUID as LVM prints it, without its dashes: the form device-mapper UUIDs
/// are made of.
pub fn dashless(uuid: &str) -> String {
    let letters = usual(uuid);
    match letters.as_ref().map(|letters| std::str::from_utf8(letters)) {
        Some(Ok(letters)) => letters.to_owned(),
        _ => uuid.replace('-', ""),
    }
}

/// The letters of a UUID as LVM prints it: 6-4-4-4-4-4-6.
fn usual(uuid: &str) -> Option<[u8; 32]> {
    let uuid: &[u8; 38] = uuid.as_bytes().try_into().ok()?;
    let mut letters = [0; 32];
    letters[..6].copy_from_slice(&uuid[..6]);
    letters[6..10].copy_from_slice(&uuid[7..11]);
    letters[10..14].copy_from_slice(&uuid[12..16]);
    letters[14..18].copy_from_slice(&uuid[17..21]);
    letters[18..22].copy_from_slice(&uuid[22..26]);
    letters[22..26].copy_from_slice(&uuid[27..31]);
    letters[26..].copy_from_slice(&uuid[32..]);
    let dashes = [6, 11, 16, 21, 26, 31].map(|at| uuid[at]);
    (dashes == *b"------" && !letters.contains(&b'-')).then_some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows<'a>(text: &'a str, section: &str) -> Parsed<Vec<Row<'a>>> {
        parse(text, section, |row| Some(row.clone()))
    }

    #[test]
    fn rows_are_read_by_column() {
        let text = "  WARNING: something\n  {\"report\": [ {\"lv\": [ {\"lv_name\":\"vm-1-disk-0\", \"lv_size\":\"42\"} ] } ]\n, \"log\": []}\n";
        let parsed = rows(text, "lv");
        assert!(parsed.problems.is_empty(), "{parsed:?}");
        assert_eq!(parsed.value.len(), 1);
        assert_eq!(parsed.value[0].get(Column::LvSize), Some("42"));
    }

    #[test]
    fn a_broken_report_names_its_line() {
        let parsed = rows("\n{\"report\": [\n", "lv");
        assert!(parsed.value.is_empty());
        assert!(parsed.problems[0].line >= 2, "{parsed:?}");
        assert_eq!(rows("", "lv").problems.len(), 1);
        assert_eq!(rows("{\"report\":[]}", "lv").problems.len(), 1);
        assert_eq!(rows("{\"report\":[{\"vg\":[]}]}", "lv").problems.len(), 1);
        let none = "{\"report\":[{\"lv\":[]}], \"log\":[]}";
        assert!(rows(none, "lv").problems.is_empty());
    }

    #[test]
    fn dashes_are_left_out_wherever_they_are() {
        for uuid in [
            "qI2XpX-d8NI-WOZX-TC89-2vFj-hskE-9CCRM7",
            "qI2XpXd8NIWOZXTC892vFjhskE9CCRM7",
            "qI2XpX-d8NI-WOZX-TC89-2vFj-hskE-9CCR-7",
            "qI2XpXd-8NI-WOZX-TC89-2vFj-hskE-9CCRM7",
            "ä2XpX-d8NI-WOZX-TC89-2vFj-hskE-9CCRM7-",
            "qI2Xpä-d8NI-WOZX-TC89-2vFj-hskE-9CCRM7",
            "-",
            "",
        ] {
            assert_eq!(dashless(uuid), uuid.replace('-', ""), "{uuid}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|[{}\\[\\]\":,\\n]|report|lv){0,60}") {
            rows(&text, "lv");
        }
    }
}
