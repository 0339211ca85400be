//! The tables of `--csv`: the same as report.json, and no cell is a formula.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod report_views;
mod table_files;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dmaudit::report::csv::{head, of_node};
use dmaudit::report::tables::Table;
use dmaudit::report::view;
use proptest::prelude::*;
use serde_json::Value;

type Row = BTreeMap<String, String>;

fn rows(text: &[u8]) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(text);
    reader.deserialize().map(Result::unwrap).collect()
}

fn run(folder: &Path) -> (BTreeMap<&'static str, Vec<Row>>, Value) {
    let report = table_files::run("--csv", folder);
    let tables = Table::ALL.map(|table| {
        let file = format!("{}.csv", table.name());
        (table.name(), rows(&fs::read(folder.join(file)).unwrap()))
    });
    (tables.into(), report)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn the_tables_say_what_the_json_says() {
    let folder = tempfile::tempdir().unwrap();
    let (tables, report) = run(folder.path());
    let nodes = report["nodes"].as_array().unwrap();
    assert_eq!(tables["nodes"].len(), nodes.len());
    for (list, keys) in [
        (
            "entries",
            &[
                "name", "uuid", "devno", "open", "vg", "lv", "vmid", "volume", "verdict", "reason",
                "lv_state", "action",
            ][..],
        ),
        (
            "guests",
            &["vmid", "kind", "name", "status", "disks", "issues"],
        ),
        (
            "findings",
            &["check", "severity", "subject", "vmid", "message", "remedy"],
        ),
    ] {
        for node in nodes {
            let name = node["node"].as_str().unwrap();
            let table = tables[list].iter().filter(|row| row["node"] == name);
            let table: Vec<Vec<&str>> = table
                .map(|row| keys.iter().map(|key| row[*key].as_str()).collect())
                .collect();
            let json = node[list].as_array().unwrap().iter();
            let json: Vec<Vec<String>> = json
                .map(|one| keys.iter().map(|key| shown(&one[*key])).collect())
                .collect();
            assert_eq!(table, json, "{name}: {list}");
        }
    }
    for (row, node) in tables["nodes"].iter().zip(nodes) {
        assert_eq!(row["node"], node["node"].as_str().unwrap());
        assert_eq!(row["grade"], shown(&node["grade"]));
        assert_eq!(row["orphans"], shown(&node["summary"]["orphans"]));
    }
    let of_cluster = tables["findings"].iter().filter(|row| row["id"].is_empty());
    let cluster = &report["clusters"][0];
    let subjects: Vec<&str> = of_cluster.map(|row| row["subject"].as_str()).collect();
    let findings = cluster["findings"].as_array().unwrap().iter();
    let expected: Vec<&str> = findings
        .map(|one| one["subject"].as_str().unwrap())
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(subjects, expected);
}

#[test]
fn every_row_joins_a_node() {
    let folder = tempfile::tempdir().unwrap();
    let (tables, _) = run(folder.path());
    let ids: Vec<&String> = tables["nodes"].iter().map(|row| &row["id"]).collect();
    for (file, rows) in &tables {
        for row in rows.iter().filter(|row| !row["id"].is_empty()) {
            let found = ids.iter().filter(|id| **id == &row["id"]).count();
            assert_eq!(found, 1, "{file}: {row:?}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_nothing_is_left() {
    table_files::fails_where_no_folder_can_be("--csv", "nodes.csv");
}

/// A node whose every text is this one.
fn node_of(text: &str) -> view::Node {
    let mut node = report_views::node::pve1(report_views::PLAIN);
    node.node = text.to_owned();
    node.bundle = text.to_owned();
    for entry in &mut node.entries {
        entry.name = text.to_owned();
        entry.holders = vec![text.to_owned(), text.to_owned()];
    }
    for guest in &mut node.guests {
        guest.name = text.to_owned();
    }
    for finding in &mut node.findings {
        finding.subject = text.to_owned();
        finding.evidence = vec![text.to_owned()];
    }
    node
}

proptest! {
    #[test]
    fn no_text_becomes_a_formula_or_another_cell(
        text in proptest::prop_oneof![
            "[ \t\r\n]*[=+@－＝＋＠-].*",
            "[\\PC\\pC]*",
            "[\",;\r\n\t'|=+-]*",
            "[a-z]{0,3}[;|,][ \"']{0,3}[=+@-].{0,5}",
        ]
    ) {
        let tables = of_node(&node_of(&text)).unwrap();
        for (table, body) in Table::ALL.into_iter().zip(tables) {
            let whole = [head(table).unwrap(), body].concat();
            for separator in [b';', b'|'] {
                let mut other = csv::ReaderBuilder::new();
                let other = other.delimiter(separator).flexible(true).has_headers(false);
                for cell in other.from_reader(&whole[..]).records().skip(1).flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>()) {
                    let begin = cell.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
                    prop_assert!(!begin.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']), "{:?}", cell);
                }
            }
            let mut reader = csv::Reader::from_reader(&whole[..]);
            let mut count = 0;
            for record in reader.records() {
                let record = record.unwrap();
                count += 1;
                prop_assert_eq!(record.len(), table.columns().len());
                for cell in &record {
                    prop_assert!(cell.parse::<u64>().is_ok() || !cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']), "{:?}", cell);
                    prop_assert!(!cell.contains(char::is_control));
                }
            }
            prop_assert!(count > 0);
        }
    }
}
