//! Two times of a node, compared by the command: what was cleaned up is
//! resolved, and what the later evidence can't tell is not.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const NOW: &str = "2026-11-25T19:00:00Z";

/// What a cleanup and an administrator took down.
const REMOVED: [&str; 6] = [
    "pve-vm--101--disk--0-old",
    "pve-vm--104--disk--1",
    "pve-vm--119--cloudinit",
    "pve-vm--119--disk--0",
    "pve-vm--150--disk--0p1",
    "pve-vm--150--disk--0",
];

fn recording(node: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fake-node/alpha")
        .join(node)
}

/// A copy of a recording, as a bundle's folder.
fn copy(node: &str, to: &Path) -> PathBuf {
    let from = recording(node);
    for entry in walkdir::WalkDir::new(&from) {
        let entry = entry.unwrap();
        let path = to.join(entry.path().strip_prefix(&from).unwrap());
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(path).unwrap(),
            false => drop(fs::copy(entry.path(), path).unwrap()),
        }
    }
    to.to_owned()
}

fn edit(bundle: &Path, command: &str, change: impl Fn(&str) -> String) {
    let path = bundle.join("commands").join(format!("{command}.out"));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, change(&text)).unwrap();
}

/// The same node a day later, without these entries.
fn later(node: &str, to: &Path, removed: &[&str]) -> PathBuf {
    let bundle = copy(node, to);
    let is = |line: &str| {
        let name = line.split(['|', ':', '\t', ' ']).next().unwrap_or_default();
        removed.contains(&name)
    };
    for command in [
        "dmsetup-info-columns",
        "dmsetup-info-c",
        "dmsetup-ls",
        "dmsetup-table",
        "dmsetup-deps",
        "dmsetup-status",
    ] {
        edit(&bundle, command, |text| {
            let kept = text.lines().filter(|line| !is(line));
            kept.map(|line| format!("{line}\n")).collect()
        });
    }
    edit(&bundle, "dmsetup-info", |text| {
        let of = |block: &&str| {
            let name = block.lines().next().and_then(|line| line.split(':').nth(1));
            !removed.contains(&name.unwrap_or_default().trim())
        };
        let kept: Vec<&str> = text.split("\n\n").filter(of).collect();
        kept.join("\n\n")
    });
    edit(&bundle, "date", |text| {
        text.replace("2026-11-23", "2026-11-24")
    });
    bundle
}

fn diff(before: &Path, after: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["diff", "--now", NOW])
        .args(args)
        .args([before, after])
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn json(before: &Path, after: &Path) -> Value {
    serde_json::from_slice(&diff(before, after, &["--format", "json"]).stdout).unwrap()
}

/// The findings of the first node that went this way: check and subject.
fn of(diff: &Value, state: &str) -> Vec<(String, String)> {
    let said = |value: &Value| value.as_str().unwrap().to_owned();
    diff["nodes"][0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["state"] == state)
        .map(|one| (said(&one["check"]), said(&one["subject"])))
        .collect()
}

#[test]
fn what_was_cleaned_up_is_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let after = later("pve1", folder.path(), &REMOVED);
    let output = diff(&recording("pve1"), &after, &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    insta::assert_snapshot!(text(&output));
}

#[test]
fn the_exit_status_tells_new_from_remaining() {
    let folder = tempfile::tempdir().unwrap();
    let before = recording("pve1");
    let after = later("pve1", folder.path(), &REMOVED);
    let status = |a: &Path, b: &Path, kind| diff(a, b, &["--fail-on", kind]).status.code();
    assert_eq!(status(&before, &after, "new"), Some(0));
    assert_eq!(status(&before, &after, "remaining"), Some(1));
    // The other way round the entries came.
    assert_eq!(status(&after, &before, "new"), Some(1));
    let shown = diff(&after, &before, &[]);
    assert!(text(&shown).contains("the other way round"), "{shown:?}");
}

#[test]
fn a_list_that_failed_resolves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let after = later("pve1", folder.path(), &REMOVED);
    for command in [
        "dmsetup-info",
        "dmsetup-info-columns",
        "dmsetup-info-c",
        "dmsetup-ls",
    ] {
        fs::write(after.join(format!("commands/{command}.out")), "").unwrap();
        fs::write(after.join(format!("commands/{command}.rc")), "1\n").unwrap();
    }
    let said = json(&recording("pve1"), &after);
    assert!(of(&said, "resolved").is_empty(), "{said}");
    assert!(said["nodes"][0]["after"]["grade"].is_null());
    assert_eq!(
        said["totals"]["before"].as_u64().unwrap(),
        said["totals"]["unknown"].as_u64().unwrap()
            + said["totals"]["remaining"].as_u64().unwrap()
            + said["totals"]["changed"].as_u64().unwrap()
    );
    let status = diff(&recording("pve1"), &after, &["--fail-on", "remaining"]);
    assert_eq!(status.status.code(), Some(1));
}

#[test]
fn an_empty_list_resolves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let after = later("pve1", folder.path(), &REMOVED);
    for command in [
        "dmsetup-info",
        "dmsetup-info-columns",
        "dmsetup-info-c",
        "dmsetup-ls",
    ] {
        fs::write(after.join(format!("commands/{command}.out")), "").unwrap();
    }
    let said = json(&recording("pve1"), &after);
    assert!(of(&said, "resolved").is_empty(), "{said}");
}

#[test]
fn a_check_without_its_evidence_leaves_its_findings_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let after = later("pve1", folder.path(), &REMOVED);
    for end in ["out", "rc", "err"] {
        fs::remove_file(after.join(format!("commands/lvs-json.{end}"))).unwrap();
        fs::remove_file(after.join(format!("commands/dmsetup-status.{end}"))).unwrap();
    }
    let output = diff(&recording("pve1"), &after, &[]);
    insta::assert_snapshot!(text(&output));
    let said = json(&recording("pve1"), &after);
    // Entries that the whole list no longer shows are gone all the same.
    let gone = ("duplicate-entry".to_owned(), REMOVED[0].to_owned());
    assert!(of(&said, "resolved").contains(&gone), "{said}");
    assert!(!of(&said, "unknown").is_empty());
}

#[test]
fn a_report_is_a_side_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let analyzed = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--now", NOW, "-o"])
        .args([&report, &recording("pve1")])
        .output()
        .unwrap();
    assert!(analyzed.status.success(), "{analyzed:?}");
    let after = later("pve1", &folder.path().join("after"), &REMOVED);
    let from_bundle = json(&recording("pve1"), &after);
    for side in [report.join("report.json"), report] {
        assert_eq!(json(&side, &after), from_bundle);
    }
}

/// A report.json may come from a stranger, too.
#[test]
fn a_forged_report_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let analyzed = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--now", NOW, "-o"])
        .args([&report, &recording("pve1")])
        .output()
        .unwrap();
    assert!(analyzed.status.success(), "{analyzed:?}");
    let honest = fs::read_to_string(report.join("report.json")).unwrap();
    let forged = folder.path().join("forged.json");
    let long = format!("\"severity\": \"{}\"", "x".repeat(70_000));
    let cluster = "{\"cluster\":\"a\",\"nodes\":[],\"grade\":null,\"findings\":[]},".repeat(5_001);
    for (text, said) in [
        (
            honest.replacen("\"severity\": \"warning\"", &long, 1),
            "expected one of critical, warning, info",
        ),
        (
            honest.replacen(
                "\"severity\": \"warning\"",
                "\"severity\": \"\\u001b]0;x\\u009b\"",
                1,
            ),
            "expected one of critical, warning, info",
        ),
        (
            honest.replacen("\"verdict\": \"orphan\"", "\"verdict\": \"gone\"", 1),
            "expected one of valid, ",
        ),
        (
            format!(
                "{{\"schema\":1,\"nodes\":[],\"rejected\":[],\"clusters\":[{}]}}",
                cluster.trim_end_matches(',')
            ),
            "it has 5001 clusters",
        ),
        (
            honest.replacen(
                "\"missing\": []",
                &format!("\"missing\": [\"{}\"]", "x".repeat(65)),
                1,
            ),
            "it has an id of 65 bytes",
        ),
        (
            honest.replacen(
                "\"node\": \"pve1\"",
                &format!("\"node\": \"{}\"", "x".repeat(516)),
                1,
            ),
            "it has a name of 516 bytes",
        ),
    ] {
        assert_ne!(text, honest);
        fs::write(&forged, text).unwrap();
        let output = diff(&recording("pve1"), &forged, &[]);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            error.contains("forged.json") && error.contains(said),
            "{error}"
        );
    }
    fs::write(&forged, &honest).unwrap();
    let output = diff(&recording("pve1"), &forged, &["--max-file", "1000"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("more than 1000 bytes") && error.contains("--max-file"),
        "{error}"
    );
}

#[test]
fn a_node_at_one_time_only_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let said = diff(&recording("pve1"), &recording("pve2"), &[]);
    assert!(text(&said).contains("pve1: only in BEFORE"), "{said:?}");
    assert!(text(&said).contains("pve2: only in AFTER"), "{said:?}");
    let value = json(&recording("pve1"), &recording("pve2"));
    assert_eq!(value["totals"]["resolved"], 0);
    let missing = folder.path().join("nothing.json");
    fs::write(&missing, "{\"schema\": 7}").unwrap();
    let output = diff(&missing, &recording("pve1"), &[]);
    assert_eq!(output.status.code(), Some(3));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        error.contains("nothing.json") && error.contains("schema 7"),
        "{error}"
    );
}

#[test]
fn the_page_stands_alone_and_escapes_what_strangers_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let after = later("pve1", &folder.path().join("after"), &REMOVED);
    edit(&after, "dmsetup-info-columns", |text| {
        text.replace("pve-vm--103--disk--0|", "pve-vm--103--disk--0<script>|")
    });
    edit(&after, "dmsetup-info", |text| {
        text.replace("pve-vm--103--disk--0\n", "pve-vm--103--disk--0<script>\n")
    });
    let file = folder.path().join("diff.html");
    let output = diff(
        &recording("pve1"),
        &after,
        &["--html", file.to_str().unwrap()],
    );
    assert!(output.status.success(), "{output:?}");
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.contains("http-equiv=\"Content-Security-Policy\""));
    assert!(page.contains("pve-vm--103--disk--0&lt;script&gt;"));
    assert_eq!(page.matches("<script>").count(), 1, "only the page's own");
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"));
}
