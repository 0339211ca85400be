//! `dmaudit.toml`: what it changes, what it never changes, what is said of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const NOW: &str = "2026-11-24T12:00:00Z";

fn sample(node: &str) -> PathBuf {
    let name = format!("dmaudit-{node}-20261123T183645Z.zip");
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("samples")
        .join(name)
}

fn run(verb: &str, config: &str, more: &[&str], inputs: &[PathBuf]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dmaudit.toml");
    fs::write(&file, config).unwrap();
    Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args([verb, "--now", NOW, "--config"])
        .arg(&file)
        .args(more)
        .args(inputs)
        .output()
        .unwrap()
}

fn report(config: &str, inputs: &[PathBuf]) -> (Value, String) {
    let output = run("analyze", config, &["--format", "json"], inputs);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let errors = String::from_utf8(output.stderr).unwrap();
    (serde_json::from_slice(&output.stdout).unwrap(), errors)
}

fn refused(config: &str) -> String {
    let output = run("analyze", config, &[], &[sample("solo")]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

fn found(node: &Value, list: &str) -> Vec<(String, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let list = node[list].as_array().unwrap().iter();
    list.map(|one| (text(one, "check"), text(one, "subject")))
        .collect()
}

const KEEP: &str = r#"
[[ignore]]
check = "orphan-guest-gone"
node = "pve1"
subject = "pve-vm--150--*"
reason = "evidence for ticket 4711"
until = 2026-11-24

[[ignore]]
check = "duplicate-entry"
vmid = 101
reason = "a backup reads from it"
until = 2027-01-31
"#;

#[test]
fn an_ignored_finding_does_not_count_but_is_shown() {
    let (before, _) = report("", &[sample("pve1")]);
    let (after, errors) = report(KEEP, &[sample("pve1")]);
    let (before, after) = (&before["nodes"][0], &after["nodes"][0]);
    assert_eq!(
        (&before["grade"], &before["score"]),
        (&"F".into(), &60.into())
    );
    assert_eq!(
        (&after["grade"], &after["score"]),
        (&"B".into(), &85.into())
    );
    assert_eq!(
        found(after, "ignored"),
        [
            (
                "duplicate-entry".to_owned(),
                "pve-vm--101--disk--0-old".to_owned()
            ),
            (
                "orphan-guest-gone".to_owned(),
                "pve-vm--150--disk--0".to_owned()
            ),
        ]
    );
    assert_eq!(after["ignored"][1]["reason"], "evidence for ticket 4711");
    assert_eq!(after["ignored"][1]["until"], "2026-11-24");
    assert!(
        after["ignored"][1]["message"]
            .as_str()
            .unwrap()
            .contains("150")
    );
    let mut all = found(after, "findings");
    all.extend(found(after, "ignored"));
    let mut same = found(before, "findings");
    all.sort();
    same.sort();
    assert_eq!(all, same);
    // What was judged is what it was: only the findings are set aside.
    assert_eq!(before["summary"], after["summary"]);
    assert_eq!(errors, "");
}

#[test]
fn an_ignored_entry_is_left_alone_by_the_script() {
    let folder = tempfile::tempdir().unwrap();
    let script = |config: &str, name: &str| {
        let out = folder.path().join(name);
        let more = ["-o", out.to_str().unwrap(), "--format", "json"];
        let output = run("analyze", config, &more, &[sample("pve1")]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let entries = report["nodes"][0]["entries"].as_array().unwrap().clone();
        let script = fs::read_to_string(out.join("cleanup/cleanup-pve1.sh")).unwrap();
        (script, entries)
    };
    let (before, _) = script("", "before");
    let (after, entries) = script(KEEP, "after");
    let acts = |script: &str, name: &str| {
        let mut lines = script
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        lines.any(|line| line.contains(name))
    };
    for name in ["pve-vm--101--disk--0-old", "pve-vm--150--disk--0"] {
        assert!(acts(&before, name) && !acts(&after, name), "{name}");
        let entry = entries.iter().find(|entry| entry["name"] == name).unwrap();
        assert_eq!(entry["action"], "none");
        assert_eq!(entry["action_reason"], "ignored");
    }
    // What stands on it was only in its way.
    assert!(acts(&before, "pve-vm--150--disk--0p1"));
    assert!(acts(&after, "pve-vm--119--disk--0"));
    assert!(after.contains("evidence for ticket 4711"), "{after}");
}

#[test]
fn exit_status_and_monitoring_leave_ignored_findings_out() {
    let all = r#"
        [[ignore]]
        check = "duplicate-entry"
        reason = "known"
        until = 2027-01-31
    "#;
    let status = |config: &str, more: &[&str]| {
        run("analyze", config, more, &[sample("pve1")])
            .status
            .code()
    };
    assert_eq!(status("", &["--fail-on", "critical"]), Some(1));
    assert_eq!(status(all, &["--fail-on", "critical"]), Some(0));
    assert_eq!(status("", &["--format", "nagios"]), Some(2));
    assert_eq!(status(all, &["--format", "nagios"]), Some(1));
    let metrics = run(
        "analyze",
        all,
        &["--format", "prometheus"],
        &[sample("pve1")],
    );
    let metrics = String::from_utf8(metrics.stdout).unwrap();
    assert!(
        metrics.contains("dmaudit_node_ignored{node=\"pve1\",cluster=\"alpha\"} 1"),
        "{metrics}"
    );
}

#[test]
fn a_rule_ends_and_a_rule_without_use_is_named() {
    let config = r#"
[[ignore]]
check = "duplicate-entry"
reason = "known"
until = 2026-11-23

[[ignore]]
check = "suspended-device"
node = "elsewhere"
reason = "known"
until = 2027-01-31
"#;
    let (report, errors) = report(config, &[sample("pve1")]);
    assert_eq!(found(&report["nodes"][0], "ignored"), []);
    assert_eq!(report["nodes"][0]["grade"], "F");
    assert_eq!(
        errors,
        "dmaudit: configuration: the rule of line 2 that ignores duplicate-entry ended on 2026-11-23: its findings count again\n\
         dmaudit: configuration: the rule of line 7 that ignores suspended-device fits no finding\n"
    );
}

#[test]
fn a_clusters_finding_can_be_ignored_too() {
    let both = [sample("pve1"), sample("pve2")];
    let (before, _) = report("", &both);
    let findings = found(&before["clusters"][0], "findings");
    let (check, subject) = findings.first().unwrap();
    let rule = |key: &str, value: &str| {
        format!(
            "[[ignore]]\ncheck = \"{check}\"\nsubject = \"{subject}\"\n{key} = \"{value}\"\nreason = \"known\"\nuntil = 2027-01-31\n"
        )
    };
    let (after, _) = report(&rule("cluster", "al*"), &both);
    assert_eq!(found(&after["clusters"][0], "ignored"), findings[..1]);
    assert_eq!(found(&after["clusters"][0], "findings"), findings[1..]);
    // What is seen only between nodes is no node's finding.
    let (other, _) = report(&rule("node", "*"), &both);
    assert_eq!(found(&other["clusters"][0], "ignored"), []);
}

#[test]
fn nodes_are_labelled_by_name_cluster_and_bundle() {
    let config = r#"
        [[label]]
        node = "pve2"
        site = "Graz"
        [[label]]
        cluster = "alpha"
        customer = "Example GmbH"
        site = "Vienna"
        [[label]]
        bundle = "*solo*"
        customer = "Other AG"
    "#;
    let inputs = [sample("pve1"), sample("pve2"), sample("solo")];
    let (report, _) = report(config, &inputs);
    let labels = |name: &str| {
        let nodes = report["nodes"].as_array().unwrap();
        let node = nodes.iter().find(|node| node["node"] == name).unwrap();
        (
            node["labels"]["customer"].clone(),
            node["labels"]["site"].clone(),
        )
    };
    assert_eq!(labels("pve1"), ("Example GmbH".into(), "Vienna".into()));
    assert_eq!(labels("pve2"), ("Example GmbH".into(), "Graz".into()));
    assert_eq!(labels("solo"), ("Other AG".into(), Value::Null));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let output = run("analyze", config, &["-o", out], &inputs);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let index = fs::read_to_string(folder.path().join("index.html")).unwrap();
    assert!(index.contains("Customers and sites") && index.contains("Graz"));
    let page = fs::read_to_string(folder.path().join("nodes/solo.html")).unwrap();
    assert!(page.contains("Other AG"));
}

#[test]
fn thresholds_decide_what_counts_as_full() {
    let full = |node: &Value| {
        let findings = node["findings"].as_array().unwrap();
        let full = findings.iter().find(|one| one["check"] == "thin-pool-full");
        full.map(|one| one["severity"].as_str().unwrap().to_owned())
    };
    let (usual, _) = report("", &[sample("pve1")]);
    assert_eq!(full(&usual["nodes"][0]).as_deref(), Some("info"));
    let low = "[thresholds]\nthin_pool_high = 0.01\nthin_pool_urgent = 0.02\n";
    let (low, _) = report(low, &[sample("pve1")]);
    assert_eq!(full(&low["nodes"][0]).as_deref(), Some("critical"));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let config = "[thresholds]\nthin_pool_high = 60\nthin_pool_urgent = 75\n";
    run("analyze", config, &["-o", out], &[sample("pve1")]);
    let page = fs::read_to_string(folder.path().join("nodes/pve1.html")).unwrap();
    assert!(page.contains("The marks stand at 60 % and 75 %."));
}

#[test]
fn facts_are_made_with_thresholds_and_joined_with_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("fleet.dmfacts");
    let more = ["-o", facts.to_str().unwrap()];
    let low = "[thresholds]\nthin_pool_high = 0.01\nthin_pool_urgent = 0.02\n";
    assert_eq!(
        run("facts", low, &more, &[sample("pve1")]).status.code(),
        Some(0)
    );
    let config = format!("{low}{KEEP}");
    let (direct, _) = report(&config, &[sample("pve1")]);
    let (joined, _) = report(&config, std::slice::from_ref(&facts));
    assert_eq!(direct, joined);
    let (other, _) = report(KEEP, &[facts]);
    let notes = other["nodes"][0]["notes"].to_string();
    assert!(
        notes.contains("thresholds of the configuration don't apply"),
        "{notes}"
    );
}

#[test]
fn what_is_wrong_in_it_is_named_by_line() {
    for (config, expected) in [
        ("\n[ignore]\n", "line 2"),
        ("[[ignore]]\nchek = \"x\"\n", "line 2: unknown field `chek`"),
        (
            "\n[[ignore]]\ncheck = \"no-such\"\nreason = \"r\"\nuntil = 2027-01-31\n",
            "line 2: no check is called \"no-such\"",
        ),
        (
            "[[ignore]]\ncheck = \"duplicate-entry\"\nuntil = 2027-01-31\n",
            "missing field `reason`",
        ),
        (
            "[[ignore]]\ncheck = \"duplicate-entry\"\nreason = \" \"\nuntil = 2027-01-31\n",
            "the reason is empty",
        ),
        (
            "[[ignore]]\ncheck = \"duplicate-entry\"\nreason = \"r\"\n",
            "missing field `until`",
        ),
        (
            "[[ignore]]\ncheck = \"duplicate-entry\"\nreason = \"r\"\nuntil = 2027-01-31T00:00:00Z\n",
            "expected a day like 2027-01-31",
        ),
        (
            "[[ignore]]\ncheck = \"duplicate-entry\"\nreason = \"r\"\nuntil = 2027-01-31\nnode = \"[\"\n",
            "node = \"[\" is no pattern",
        ),
        ("[[label]]\nnode = \"pve1\"\n", "expected one of them"),
        ("[thresholds]\nthin_pool_high = 95\n", "[thresholds]"),
        ("[thresholds]\nthin_pool_high = nan\n", "[thresholds]"),
        ("[thresholds]\nthin_pool_urgent = 101.0\n", "[thresholds]"),
        ("nonsense", "line 1"),
    ] {
        let error = refused(config);
        assert!(
            error.starts_with("dmaudit: ")
                && error.contains("dmaudit.toml: ")
                && error.contains(expected),
            "{config}: {error}"
        );
    }
}

#[test]
fn it_is_never_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("dmaudit.toml"), KEEP).unwrap();
    fs::copy(sample("pve1"), folder.path().join("pve1.zip")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .current_dir(&folder)
        .args(["analyze", ".", "--format", "json", "--now", NOW])
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["nodes"][0]["grade"], "F");
}

#[test]
fn what_is_ignored_is_neither_resolved_nor_new() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("report.json");
    let output = run("analyze", "", &["--format", "json"], &[sample("pve1")]);
    fs::write(&plain, output.stdout).unwrap();
    let output = run(
        "diff",
        KEEP,
        &["--format", "json"],
        &[plain, sample("pve1")],
    );
    let diff: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = diff["nodes"][0]["findings"].to_string();
    assert!(findings.contains("pve-vm--119--disk--0"), "{diff}");
    assert!(!findings.contains("pve-vm--101--disk--0-old"), "{diff}");
    assert_eq!(diff["totals"]["resolved"], 0, "{diff}");
    let notes = diff["nodes"][0]["notes"].to_string();
    assert!(
        notes.contains("2 findings ignored by the configuration"),
        "{notes}"
    );
}
