//! Reports that mean harm, and texts that are none.

use std::fs;

use dmaudit::bundle::{Limits, OpenError, discover, open, open_archive};

use super::reports::*;

#[test]
fn only_texts_that_begin_as_a_pvereport_are_found_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let report = pvereport("solo", "9");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write(
        "notes.txt",
        b"==== general system info ==== is how one begins\n",
    );
    write("messages.log", b"pve1 kernel: x\n");
    write("pve1-report.txt", report.as_bytes());
    write("pve1-report.txt.gz", &gz(report.as_bytes()));
    write("pve1-report.log.xz", &xz(report.as_bytes(), 1));
    write("broken.txt.gz", b"\x1f\x8bnot gzip");
    let found = discover(&[folder.path().to_owned()]);
    let names: Vec<String> = found.sources.iter().map(|source| source.name()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(found.rejected.is_empty());
    for source in &found.sources {
        let bundles = open(source, &Limits::default()).unwrap();
        assert_eq!(bundles[0].file("/etc/hostname").unwrap(), "solo\n");
    }
}

#[test]
fn a_dictionary_of_4_gib_is_refused() {
    let tar = tar(sosreport("solo").path());
    let options = {
        let mut options = lzma_rust2::XzOptions::with_preset(1);
        options.lzma_options.dict_size = 128 << 20;
        options
    };
    let mut packed = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    std::io::Write::write_all(&mut packed, &tar).unwrap();
    let packed = packed.finish().unwrap();
    let refused = open_archive("x", &packed, &Limits::default()).unwrap_err();
    assert!(refused.to_string().contains("too much memory"), "{refused}");
}

#[test]
fn a_cut_sosreport_is_refused() {
    let packed = xz(&tar(sosreport("solo").path()), 3);
    let half = &packed[..packed.len() / 2];
    let refused = open_archive("x", half, &Limits::default()).unwrap_err();
    assert!(matches!(refused, OpenError::Truncated(_)), "{refused}");
}

#[test]
fn a_large_sosreport_is_read_and_another_large_archive_is_not() {
    let folder = sosreport("solo");
    let root = fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    // More than a bundle may hold, packed and unpacked.
    let mut state = 1u64;
    let noise: Vec<u8> = (0..48 << 10)
        .flat_map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            [(state >> 56) as u8; 64]
        })
        .collect();
    fs::write(root.join("var/log/journal"), &noise).unwrap();
    for number in 0..200 {
        fs::write(root.join(format!("var/log/{number}")), "x").unwrap();
    }
    let limits = Limits {
        archive_bytes: 32 << 10,
        total_bytes: 1 << 20,
        entries: 100,
        ..Limits::default()
    };
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let tree = tar(&{
        let alone = tempfile::tempdir().unwrap();
        fs::rename(&root, alone.path().join(root.file_name().unwrap())).unwrap();
        alone.keep()
    });
    write("sos.tar.gz", &gz(&tree));
    write("sos.tar.xz", &xz(&tree, 0));
    let found = discover(&[folder.path().to_owned()]);
    assert_eq!(found.sources.len(), 2);
    for source in &found.sources {
        let bundles = open(source, &limits).unwrap();
        assert!(bundles[0].command("dmsetup-table").is_some());
    }
    // The same bytes under a name that promises nothing.
    let mut other = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(noise.len() as u64);
    header.set_mode(0o644);
    other.append_data(&mut header, "noise", &noise[..]).unwrap();
    write("sos.tar.gz", &gz(&other.into_inner().unwrap()));
    let refused = open(&found.sources[0], &limits).unwrap_err();
    assert!(matches!(refused, OpenError::Limit { .. }), "{refused}");
}

#[test]
fn what_takes_long_to_unpack_is_refused_whatever_comes_out_of_it() {
    let tree = tar(sosreport("solo").path());
    let limits = Limits {
        total_bytes: 4 << 20,
        ..Limits::default()
    };
    // Streams without a byte, in front of a sound one: 20 times 4 MiB are
    // allowed, with xz 24 for each packed byte.
    let empty = xz(b"", 0);
    for (packed_bytes, refused) in [(1 << 20, false), (4 << 20, true)] {
        let mut packed = empty.repeat(packed_bytes / empty.len());
        packed.extend(xz(&tree, 3));
        let opened = open_archive("x", &packed, &limits);
        match refused {
            false => assert!(opened.is_ok(), "{}", opened.unwrap_err()),
            true => assert!(matches!(opened, Err(OpenError::Limit { .. }))),
        }
    }
}

#[test]
fn many_small_zstd_blocks_are_refused() {
    let mut frame = b"\x28\xb5\x2f\xfd\0\x50".to_vec();
    // Each is a raw one without a byte; the last says that it is.
    frame.extend(b"\0\0\0".repeat(100_000));
    frame.extend(b"\x01\0\0");
    let refused = open_archive("x", &frame, &Limits::default()).unwrap_err();
    assert!(refused.to_string().contains("too small"), "{refused}");
}

#[test]
fn the_beginning_of_a_packed_text_is_not_searched_for_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let report = gz(pvereport("solo", "9").as_bytes());
    let empty = gz(b"");
    let packed = |bytes: usize| [empty.repeat(bytes / empty.len()), report.clone()].concat();
    fs::write(folder.path().join("near.txt.gz"), packed(4096)).unwrap();
    fs::write(folder.path().join("far.txt.gz"), packed(2 << 20)).unwrap();
    let found = discover(&[folder.path().to_owned()]);
    let names: Vec<String> = found.sources.iter().map(|source| source.name()).collect();
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(names[0].ends_with("near.txt.gz"));
}

#[test]
fn a_report_of_many_blocks_is_refused() {
    let report = "==== general system info ====\n".to_owned() + &"\n# x\n".repeat(200_000);
    let refused = open_archive("r.txt", report.as_bytes(), &Limits::default()).unwrap_err();
    assert!(matches!(refused, OpenError::Limit { .. }), "{refused}");
}
