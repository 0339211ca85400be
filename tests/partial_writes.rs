//! Outputs on disks that fill up or can't be written: whole or not at all.
//! It mounts file systems, so it runs as root in a mount namespace of its own:
//! `unshare -m cargo test --test partial_writes -- --ignored`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "fake-node/node.rs"]
#[allow(dead_code)]
mod node;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A tmpfs of this size that is unmounted in the end.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn tmpfs(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
            .arg(folder.path()));
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

fn analyze(out: &Path) -> Output {
    let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples");
    Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "--now", "2026-11-23T19:00:00Z", "-o"])
        .arg(out)
        .arg(samples)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Every file below a folder, by its path there.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path();
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
            (name.to_owned(), fs::read(path).unwrap())
        })
        .collect();
    all.sort();
    all
}

#[test]
#[ignore = "mounts file systems: needs root and a mount namespace of its own"]
fn on_a_full_disk_each_file_is_whole_or_absent_at_any_size() {
    let whole = tempfile::tempdir().unwrap();
    assert!(analyze(whole.path()).status.success());
    let whole = files(whole.path());
    let bytes: usize = whole.iter().map(|(_, content)| content.len()).sum();
    let mut failures = 0;
    for kib in (16..).step_by(64) {
        let disk = Mounted::tmpfs(&format!("{kib}k"));
        let output = analyze(disk.path());
        let there = files(disk.path());
        for file in &there {
            assert!(whole.contains(file), "{kib} KiB: {} is not whole", file.0);
        }
        if output.status.success() {
            assert_eq!(there.len(), whole.len(), "{kib} KiB");
            break;
        }
        failures += 1;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(
            said(&output).contains("could not be written: No space left"),
            "{}",
            said(&output)
        );
        assert!(!there.iter().any(|(name, _)| name == "index.html"));
        assert!(kib * 1024 < 8 * bytes, "it never fits");
    }
    assert!(failures > 1, "the disk was never full");
}

#[test]
#[ignore = "mounts file systems: needs root and a mount namespace of its own"]
fn a_report_that_fails_half_way_leaves_the_old_overview_and_json() {
    let disk = Mounted::tmpfs("64m");
    fs::create_dir(disk.path().join("out")).unwrap();
    let out = disk.path().join("out");
    fs::write(out.join("index.html"), "old").unwrap();
    fs::write(out.join("report.json"), "old").unwrap();
    let mut full = fs::File::create(disk.path().join("full")).unwrap();
    // All of it but a little.
    let fill = std::io::copy(
        &mut std::io::Read::take(std::io::repeat(0), (64 << 20) - (96 << 10)),
        &mut full,
    );
    fill.unwrap();
    let output = analyze(&out);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    for name in ["index.html", "report.json"] {
        assert_eq!(fs::read(out.join(name)).unwrap(), b"old", "{name}");
    }
    let names: Vec<String> = files(&out).into_iter().map(|(name, _)| name).collect();
    assert!(
        !names.iter().any(|name| name.contains(".dmaudit-")),
        "{names:?}"
    );
}

#[test]
#[ignore = "mounts file systems: needs root and a mount namespace of its own"]
fn a_read_only_disk_is_named_and_stays_as_it_is() {
    let disk = Mounted::tmpfs("8m");
    fs::write(disk.path().join("index.html"), "old").unwrap();
    run(Command::new("mount")
        .args(["-o", "remount,ro"])
        .arg(disk.path()));
    let output = analyze(disk.path());
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("Read-only file system"),
        "{}",
        said(&output)
    );
    assert!(said(&output).contains(disk.path().to_str().unwrap()));
    assert_eq!(
        files(disk.path()),
        [("index.html".to_owned(), b"old".to_vec())]
    );
}

const MAPPING: &str = "map/names.json";

fn mapping() -> String {
    let key = "0".repeat(64);
    format!(r#"{{"format": 1, "key": "{key}", "names": {{}}}}"#)
}

fn is_mapping(text: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(text).is_ok()
}

/// A command that writes below a folder, in which a mapping lies before.
fn command(line: &str, place: &Path) -> Output {
    fs::create_dir(place.join("map")).unwrap();
    fs::write(place.join(MAPPING), mapping()).unwrap();
    let line = line.replace("PLACE", place.to_str().unwrap());
    Command::new(env!("CARGO_BIN_EXE_dmaudit"))
        .args(line.split(' '))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

#[test]
#[ignore = "mounts file systems: needs root and a mount namespace of its own"]
fn whatever_a_command_writes_is_whole_or_absent_on_a_full_disk() {
    let reply = tempfile::tempdir().unwrap();
    assert!(analyze(reply.path()).status.success());
    let restore = format!(
        "restore-names --mapping PLACE/map/names.json -o PLACE/out {}",
        reply.path().display()
    );
    for line in [
        "redact samples -o PLACE/out --mapping PLACE/map/names.json",
        restore.as_str(),
        "facts samples --now 2026-11-23T19:00:00Z -o PLACE/out/a.dmfacts",
        "analyze samples --now 2026-11-23T19:00:00Z --csv PLACE/out",
        "diff samples samples --now 2026-11-23T19:00:00Z --html PLACE/out/diff.html",
        "mail samples --now 2026-11-23T19:00:00Z --from a@b.example --to a@b.example --attach report \
         --eml PLACE/out/a.eml",
    ] {
        let whole = tempfile::tempdir().unwrap();
        let output = command(line, whole.path());
        assert!(output.status.success(), "{line}: {}", said(&output));
        let whole = files(whole.path());
        let bytes: usize = whole.iter().map(|(_, content)| content.len()).sum();
        let mut failures = 0;
        for kib in (16..).step_by(bytes / 4096) {
            let disk = Mounted::tmpfs(&format!("{kib}k"));
            let output = command(line, disk.path());
            let there = files(disk.path());
            for file in &there {
                let (name, content) = file;
                // It is written anew for each bundle.
                let is_mapping = name == MAPPING && is_mapping(content);
                let is_whole = whole.contains(file) || is_mapping;
                assert!(is_whole, "{line}, {kib} KiB: {name} is not whole");
            }
            assert!(there.iter().any(|(name, _)| name == MAPPING), "{line}");
            if output.status.success() {
                assert_eq!(there.len(), whole.len(), "{line}, {kib} KiB");
                break;
            }
            failures += 1;
            assert_eq!(output.status.code(), Some(2), "{line}: {}", said(&output));
            assert!(
                said(&output).contains("No space left"),
                "{line}: {}",
                said(&output)
            );
            assert!(kib * 1024 < 8 * bytes, "{line}: it never fits");
        }
        assert!(failures > 0, "{line}: the disk was never full");
    }
}

/// A disk with numbers that the kernel keeps for examples: none answers there.
#[test]
#[ignore = "mounts file systems: needs root and a mount namespace of its own"]
fn a_device_is_never_replaced_and_only_null_is_written_to() {
    let disk = Mounted::tmpfs("1m");
    let make = |name: &str, numbers: [&str; 3]| -> PathBuf {
        let path = disk.path().join(name);
        run(Command::new("mknod").arg(&path).args(numbers));
        path
    };
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sample = project.join("samples/dmaudit-solo-20261123T183645Z.zip");
    let facts = |device: &Path| {
        let mut facts = Command::new(env!("CARGO_BIN_EXE_dmaudit"));
        facts.args(["facts", "-o"]).arg(device).arg(&sample);
        facts.output().unwrap()
    };
    let kind = |device: &Path| {
        let there = fs::symlink_metadata(device).unwrap();
        there.permissions().mode() & 0o170_000
    };
    let null = make("null", ["c", "1", "3"]);
    let written = facts(&null);
    assert!(written.status.success(), "{}", said(&written));
    assert_eq!(kind(&null), 0o020_000);
    for (device, mode, why) in [
        (make("block", ["b", "42", "0"]), 0o060_000, "is a disk"),
        (make("other", ["c", "42", "0"]), 0o020_000, "is a device"),
    ] {
        let mut collect = Command::new("sh");
        collect.arg(project.join("collector/dmaudit-collect.sh"));
        collect.arg("-o").arg(&device);
        for output in [facts(&device), collect.output().unwrap()] {
            assert_eq!(output.status.code(), Some(2), "{}", said(&output));
            assert!(said(&output).contains(why), "{}", said(&output));
        }
        assert_eq!(kind(&device), mode, "{device:?}");
    }
}

#[test]
#[ignore = "mounts file systems: needs root and a mount namespace of its own"]
fn the_collector_waits_for_nothing_on_a_full_disk() {
    let node = node::Node::from("alpha/pve1");
    let temporary = node.path("tmp");
    run(Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=100k", "none"])
        .arg(&temporary));
    let root = node.path("root");
    let arguments = ["--sysroot", root.to_str().unwrap(), "--timeout", "300"];
    let output = node.start(&arguments).wait_with_output().unwrap();
    let left = node.list("tmp");
    run(Command::new("umount").arg(&temporary));
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("is there space?"));
    assert!(!said(&output).contains("did not"), "{}", said(&output));
    assert_eq!((left, node.list("out")), (Vec::new(), Vec::new()));
}
