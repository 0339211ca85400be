//! What is packaged for monitoring, by the tools that will read it: promtool,
//! systemd-analyze; and the self-check on a made-up node.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "fake-node/node.rs"]
#[allow(dead_code)]
mod node;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use node::{Node, project};

fn metrics() -> Vec<u8> {
    Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--format", "prometheus"])
        .arg(project("samples"))
        .output()
        .unwrap()
        .stdout
}

#[test]
#[ignore = "needs promtool, of Debian's package prometheus"]
fn promtool_accepts_metrics_and_rules() {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(&metrics())
        .unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );

    let rules = project("packaging/prometheus/dmaudit.rules.yml");
    let output = Command::new("promtool")
        .args(["check", "rules"])
        .arg(&rules)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    // Every metric that a rule names is one that is written.
    let metrics = String::from_utf8(metrics()).unwrap();
    let rules = fs::read_to_string(rules).unwrap();
    let named = rules
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("dmaudit_"));
    assert!(named.clone().count() >= 5);
    for name in named {
        assert!(metrics.contains(&format!("\n{name}{{")), "{name}");
    }
}

#[test]
#[ignore = "needs systemd-analyze, of Debian's package systemd"]
fn systemd_accepts_the_units() {
    let folder = tempfile::tempdir().unwrap();
    for unit in ["dmaudit.service", "dmaudit.timer"] {
        let text = fs::read_to_string(project("packaging/systemd").join(unit)).unwrap();
        let script = project("packaging/dmaudit-selfcheck").display().to_string();
        let text = text.replace("/usr/bin/dmaudit-selfcheck", &script);
        fs::write(folder.path().join(unit), text).unwrap();
    }
    for unit in ["dmaudit.service", "dmaudit.timer"] {
        let output = Command::new("systemd-analyze")
            .arg("verify")
            .args(["--man=no"])
            .arg(folder.path().join(unit))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(!said.contains("dmaudit."), "{said}");
    }
}

fn selfcheck(node: &Node, keep: &str) -> Output {
    Command::new("sh")
        .arg(project("packaging/dmaudit-selfcheck"))
        .env_clear()
        .env(
            "PATH",
            format!(
                "{}:/usr/sbin:/usr/bin:/sbin:/bin",
                node.path("bin").display()
            ),
        )
        .env("DMAUDIT_DIR", node.path("state"))
        .env("DMAUDIT_KEEP", keep)
        .env("DMAUDIT_METRICS", node.path("textfile/dmaudit.prom"))
        .env("DMAUDIT_PROGRAM", env!("CARGO_BIN_EXE_dmaudit"))
        .env("DMAUDIT_SYSROOT", node.path("root"))
        .env("TMPDIR", node.path("tmp"))
        .output()
        .unwrap()
}

/// `date` of a made-up node stands still: names are given one by one.
fn clock(node: &Node, time: &str) {
    node.script(
        "bin/date",
        &format!("case $2 in *-*) echo 2026-11-23T18:36:45Z ;; *) echo {time} ;; esac"),
    );
}

#[test]
#[ignore = "needs flock of util-linux"]
fn a_node_checks_itself_and_keeps_the_last_bundles() {
    let node = Node::from("alpha/pve1");
    fs::create_dir(node.path("textfile")).unwrap();
    node.write("state/bundles/.new.killed", "");
    node.write("state/bundles/notes.txt", "not ours");
    for time in ["20261121T044000Z", "20261122T044000Z", "20261123T044000Z"] {
        clock(&node, time);
        let output = selfcheck(&node, "2");
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(
        node.list("state/bundles"),
        ["20261122T044000Z.zip", "20261123T044000Z.zip", "notes.txt"]
    );
    assert_eq!(node.list("textfile"), ["dmaudit.prom"]);
    let path = node.path("textfile/dmaudit.prom");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o644
    );
    let metrics = fs::read_to_string(&path).unwrap();
    assert!(
        metrics.contains("dmaudit_node_info{node=\"pve1\","),
        "{metrics}"
    );
    assert!(node.path("state/report/cleanup/cleanup-pve1.sh").exists());

    // A collector that fails leaves what is there.
    node.script("bin/date", "echo soon");
    let output = selfcheck(&node, "2");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&path).unwrap(), metrics);
    assert_eq!(node.list("state/bundles").len(), 3);
    assert_eq!(node.list("tmp"), Vec::<String>::new());

    // One run at a time.
    let mut holder = Command::new("flock")
        .arg(node.path("state/lock"))
        .args(["sh", "-c", "echo held; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut held = [0; 5];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut held).unwrap();
    assert_eq!(selfcheck(&node, "2").status.code(), Some(3));
    drop(holder.stdin.take());
    holder.wait().unwrap();
}

#[test]
#[ignore = "needs flock of util-linux"]
fn runs_that_fail_fill_no_disk_and_a_wrong_clock_removes_no_new_snapshot() {
    let node = Node::from("alpha/pve1");
    node.write("state/bundles/20991231T000000Z.zip", "of a wrong clock");
    node.write("state/bundles/20201231T000000Z.zip.kept", "a person's");
    // The report can't be written, in each run.
    node.write("state/report", "in the way");
    for time in ["20261121T044000Z", "20261122T044000Z", "20261123T044000Z"] {
        clock(&node, time);
        assert_eq!(selfcheck(&node, "2").status.code(), Some(1));
    }
    assert_eq!(
        node.list("state/bundles"),
        [
            "20201231T000000Z.zip.kept",
            "20261123T044000Z.zip",
            "20991231T000000Z.zip"
        ]
    );
}

/// The folder of the metrics may be another user's: nothing is written through
/// a link that is put there.
#[test]
#[ignore = "needs flock of util-linux"]
fn metrics_follow_no_link() {
    let node = Node::from("alpha/pve1");
    node.write("secret", "root's");
    fs::create_dir(node.path("textfile")).unwrap();
    for name in ["dmaudit.prom", ".dmaudit.new"] {
        let link = node.path("textfile").join(name);
        std::os::unix::fs::symlink(node.path("secret"), link).unwrap();
    }
    clock(&node, "20261121T044000Z");
    assert_eq!(selfcheck(&node, "2").status.code(), Some(0));
    assert_eq!(fs::read(node.path("secret")).unwrap(), b"root's");
    assert_eq!(node.list("textfile"), ["dmaudit.prom"]);
    let metrics = node.path("textfile/dmaudit.prom");
    assert!(!metrics.is_symlink());
    assert!(fs::metadata(metrics).unwrap().len() > 1000);
}
