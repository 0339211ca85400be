//! `analyze` as a plugin of monitoring systems: metrics and the plugin's line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod report_views;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use dmaudit::report::nagios::{Nagios, State};
use dmaudit::report::prometheus::Prometheus;
use dmaudit::report::view::Report;
use dmaudit::report::words::printable;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn analyze(format: &str, paths: &[PathBuf]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args([
            "analyze",
            "--now",
            "2026-11-23T19:00:00Z",
            "--format",
            format,
        ])
        .args(paths)
        .output()
        .unwrap()
}

/// Metrics by name and labels; fails on what Prometheus would not take.
fn parsed(text: &str) -> BTreeMap<(String, Vec<(String, String)>), f64> {
    let (mut samples, mut families, mut family) = (BTreeMap::new(), BTreeSet::new(), "");
    assert!(text.ends_with('\n'));
    let mut lines = text.split_terminator('\n').peekable();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split_once(' ').unwrap().0;
            assert!(families.insert(family), "{family} comes in one piece");
            assert_eq!(
                lines.next(),
                Some(format!("# TYPE {family} gauge").as_str())
            );
            continue;
        }
        let rest = line
            .strip_prefix(family)
            .unwrap_or_else(|| panic!("{line:?} after {family}"));
        let (labels, value) = match rest.strip_prefix('{') {
            None => (Vec::new(), rest),
            Some(rest) => labels(rest),
        };
        let value: f64 = value.strip_prefix(' ').unwrap().parse().unwrap();
        let key = (family.to_owned(), labels);
        assert!(
            samples.insert(key.clone(), value).is_none(),
            "twice: {key:?}"
        );
    }
    samples
}

/// `a="x",b="y"} …` taken apart, with the escapes undone.
fn labels(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut labels: Vec<(String, String)> = Vec::new();
    loop {
        let (name, value) = rest.split_once("=\"").unwrap();
        assert!(
            !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{name:?}"
        );
        assert!(
            labels.iter().all(|(other, _)| other != name),
            "{name} twice"
        );
        let (mut text, mut chars) = (String::new(), value.char_indices());
        let end = loop {
            match chars.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => text.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    c => panic!("no such escape: {c:?}"),
                }),
                (_, c) => text.push(c),
            }
        };
        labels.push((name.to_owned(), text));
        rest = &value[end + 1..];
        match rest.split_at(1) {
            (",", more) => rest = more,
            ("}", more) => return (labels, more),
            other => panic!("{other:?}"),
        }
    }
}

fn metrics(report: &Report) -> String {
    let mut metrics = Prometheus::new(&report.version, &report.analyzed_at);
    report.nodes.iter().for_each(|node| metrics.add_node(node));
    report
        .clusters
        .iter()
        .for_each(|cluster| metrics.add_cluster(cluster));
    report
        .rejected
        .iter()
        .for_each(|input| metrics.add_rejected(input));
    let mut out = Vec::new();
    metrics.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn line(report: &Report) -> (State, String) {
    let mut line = Nagios::new(&report.analyzed_at);
    report.nodes.iter().for_each(|node| line.add_node(node));
    report
        .clusters
        .iter()
        .for_each(|cluster| line.add_cluster(cluster));
    report
        .rejected
        .iter()
        .for_each(|input| line.add_rejected(input));
    let mut out = Vec::new();
    line.write(&mut out).unwrap();
    (line.state(), String::from_utf8(out).unwrap())
}

#[test]
fn metrics_of_the_samples() {
    let output = analyze("prometheus", &[samples()]);
    assert!(output.status.success());
    let metrics = parsed(std::str::from_utf8(&output.stdout).unwrap());
    let value = |name: &str, labels: &[(&str, &str)]| {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        metrics.get(&(name.to_owned(), labels.collect())).copied()
    };
    let pve1 = [("node", "pve1"), ("cluster", "alpha")];
    assert_eq!(value("dmaudit_node_grade", &pve1), Some(5.0));
    assert_eq!(value("dmaudit_node_score", &pve1), Some(60.0));
    let verdict = |verdict| {
        value(
            "dmaudit_node_entries",
            &[pve1[0], pve1[1], ("verdict", verdict)],
        )
    };
    assert_eq!(
        ["valid", "duplicate", "orphan", "unknown"].map(verdict),
        [11.0, 1.0, 4.0, 0.0].map(Some)
    );
    let finding = [
        pve1[0],
        pve1[1],
        ("check", "duplicate-entry"),
        ("severity", "critical"),
    ];
    assert_eq!(value("dmaudit_node_findings", &finding), Some(1.0));
    let solo = [("node", "solo"), ("cluster", "")];
    assert_eq!(value("dmaudit_node_grade", &solo), Some(0.0));
    // 2026-11-23T18:36:45Z
    assert_eq!(
        value("dmaudit_node_collected_timestamp_seconds", &solo),
        Some(1_795_459_005.0)
    );
    let pve7 = [("node", "pve7"), ("cluster", "")];
    assert_eq!(value("dmaudit_node_graded", &pve7), Some(0.0));
    assert_eq!(
        value("dmaudit_node_grade", &pve7),
        None,
        "no grade is not the best one"
    );
    assert_eq!(value("dmaudit_rejected_inputs", &[]), Some(0.0));
}

#[test]
fn no_name_breaks_the_metrics() {
    let report = report_views::report(report_views::HOSTILE_EVERYWHERE);
    let metrics = parsed(&metrics(&report));
    let names: BTreeSet<&str> = metrics
        .keys()
        .filter(|(name, _)| name == "dmaudit_node_info")
        .flat_map(|(_, labels)| labels.iter().filter(|(name, _)| name == "name"))
        .map(|(_, value)| value.as_str())
        .collect();
    // Markup is as it is; what a terminal would obey is shown by number.
    let lines: Vec<String> = report.nodes[0].node.split('\n').map(printable).collect();
    assert!(names.contains(lines.join("\n").as_str()), "{names:?}");
    let odd = |c: char| c.is_control() && c != '\n';
    assert!(names.iter().all(|name| !name.contains(odd)));
    assert_eq!(
        metrics[&("dmaudit_rejected_inputs".to_owned(), vec![])],
        1.0
    );
}

#[test]
fn the_plugin_says_what_is_wrong_and_ends_as_plugins_do() {
    let of = |name: &str| samples().join(format!("dmaudit-{name}-20261123T183645Z.zip"));
    let output = analyze("nagios", &[of("solo")]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "DMAUDIT OK - 1 node, worst grade A+, 0 critical, 0 warnings, 0 orphans | critical=0;;0;0 warning=0;0;;0 orphans=0;;;0 duplicates=0;;;0 unknown=0;;;0 entries=4;;;0 in_use=4;;;0 nodes=1;;;0 rejected=0;;;0 score=100;;;0;100 age=1395s;;;0\n"
    );
    let output = analyze("nagios", &[samples()]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("DMAUDIT CRITICAL - 4 nodes, worst grade F, 5 critical"),
        "{text}"
    );
    assert!(
        text.contains("pve1 F (1 critical: duplicate-entry)"),
        "{text}"
    );

    let folder = tempfile::tempdir().unwrap();
    for paths in [
        vec![PathBuf::from("/nowhere")],
        vec![of("solo"), folder.path().to_owned()],
    ] {
        let output = analyze("nagios", &paths);
        assert_eq!(output.status.code(), Some(3), "{paths:?}");
        assert!(
            output.stdout.starts_with(b"DMAUDIT UNKNOWN - "),
            "{paths:?}"
        );
    }
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--format", "nagios", "--fail-on", "info"])
        .arg(of("solo"))
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(3),
        "a failed run is not CRITICAL"
    );
}

#[test]
fn no_name_breaks_the_plugins_line() {
    let (state, text) = line(&report_views::report(report_views::HOSTILE));
    assert_eq!(state, State::Critical);
    assert_eq!(text.matches('\n').count(), 1);
    assert_eq!(text.matches('|').count(), 1);
    assert!(!text.trim_end().chars().any(char::is_control), "{text:?}");
    let data = text.trim_end().split_once(" | ").unwrap().1;
    for item in data.split(' ') {
        let (name, values) = item.split_once('=').unwrap();
        assert!(
            name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
            "{item}"
        );
        let value = values.split(';').next().unwrap().trim_end_matches('s');
        assert!(value.parse::<u64>().is_ok(), "{item}");
    }
}

/// The shell's `sh dmaudit-collect.sh -o - | dmaudit analyze -`.
#[test]
fn a_pipe_from_a_collector_that_fails_is_no_clean_bill() {
    let collector = Path::new(env!("CARGO_MANIFEST_DIR")).join("collector/dmaudit-collect.sh");
    let mut collect = Command::new("sh")
        .arg(collector)
        .args(["-o", "-", "--sysroot", "/nowhere"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--format", "nagios", "-"])
        .stdin(collect.stdout.take().unwrap())
        .output()
        .unwrap();
    assert_eq!(collect.wait().unwrap().code(), Some(2));
    assert_eq!(output.status.code(), Some(3));
    assert!(
        output.stdout.starts_with(b"DMAUDIT UNKNOWN - 0 nodes"),
        "{output:?}"
    );
}
