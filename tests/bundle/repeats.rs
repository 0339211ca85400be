//! A bundle says the same whatever bundles were read before it.

use std::path::Path;

use dmaudit::bundle::{Limits, Repeats, Source, open, open_with};

use super::archives::*;

/// What is read of an archive, or why nothing is.
fn said(path: &Path, repeats: Option<&Repeats>) -> String {
    let source = Source::at(path);
    let limits = Limits::default();
    let read = match repeats {
        Some(repeats) => open_with(&source, &limits, repeats),
        None => open(&source, &limits),
    };
    format!("{:?}", read.map_err(|error| error.to_string()))
}

#[test]
fn a_damaged_bundle_is_none_the_better_for_a_sound_one_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.zip");
    let sound = zip(&below(TOP, complete()));
    std::fs::write(&path, &sound).unwrap();
    let alone = said(&path, None);
    let repeats = Repeats::default();
    assert_eq!(said(&path, Some(&repeats)), alone);
    assert_eq!(said(&path, Some(&repeats)), alone);

    let mut differing = 0;
    for at in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[at] ^= 0x11;
        std::fs::write(&path, &damaged).unwrap();
        let expected = said(&path, None);
        differing += usize::from(expected != alone);
        assert_eq!(said(&path, Some(&repeats)), expected, "byte {at}");
    }
    assert!(differing > sound.len() / 4, "damage is seen: {differing}");
}

#[test]
fn the_same_bytes_are_checked_against_each_bundles_own_manifest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.zip");
    let repeats = Repeats::default();
    std::fs::write(&path, zip(&below(TOP, complete()))).unwrap();
    assert!(!said(&path, Some(&repeats)).contains("SHA-256 is not that"));

    let mut other = manifest();
    other["files"][0]["sha256"] = sha256(b"another text").into();
    std::fs::write(&path, zip(&below(TOP, with_manifest(&other)))).unwrap();
    let refused = said(&path, Some(&repeats));
    assert!(refused.contains("SHA-256 is not that"), "{refused}");
    assert_eq!(refused, said(&path, None));
}
