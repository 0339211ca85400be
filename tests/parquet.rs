//! The files of `--parquet`: the same as report.json, and what a database
//! answers from them.

#![cfg(feature = "parquet")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "parquet/rows.rs"]
mod rows;
mod table_files;

use std::fs;
use std::path::Path;
use std::process::Command;

use rows::rows;
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_tables_say_what_the_json_says() {
    let folder = tempfile::tempdir().unwrap();
    let report = table_files::run("--parquet", folder.path());
    let nodes = report["nodes"].as_array().unwrap();
    let written = rows(folder.path(), "nodes");
    assert_eq!(written.len(), nodes.len());
    for (row, node) in written.iter().zip(nodes) {
        for key in ["node", "cluster", "grade", "score", "pve_version"] {
            assert_eq!(row[key], node[key], "{key}");
        }
        assert_eq!(row["orphans"], node["summary"]["orphans"]);
        let collected = node["collected_at"].as_str().unwrap();
        let collected = chrono::DateTime::parse_from_rfc3339(collected).unwrap();
        assert_eq!(row["collected_at"], json!(collected.timestamp_millis()));
    }
    for (table, keys) in [
        (
            "entries",
            &[
                "name", "uuid", "devno", "open", "holders", "vg", "lv", "vmid", "volume",
                "verdict", "reason", "lv_state", "action",
            ][..],
        ),
        (
            "guests",
            &["vmid", "kind", "name", "status", "disks", "issues"],
        ),
        (
            "findings",
            &[
                "check", "severity", "subject", "vmid", "message", "evidence",
            ],
        ),
    ] {
        let all = rows(folder.path(), table);
        let of_nodes: Vec<&Value> = all.iter().filter(|row| !row["id"].is_null()).collect();
        let expected: Vec<(&Value, &Value)> = nodes
            .iter()
            .flat_map(|node| {
                let list = node[table].as_array().unwrap().iter();
                list.map(move |one| (node, one))
            })
            .collect();
        assert_eq!(of_nodes.len(), expected.len(), "{table}");
        for (row, (node, one)) in of_nodes.iter().zip(expected) {
            assert_eq!(row["node"], node["node"], "{table}");
            for key in keys {
                assert_eq!(row[*key], one[*key], "{table}: {key}");
            }
        }
    }
    let of_clusters = rows(folder.path(), "findings");
    let of_clusters = of_clusters.iter().filter(|row| row["id"].is_null());
    let expected = report["clusters"].as_array().unwrap().iter();
    let expected: usize = expected
        .map(|cluster| cluster["findings"].as_array().unwrap().len())
        .sum();
    assert!(expected > 0);
    assert_eq!(of_clusters.count(), expected);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_nothing_is_left() {
    table_files::fails_where_no_folder_can_be("--parquet", "nodes.parquet");
}

/// `DMAUDIT_TEST_PYTHON` is a Python that has the package `duckdb`.
#[test]
#[ignore = "needs DuckDB"]
fn duckdb_answers_the_questions_of_the_docs() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    fs::write(
        &report,
        table_files::run("--parquet", folder.path()).to_string(),
    )
    .unwrap();
    let output = Command::new(std::env::var("DMAUDIT_TEST_PYTHON").expect("DMAUDIT_TEST_PYTHON"))
        .arg(root().join("tests/parquet/questions.py"))
        .arg(root().join("docs/parquet.md"))
        .args([folder.path(), &report])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}
