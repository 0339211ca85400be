//! What is read of a bundle in brief tells its node as the whole does.

use std::fs;
use std::path::Path;

use dmaudit::bundle::{self, Limits, Repeats, Source};
use dmaudit::model::read::signature;

use super::archives::*;

/// Compares the nodes of an input, read in brief and whole.
fn assert_same(path: &Path, what: &str) {
    let source = Source::at(path);
    let limits = Limits::default();
    let repeats = Repeats::default();
    let brief = bundle::open_brief(&source, &limits, &repeats).unwrap();
    let whole = bundle::open_with(&source, &limits, &repeats).unwrap();
    let tops = |bundles: &[bundle::Bundle]| -> Vec<String> {
        bundles.iter().map(|one| one.source().to_owned()).collect()
    };
    assert_eq!(tops(&brief), tops(&whole), "{what}");
    for (brief, whole) in brief.iter().zip(&whole) {
        assert_eq!(signature(brief), signature(whole), "{what}");
    }
}

#[test]
fn samples_have_the_same_signature() {
    for entry in fs::read_dir("samples").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|suffix| suffix == "zip") {
            assert_same(&path, &path.to_string_lossy());
        }
    }
}

#[test]
fn what_little_a_bundle_has_tells_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [&[(&str, &str)]; 7] = [
        &[("commands/lvs.out", "")],
        &[("commands/lvs.rc", "5")],
        &[("files/etc/pve/nodes/n1/qemu-server/100.conf", "name: x\n")],
        &[
            ("files/etc/pve/nodes/n1/qemu-server/100.conf", "name: x\n"),
            ("files/etc/pve/nodes/n2/lxc/101.conf", "hostname: y\n"),
        ],
        &[("files/etc/pve/user.cfg", "user:root@pam:1:0:::::\n")],
        &[
            ("files/etc/pve/lxc", "nodes/n1/lxc"),
            ("commands/lvs.out", ""),
        ],
        &[
            (
                "files/etc/pve/storage.cfg",
                "lvm: a\n\tvgname v\n\tshared 1\n",
            ),
            (
                "./files/etc/pve/storage.cfg",
                "lvm: b\n\tvgname w\n\tshared 1\n",
            ),
            ("files/etc/hostname", "n1\n"),
        ],
    ];
    for (number, members) in cases.into_iter().enumerate() {
        let members: Vec<(String, Vec<u8>)> = members
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect();
        for (archive, suffix) in [(zip(&members), "zip"), (gzip(&tar(&members)), "tar.gz")] {
            let path = folder.path().join(format!("{number}.{suffix}"));
            fs::write(&path, archive).unwrap();
            assert_same(&path, &format!("{members:?} {suffix}"));
        }
        let unpacked = folder.path().join(format!("{number}"));
        write_folder(&unpacked, &members);
        assert_same(&unpacked, &format!("{members:?} in a folder"));
    }
}

#[test]
fn damage_to_what_tells_the_node_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    for what in ["sha256", "bytes"] {
        let mut changed = manifest();
        for record in changed["files"].as_array_mut().unwrap() {
            record[what] = match what {
                "bytes" => 5.into(),
                _ => "ab".repeat(32).into(),
            };
        }
        changed["node"] = serde_json::Value::Null;
        let path = folder.path().join(format!("{what}.zip"));
        fs::write(&path, zip(&with_manifest(&changed))).unwrap();
        assert_same(&path, what);
    }
}
