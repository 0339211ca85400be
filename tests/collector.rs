//! Runs the collector on made-up nodes and opens the bundles it writes.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "fake-node/harm.rs"]
mod harm;
#[path = "fake-node/node.rs"]
mod node;
#[path = "fake-node/secrets.rs"]
mod secrets;
#[path = "fake-node/trouble.rs"]
mod trouble;

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use node::{Bundle, Node, find_tool, project, sha256};

const IDS: &[&str] = &[
    "boot-id",
    "date",
    "df",
    "dmsetup-deps",
    "dmsetup-info",
    "dmsetup-info-c",
    "dmsetup-info-columns",
    "dmsetup-ls",
    "dmsetup-ls-tree",
    "dmsetup-status",
    "dmsetup-table",
    "fuser",
    "holders",
    "kernel-dm",
    "loadavg",
    "lsblk",
    "lsblk-json",
    "lscpu",
    "lsof",
    "lvmconfig",
    "lvs",
    "lvs-json",
    "lvs-segments-json",
    "machine-id",
    "meminfo",
    "mountinfo",
    "multipath",
    "pct-list",
    "pvesm-status",
    "pveversion",
    "pvs",
    "pvs-json",
    "qm-list",
    "swaps",
    "uname",
    "uptime",
    "vgs",
    "vgs-json",
];

fn recorded(path: &str) -> Vec<u8> {
    fs::read(project("tests/fake-node/alpha/pve1").join(path)).unwrap()
}

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The bundle holds what the node said, and the manifest describes the bundle.
fn assert_whole(bundle: &Bundle) {
    assert_eq!(bundle.top, "dmaudit-pve1-20261123T183645Z");
    let manifest = &bundle.manifest;
    assert_eq!(manifest["format"], 1);
    assert_eq!(manifest["collector"], "0.1.0");
    assert_eq!(manifest["node"], "pve1");
    assert_eq!(manifest["started_at"], "2026-11-23T18:36:45Z");
    assert_eq!(manifest["finished_at"], "2026-11-23T18:36:45Z");
    let machine = sha256(&recorded("commands/machine-id.out"));
    assert_eq!(manifest["machine_id_sha256"], machine);

    assert_eq!(bundle.all("commands", "id"), IDS);
    for id in IDS {
        let noted = bundle.command(id);
        let printed = &bundle.files[&format!("commands/{id}.out")];
        let expected = match *id {
            "machine-id" => format!("{machine}\n").into_bytes(),
            _ => recorded(&format!("commands/{id}.out")),
        };
        assert_eq!(printed, &expected, "{id}");
        assert_eq!(
            bundle.files[&format!("commands/{id}.err")],
            recorded(&format!("commands/{id}.err")),
            "{id}"
        );
        assert_eq!(noted["sha256"], sha256(printed), "{id}");
        assert_eq!(noted["bytes"], printed.len(), "{id}");
        let status = String::from_utf8(recorded(&format!("commands/{id}.rc"))).unwrap();
        assert_eq!(noted["status"].to_string(), status.trim(), "{id}");
        assert_eq!(noted["timed_out"], false, "{id}");
        assert!(noted["seconds"].is_number(), "{id}");
        assert!(
            !noted["command"].as_str().unwrap().contains("/tmp"),
            "{id}: {}",
            noted["command"]
        );
    }

    let files = bundle.all("files", "path");
    assert_eq!(files.len(), 16, "{files:?}");
    for path in &files {
        let content = &bundle.files[&format!("files{path}")];
        if *path != "/etc/hostname" {
            assert_eq!(content, &recorded(&format!("files{path}")), "{path}");
        }
        let noted = bundle.noted("files", "path", path);
        assert_eq!(noted["sha256"], sha256(content), "{path}");
        assert_eq!(noted["bytes"], content.len(), "{path}");
        assert_eq!(noted["masked"], false, "{path}");
    }
    assert_eq!(
        bundle.files.len(),
        1 + 2 * IDS.len() + files.len(),
        "nothing that the manifest does not name"
    );
    assert_eq!(manifest["unread"], serde_json::json!([]));
    let mut directories: Vec<_> = manifest["directories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d.as_str().unwrap())
        .collect();
    directories.sort_unstable();
    let expected = [
        "pve1",
        "pve1/lxc",
        "pve1/qemu-server",
        "pve2",
        "pve2/lxc",
        "pve2/qemu-server",
    ];
    assert_eq!(
        directories,
        expected.map(|name| format!("/etc/pve/nodes/{name}"))
    );
}

#[test]
fn writes_a_private_bundle_that_its_manifest_describes() {
    let node = Node::from("alpha/pve1");
    let output = node.collect(&[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stderr(&output),
        "dmaudit-collect: wrote ./dmaudit-pve1-20261123T183645Z.zip\n"
    );
    assert!(output.stdout.is_empty());
    assert_eq!(node.list("out"), ["dmaudit-pve1-20261123T183645Z.zip"]);
    let path = node.path("out/dmaudit-pve1-20261123T183645Z.zip");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_whole(&Bundle::from_zip(&fs::read(path).unwrap()));
}

#[test]
fn every_shell_and_awk_writes_the_same() {
    let bytes = |prepare: &dyn Fn(&Node)| {
        let node = Node::from("alpha/pve1");
        node.write(
            "root/etc/pve/nodes/pve1/qemu-server/999.conf",
            secrets::SECRETIVE,
        );
        secrets::print(&node);
        prepare(&node);
        let output = node.collect(&["-o", "-"]);
        assert_eq!(
            stderr(&output),
            "dmaudit-collect: wrote the bundle dmaudit-pve1-20261123T183645Z.zip to standard output\n"
        );
        output.stdout
    };
    let expected = bytes(&|_| ());
    for shell in ["dash", "busybox", "bash"] {
        match find_tool(shell) {
            Some(path) => assert!(
                bytes(&|node| node.use_shell(&path)) == expected,
                "{shell} wrote something else"
            ),
            None => eprintln!("not tried, for it is not installed: {shell}"),
        }
    }
    for awk in ["mawk", "gawk", "original-awk", "busybox"] {
        let Some(path) = find_tool(awk) else {
            eprintln!("not tried, for it is not installed: {awk}");
            continue;
        };
        let applet = if awk == "busybox" { "awk" } else { "" };
        let run = format!("exec {} {applet} \"$@\"", path.display());
        assert!(
            bytes(&|node| node.script("tools/awk", &run)) == expected,
            "{awk} wrote something else"
        );
    }
}

#[test]
fn asks_each_command_once() {
    let node = Node::from("alpha/pve1");
    node.bundle(&[]);
    let mut calls = node.calls();
    calls.retain(|call| !call.starts_with("date ")); // at the beginning and at the end
    let asked = calls.len();
    calls.sort();
    calls.dedup();
    assert_eq!(calls.len(), asked, "{calls:#?}");
    for command in ["lsof", "fuser"] {
        assert_eq!(
            calls
                .iter()
                .filter(|call| call.starts_with(command))
                .count(),
            1
        );
    }
}

#[test]
fn an_older_lvm_is_asked_for_fewer_columns() {
    let node = Node::from("alpha/pve1");
    node.write("behave/old-lvm", "");
    let bundle = node.bundle(&[]);
    for (id, last) in [("lvs-json", "lv_time"), ("vgs-json", "vg_attr")] {
        assert_eq!(bundle.command(id)["status"], 0);
        let line = bundle.command(id)["command"].as_str().unwrap();
        assert!(line.ends_with(last), "{line}");
        let report: serde_json::Value =
            serde_json::from_str(bundle.text(&format!("commands/{id}.out"))).unwrap();
        assert!(report["report"].is_array());
    }
    assert_eq!(
        bundle.all("commands", "id"),
        IDS,
        "each command once in the manifest"
    );

    // One that rejects a column by a name of its own gets the oldest set.
    node.remove("behave/old-lvm");
    node.script("bin/lvs", "case \"$*\" in *lv_tags,*) echo '  Unrecognised field: odd' >&2; exit 3;; esac; echo \"$*\"");
    let bundle = node.bundle(&[]);
    assert!(bundle.text("commands/lvs-json.out").ends_with(",lv_tags\n"));
    assert_eq!(bundle.command("lvs-json")["status"], 0);
}

#[test]
fn without_perl_or_its_zip_module_it_is_a_tar_gz() {
    for prepare in [
        |node: &Node| node.remove("tools/perl"),
        |node: &Node| node.script("tools/perl", "exit 2"),
    ] {
        let node = Node::from("alpha/pve1");
        prepare(&node);
        let output = node.collect(&["-o", "b.zip"]);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            stderr(&output).contains("writing a tar.gz instead of a zip"),
            "{}",
            stderr(&output)
        );
        assert_eq!(node.list("out"), ["b.tar.gz"]);
        assert_whole(&Bundle::from_tar_gz(
            &fs::read(node.path("out/b.tar.gz")).unwrap(),
        ));
    }
}

/// On a node this runs as root, which could replace any device there.
#[test]
fn what_is_no_file_is_written_into_and_stays() {
    let node = Node::from("alpha/pve1");
    let (pipe, file) = (node.path("out/pipe"), node.path("out/file"));
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let reader = std::process::Command::new("cat")
        .arg(&pipe)
        .stdout(fs::File::create(&file).unwrap())
        .spawn();
    let mut reader = reader.unwrap();
    let output = node.collect(&["-o", "pipe"]);
    let stays = fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo();
    if !stays || !output.status.success() {
        reader.kill().unwrap();
    }
    assert!(stays && output.status.success(), "{}", stderr(&output));
    assert!(reader.wait().unwrap().success());
    assert_eq!(node.list("out"), ["file", "pipe"]);
    assert_whole(&Bundle::from_zip(&fs::read(&file).unwrap()));

    // Another user may have put a link there.
    std::os::unix::fs::symlink("file", node.path("out/link")).unwrap();
    fs::write(&file, "another's").unwrap();
    let output = node.collect(&["-o", "link"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(fs::read(&file).unwrap(), b"another's");
    assert!(!node.path("out/link").is_symlink());
    assert_eq!(node.list("out"), ["file", "link", "pipe"]);
    let link = fs::read(node.path("out/link")).unwrap();
    assert_whole(&Bundle::from_zip(&link));
}

#[test]
fn the_manifest_comes_first_in_both_archives() {
    let manifest = "dmaudit-pve1-20261123T183645Z/manifest.json";
    let node = Node::from("alpha/pve1");
    let packed = node.collect(&["-o", "-"]).stdout;
    let mut packed = zip::ZipArchive::new(std::io::Cursor::new(packed)).unwrap();
    assert_eq!(packed.by_index(0).unwrap().name().unwrap(), manifest);
    node.remove("tools/perl");
    let packed = node.collect(&["-o", "-"]).stdout;
    let mut packed = tar::Archive::new(flate2::read::GzDecoder::new(&packed[..]));
    let first = packed.entries().unwrap().next().unwrap().unwrap();
    assert_eq!(first.path().unwrap().to_str(), Some(manifest));
}

#[test]
fn a_pipe_brings_a_node_straight_to_its_report() {
    let node = Node::from("alpha/pve1");
    let root = node.path("root");
    let mut collector = node.start(&["--sysroot", root.to_str().unwrap(), "-o", "-"]);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--format", "json", "-"])
        .stdin(collector.stdout.take().unwrap())
        .output()
        .unwrap();
    assert!(collector.wait().unwrap().success());
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["nodes"][0]["node"], "pve1");
    assert_eq!(report["nodes"][0]["summary"]["entries"], 16);
}

#[test]
fn the_samples_are_what_the_collector_writes() {
    let node = Node::from("solo");
    let sample = fs::read(project("samples/dmaudit-solo-20261123T183645Z.zip")).unwrap();
    assert_eq!(
        node.bundle(&[]),
        Bundle::from_zip(&sample),
        "run sh samples/make"
    );
}
