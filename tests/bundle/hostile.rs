//! Archives made to do harm.

use super::archives::*;

/// The sample with one member more, under any name at all.
fn zip_with_name(name: &[u8]) -> Vec<u8> {
    let mut members = plain();
    let stand_in = "n".repeat(name.len());
    members.push((stand_in.clone(), b"evil".to_vec()));
    patched(&zip(&members), stand_in.as_bytes(), name, 2)
}

fn tar_with_name(name: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in plain() {
        add_to_tar(&mut builder, &name, &bytes);
    }
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_size(4);
    header.set_cksum();
    builder.append(&header, &b"evil"[..]).unwrap();
    builder.into_inner().unwrap()
}

#[test]
fn names_that_lead_out_of_the_archive_are_refused() {
    let names: [&[u8]; 4] = [
        b"files/etc/../../../etc/passwd",
        b"/etc/cron.d/commands/evil.out",
        b"../commands/evil.out",
        b"files/..",
    ];
    for name in names {
        for archive in [zip_with_name(name), tar_with_name(name)] {
            let bundle = one(&archive);
            assert_eq!(bundle.commands().count(), 3);
            assert_eq!(bundle.files_below("/").count(), 3);
            assert!(
                bundle
                    .notes()
                    .iter()
                    .any(|note| note.contains("it was not read")),
                "{:?}",
                bundle.notes()
            );
        }
    }
}

#[test]
fn odd_names_are_kept_or_refused_and_shown_escaped() {
    let bundle = one(&zip_with_name(b"files/etc/\xff\xfe.conf"));
    assert_eq!(bundle.file("/etc/\u{fffd}\u{fffd}.conf").unwrap(), "evil");
    assert!(bundle.notes().iter().any(|note| note.contains("not UTF-8")));

    let bundle = one(&zip_with_name(b"files/etc/a\0b"));
    assert_eq!(bundle.files_below("/").count(), 3);

    let bundle = one(&zip_with_name(b"../\x1b[31mred\n"));
    let note = &bundle.notes()[1];
    assert!(note.contains("\\u{1b}[31mred\\n"), "{note}");
    assert!(!note.contains(char::is_control));
}

#[test]
fn deep_and_long_names_are_refused() {
    let deep = format!("files/etc/{}x", "a/".repeat(100));
    let long = format!("files/etc/{}", "a".repeat(5_000));
    for name in [deep, long] {
        let mut members = plain();
        members.push((name, b"x".to_vec()));
        for archive in [zip(&members), tar(&members)] {
            let bundle = one(&archive);
            assert_eq!(bundle.files_below("/").count(), 3);
            assert!(
                bundle
                    .notes()
                    .iter()
                    .any(|note| note.contains("it was not read"))
            );
        }
    }
}

#[test]
fn members_that_share_bytes_are_refused() {
    // Two names, one set of bytes: the quoted-overlap bomb.
    let archive = zip(&plain());
    let first = central_header(&archive, "commands/dmsetup-info.out");
    let second = central_header(&archive, "commands/lvs-json.out");
    let mut archive = archive;
    let offset: [u8; 4] = archive[first + 42..first + 46].try_into().unwrap();
    archive[second + 42..second + 46].copy_from_slice(&offset);
    assert!(refused(&archive).contains("share the same bytes"));

    // One member that claims the bytes of those behind it.
    let mut archive = zip(&plain());
    archive[first + 20..first + 24].copy_from_slice(&2_000u32.to_le_bytes());
    assert!(refused(&archive).contains("share the same bytes"));
}

/// The end records of a zip64 archive, with these claims.
fn zip64_end(archive: &[u8], members: u64, length: u64, start: u64) -> Vec<u8> {
    let end = archive.len() - 22;
    let mut bytes = archive[..end].to_vec();
    let record_at = bytes.len() as u64;
    bytes.extend(b"PK\x06\x06");
    bytes.extend(44u64.to_le_bytes());
    bytes.extend([45, 0, 45, 0]);
    bytes.extend([0; 8]);
    bytes.extend(members.to_le_bytes());
    bytes.extend(members.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend(b"PK\x06\x07");
    bytes.extend([0; 4]);
    bytes.extend(record_at.to_le_bytes());
    bytes.extend([1, 0, 0, 0]);
    bytes.extend(b"PK\x05\x06");
    bytes.extend([0; 4]);
    bytes.extend([0xff; 12]);
    bytes.extend([0; 2]);
    bytes
}

#[test]
fn zip64_records_are_understood_and_their_lies_refused() {
    let archive = zip(&complete());
    let end = &archive[archive.len() - 22..];
    let members = u64::from(u16::from_le_bytes(end[10..12].try_into().unwrap()));
    let length = u64::from(u32::from_le_bytes(end[12..16].try_into().unwrap()));
    let start = u64::from(u32::from_le_bytes(end[16..20].try_into().unwrap()));

    assert_eq!(
        one(&zip64_end(&archive, members, length, start)).notes(),
        [] as [&str; 0]
    );
    let lies = [
        (members + 1, length, start),
        (members - 1, length, start),
        (u64::MAX, length, start),
        (1 << 40, u64::MAX, 0),
        (members, u64::MAX, start),
        (members, length, u64::MAX),
        (members, length, start + 1),
        (members, length - 1, start),
        (0, 0, start),
    ];
    for (members, length, start) in lies {
        let error = refused(&zip64_end(&archive, members, length, start));
        assert!(
            error.contains("damaged") || error.contains("no bundle"),
            "{members} {length} {start}: {error}"
        );
    }
}

#[test]
fn a_zip_that_claims_another_number_of_members_is_refused() {
    let mut archive = zip(&plain());
    let end = archive.len() - 22;
    archive[end + 10..end + 12].copy_from_slice(&60_000u16.to_le_bytes());
    assert!(refused(&archive).contains("claims 60000 members"));
}

#[test]
fn a_comment_full_of_end_records_does_not_confuse_or_delay() {
    let mut archive = zip(&plain());
    let mut comment = Vec::new();
    while comment.len() + 22 < usize::from(u16::MAX) {
        comment.extend(b"PK\x05\x06");
        comment.extend([0xff; 18]);
    }
    let end = archive.len() - 2;
    archive.truncate(end);
    archive.extend((comment.len() as u16).to_le_bytes());
    archive.extend(&comment);
    assert_eq!(one(&archive).commands().count(), 3);
}

#[test]
fn a_tar_may_not_claim_endless_names() {
    for kind in [tar::EntryType::GNULongName, tar::EntryType::XHeader] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_path("x").unwrap();
        header.set_size(1 << 40);
        header.set_cksum();
        let mut archive = header.as_bytes().to_vec();
        archive.extend([b'a'; 4096]);
        assert!(refused(&archive).contains("name is said to have"));
    }
}

#[test]
fn a_zstd_frame_may_not_demand_any_amount_of_memory() {
    // Magic, a descriptor without content size, a window of 2 GiB.
    let mut archive = b"\x28\xb5\x2f\xfd\x00\xa8".to_vec();
    archive.extend([0; 100]);
    assert!(refused(&archive).contains("too much memory"));
}

#[test]
fn zstd_frames_follow_each_other_and_some_are_skipped() {
    let tar = tar(&complete());
    let (front, back) = tar.split_at(1_500);
    let mut archive = b"\x52\x2a\x4d\x18\x04\0\0\0skip".to_vec();
    archive.extend(zstd(front));
    archive.extend(b"\x5f\x2a\x4d\x18\0\0\0\0");
    archive.extend(zstd(back));
    assert_eq!(one(&archive).notes(), [] as [&str; 0]);
    archive.extend(b"\x5f\x2a\x4d\x18\xff\xff\xff\xffshort");
    assert!(one(&archive).notes()[0].contains("INCOMPLETE"));
}

#[test]
fn gzip_members_follow_each_other() {
    let tar = tar(&complete());
    let (front, back) = tar.split_at(1_500);
    let archive = [gzip(front), gzip(back), gzip(b"")].concat();
    assert_eq!(one(&archive).notes(), [] as [&str; 0]);
}
