//! The most memory that a hostile bundle costs, as the system counts it. For
//! a release build: `cargo test --release --test memory -- --ignored`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::Command;

const MIB: u64 = 1 << 20;

/// A bundle's folder with `count` entries of guests that are gone, each a
/// mapping of the same sectors, with as many segments.
fn overlapping(count: usize, name: &dyn Fn(usize) -> String, segments: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let infos: String = (0..count)
        .map(|i| {
            format!(
                "Name:              {}\nState:             ACTIVE\nTables present:    LIVE\nOpen count:        0\nMajor, minor:      254, {i}\nNumber of targets: {segments}\nUUID: LVM-{}{i:032}\n\n",
                name(i),
                "V".repeat(32)
            )
        })
        .collect();
    let tables: String = (0..count)
        .flat_map(|i| (0..segments).map(move |segment| (i, segment)))
        .map(|(i, segment)| {
            format!(
                "{}: {} 8388608 linear 8:3 2048\n",
                name(i),
                segment * 8_388_608
            )
        })
        .collect();
    for (path, text) in [
        (
            "commands/uname.out",
            "Linux n 6.8.12-1-pve #1 SMP x86_64 GNU/Linux\n",
        ),
        (
            "commands/qm-list.out",
            "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID\n       100 web                  stopped    2048              0.00 0\n",
        ),
        ("commands/lsof.out", ""),
        ("commands/lsof.rc", "1"),
        ("commands/fuser.out", ""),
        ("commands/dmsetup-info.out", &infos),
        ("commands/dmsetup-table.out", &tables),
        (
            "files/etc/pve/nodes/n/qemu-server/100.conf",
            "name: web\nscsi0: local-lvm:vm-100-disk-0\n",
        ),
        (
            "files/etc/pve/storage.cfg",
            "lvmthin: local-lvm\n\tthinpool data\n\tvgname pve\n",
        ),
    ] {
        let path = folder.path().join("dmaudit-n-20261123T183645Z").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// The maximum resident set of an analysis with all outputs, in bytes.
fn peak(bundle: &Path) -> u64 {
    let out = tempfile::tempdir().unwrap();
    let measured = out.path().join("measured");
    let output = Command::new("/usr/bin/time")
        .args(["-f", "%M", "-o"])
        .arg(&measured)
        .arg(env!("CARGO_BIN_EXE_dmaudit"))
        .args(["analyze", "-o"])
        .arg(out.path())
        .arg(bundle)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(out.path().join("index.html").exists());
    let kib: u64 = fs::read_to_string(measured)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    kib << 10
}

#[test]
#[ignore = "measures: needs GNU time, and a release build to be soon done"]
fn a_bundle_at_the_bounds_takes_less_than_256_mib() {
    let short = |i: usize| format!("pve-vm--{}--disk--0", 1000 + i);
    let long = |i: usize| format!("pve-vm--{}--disk--0--{}", 1000 + i, "x".repeat(102));
    for (what, folder) in [
        ("overlaps", overlapping(20_000, &short, 1)),
        ("long names", overlapping(20_000, &long, 2)),
    ] {
        let peak = peak(folder.path());
        println!("{what}: {} MiB", peak / MIB);
        assert!(peak > 32 * MIB, "{what}: nothing was analyzed");
        assert!(peak < 256 * MIB, "{what}: {} MiB", peak / MIB);
    }
}
