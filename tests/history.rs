//! Several snapshots of one node: the newest is the verdict, the older ones
//! its history.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake-node/alpha/pve1")
}

/// The recording as taken on another day, without the entries of this guest.
fn snapshot(folder: &Path, day: &str, without: Option<&str>) -> PathBuf {
    let to = folder.join(format!("dmaudit-pve1-{day}"));
    for entry in walkdir::WalkDir::new(recording()) {
        let entry = entry.unwrap();
        let path = to.join(entry.path().strip_prefix(recording()).unwrap());
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(path).unwrap(),
            false => drop(fs::copy(entry.path(), path).unwrap()),
        }
    }
    let edit = |command: &str, change: &dyn Fn(&str) -> String| {
        let path = to.join(format!("commands/{command}.out"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, change(&text)).unwrap();
    };
    edit("date", &|text| text.replace("2026-11-23", day));
    if let Some(guest) = without {
        let of = |line: &str| line.starts_with(&format!("pve-vm--{guest}--"));
        for command in [
            "dmsetup-info-columns",
            "dmsetup-info-c",
            "dmsetup-ls",
            "dmsetup-table",
            "dmsetup-deps",
            "dmsetup-status",
        ] {
            edit(command, &|text| {
                let kept = text.lines().filter(|line| !of(line));
                kept.map(|line| format!("{line}\n")).collect()
            });
        }
        edit("dmsetup-info", &|text| {
            let name = |block: &str| {
                let line = block.lines().next().and_then(|line| line.split(':').nth(1));
                line.unwrap_or_default().trim().to_owned()
            };
            let kept = text.split("\n\n").filter(|block| !of(&name(block)));
            kept.collect::<Vec<_>>().join("\n\n")
        });
    }
    to
}

fn analyze(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--now", "2026-11-26T00:00:00Z"])
        .args(args)
        .arg(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn three() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    snapshot(folder.path(), "2026-11-20", None);
    snapshot(folder.path(), "2026-11-22", None);
    snapshot(folder.path(), "2026-11-24", Some("119"));
    folder
}

#[test]
fn the_newest_snapshot_is_the_verdict_and_the_others_its_history() {
    let folder = three();
    let output = analyze(folder.path(), &["--format", "json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = said["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 1);
    let node = &nodes[0];
    assert_eq!(node["collected_at"], "2026-11-24T18:36:45Z");
    let history = node["history"].as_array().unwrap();
    let of = |field: &str| -> Vec<Value> {
        let points = history.iter();
        points.map(|point| point[field].clone()).collect()
    };
    let days = ["2026-11-20", "2026-11-22", "2026-11-24"].map(|day| format!("{day}T18:36:45Z"));
    assert_eq!(of("collected_at"), days);
    let orphans = node["summary"]["orphans"].as_u64().unwrap();
    assert_eq!(of("orphans"), [orphans + 2, orphans + 2, orphans]);
    assert_eq!(history[2]["score"], node["score"]);
    assert_eq!(history[0]["pools"][0]["name"], "pve/data");

    let text = analyze(folder.path(), &[]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let line = format!("orphans {} -> {orphans}", orphans + 2);
    assert!(
        text.contains("since 2026-11-20") && text.contains(&line),
        "{text}"
    );
}

#[test]
fn pages_show_the_history_only_where_there_is_one() {
    let folder = three();
    let out = tempfile::tempdir().unwrap();
    let page = |folder: &Path, name: &str| {
        let output = analyze(folder, &["-o", out.path().to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        fs::read_to_string(out.path().join(name)).unwrap()
    };
    let node = page(folder.path(), "nodes/pve1.html");
    assert!(node.contains("id=\"history\"") && node.contains("20 Nov 2026, 18:36 UTC"));
    assert!(node.contains("Orphans and duplicates: from "));
    let index = page(folder.path(), "index.html");
    assert!(index.contains("id=\"trend\""));
    // Two orphans less on the last day.
    let orphans = |day: &str| {
        let row = format!("<th scope=\"row\">2026-11-{day}</th><td class=\"r\">");
        let (_, rest) = index.split_once(&row).unwrap();
        let (orphans, rest) = rest.split_once("</td>").unwrap();
        assert!(rest.starts_with("<td class=\"r\">1</td>"), "{rest}");
        orphans.parse::<usize>().unwrap()
    };
    assert_eq!(orphans("20"), orphans("22"));
    assert_eq!(orphans("22"), orphans("24") + 2);

    let one = tempfile::tempdir().unwrap();
    snapshot(one.path(), "2026-11-20", None);
    assert!(!page(one.path(), "nodes/pve1.html").contains("id=\"history\""));
    assert!(!page(one.path(), "index.html").contains("id=\"trend\""));
}

#[test]
fn an_older_snapshot_without_a_list_of_entries_has_no_grade_and_costs_nothing_else() {
    let folder = three();
    let broken = folder.path().join("dmaudit-pve1-2026-11-20/commands");
    for command in [
        "dmsetup-info",
        "dmsetup-info-columns",
        "dmsetup-info-c",
        "dmsetup-ls",
    ] {
        fs::write(broken.join(format!("{command}.out")), "").unwrap();
        fs::write(broken.join(format!("{command}.rc")), "1\n").unwrap();
    }
    let output = analyze(folder.path(), &["--format", "json"]);
    assert!(output.status.success(), "{output:?}");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let history = said["nodes"][0]["history"].as_array().unwrap();
    assert!(history[0]["grade"].is_null(), "{history:?}");
    assert!(!said["nodes"][0]["grade"].is_null());
}

#[test]
fn what_is_ignored_counts_at_no_time() {
    let folder = three();
    let rules = tempfile::NamedTempFile::new().unwrap();
    let rule = "[[ignore]]\ncheck = \"duplicate-entry\"\nreason = \"known\"\nuntil = 2027-01-31\n";
    fs::write(&rules, rule).unwrap();
    let config = rules.path().to_str().unwrap();
    let output = analyze(folder.path(), &["--format", "json", "--config", config]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let node = &said["nodes"][0];
    let history = node["history"].as_array().unwrap();
    assert_ne!(node["grade"], "F");
    assert_eq!(history[2]["grade"], node["grade"]);
    assert_eq!(history[2]["score"], node["score"]);
    for point in history {
        assert_eq!(point["critical"], 0);
        assert_ne!(point["grade"], "F");
    }
}
