//! Archives that stop early, at every byte: a panic never, a quiet loss never.

use dmaudit::bundle::Bundle;

use super::archives::*;

/// A cut archive is refused, or it says so and names all that it lost.
fn assert_honest(result: Result<Vec<Bundle>, dmaudit::bundle::OpenError>, length: usize) {
    let Ok(bundles) = result else { return };
    let bundle = &bundles[0];
    assert!(
        bundle.notes()[0].starts_with("INCOMPLETE"),
        "{length}: {:?}",
        bundle.notes()
    );
    for (path, text) in FILES {
        match bundle.file(path) {
            Some(read) => assert_eq!(read, text, "{length}"),
            None => assert!(why_unread(bundle, path).is_some(), "{length}: {path}"),
        }
    }
    for (id, out) in COMMANDS {
        let output = bundle.command(id).unwrap();
        assert!(output.damaged || output.text == out, "{length}: {id}");
    }
}

#[test]
fn a_zip_is_refused_wherever_it_is_cut() {
    let archive = zip(&below(TOP, complete()));
    for length in 0..archive.len() {
        assert!(open(&archive[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_tar_with_manifest_names_what_it_lost() {
    let tar = tar(&below(TOP, complete()));
    let mut accepted = 0;
    // The end mark is two blocks; with one the archive is whole.
    for length in 0..=tar.len() - 1024 {
        let result = open(&tar[..length]);
        accepted += usize::from(result.is_ok());
        assert_honest(result, length);
    }
    assert!(accepted > 1_000, "{accepted}");
    for archive in [gzip(&tar), zstd(&tar)] {
        for length in 0..archive.len() {
            assert_honest(open(&archive[..length]), length);
        }
    }
}

#[test]
fn a_cut_tar_without_manifest_is_refused() {
    let tar = tar(&below(TOP, plain()));
    for length in 0..=tar.len() - 1024 {
        assert!(open(&tar[..length]).is_err(), "{length}");
    }
    let archive = gzip(&tar);
    for length in 0..archive.len() {
        assert!(open(&archive[..length]).is_err(), "{length}");
    }
    let error = refused(&archive[..archive.len() - 1]);
    assert!(error.contains("copy the bundle again"), "{error}");
}

#[test]
fn a_gzip_whose_checksum_is_wrong_is_not_taken_for_whole() {
    for (members, accepted) in [(complete(), true), (plain(), false)] {
        let mut archive = gzip(&tar(&members));
        let crc = archive.len() - 8;
        archive[crc] ^= 1;
        match open(&archive) {
            Ok(bundles) => {
                assert!(accepted);
                assert!(bundles[0].notes()[0].starts_with("INCOMPLETE"));
            }
            Err(_) => assert!(!accepted),
        }
    }
}

#[test]
fn a_zstd_whose_checksum_is_wrong_is_not_taken_for_whole() {
    let mut archive = zstd(&tar(&plain()));
    // This encoder ends a frame with a checksum: bit 2 of the descriptor.
    assert_eq!(archive[4] & 4, 4);
    let last = archive.len() - 1;
    archive[last] ^= 1;
    assert!(refused(&archive).contains("checksum"));
}
