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

/// Appends a member as it comes, with the records that stand in front of it.
fn tar_of(records: &[(u8, &str)], name: &str, kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut add = |name: &str, kind: u8, body: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_mode(0o644);
        header.set_size(body.len() as u64);
        header.set_cksum();
        bytes.extend(header.as_bytes());
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    };
    for (kind, record) in records {
        add("record", *kind, record.as_bytes());
    }
    add(name, kind, body);
    let rest = tar(&plain());
    bytes.extend(rest);
    bytes
}

fn pax(key: &str, value: &str) -> String {
    let length = (1..).find(|length| format!("{length} {key}={value}\n").len() == *length);
    format!("{} {key}={value}\n", length.unwrap())
}

#[test]
fn a_tar_that_readers_take_differently_is_refused() {
    let path = |name: &str| pax("path", name);
    let (long, short) = ("x".repeat(120), "commands/other.out");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        (
            "a folder with bytes",
            tar_of(&[], "commands/", b'5', &[0; 512]),
        ),
        (
            "a link with bytes",
            tar_of(&[], "commands/l", b'2', &[0; 512]),
        ),
        (
            "a pipe with bytes",
            tar_of(&[], "commands/p", b'6', &[0; 512]),
        ),
        (
            "an old folder with bytes",
            tar_of(&[], "commands/o/", b'0', &[0; 512]),
        ),
        (
            "a link with a size",
            tar_of(&[(b'x', &pax("size", "512"))], "commands/h", b'1', &[]),
        ),
        (
            "two names",
            tar_of(&[(b'L', &long), (b'x', &path(short))], "n", b'0', b"x"),
        ),
        (
            "two names",
            tar_of(&[(b'x', &path(short)), (b'L', &long)], "n", b'0', b"x"),
        ),
        (
            "one name twice",
            tar_of(&[(b'x', &path(short)), (b'x', &path("n"))], "n", b'0', b"x"),
        ),
        (
            "a size that is none",
            tar_of(&[(b'x', &pax("size", "1x"))], "n", b'0', b"x"),
        ),
        (
            "a name for all",
            tar_of(&[(b'g', &path(short))], "n", b'0', b"x"),
        ),
    ];
    for (what, archive) in cases {
        let error = refused(&archive);
        assert!(
            error.contains("which readers of archives take differently"),
            "{what}: {error}"
        );
    }
    for sound in [
        tar_of(
            &[(b'g', &pax("comment", "from git"))],
            "commands/",
            b'5',
            &[],
        ),
        tar_of(
            &[(b'x', &pax("mtime", "1.5"))],
            "commands/fine.out",
            b'0',
            b"x",
        ),
    ] {
        assert_eq!(one(&sound).notes(), one(&tar(&plain())).notes());
    }
}

#[test]
fn a_sparse_file_counts_by_its_own_name() {
    let records =
        pax("GNU.sparse.major", "1") + &pax("GNU.sparse.name", "commands/dmsetup-info.out");
    let archive = tar_of(&[(b'x', &records)], "GNUSparseFile.0/x", b'0', b"x");
    let bundle = one(&archive);
    let info = bundle.command("dmsetup-info").unwrap();
    assert!(info.damaged, "it is there twice: {info:?}");
}

#[test]
fn a_zip_that_readers_take_differently_is_refused() {
    // A second list of members behind the first one.
    let archive = zip(&plain());
    let end = archive.len() - 22;
    let other = zip(&vec![("other/commands/x.out".to_owned(), b"y".to_vec())]);
    let other_end = other.len() - 22;
    let start = u32::from_le_bytes(other[other_end + 16..other_end + 20].try_into().unwrap());
    let mut two = archive[..end].to_vec();
    two.extend(&other[start as usize..other_end]);
    two.extend(&archive[end..]);
    assert!(refused(&two).contains("does not end where its end record begins"));

    // End records that differ, of which some readers take one.
    let number =
        |at: usize| u32::from_le_bytes(archive[end + at..end + at + 4].try_into().unwrap());
    let members = u64::from(u16::from_le_bytes(
        archive[end + 10..end + 12].try_into().unwrap(),
    ));
    let (length, start) = (u64::from(number(12)), u64::from(number(16)));
    for (wide, fits) in [
        ((members, length, start), true),
        ((members, length - 46, start + 46), false),
    ] {
        let mut both = zip64_end(&archive, wide.0, wide.1, wide.2);
        let tail = both.len() - 22;
        both.truncate(tail);
        both.extend(&archive[end..]);
        match fits {
            true => assert_eq!(one(&both).notes(), one(&archive).notes()),
            false => assert!(refused(&both).contains("its two end records differ")),
        }
    }

    // A second name in Info-ZIP's field.
    let named = |field_name: &str| {
        let mut bytes = archive.clone();
        let at = central_header(&bytes, "commands/qm-list.out");
        let mut field = b"\x75\x70".to_vec();
        field.extend(u16::try_from(5 + field_name.len()).unwrap().to_le_bytes());
        field.extend([1, 0, 0, 0, 0]);
        field.extend(field_name.as_bytes());
        let name_length = u16::from_le_bytes(bytes[at + 28..at + 30].try_into().unwrap());
        let before = u16::from_le_bytes(bytes[at + 30..at + 32].try_into().unwrap());
        let extra = u16::try_from(field.len()).unwrap();
        bytes[at + 30..at + 32].copy_from_slice(&(before + extra).to_le_bytes());
        let place = at + 46 + usize::from(name_length);
        bytes.splice(place..place, field);
        let end = bytes.len() - 22;
        let length = u32::from_le_bytes(bytes[end + 12..end + 16].try_into().unwrap());
        bytes[end + 12..end + 16].copy_from_slice(&(length + u32::from(extra)).to_le_bytes());
        bytes
    };
    assert!(refused(&named("commands/hidden.out")).contains("a member of it has two names"));
}

#[test]
fn text_that_is_no_utf8_does_not_grow() {
    let mut members = plain();
    members.push(("commands/lscpu.out".to_owned(), vec![0xff; 3 << 20]));
    members.push(("commands/df.out".to_owned(), vec![0xff; 10]));
    let bundle = one(&zip(&members));
    assert_eq!(bundle.command("lscpu").unwrap().text.len(), 3 << 20);
    assert_eq!(bundle.command("df").unwrap().text, "\u{fffd}".repeat(10));
}
