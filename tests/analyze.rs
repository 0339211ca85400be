//! The command as its users meet it: arguments in, files, text and exit
//! status out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const NOW: &str = "2026-11-23T19:00:00Z";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample(node: &str) -> PathBuf {
    root().join(format!("samples/dmaudit-{node}-20261123T183645Z.zip"))
}

fn dmaudit(args: &[&str], paths: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(args)
        .args(paths)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn json(paths: &[&Path]) -> Value {
    let output = dmaudit(&["analyze", "--now", NOW, "--format", "json"], paths);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// All files below a folder with their contents.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(folder).unwrap();
            (
                name.to_str().unwrap().to_owned(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

#[test]
fn the_samples_give_a_whole_report() {
    let folder = tempfile::tempdir().unwrap();
    let output = dmaudit(
        &[
            "analyze",
            "--now",
            NOW,
            "-o",
            folder.path().to_str().unwrap(),
        ],
        &[&root().join("samples")],
    );
    assert!(output.status.success(), "{output:?}");
    let files = files(folder.path());
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "cleanup/cleanup-pve1.sh",
            "cleanup/cleanup-pve2.sh",
            "clusters/alpha.html",
            "index.html",
            "nodes/pve1.html",
            "nodes/pve2.html",
            "nodes/pve7.html",
            "nodes/solo.html",
            "report.json",
        ]
    );
    let report: Value = serde_json::from_slice(&files["report.json"]).unwrap();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["analyzed_at"], NOW);
    for node in report["nodes"].as_array().unwrap() {
        assert!(files.contains_key(node["page"].as_str().unwrap()));
        if let Some(script) = node["script"].as_str() {
            assert!(files.contains_key(script));
        }
    }
    let grades: BTreeMap<&str, Option<&str>> = report["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["node"].as_str().unwrap(), node["grade"].as_str()))
        .collect();
    assert_eq!(
        grades,
        BTreeMap::from([
            ("pve1", Some("F")),
            ("pve2", Some("F")),
            ("pve7", None),
            ("solo", Some("A+"))
        ])
    );
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let run = |threads: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let output = dmaudit(
            &["analyze", "--now", NOW, "--threads", threads, "-o", path],
            &[&root().join("samples")],
        );
        assert!(output.status.success());
        (output.stdout, files(folder.path()))
    };
    assert!(run("1") == run("7"));
}

#[test]
fn without_an_output_folder_no_file_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .arg("analyze")
        .arg(sample("pve1"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(files(folder.path()).is_empty());
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn names_that_collide_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    for customer in ["a", "b"] {
        fs::create_dir(folder.path().join(customer)).unwrap();
        fs::copy(
            sample("pve1"),
            folder.path().join(customer).join("bundle.zip"),
        )
        .unwrap();
    }
    let out = tempfile::tempdir().unwrap();
    let output = dmaudit(
        &[
            "analyze",
            "--format",
            "json",
            "-o",
            out.path().to_str().unwrap(),
        ],
        &[folder.path()],
    );
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |field: &str| -> Vec<String> {
        report["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node[field].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(of("node"), ["pve1", "pve1"]);
    assert_eq!(
        of("page"),
        ["nodes/alpha-pve1.html", "nodes/alpha-pve1-2.html"]
    );
    assert_eq!(
        of("script"),
        [
            "cleanup/cleanup-alpha-pve1.sh",
            "cleanup/cleanup-alpha-pve1-2.sh"
        ]
    );
}

#[test]
fn an_older_snapshot_of_a_node_gives_way_to_the_newer() {
    let folder = tempfile::tempdir().unwrap();
    let older = folder.path().join("older");
    let source = root().join("tests/fake-node/alpha/pve1");
    for entry in walkdir::WalkDir::new(&source) {
        let entry = entry.unwrap();
        let target = older.join(entry.path().strip_prefix(&source).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
    fs::write(older.join("commands/date.out"), "2026-11-20T08:00:00Z\n").unwrap();
    let report = json(&[&older, &sample("pve1")]);
    let nodes = report["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0]["collected_at"], "2026-11-23T18:36:45Z");
}

#[test]
fn no_script_of_an_earlier_run_stays_beside_a_new_report() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let cleanup = folder.path().join("cleanup");
    assert!(
        dmaudit(&["analyze", "-o", out], &[&sample("pve1")])
            .status
            .success()
    );
    fs::write(
        cleanup.join("cleanup-mine.sh"),
        "echo written by a person\n",
    )
    .unwrap();
    assert!(cleanup.join("cleanup-pve1.sh").exists());
    assert!(
        dmaudit(&["analyze", "-o", out], &[&sample("pve2")])
            .status
            .success()
    );
    let names: Vec<String> = files(&cleanup).into_keys().collect();
    assert_eq!(names, ["cleanup-mine.sh", "cleanup-pve2.sh"]);
}

#[test]
fn bad_input_is_named_and_the_good_beside_it_analyzed() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.zip");
    let zip = fs::read(sample("pve2")).unwrap();
    fs::write(&broken, &zip[..zip.len() / 2]).unwrap();
    let missing = folder.path().join("missing.zip");
    let output = dmaudit(
        &["analyze", "--format", "json"],
        &[&broken, &missing, &sample("solo")],
    );
    assert_eq!(output.status.code(), Some(3));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["nodes"][0]["node"], "solo");
    let rejected = report["rejected"].as_array().unwrap();
    assert_eq!(rejected.len(), 2);
    for input in rejected {
        let path = input["path"].as_str().unwrap();
        assert!(text(&output.stderr).contains(path), "{path} is not named");
        assert!(!input["error"].as_str().unwrap().is_empty());
    }
}

#[test]
fn fail_on_decides_the_exit_status() {
    let status = |severity: &str, node: &str| {
        dmaudit(&["analyze", "--fail-on", severity], &[&sample(node)])
            .status
            .code()
    };
    assert_eq!(status("critical", "pve1"), Some(1));
    assert_eq!(status("warning", "pve1"), Some(1));
    assert_eq!(status("critical", "solo"), Some(0));
    assert_eq!(status("info", "solo"), Some(0));
    assert_eq!(
        dmaudit(&["analyze"], &[&sample("pve1")]).status.code(),
        Some(0)
    );
}

#[test]
fn a_wrong_command_line_is_status_2() {
    for args in [
        &["analyze"][..],
        &["analyze", "--fail-on", "x", "."],
        &["analyze", "--now", "noon", "."],
        &["explain", "nothing"],
    ] {
        assert_eq!(dmaudit(args, &[]).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn an_output_folder_that_cannot_be_made_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let output = dmaudit(
        &["analyze", "-o", file.to_str().unwrap()],
        &[&sample("pve1")],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("could not be written"));
}

#[test]
fn a_bundle_is_read_from_standard_input() {
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--format", "json", "-"])
        .stdin(fs::File::open(sample("solo")).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["nodes"][0]["node"], "solo");
}

#[test]
fn every_check_explains_itself() {
    let list = dmaudit(&["explain"], &[]);
    let names: Vec<&str> = text(&list.stdout)
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        let page = dmaudit(&["explain", name], &[]);
        let page = text(&page.stdout);
        assert!(page.starts_with(&format!("# {name}\n")), "{name}");
        for section in [
            "## What it means",
            "## How it comes about",
            "## If nothing is done",
            "## How to fix it by hand",
        ] {
            assert!(page.contains(section), "{name} lacks {section:?}");
        }
    }
}

#[test]
fn the_console_report() {
    let output = dmaudit(&["analyze", "--now", NOW], &[&root().join("samples")]);
    let shown = text(&output.stdout).replace(root().to_str().unwrap(), "ROOT");
    insta::assert_snapshot!(shown);
}

#[test]
fn colour_only_on_a_terminal() {
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .arg("analyze")
        .arg(sample("pve1"))
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    assert!(!output.stdout.contains(&0x1b));
}
