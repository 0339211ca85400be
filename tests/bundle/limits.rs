//! The limits: what is refused, what is left out, and what still goes.

use dmaudit::bundle::{
    Bundle, Limits, OpenError, RATIO_FREE_BYTES, Source, open as open_source, open_archive,
};

use super::archives::*;

fn with(limits: &Limits, archive: &[u8]) -> Result<Vec<Bundle>, OpenError> {
    open_archive("x", archive, limits)
}

/// The sample with one large member in it.
fn large(name: &str, bytes: usize) -> Members {
    let mut members = plain();
    members.push((name.into(), vec![b'0'; bytes]));
    members
}

fn all_kinds(members: &Members) -> [Vec<u8>; 4] {
    let tar = tar(members);
    [zip(members), gzip(&tar), zstd(&tar), tar]
}

#[test]
fn a_member_that_is_too_large_is_left_out_with_a_note() {
    let members = large("files/etc/large", 5_000);
    let limits = Limits {
        file_bytes: 4_999,
        ..Limits::default()
    };
    for archive in all_kinds(&members) {
        let bundles = with(&limits, &archive).unwrap();
        let error = why_unread(&bundles[0], "/etc/large").unwrap();
        assert!(error.contains("4999") && error.contains("5000"), "{error}");
        assert_eq!(bundles[0].commands().count(), 3);
        assert!(
            bundles[0]
                .notes()
                .iter()
                .any(|note| note.contains("/etc/large"))
        );

        let limits = Limits {
            file_bytes: 5_000,
            ..Limits::default()
        };
        assert_eq!(with(&limits, &archive).unwrap()[0].unread(), []);
    }
    let place = tempfile::tempdir().unwrap();
    write_folder(place.path(), &members);
    let bundles = open_source(&Source::at(place.path()), &limits).unwrap();
    assert!(why_unread(&bundles[0], "/etc/large").is_some());
}

#[test]
fn a_manifest_of_absurd_size_is_not_read() {
    let archive = zip(&large("manifest.json", 9 << 20));
    let bundle = one(&archive);
    assert!(
        bundle.notes()[0].contains("manifest.json was not read"),
        "{:?}",
        bundle.notes()
    );
}

#[test]
fn too_many_bytes_in_all_are_refused() {
    let members = large("files/etc/large", 50_000);
    let limits = Limits {
        total_bytes: 49_000,
        ..Limits::default()
    };
    for archive in all_kinds(&members) {
        let error = with(&limits, &archive).unwrap_err().to_string();
        assert!(error.contains("49000 bytes when unpacked"), "{error}");
        assert!(
            error.contains("raise the limit with --max-total"),
            "{error}"
        );
    }
    let place = tempfile::tempdir().unwrap();
    write_folder(place.path(), &members);
    assert!(open_source(&Source::at(place.path()), &limits).is_err());
}

#[test]
fn several_bundles_in_one_archive_may_have_half() {
    let limits = Limits {
        total_bytes: 100_000,
        ..Limits::default()
    };
    let node = |top: &str, bytes| below(top, large("files/etc/large", bytes));
    for archive in all_kinds(&[node("a", 30_000), node("b", 30_000)].concat()) {
        let error = with(&limits, &archive).unwrap_err().to_string();
        assert!(
            error.contains("50000 bytes for several bundles") && error.contains("--max-total"),
            "{error}"
        );
    }
    for archive in all_kinds(&[node("a", 15_000), node("b", 15_000)].concat()) {
        assert_eq!(with(&limits, &archive).unwrap().len(), 2);
    }
    for archive in all_kinds(&node("a", 60_000)) {
        assert_eq!(with(&limits, &archive).unwrap().len(), 1);
    }
}

#[test]
fn of_a_zip_only_what_a_bundle_has_counts() {
    let limits = Limits {
        total_bytes: 49_000,
        ..Limits::default()
    };
    let archive = zip(&large("video.mkv", 50_000));
    assert_eq!(with(&limits, &archive).unwrap()[0].commands().count(), 3);
}

#[test]
fn a_ratio_that_no_text_has_is_refused_once_it_matters() {
    let small = zip(&large("files/etc/zeros", 1 << 20));
    assert!(with(&Limits::default(), &small).is_ok());
    let zeros = large("files/etc/zeros", RATIO_FREE_BYTES as usize + 1);
    for bomb in [zip(&zeros), gzip(&tar(&zeros))] {
        let error = with(&Limits::default(), &bomb).unwrap_err().to_string();
        assert!(error.contains("200 times its own size"), "{error}");
    }
    let trusting = Limits {
        ratio: u64::MAX,
        ..Limits::default()
    };
    assert!(with(&trusting, &zip(&zeros)).is_ok());
}

#[test]
fn too_many_members_are_refused() {
    let members = plain();
    for archive in all_kinds(&members) {
        let limits = |entries| Limits {
            entries,
            ..Limits::default()
        };
        assert!(with(&limits(members.len()), &archive).is_ok());
        let error = with(&limits(members.len() - 1), &archive)
            .unwrap_err()
            .to_string();
        assert!(error.contains("8 members"), "{error}");
    }
    let place = tempfile::tempdir().unwrap();
    write_folder(place.path(), &members);
    let limits = Limits {
        entries: 5,
        ..Limits::default()
    };
    assert!(open_source(&Source::at(place.path()), &limits).is_err());
}

#[test]
fn very_many_empty_members_cost_as_much_as_they_weigh() {
    let members: Members = (0..5_000)
        .map(|n| (format!("files/etc/{n}"), vec![]))
        .collect();
    let limits = Limits {
        total_bytes: 1 << 19,
        ..Limits::default()
    };
    assert!(with(&limits, &zip(&members)).is_err());
}

#[test]
fn too_large_an_archive_is_not_read() {
    let archive = zip(&plain());
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("x.zip");
    std::fs::write(&path, &archive).unwrap();
    let limits = |archive_bytes| Limits {
        archive_bytes,
        ..Limits::default()
    };
    let length = archive.len() as u64;
    assert!(open_source(&Source::at(&path), &limits(length)).is_ok());
    let error = open_source(&Source::at(&path), &limits(length - 1))
        .unwrap_err()
        .to_string();
    assert!(error.contains("bytes as it is packed"), "{error}");
}

#[test]
fn too_many_bundles_are_refused() {
    let members: Members = (0..4)
        .map(|n| (format!("node{n}/commands/lvs.out"), b"x".to_vec()))
        .collect();
    let limits = |bundles| Limits {
        bundles,
        ..Limits::default()
    };
    assert_eq!(with(&limits(4), &zip(&members)).unwrap().len(), 4);
    assert!(
        with(&limits(3), &zip(&members))
            .unwrap_err()
            .to_string()
            .contains("3 bundles")
    );
}

#[test]
fn notes_about_very_many_odd_members_stay_few() {
    let members: Members = (0..500)
        .map(|n| (format!("files/etc/large{n}"), vec![b'x'; 100]))
        .chain(plain())
        .collect();
    let limits = Limits {
        file_bytes: 99,
        ..Limits::default()
    };
    let bundle = &with(&limits, &zip(&members)).unwrap()[0];
    assert_eq!(bundle.unread().len(), 500);
    assert!(bundle.notes().len() < 30);
    assert!(bundle.notes().last().unwrap().contains("further notes"));
}

#[test]
fn a_million_members_are_refused_before_they_are_read() {
    let mut header = tar::Header::new_gnu();
    header.set_path("files/etc/x").unwrap();
    header.set_size(0);
    header.set_cksum();
    let thousand = header.as_bytes().repeat(1_000);
    // A gzip's members follow each other.
    let archive = gzip(&thousand).repeat(1_000);
    let error = with(&Limits::default(), &archive).unwrap_err().to_string();
    assert!(error.contains("100000 members"), "{error}");
}
