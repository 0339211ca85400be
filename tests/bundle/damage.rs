//! Parts that can't be trusted: they are named, and not used; the rest is.

use dmaudit::bundle::{Bundle, Output};
use serde_json::json;

use super::archives::*;

const CONF: &str = FILES[0].0;

/// The rest of the bundle is as it should be.
fn assert_rest_is_there(bundle: &Bundle) {
    assert_eq!(bundle.command("dmsetup-info").unwrap().text, COMMANDS[0].1);
    assert_eq!(bundle.file(FILES[2].0).unwrap(), FILES[2].1);
}

fn assert_file_is_lost(bundle: &Bundle, why: &str) {
    assert_eq!(bundle.file(CONF), None);
    assert!(bundle.files_below("/etc/pve").all(|(path, _)| path != CONF));
    let error = why_unread(bundle, CONF).expect("it is unread");
    assert!(error.contains(why), "{error}");
    assert!(
        bundle.notes().iter().any(|note| note.contains("100.conf")),
        "{:?}",
        bundle.notes()
    );
    assert_rest_is_there(bundle);
}

fn assert_output_is_lost(bundle: &Bundle, why: &str) {
    let output = bundle.command("lvs-json").unwrap();
    assert!(output.damaged);
    assert_eq!(
        (output.status, output.text.as_ref()),
        (Some(Output::DAMAGED), "")
    );
    assert!(output.error.contains(why), "{}", output.error);
    assert!(why_unread(bundle, "commands/lvs-json.out").is_some());
    assert_rest_is_there(bundle);
}

#[test]
fn bytes_that_the_manifest_does_not_describe_are_not_used() {
    let cases = [
        ("bytes", json!(5), "where the manifest says 5"),
        ("sha256", json!("ab".repeat(32)), "SHA-256"),
    ];
    for (key, value, why) in cases {
        let mut changed = manifest();
        changed["files"][0][key] = value.clone();
        changed["commands"][1][key] = value;
        let members = with_manifest(&changed);
        for archive in [zip(&members), gzip(&tar(&members))] {
            let bundle = one(&archive);
            assert_file_is_lost(&bundle, why);
            assert_output_is_lost(&bundle, why);
        }
    }
}

#[test]
fn what_the_manifest_lists_and_the_bundle_has_not_is_unread() {
    let mut members = complete();
    members.retain(|(name, _)| !name.ends_with("100.conf") && name != "commands/lvs-json.out");
    let bundle = one(&zip(&members));
    assert_file_is_lost(&bundle, "does not hold it");
    assert_output_is_lost(&bundle, "not in the bundle");
}

#[test]
fn what_the_collector_could_not_read_is_unread() {
    let mut changed = manifest();
    changed["unread"] = json!([{"path": CONF, "error": "Input/output error"}, {"path": "/etc/x"}]);
    let bundle = one(&zip(&with_manifest(&changed)));
    assert_eq!(bundle.file(CONF), None);
    assert!(
        why_unread(&bundle, CONF)
            .unwrap()
            .contains("Input/output error")
    );
    assert!(why_unread(&bundle, "/etc/x").is_some());
}

#[test]
fn a_name_that_is_there_twice_is_not_trusted() {
    let mut members = plain();
    members.push((
        format!("files{}x", &CONF[..CONF.len() - 1]),
        b"other".to_vec(),
    ));
    members.push(("commands/lvs-jsox.out".into(), b"other".to_vec()));
    let twice = |archive: Vec<u8>, times| {
        let archive = patched(&archive, b"100.conx", b"100.conf", times);
        patched(&archive, b"lvs-jsox", b"lvs-json", times)
    };
    let bundle = one(&twice(zip(&members), 2));
    assert_file_is_lost(&bundle, "more than once");
    assert_output_is_lost(&bundle, "more than once");

    // A name may also be written in two ways.
    let mut members = plain();
    members.push((format!("./files/{CONF}"), b"other".to_vec()));
    members.push(("commands/./lvs-json.out".into(), b"other".to_vec()));
    let bundle = one(&zip(&members));
    assert_file_is_lost(&bundle, "more than once");
    assert_output_is_lost(&bundle, "more than once");

    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in complete() {
        add_to_tar(&mut builder, &name, &bytes);
    }
    add_to_tar(&mut builder, &format!("files{CONF}"), b"other");
    add_to_tar(&mut builder, &format!("files{CONF}"), b"third");
    add_to_tar(&mut builder, "commands/lvs-json.out", b"other");
    add_to_tar(&mut builder, "manifest.json", b"{}");
    let bundle = one(&builder.into_inner().unwrap());
    assert_file_is_lost(&bundle, "more than once");
    assert_output_is_lost(&bundle, "more than once");
    assert!(bundle.manifest().is_none());
    assert!(bundle.notes()[0].contains("more than once"));
}

#[test]
fn a_damaged_member_of_a_zip_is_unread() {
    let name = format!("files{CONF}");
    let stored = zip_with(&plain(), zip::CompressionMethod::Stored);
    let bundle = one(&patched(&stored, b"vm-100-disk-0", b"vm-100-disk-9", 1));
    assert_file_is_lost(&bundle, "CRC-32");

    let deflated = zip(&plain());
    let at = central_header(&deflated, &name);
    let changed = |place: usize, bytes: &[u8]| {
        let mut archive = deflated.clone();
        archive[at + place..at + place + bytes.len()].copy_from_slice(bytes);
        one(&archive)
    };
    assert_file_is_lost(&changed(8, &[1, 0]), "encrypted");
    assert_file_is_lost(&changed(10, &[93, 0]), "method 93");
    assert_file_is_lost(&changed(16, &[0; 4]), "CRC-32");
    assert_file_is_lost(&changed(24, &1u32.to_le_bytes()), "size");
    assert_file_is_lost(&changed(24, &1_000u32.to_le_bytes()), "size");
    assert_file_is_lost(&changed(24, &60_000_000u32.to_le_bytes()), "size");
    assert_file_is_lost(
        &changed(24, &0xf000_0000u32.to_le_bytes()),
        "allowed for one file; raise the limit with --max-file",
    );
    assert_file_is_lost(&changed(20, &3u32.to_le_bytes()), "size");

    // The list and the member itself differ.
    let mut archive = deflated.clone();
    let local = u32::from_le_bytes(archive[at + 42..at + 46].try_into().unwrap()) as usize;
    archive[local + 30] = b'F';
    assert_file_is_lost(&one(&archive), "differ in its name");
    archive[local] = b'p';
    assert_file_is_lost(&one(&archive), "no member where");
}

#[test]
fn special_members_of_a_tar_are_unread() {
    let kinds = [
        (tar::EntryType::Link, "hard link"),
        (tar::EntryType::Char, "device"),
        (tar::EntryType::Block, "device"),
        (tar::EntryType::Fifo, "device"),
    ];
    for (kind, why) in kinds {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in plain()
            .iter()
            .filter(|(name, _)| !name.ends_with("100.conf"))
        {
            add_to_tar(&mut builder, name, bytes);
        }
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_path(format!("files{CONF}")).unwrap();
        header.set_link_name("files/etc/pve/storage.cfg").unwrap();
        header.set_cksum();
        builder.append(&header, std::io::empty()).unwrap();
        assert_file_is_lost(&one(&builder.into_inner().unwrap()), why);
    }
}

#[test]
fn special_files_of_a_folder_are_unread_and_not_waited_for() {
    let place = tempfile::tempdir().unwrap();
    let mut members = plain();
    members.retain(|(name, _)| !name.ends_with("100.conf"));
    write_folder(place.path(), &members);
    let conf = place.path().join(format!("files{CONF}"));
    std::fs::create_dir_all(conf.parent().unwrap()).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(&conf)
        .status()
        .unwrap();
    assert!(made.success());
    let source = dmaudit::bundle::Source::at(place.path());
    let bundles = dmaudit::bundle::open(&source, &Default::default()).unwrap();
    assert_file_is_lost(&bundles[0], "pipe");
}

#[test]
fn a_bundle_of_which_nothing_is_left_is_refused() {
    let members: Members = vec![("commands/lvs.out".into(), b"x".to_vec())];
    let mut archive = zip(&members);
    let at = central_header(&archive, "commands/lvs.out");
    archive[at + 8] |= 1;
    let error = refused(&archive);
    assert!(
        error.contains("nothing in the bundle can be used"),
        "{error}"
    );
    assert!(error.contains("encrypted"), "{error}");
}
