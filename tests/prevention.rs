//! What a report says against faults that would come back: the lines are those
//! of this node, and come only where a finding calls for them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn sample(node: &str) -> PathBuf {
    let name = format!("dmaudit-{node}-20261123T183645Z.zip");
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("samples")
        .join(name)
}

fn prevention(input: &Path) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--format", "json", "--now"])
        .arg("2026-11-24T12:00:00Z")
        .arg(input)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["nodes"][0]["prevention"].as_array().unwrap().clone()
}

fn lines(advice: &[Value], title: &str, key: &str) -> Vec<String> {
    let one = advice.iter().find(|one| one["title"] == title);
    let one = one.unwrap_or_else(|| panic!("no advice on {title}"));
    let lines = one[key].as_array().unwrap().iter();
    lines
        .map(|line| line.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_healthy_node_needs_none() {
    assert_eq!(prevention(&sample("solo")), Vec::<Value>::new());
}

#[test]
fn the_lines_are_this_nodes() {
    let advice = prevention(&sample("pve1"));
    assert_eq!(
        lines(&advice, "LVM's filter", "settings"),
        [
            r#"global_filter = [ "r|/dev/zd.*|", "r|/dev/rbd.*|", "r|/dev/mapper/.*-(vm|base)--[0-9]+--.*|" ]"#
        ]
    );
    assert_eq!(
        lines(&advice, "Activation at boot", "commands"),
        ["vgchange --setautoactivation n ssd-ha01"]
    );
    assert_eq!(
        lines(&advice, "Detaching disks", "commands"),
        ["qm rescan --vmid 104"]
    );
    assert_eq!(
        lines(&advice, "Deleting guests", "commands"),
        [
            "dmsetup info -c -o name,open pve-vm--119--cloudinit",
            "dmsetup info -c -o name,open pve-vm--119--disk--0",
            "dmsetup info -c -o name,open pve-vm--150--disk--0"
        ]
    );
}

#[test]
fn facts_from_elsewhere_bring_no_command_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("pve1.dmfacts");
    let output = Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["facts", "--now", "2026-11-24T12:00:00Z"])
        .arg(sample("pve1"))
        .output()
        .unwrap();
    let good = String::from_utf8(output.stdout).unwrap();
    fs::write(&facts, &good).unwrap();
    assert_eq!(prevention(&facts), prevention(&sample("pve1")));
    for command in [
        "rm -rf /",
        "qm rescan --vmid 104; reboot",
        "qm rescan --vmid $(reboot)",
        "dmsetup ls\\nreboot",
        "dmsetup ls | sh",
        "qm rescan",
    ] {
        let forged = good.replace("qm rescan --vmid 104\"", &format!("{command}\""));
        assert_ne!(forged, good);
        fs::write(&facts, forged).unwrap();
        let none: [String; 0] = [];
        let advice = prevention(&facts);
        assert_eq!(
            lines(&advice, "Detaching disks", "commands"),
            none,
            "{command}"
        );
    }
}
