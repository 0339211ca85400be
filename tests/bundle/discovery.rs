//! Which inputs are found below the given paths.

use std::fs;
use std::path::{Path, PathBuf};

use dmaudit::bundle::{Discovery, Limits, Source, discover, open};

use super::archives::*;

fn found_below(place: &Path, paths: &[&str]) -> (Discovery, Vec<String>) {
    let paths: Vec<PathBuf> = paths.iter().map(|path| place.join(path)).collect();
    let found = discover(&paths);
    let names = found
        .sources
        .iter()
        .map(|source| source.name().replace(&format!("{}/", place.display()), ""))
        .collect();
    (found, names)
}

#[test]
fn a_folder_is_searched_for_archives_and_unpacked_bundles() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    let archive = zip(&complete());
    write_folder(
        root,
        &vec![
            ("fleet/b.zip".into(), archive.clone()),
            ("fleet/deep/er/A.TAR.GZ".into(), archive.clone()),
            ("fleet/c.tar.zst".into(), archive.clone()),
            ("fleet/notes.txt".into(), b"no bundle".to_vec()),
            ("fleet/src/commands/mod.rs".into(), b"no bundle".to_vec()),
        ],
    );
    let unpacked = root.join("fleet/unpacked");
    write_folder(&unpacked, &complete());
    // Inside of a bundle nothing is looked for.
    fs::write(unpacked.join("files/etc/inner.zip"), &archive).unwrap();
    std::os::unix::fs::symlink(root.join("fleet/b.zip"), root.join("fleet/link.zip")).unwrap();
    std::os::unix::fs::symlink(root, root.join("fleet/loop")).unwrap();

    let expected = [
        "fleet/b.zip",
        "fleet/c.tar.zst",
        "fleet/deep/er/A.TAR.GZ",
        "fleet/unpacked",
    ];
    let (found, names) = found_below(root, &["fleet"]);
    assert_eq!(names, expected);
    assert_eq!(found.rejected, []);

    // Each input once, in the same order, however it is named.
    let (found, names) = found_below(
        root,
        &[
            "fleet/unpacked",
            "fleet",
            "fleet/../fleet/b.zip",
            "fleet/b.zip",
        ],
    );
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(found.rejected, []);
}

#[test]
fn what_can_not_be_an_input_is_rejected_with_what_was_expected() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("empty")).unwrap();
    let (found, names) = found_below(place.path(), &["empty", "missing.zip"]);
    assert_eq!(names, [] as [&str; 0]);
    let [empty, missing] = &found.rejected[..] else {
        panic!("{found:?}")
    };
    assert!(empty.path.ends_with("/empty"));
    assert!(
        empty.error.contains("no bundle in this folder"),
        "{}",
        empty.error
    );
    assert!(empty.error.contains(".tar.zst"), "{}", empty.error);
    assert!(missing.path.ends_with("/missing.zip"));
    assert!(missing.error.contains("No such file"), "{}", missing.error);
}

#[test]
fn standard_input_is_an_input_once() {
    let found = discover(&[PathBuf::from("-"), PathBuf::from("-")]);
    let names: Vec<String> = found.sources.iter().map(Source::name).collect();
    assert_eq!(names, ["standard input"]);
}

#[test]
fn a_file_of_another_kind_is_rejected_when_it_is_opened() {
    let place = tempfile::tempdir().unwrap();
    let cases: [(&str, &[u8], &str); 4] = [
        ("page.zip", b"<!DOCTYPE html>", "web page"),
        ("empty.zip", b"", "it is empty"),
        ("report.json", b"{}", "JSON"),
        ("data.bin", b"\0\x01\x02", "something else"),
    ];
    for (name, bytes, expected) in cases {
        let path = place.path().join(name);
        fs::write(&path, bytes).unwrap();
        let found = discover(&[path]);
        let error = open(&found.sources[0], &Limits::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{name}: {error}");
        assert!(error.contains(".tar.gz"), "{name}: {error}");
    }
}

#[test]
fn archives_without_a_bundle_are_rejected_with_what_was_expected() {
    let other: Members = vec![("photos/cat.jpg".into(), vec![1, 2, 3])];
    for archive in [
        zip(&other),
        tar(&other),
        gzip(&tar(&other)),
        zstd(&tar(&other)),
    ] {
        assert!(refused(&archive).contains("expected commands/<id>.out"));
    }
    let nested: Members = vec![("all/pve1.zip".into(), zip(&complete()))];
    for archive in [zip(&nested), tar(&nested)] {
        assert!(refused(&archive).contains("1 archives: unpack it"));
    }
    assert!(refused(&gzip(b"{\"not\":\"a tar\"}")).contains("no tar archive"));
    assert!(refused(&gzip(&vec![b'x'; 2000])).contains("no tar archive"));
}
