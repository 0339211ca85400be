//! The same bundle in every container, and what its accessors say.

use std::path::{Path, PathBuf};

use dmaudit::bundle::{Bundle, Limits, Output, Source, discover, open};

use super::archives::*;

fn assert_is_the_sample(bundle: &Bundle) {
    assert_eq!(bundle.top(), TOP);
    let ids: Vec<_> = bundle.commands().collect();
    assert_eq!(ids, ["dmsetup-info", "lvs-json", "qm-list"]);
    for (id, out) in COMMANDS {
        let output = bundle.command(id).unwrap();
        assert_eq!(output.text, out);
        assert_eq!(output.error, format!("{id} warns\n"));
        assert_eq!(output.status, Some(0));
        assert_eq!(output.line, Some(format!("run {id}").as_str()));
        assert!(!output.timed_out && !output.damaged);
    }
    assert_eq!(bundle.command("vgs-json"), None);
    for (path, text) in FILES {
        assert_eq!(bundle.file(path).unwrap(), text);
    }
    let below: Vec<_> = bundle
        .files_below("/etc/pve/nodes")
        .map(|(path, _)| path)
        .collect();
    assert_eq!(below, [FILES[0].0, FILES[1].0]);
    assert_eq!(bundle.files_below("/etc/pve/node").count(), 0);
    let directories: Vec<_> = bundle.directories_below("/etc/pve").collect();
    assert_eq!(
        directories,
        [
            "/etc/pve/nodes",
            "/etc/pve/nodes/pve1",
            "/etc/pve/nodes/pve1/lxc",
            "/etc/pve/nodes/pve1/qemu-server",
            "/etc/pve/nodes/pve2",
            "/etc/pve/nodes/pve2/lxc",
        ]
    );
    assert!(bundle.has_directory("/etc/pve/nodes/pve1/lxc"));
    assert!(bundle.has_directory("/etc/pve"));
    assert!(!bundle.has_directory("/etc/pve/nodes/pve3"));
    let manifest = bundle.manifest().unwrap();
    assert_eq!(manifest.node.as_deref(), Some("pve1"));
    assert_eq!(manifest.commands.as_ref().unwrap()[0].seconds, Some(0.25));
    assert_eq!(bundle.unread().len(), 1);
    assert!(
        why_unread(bundle, "/etc/lvm/lvm.conf")
            .unwrap()
            .contains("Permission denied")
    );
    assert_eq!(bundle.notes(), [] as [&str; 0]);
}

#[test]
fn every_kind_of_archive_gives_the_same_bundle() {
    let members = below(TOP, complete());
    let tar = tar(&members);
    let kinds = [
        ("zip", zip(&members)),
        (
            "stored zip",
            zip_with(&members, zip::CompressionMethod::Stored),
        ),
        ("tar", tar.clone()),
        ("old tar", old_tar(&members)),
        ("tar.gz", gzip(&tar)),
        ("tar.zst", zstd(&tar)),
    ];
    for (kind, archive) in kinds {
        println!("{kind}");
        let bundle = one(&archive);
        assert_is_the_sample(&bundle);
        assert_eq!(bundle.source(), "input.zip");
    }
}

#[test]
fn an_unpacked_folder_gives_the_same_bundle() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join(TOP);
    write_folder(&folder, &complete());
    let bundles = open(&Source::at(&folder), &Limits::default()).unwrap();
    assert_is_the_sample(&bundles[0]);
    assert_eq!(bundles[0].source(), folder.to_str().unwrap());
}

#[test]
fn a_bundle_may_lie_deeper_or_have_no_folder_at_all() {
    let deep = one(&zip(&below(&format!("ticket 4711/{TOP}"), complete())));
    assert_is_the_sample(&deep);
    let bare = one(&tar(&complete()));
    assert_eq!(bare.top(), "input");
    assert_eq!(bare.file("/etc/pve/storage.cfg").unwrap(), FILES[2].1);
    // Enclosing folders with the names of a bundle's own.
    for outer in ["files", "commands"] {
        assert_is_the_sample(&one(&zip(&below(&format!("{outer}/{TOP}"), complete()))));
    }
    // As `tar -C folder -czf - .` writes it.
    let dotted = complete()
        .into_iter()
        .map(|(name, bytes)| (format!("./{name}"), bytes));
    assert_eq!(one(&tar(&dotted.collect())).commands().count(), 3);
}

#[test]
fn windows_separators_in_a_zip_are_understood() {
    let members = below(TOP, complete())
        .into_iter()
        .map(|(name, bytes)| (name.replace('/', "\\"), bytes))
        .collect();
    // The writer turns them round; an archive of .NET has them as they are.
    let archive = zip(&members);
    let unix = below(TOP, complete());
    let archive = unix.iter().fold(archive, |archive, (name, _)| {
        let windows = name.replace('/', "\\");
        let has = archive
            .windows(name.len())
            .any(|window| window == name.as_bytes());
        if has {
            patched(&archive, name.as_bytes(), windows.as_bytes(), 2)
        } else {
            archive
        }
    });
    assert_is_the_sample(&one(&archive));
}

#[test]
fn several_top_folders_are_several_bundles() {
    let mut members = below("b-pve2", plain());
    members.extend(below("a-pve1", complete()));
    members.push(("readme.txt".into(), b"hello".to_vec()));
    let bundles = open_archive_named("fleet/all.tgz", &gzip(&tar(&members)));
    let sources: Vec<_> = bundles.iter().map(Bundle::source).collect();
    assert_eq!(
        sources,
        [
            "fleet/all.tgz (top folder a-pve1)",
            "fleet/all.tgz (top folder b-pve2)"
        ]
    );
    assert!(bundles[0].manifest().is_some());
    assert!(bundles[1].manifest().is_none());
}

fn open_archive_named(name: &str, archive: &[u8]) -> Vec<Bundle> {
    dmaudit::bundle::open_archive(name, archive, &Limits::default()).unwrap()
}

#[test]
fn a_copied_folder_named_commands_is_no_second_bundle() {
    let mut members = below(TOP, plain());
    members.push((format!("{TOP}/files/opt/commands/x.out"), b"y".to_vec()));
    members.push((format!("{TOP}/files/commands/x.out"), b"y".to_vec()));
    let bundle = one(&zip(&members));
    assert_eq!(bundle.file("/opt/commands/x.out").unwrap(), "y");
    assert_eq!(bundle.commands().count(), 3);
}

#[test]
fn recordings_without_manifest_take_the_status_beside_the_output() {
    let alpha = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake-node/alpha");
    let found = discover(&[alpha]);
    assert_eq!(found.rejected, []);
    let bundles: Vec<Bundle> = found
        .sources
        .iter()
        .flat_map(|source| open(source, &Limits::default()).unwrap())
        .collect();
    assert_eq!(
        bundles.iter().map(Bundle::top).collect::<Vec<_>>(),
        ["pve1", "pve2"]
    );
    for bundle in &bundles {
        assert!(
            bundle.notes()[0].contains("no manifest.json"),
            "{:?}",
            bundle.notes()
        );
        assert_eq!(bundle.unread(), []);
        assert!(bundle.commands().count() > 30);
        let output = bundle.command("dmsetup-info").unwrap();
        assert_eq!(output.status, Some(0));
        assert!(output.text.starts_with("Name:"));
        assert!(
            bundle
                .file("/etc/pve/storage.cfg")
                .unwrap()
                .contains("lvmthin: local-lvm")
        );
    }
}

#[test]
fn a_failed_command_keeps_its_status_and_message() {
    let members: Members = vec![
        ("commands/multipath.out".into(), vec![]),
        ("commands/multipath.err".into(), b"not found\n".to_vec()),
        ("commands/multipath.rc".into(), b"127\n".to_vec()),
        ("commands/lvs.err".into(), b"killed\n".to_vec()),
        ("commands/lvs.rc".into(), b"137\n".to_vec()),
        ("commands/vgs.err".into(), b"".to_vec()),
    ];
    let bundle = one(&zip(&members));
    let output = bundle.command("multipath").unwrap();
    assert_eq!(
        (output.status, output.error.as_ref()),
        (Some(127), "not found\n")
    );
    // It failed: that there is no output is no damage.
    let output = bundle.command("lvs").unwrap();
    assert_eq!((output.status, output.damaged), (Some(137), false));
    // Nothing says that it failed: an output is missing.
    let output = bundle.command("vgs").unwrap();
    assert_eq!(
        (output.status, output.damaged),
        (Some(Output::DAMAGED), true)
    );
    assert!(why_unread(&bundle, "commands/vgs.out").is_some());
}

#[test]
fn text_is_decoded_without_its_byte_order_mark() {
    let members: Members = vec![
        ("commands/a.out".into(), b"\xef\xbb\xbfna\xefve\n".to_vec()),
        ("files/etc/x".into(), b"\xef\xbb\xbfx".to_vec()),
    ];
    let bundle = one(&zip(&members));
    assert_eq!(bundle.command("a").unwrap().text, "na\u{fffd}ve\n");
    assert_eq!(bundle.file("/etc/x").unwrap(), "x");
}

#[test]
fn links_are_recorded_and_not_followed() {
    let mut builder = tar::Builder::new(tar(&plain()));
    let base = builder.get_mut().len() - 1024;
    builder.get_mut().truncate(base);
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder
        .append_link(&mut header, "files/etc/pve/local", "nodes/pve1")
        .unwrap();
    builder
        .append_link(&mut header, "files/etc/passwd", "/etc/passwd")
        .unwrap();
    let from_tar = one(&builder.into_inner().unwrap());

    let mut writer = zip::ZipWriter::new_append(std::io::Cursor::new(zip(&plain()))).unwrap();
    let options = zip::write::SimpleFileOptions::default();
    writer
        .add_symlink("files/etc/pve/local", "nodes/pve1", options)
        .unwrap();
    writer
        .add_symlink("files/etc/passwd", "/etc/passwd", options)
        .unwrap();
    let from_zip = one(&writer.finish().unwrap().into_inner());

    let place = tempfile::tempdir().unwrap();
    write_folder(place.path(), &plain());
    let etc = place.path().join("files/etc");
    std::os::unix::fs::symlink("nodes/pve1", etc.join("pve/local")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", etc.join("passwd")).unwrap();
    let from_folder = open(&Source::at(place.path()), &Limits::default())
        .unwrap()
        .remove(0);

    for bundle in [from_tar, from_zip, from_folder] {
        assert_eq!(bundle.link("/etc/pve/local"), Some("nodes/pve1"));
        assert_eq!(bundle.link("/etc/passwd"), Some("/etc/passwd"));
        assert_eq!(bundle.file("/etc/passwd"), None);
        assert_eq!(bundle.link("/etc/pve/storage.cfg"), None);
    }
}

#[test]
fn the_cluster_file_systems_links_may_be_small_files() {
    let mut members = plain();
    members.push(("files/etc/pve/local".into(), b"nodes/pve1\n".to_vec()));
    members.push(("files/etc/pve/lxc".into(), b"/absolute\n".to_vec()));
    members.push(("files/etc/pve/qemu-server".into(), b"two\nlines".to_vec()));
    let bundle = one(&zip(&members));
    assert_eq!(bundle.link("/etc/pve/local"), Some("nodes/pve1"));
    assert_eq!(bundle.link("/etc/pve/lxc"), None);
    assert_eq!(bundle.link("/etc/pve/qemu-server"), None);
}

#[test]
fn the_name_does_not_decide_the_kind() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("upload.tar.gz");
    std::fs::write(&path, zip(&below(TOP, complete()))).unwrap();
    let found = discover(&[PathBuf::from(&path)]);
    let bundles = open(&found.sources[0], &Limits::default()).unwrap();
    assert_is_the_sample(&bundles[0]);
}
