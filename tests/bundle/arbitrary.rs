//! Any bytes at all: an answer, never a panic.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::archives::*;

/// What every opened bundle must survive.
fn walk(bytes: &[u8]) {
    for bundle in open(bytes).unwrap_or_default() {
        for id in bundle.commands() {
            let output = bundle.command(id).unwrap();
            assert!(!output.damaged || output.text.is_empty());
        }
        for (path, _) in bundle.files_below("/") {
            assert!(path.starts_with('/') && !path.contains("/../"));
            assert!(bundle.file(path).is_some());
            assert!(why_unread(&bundle, path).is_none());
            let _ = bundle.link(path);
        }
        for path in bundle.directories_below("/etc/pve") {
            assert!(path.starts_with("/etc/pve/"));
        }
    }
}

static ARCHIVES: LazyLock<[Vec<u8>; 4]> = LazyLock::new(|| {
    let members = below(TOP, complete());
    let tar = tar(&members);
    [zip(&members), gzip(&tar), zstd(&tar), tar]
});

proptest! {
    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        for magic in [&b""[..], b"PK\x03\x04", b"\x1f\x8b\x08\0\0\0\0\0\0\x03", b"\x28\xb5\x2f\xfd"] {
            walk(&[magic, &bytes].concat());
        }
        let mut tar = bytes.clone();
        tar.resize(2_048, 0);
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes().copy_from_slice(&tar[..512]);
        header.set_cksum();
        tar[..512].copy_from_slice(header.as_bytes());
        walk(&tar);
        walk(&gzip(&tar));
        walk(&zstd(&tar));
    }

    #[test]
    fn sound_archives_with_some_bytes_changed(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        for mut archive in ARCHIVES.clone() {
            for (at, value) in &changes {
                let at = at.index(archive.len());
                archive[at] = *value;
            }
            walk(&archive);
        }
    }

    #[test]
    fn zips_whose_list_of_members_is_changed(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut archive = ARCHIVES[0].clone();
        let start = central_header(&archive, TOP);
        for (at, value) in &changes {
            let at = start + at.index(archive.len() - start);
            archive[at] = *value;
        }
        walk(&archive);
    }

    #[test]
    fn arbitrary_manifests(text in "\\PC{0,200}|[\\[\\]{}:,\"a0-9]{0,80}") {
        let mut members = plain();
        members.push(("manifest.json".into(), text.into_bytes()));
        walk(&zip(&members));
    }
}
