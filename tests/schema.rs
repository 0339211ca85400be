//! docs/report.schema.json is what the program writes, and no output has a
//! field that it does not name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod report_views;

use std::fs;
use std::path::Path;
use std::process::Command;

use dmaudit::report::json;
use jsonschema::Validator;
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn published() -> Value {
    let text = fs::read_to_string(root().join("docs/report.schema.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Forbids what the schema does not name: to readers later fields are welcome,
/// here each must have been described.
fn strict(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            object.values_mut().for_each(strict);
            if object.get("properties").is_some_and(Value::is_object) {
                object.insert("additionalProperties".to_owned(), false.into());
            }
        }
        Value::Array(list) => list.iter_mut().for_each(strict),
        _ => {}
    }
}

fn validator() -> Validator {
    let mut schema = published();
    strict(&mut schema);
    jsonschema::draft202012::new(&schema).unwrap()
}

fn errors(validator: &Validator, report: &Value) -> Vec<String> {
    let errors = validator.iter_errors(report);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn analyzed(more: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .current_dir(root())
        .args([
            "analyze",
            "--format",
            "json",
            "--now",
            "2026-11-24T12:00:00Z",
        ])
        .args(more)
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    assert_eq!(
        published(),
        json::schema::schema(),
        "write it anew: cargo run --features schema --example report_schema > docs/report.schema.json"
    );
}

#[test]
fn the_samples_reports_are_as_the_schema_says() {
    let validator = validator();
    let none: [String; 0] = [];
    let all = analyzed(&["samples"]);
    assert_eq!(errors(&validator, &all), none);
    let rejected = analyzed(&["samples", "Cargo.toml"]);
    assert_eq!(rejected["rejected"].as_array().unwrap().len(), 1);
    assert_eq!(errors(&validator, &rejected), none);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dmaudit.toml");
    let rule = "[[ignore]]\ncheck = \"orphan-guest-gone\"\nreason = \"r\"\nuntil = 2027-01-31\n[[label]]\nsite = \"Vienna\"\n";
    fs::write(&config, rule).unwrap();
    let ignored = analyzed(&["samples", "--config", config.to_str().unwrap()]);
    assert!(ignored.to_string().contains("\"until\":\"2027-01-31\""));
    assert_eq!(errors(&validator, &ignored), none);
}

#[test]
fn the_lines_of_ndjson_are_the_same_objects() {
    let validator = validator();
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .current_dir(root())
        .args(["analyze", "--format", "ndjson", "samples", "Cargo.toml"])
        .output()
        .unwrap();
    let mut report = analyzed(&["samples"]);
    for list in ["nodes", "clusters", "rejected"] {
        report[list] = Value::Array(Vec::new());
    }
    let text = String::from_utf8(output.stdout).unwrap();
    for line in text.lines() {
        let mut value: Value = serde_json::from_str(line).unwrap();
        let object = value.as_object_mut().unwrap();
        assert_eq!(object.remove("schema"), Some(1.into()));
        let list = match object.remove("type").unwrap().as_str().unwrap() {
            "node" => "nodes",
            "cluster" => "clusters",
            "rejected" => "rejected",
            other => panic!("{other}"),
        };
        report[list].as_array_mut().unwrap().push(value);
    }
    let counts =
        ["nodes", "clusters", "rejected"].map(|list| report[list].as_array().unwrap().len());
    assert_eq!(counts, [4, 1, 1]);
    let none: [String; 0] = [];
    assert_eq!(errors(&validator, &report), none);
}

#[test]
fn a_report_with_everything_and_one_of_hostile_texts_are_as_the_schema_says() {
    let validator = validator();
    for texts in [report_views::PLAIN, report_views::HOSTILE] {
        let mut out = Vec::new();
        json::write(&report_views::report(texts), &mut out).unwrap();
        let report: Value = serde_json::from_slice(&out).unwrap();
        let none: [String; 0] = [];
        assert_eq!(errors(&validator, &report), none);
    }
}

#[test]
fn what_is_not_a_report_is_told_apart() {
    let validator = validator();
    let good = analyzed(&["samples"]);
    for (pointer, wrong) in [
        ("/schema", Value::from(2)),
        ("/nodes/0/entries/0/open", Value::from(-1)),
        ("/nodes/0/grade", Value::from(1)),
        ("/nodes/0/summary", Value::Null),
        (
            "/tool",
            serde_json::json!({"name": "dmaudit", "version": "1", "more": 1}),
        ),
    ] {
        let mut report = good.clone();
        *report.pointer_mut(pointer).unwrap() = wrong;
        assert!(!errors(&validator, &report).is_empty(), "{pointer}");
    }
}
