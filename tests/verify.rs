//! `dmaudit verify` as its users meet it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const TOP: &str = "dmaudit-pve1-20261123T183645Z";

fn sample(node: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("samples/dmaudit-{node}-20261123T183645Z.zip"))
}

/// The sample of pve1, unpacked; the path is the bundle's folder.
fn unpacked() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(sample("pve1")).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).unwrap();
        let path = folder.path().join(member.name().unwrap().as_ref());
        if member.is_dir() {
            continue;
        }
        let mut content = Vec::new();
        member.read_to_end(&mut content).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let bundle = folder.path().join(TOP);
    (folder, bundle)
}

fn verify(path: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .arg("verify")
        .arg(path)
        .args(args)
        .output()
        .unwrap()
}

/// The exit status and the report on the one bundle at `path`.
fn one(path: &Path) -> (i32, Value) {
    let output = verify(path, &["--format", "json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["bundles"].as_array().unwrap().len(), 1);
    (
        output.status.code().unwrap(),
        document["bundles"][0].clone(),
    )
}

fn change_manifest(bundle: &Path, change: impl FnOnce(&mut Value)) {
    let path = bundle.join("manifest.json");
    let mut manifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut manifest);
    fs::write(path, manifest.to_string()).unwrap();
}

fn says(report: &Value, list: &str, text: &str) -> bool {
    report[list].to_string().contains(text)
}

#[test]
fn a_bundle_as_it_was_collected_is_complete() {
    let (status, report) = one(&sample("pve1"));
    assert_eq!((status, &report["state"]), (0, &"complete".into()));
    assert_eq!(report["collector"], "0.1.0");
    assert_eq!(report["hashes_match"], 54);
    assert_eq!(report["not_concluded"], serde_json::json!([]));
    assert_eq!(one(&unpacked().1).0, 0);
}

#[test]
fn a_changed_lost_or_added_file_is_damage() {
    let conf = "files/etc/pve/nodes/pve1/qemu-server/100.conf";
    for (change, named) in [
        ("change", conf),
        ("remove", conf),
        ("add", "commands/new.out"),
    ] {
        let (_folder, bundle) = unpacked();
        match change {
            "remove" => fs::remove_file(bundle.join(named)).unwrap(),
            _ => fs::write(bundle.join(named), "name: other\n").unwrap(),
        }
        let (status, report) = one(&bundle);
        assert_eq!(
            (status, &report["state"]),
            (3, &"damaged".into()),
            "{change}"
        );
        let named = named.strip_prefix("files").unwrap_or(named);
        assert!(says(&report, "damaged", named), "{change}: {report}");
        assert_eq!(report["damaged"].as_array().unwrap().len(), 1, "{change}");
    }
}

#[test]
fn an_archive_whose_end_is_missing_is_damaged_though_all_members_are_there() {
    let (folder, bundle) = unpacked();
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all(TOP, &bundle).unwrap();
    let bytes = tar.into_inner().unwrap();
    let path = folder.path().join("bundle.tar");
    let end = bytes.len() - 1024;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(one(&path).0, 0);
    fs::write(&path, &bytes[..end]).unwrap();
    let (status, report) = one(&path);
    assert_eq!((status, &report["state"]), (3, &"damaged".into()));
    assert!(says(&report, "damaged", "its end is missing"), "{report}");
}

#[test]
fn what_failed_hung_or_is_missing_makes_it_incomplete() {
    let (_folder, bundle) = unpacked();
    for id in ["qm-list", "multipath"] {
        fs::remove_file(bundle.join(format!("commands/{id}.out"))).unwrap();
    }
    change_manifest(&bundle, |manifest| {
        let commands = manifest["commands"].as_array_mut().unwrap();
        commands.retain(|command| command["id"] != "qm-list");
        for command in commands {
            let (status, hung) = match command["id"].as_str().unwrap() {
                "lvs-json" => (124, true),
                "vgs-json" => (5, false),
                "multipath" => (127, false),
                _ => continue,
            };
            command["status"] = status.into();
            command["timed_out"] = hung.into();
        }
    });
    let _ = fs::remove_file(bundle.join("commands/qm-list.err"));
    let (status, report) = one(&bundle);
    assert_eq!(
        (status, &report["state"]),
        (1, &"incomplete".into()),
        "{report}"
    );
    assert_eq!(report["missing"], serde_json::json!(["qm-list"]));
    assert!(says(&report, "failed", "did not end within"));
    assert!(says(&report, "failed", "exit status 5"));
    // multipath-tools are not on every node.
    assert!(!says(&report, "failed", "multipath"));
    for sentence in [
        "Which virtual machines run is unknown",
        "lvs-json: Whether LVM still knows",
    ] {
        assert!(
            says(&report, "not_concluded", sentence),
            "{sentence}: {report}"
        );
    }
}

#[test]
fn a_cluster_file_system_that_was_down_says_what_is_unknown() {
    let output = verify(&sample("pve7"), &[]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "INCOMPLETE",
        "Not read on the node:",
        "No grade is given",
        "Guest 169:",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn without_a_manifest_nothing_is_vouched_for() {
    let (_folder, bundle) = unpacked();
    fs::remove_file(bundle.join("manifest.json")).unwrap();
    let (status, report) = one(&bundle);
    assert_eq!((status, &report["manifest"]), (1, &false.into()));
}

#[test]
fn what_is_no_bundle_is_rejected_and_the_others_are_still_verified() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.zip"), "no zip").unwrap();
    fs::copy(sample("solo"), folder.path().join("b.zip")).unwrap();
    let output = verify(folder.path(), &["--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["bundles"][0]["state"], "complete");
    assert!(
        document["rejected"][0]["path"]
            .as_str()
            .unwrap()
            .ends_with("a.zip")
    );
}

#[test]
fn facts_alone_are_rejected_whether_they_are_given_or_found() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("a.dmfacts");
    fs::write(&facts, "").unwrap();
    for path in [&facts, folder.path()] {
        let output = verify(path, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(
            said.contains("a.dmfacts: it holds facts, not a bundle"),
            "{said}"
        );
    }
    // Beside a bundle they are none of its business.
    fs::copy(sample("solo"), folder.path().join("b.zip")).unwrap();
    let output = verify(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
