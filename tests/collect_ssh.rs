//! `dmaudit collect` against real sshd on loopback, which stands in for nodes.
//! Needs root, openssh-server and openssh-client.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "fake-node/node.rs"]
#[allow(dead_code)]
mod node;
#[path = "collect/sshd.rs"]
mod sshd;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;
use sshd::{Kind, Lab};

fn host<'a>(report: &'a Value, name: &str) -> &'a Value {
    let hosts = report["hosts"].as_array().unwrap();
    let found = hosts.iter().find(|host| host["host"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

#[test]
#[ignore = "needs root and openssh-server"]
fn many_nodes_at_once() {
    let mut lab = Lab::new();
    lab.node("pve1", "alpha/pve1", Kind::Sound);
    lab.node("pve2", "alpha/pve2", Kind::Sound);
    lab.node("solo", "solo", Kind::Sound);
    let run = lab.collect(&["root@pve1", "pve2", "solo"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let names: Vec<&str> = run
        .stdout
        .lines()
        .map(|path| path.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(
        names,
        ["pve1", "pve2", "solo"].map(|node| format!("dmaudit-{node}-20261123T183645Z.zip"))
    );
    assert_eq!(lab.bundles(), names, "and nothing else is left");
    for path in run.stdout.lines() {
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        node::Bundle::from_zip(&fs::read(path).unwrap());
    }
    assert!(
        run.stderr.contains("3 of 3 hosts collected"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("next: dmaudit analyze "),
        "{}",
        run.stderr
    );

    let analyzed = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--format", "json"])
        .arg(lab.out())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&analyzed.stdout).unwrap();
    assert_eq!(report["nodes"].as_array().unwrap().len(), 3);

    // A second time nothing is replaced.
    assert_eq!(lab.collect(&["solo"]).code, Some(0));
    assert!(
        lab.bundles()
            .contains(&"dmaudit-solo-20261123T183645Z-2.zip".to_owned())
    );
}

#[test]
#[ignore = "needs root and openssh-server"]
fn each_failure_is_told_and_the_others_are_collected() {
    let mut lab = Lab::new();
    lab.node("good", "solo", Kind::Sound);
    lab.node("down", "solo", Kind::Down);
    lab.node("hangs", "solo", Kind::Hangs);
    lab.node("dies", "solo", Kind::DiesHalfWay);
    lab.node("drops", "solo", Kind::DropsBeforeTheBundle);
    lab.node("locked", "solo", Kind::OtherKey);
    lab.node("changed", "solo", Kind::ChangedHostKey);
    lab.node("noisy", "solo", Kind::Noisy);
    lab.node("talks", "solo", Kind::OnlyTalks);
    lab.node("user", "solo", Kind::NotRoot);
    lab.node("plain", "solo", Kind::NotPve);
    lab.node("bare", "solo", Kind::NoDmsetup);
    lab.node("empty", "solo", Kind::NoAwk);
    let names = [
        "good", "down", "hangs", "dies", "drops", "locked", "changed", "noisy", "talks", "user",
        "plain", "bare", "empty",
    ];
    let run = lab.collect(
        &[
            &names[..],
            &["nowhere.invalid", "--timeout", "8", "--format", "json"],
        ]
        .concat(),
    );
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let told: Vec<(&str, &str)> = report["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| {
            (
                host["host"].as_str().unwrap(),
                host["failure"].as_str().unwrap_or("-"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("good", "-"),
            ("down", "unreachable"),
            ("hangs", "timed-out"),
            ("dies", "connection-lost"),
            ("drops", "connection-lost"),
            ("locked", "authentication"),
            ("changed", "host-key"),
            ("noisy", "-"),
            ("talks", "no-bundle"),
            ("user", "not-root"),
            ("plain", "not-pve"),
            ("bare", "missing-commands"),
            ("empty", "missing-commands"),
            ("nowhere.invalid", "unreachable"),
        ],
        "{}",
        run.stderr
    );
    let noisy = host(&report, "noisy");
    assert!(
        noisy["notes"][0]
            .as_str()
            .unwrap()
            .contains("before the bundle"),
        "{noisy}"
    );
    node::Bundle::from_zip(&fs::read(noisy["bundle"].as_str().unwrap()).unwrap());
    assert_eq!(
        lab.bundles().len(),
        2,
        "no half bundle, nothing temporary: {:?}",
        lab.bundles()
    );
    // What the remote side says is shown, and commands no terminal.
    assert!(
        run.stderr.contains("    | dmaudit-collect: <U+001B>[2J"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains('\u{1b}'));
}

#[test]
#[ignore = "needs root and openssh-server"]
fn no_bundle_at_all_is_status_2() {
    let mut lab = Lab::new();
    lab.node("down", "solo", Kind::Down);
    assert_eq!(lab.collect(&["down"]).code, Some(2));
    assert_eq!(lab.bundles(), Vec::<String>::new());
}

#[test]
#[ignore = "needs root and openssh-server"]
fn a_cluster_by_one_of_its_nodes() {
    let mut lab = Lab::new();
    lab.node("pve1", "alpha/pve1", Kind::Sound);
    lab.node("pve2", "alpha/pve2", Kind::Noisy);
    let expected = ["pve1", "pve2"].map(|node| format!("dmaudit-{node}-20261123T183645Z.zip"));
    let run = lab.collect(&["--cluster", "root@pve2", "--sudo"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(lab.bundles(), expected);
    assert!(
        run.stderr.contains("root@pve1: "),
        "the user is kept: {}",
        run.stderr
    );

    // Without .members corosync.conf tells.
    lab.remove("pve1", "root/etc/pve/.members");
    lab.clear();
    let run = lab.collect(&["--cluster", "pve1"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(lab.bundles(), expected);

    lab.node("down", "solo", Kind::Down);
    let run = lab.collect(&["--cluster", "down"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("unreachable"), "{}", run.stderr);
}

#[test]
#[ignore = "needs root and openssh-server"]
fn a_signal_ends_every_session_and_leaves_nothing() {
    let mut lab = Lab::new();
    lab.node("hangs1", "solo", Kind::Hangs);
    lab.node("hangs2", "solo", Kind::Hangs);
    let child = lab.start(&["hangs1", "hangs2"]);
    lab.wait_for("hangs1");
    lab.wait_for("hangs2");
    let sessions = sshd::children(child.id());
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let sent = Command::new("sh")
        .args(["-c", "kill \"$@\"", "sh"])
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(lab.bundles(), Vec::<String>::new());
    for session in sessions {
        assert!(!sshd::is_running(session), "{session}");
    }
}
