//! The most memory that a hostile bundle costs, as the system counts it. For
//! a release build: `cargo test --release --test memory -- --ignored`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod made;

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use made::{SHARED, add, info, pools};
use zip::ZipWriter;

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

/// The same without LVM's volumes, so that every entry is stale, too; `line`
/// is what the configurations say of each of so many references.
fn stale(
    folder: tempfile::TempDir,
    references: usize,
    storages: &str,
    line: &dyn Fn(usize) -> String,
) -> tempfile::TempDir {
    let write = |path: &str, text: &str| {
        let path = folder.path().join("dmaudit-n-20261123T183645Z").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("commands/lvs-json.out", "{\"report\":[{\"lv\":[]}]}");
    let uuid = "V".repeat(32);
    write(
        "commands/vgs-json.out",
        &format!("{{\"report\":[{{\"vg\":[{{\"vg_name\":\"pve\",\"vg_uuid\":\"{uuid}\"}}]}}]}}"),
    );
    if !storages.is_empty() {
        write("files/etc/pve/storage.cfg", storages);
    }
    for first in (0..references).step_by(5_000) {
        let lines = (first..references.min(first + 5_000)).map(line);
        let text: String = lines.collect();
        write(
            &format!("files/etc/pve/nodes/n/qemu-server/{}.conf", 200 + first),
            &format!("memory: 1\n{text}"),
        );
    }
    folder
}

/// The maximum resident set of the program, in bytes.
fn resident(folder: &Path, args: impl Iterator<Item = OsString>, bundle: &Path) -> u64 {
    let measured = folder.join("measured");
    let output = Command::new("/usr/bin/time")
        .args(["-f", "%M", "-o"])
        .arg(&measured)
        .arg(env!("CARGO_BIN_EXE_dmaudit"))
        .args(args)
        .arg(bundle)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let kib = fs::read_to_string(measured).unwrap();
    kib.trim().parse::<u64>().unwrap() << 10
}

/// The most of an analysis with all outputs and of a mail with all attachments.
fn peak(bundle: &Path) -> u64 {
    let out = tempfile::tempdir().unwrap();
    let path = |name: &str| out.path().join(name).into_os_string();
    let analyze = [OsString::from("analyze"), "-o".into(), path("report")];
    let mail = ["mail", "--from", "a@example.com", "--to", "b@example.com"];
    let mail = mail.into_iter().chain(["--attach", "report,json,scripts"]);
    let mail = mail.map(OsString::from);
    let mail = mail.chain(["--eml".into(), path("mail.eml")]);
    let peaks = [
        resident(out.path(), analyze.into_iter(), bundle),
        resident(out.path(), mail, bundle),
    ];
    assert!(out.path().join("report/index.html").exists());
    assert!(out.path().join("mail.eml").exists());
    println!("analyze, mail: {:?} MiB", peaks.map(|bytes| bytes / MIB));
    peaks.into_iter().max().unwrap()
}

/// That of a redaction.
fn redacting(bundle: &Path) -> u64 {
    let out = tempfile::tempdir().unwrap();
    let path = |name: &str| out.path().join(name).into_os_string();
    let args = [
        "redact".into(),
        "-o".into(),
        path("redacted"),
        "--mapping".into(),
        path("mapping"),
    ];
    resident(out.path(), args.into_iter(), bundle)
}

/// Entries of as many VGs as a storage may be guessed among.
fn guessed() -> tempfile::TempDir {
    let name = |i: usize| format!("local--x{}-vm--{}--disk--0", i % 97, i / 97);
    let folder = overlapping(20_000, &name, 1);
    let path = folder
        .path()
        .join("dmaudit-n-20261123T183645Z/files/etc/pve/storage.cfg");
    fs::remove_file(path).unwrap();
    folder
}

/// An archive with this bundle as many times, each of another node of a
/// cluster.
fn several(folder: &Path, count: usize) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".zip").tempfile().unwrap();
    let mut archive = ZipWriter::new(file.as_file());
    let options = zip::write::SimpleFileOptions::default();
    let files = || {
        let all = walkdir::WalkDir::new(folder).into_iter();
        all.map(Result::unwrap)
            .filter(|found| found.file_type().is_file())
    };
    for number in 0..count {
        for found in files() {
            let path = found.path().strip_prefix(folder).unwrap();
            let path = path.to_str().unwrap();
            let path = path.replacen("dmaudit-n-", &format!("dmaudit-n{number}-"), 1);
            let path = path.replace("/nodes/n/", &format!("/nodes/n{number}/"));
            let text = fs::read_to_string(found.path()).unwrap();
            let text = text.replace("Linux n ", &format!("Linux n{number} "));
            archive.start_file(path, options).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
    }
    archive.finish().unwrap();
    file
}

#[test]
#[ignore = "measures: needs GNU time, and a release build to be soon done"]
fn many_such_bundles_in_one_archive_take_less_than_256_mib() {
    let short = |i: usize| format!("pve-vm--{}--disk--0", 1000 + i);
    let long = |i: usize| format!("pve-vm--{}--disk--0--{}", 1000 + i, "x".repeat(102));
    for (what, folder, count) in [
        ("short names", overlapping(20_000, &short, 1), 3),
        (
            "stale, long names",
            stale(overlapping(20_000, &long, 1), 0, "", &|_| String::new()),
            3,
        ),
    ] {
        let archive = several(folder.path(), count);
        let peak = peak(archive.path());
        println!("{count} times {what}: {} MiB", peak / MIB);
        assert!(peak < 256 * MIB, "{what}: {} MiB", peak / MIB);
    }
}

#[test]
#[ignore = "measures: needs GNU time, and a release build to be soon done"]
fn a_bundle_at_the_bounds_takes_less_than_256_mib() {
    let short = |i: usize| format!("pve-vm--{}--disk--0", 1000 + i);
    let long = |i: usize| format!("pve-vm--{}--disk--0--{}", 1000 + i, "x".repeat(102));
    for (what, folder) in [
        ("overlaps", overlapping(20_000, &short, 1)),
        ("long names", overlapping(20_000, &long, 2)),
        (
            "stale",
            stale(overlapping(20_000, &long, 1), 0, "", &|_| String::new()),
        ),
        (
            "referenced by path",
            stale(
                overlapping(20_000, &long, 1),
                58_000,
                "lvm: thick\n\tvgname pve\n",
                &|i| {
                    let lv = long(i % 20_000).replacen("pve-", "", 1).replace("--", "-");
                    format!("scsi{i}: /dev/pve/{lv}\n")
                },
            ),
        ),
        (
            "referenced by storages whose VG is a guess",
            stale(guessed(), 58_000, "", &|i| {
                format!("scsi{i}: local-x:vm-{}-disk-0\n", i % 206)
            }),
        ),
    ] {
        let peak = peak(folder.path());
        println!("{what}: {} MiB", peak / MIB);
        assert!(peak > 32 * MIB, "{what}: nothing was analyzed");
        assert!(peak < 256 * MIB, "{what}: {} MiB", peak / MIB);
    }
}

/// A bundle with as many of everything as each list may have by itself: of all
/// entries either LVM has the volume, or it has none.
fn everything(is_backed: bool) -> tempfile::TempDir {
    const ALL: usize = 20_000;
    const HALF: usize = ALL / 2;
    let lv = |i: usize| format!("vm-{}-disk-0-{}", 1000 + i, "x".repeat(95));
    let name = |i: usize| format!("v-{}", lv(i).replace('-', "--"));
    let [vg, gone] =
        ["V", "W"].map(|kind| kind.repeat(6) + &format!("-{}", "VVVV-".repeat(5)) + "VVVVVV");
    let uuid = |kind: &str, i: usize| format!("{kind}00000-{}{i:06}", "0000-".repeat(5));
    let lines =
        |count: usize, line: &dyn Fn(usize) -> String| -> String { (0..count).map(line).collect() };
    let report = |section: &str, rows: Vec<String>| {
        format!("{{\"report\":[{{\"{section}\":[{}]}}]}}", rows.join(",\n"))
    };
    let rows = |count: usize, row: &dyn Fn(usize) -> String| -> Vec<String> {
        (0..count).map(row).collect()
    };
    let info = lines(ALL, &|i| {
        let lv_uuid = uuid("L", i).replace('-', "");
        format!(
            "Name: {}\nState: ACTIVE\nTables present: LIVE\nOpen count: 1\nMajor, minor: 254, {i}\nUUID: LVM-{}{lv_uuid}\n\n",
            name(i),
            vg.replace('-', "")
        )
    });
    let volume = |i: usize| {
        format!(
            "{{\"vg_name\":\"v\",\"vg_uuid\":\"{vg}\",\"lv_name\":\"{}\",\"lv_uuid\":\"{}\",\"lv_attr\":\"-wi-ao----\",\"lv_size\":\"67108864\"}}",
            lv(i),
            uuid("L", i)
        )
    };
    let segment = |i: usize| {
        format!(
            "{{\"vg_uuid\":\"{vg}\",\"lv_uuid\":\"{}\",\"lv_name\":\"x\",\"segtype\":\"linear\",\"seg_start\":\"0\",\"seg_size\":\"67108864\",\"seg_pe_ranges\":\"/dev/a:{i}-{}\",\"devices\":\"\"}}",
            uuid("L", i),
            i + 15
        )
    };
    let mut groups = rows(4_990, &|i| {
        format!(
            "{{\"vg_name\":\"w{i}\",\"vg_uuid\":\"{}\",\"vg_extent_size\":\"4194304\"}}",
            uuid("W", i)
        )
    });
    groups.push(format!(
        "{{\"vg_name\":\"v\",\"vg_uuid\":\"{vg}\",\"vg_extent_size\":\"4096\"}}"
    ));
    let physical = rows(4_990, &|i| {
        format!(
            "{{\"pv_name\":\"/dev/{}{i}\",\"pv_uuid\":\"{}\",\"vg_name\":\"w\",\"vg_uuid\":\"{gone}\",\"pv_size\":\"99\",\"pe_start\":\"1048576\",\"pv_major\":\"7\",\"pv_minor\":\"{i}\"}}",
            "p".repeat(200),
            uuid("P", i)
        )
    });
    let long = |text: &str| text.repeat(160);
    let mut files = vec![
        (
            "commands/uname.out".to_owned(),
            "Linux n 6.8.12-1-pve #1 SMP x86_64 GNU/Linux\n".to_owned(),
        ),
        ("commands/dmsetup-info.out".to_owned(), info),
        (
            "commands/dmsetup-table.out".to_owned(),
            lines(ALL, &|i| {
                format!("{}: 0 8388608 linear 8:3 2048\n", name(i))
            }),
        ),
        (
            "commands/dmsetup-deps.out".to_owned(),
            lines(ALL - 10, &|i| {
                let below = [7, 14, 21].map(|step| format!("(254, {})", (i + step) % ALL));
                format!("{}: 3 dependencies  : {}\n", name(i), below.join(" "))
            }),
        ),
        (
            "commands/lsof.out".to_owned(),
            "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n".to_owned()
                + &lines(HALF, &|i| {
                    format!(
                        "{} {i} root 3u BLK 254,{} 0t0 5 /dev/dm-{}\n",
                        long("c"),
                        2 * i,
                        2 * i
                    )
                }),
        ),
        (
            "commands/mountinfo.out".to_owned(),
            lines(HALF, &|i| {
                format!(
                    "{i} 1 254:{} / /mnt/{}{i} rw - ext4 /dev/x rw\n",
                    2 * i + 1,
                    long("m")
                )
            }),
        ),
        (
            "commands/kernel-dm.out".to_owned(),
            lines(HALF, &|i| {
                format!(
                    "[{i}.1] device-mapper: ioctl: unable to remove open device {} {}\n",
                    name(i),
                    long("k")
                )
            }),
        ),
        (
            "commands/multipath.out".to_owned(),
            lines(4_000, &|i| {
                let path = format!("  `- 3:0:0:{i} sd{i} 8:{i} failed faulty running\n");
                format!(
                    "{} (3600{i}) dm-{i} LIO,x\nsize=1G features='0'\n`-+- policy='service-time 0' prio=0 status=enabled\n{}",
                    name(i),
                    path.repeat(5)
                )
            }),
        ),
        (
            "commands/qm-list.out".to_owned(),
            "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID\n".to_owned()
                + &lines(ALL - 100, &|i| {
                    format!("{} {} stopped 2048 0.00 0\n", 1000 + i, "g".repeat(127))
                }),
        ),
        (
            "commands/lvs-json.out".to_owned(),
            report(
                "lv",
                if is_backed {
                    rows(ALL, &volume)
                } else {
                    Vec::new()
                },
            ),
        ),
        (
            "commands/lvs-segments-json.out".to_owned(),
            report("seg", rows(ALL, &segment)),
        ),
        ("commands/vgs-json.out".to_owned(), report("vg", groups)),
        ("commands/pvs-json.out".to_owned(), report("pv", physical)),
        (
            "files/etc/pve/storage.cfg".to_owned(),
            "lvm: s\n\tvgname v\n\tshared 1\n".to_owned(),
        ),
    ];
    files.extend((0..18_000).map(|i| {
        let path = format!("files/etc/pve/nodes/n/qemu-server/{}.conf", 1000 + i);
        (
            path,
            format!("name: {}\nscsi0: s:{}\n", "g".repeat(127), lv(i)),
        )
    }));
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join("dmaudit-n-20261123T183645Z").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

#[test]
#[ignore = "measures: needs GNU time, and a release build to be soon done"]
fn a_bundle_with_as_many_of_everything_takes_less_than_256_mib() {
    for is_backed in [true, false] {
        let folder = everything(is_backed);
        let redacting = redacting(folder.path());
        println!("redact: {} MiB", redacting / MIB);
        let peak = peak(folder.path()).max(redacting);
        println!("everything, backed {is_backed}: {} MiB", peak / MIB);
        assert!(peak > 96 * MIB, "nothing was analyzed");
        assert!(peak < 256 * MIB, "{} MiB", peak / MIB);
    }
}

/// An archive of this many bundles: the node, the time and the files of each.
fn bundles(
    count: usize,
    bundle: impl Fn(usize) -> (String, String, Vec<(&'static str, String)>),
) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".zip").tempfile().unwrap();
    let mut archive = ZipWriter::new(file.as_file());
    for number in 0..count {
        let (node, time, files) = bundle(number);
        let mut files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (*path, text.as_str()))
            .collect();
        files.push(SHARED);
        add(&mut archive, &node, &time, &files);
    }
    archive.finish().unwrap();
    file
}

/// Nodes with as many volumes each: their own, or the same that so many
/// processes hold.
fn nodes(count: usize, volumes: usize, holders: usize) -> tempfile::NamedTempFile {
    bundles(count, |node| {
        let first = if holders > 0 {
            1_000
        } else {
            1_000 + volumes * node
        };
        let infos = (0..volumes).map(|at| info(first + at, at, usize::from(holders > 0)));
        let held = (0..volumes).flat_map(|at| (1..=holders).map(move |pid| (at, pid)));
        let held = held.map(|(at, pid)| {
            let command = "c".repeat(60);
            format!("{command} {pid} root 3u BLK 254,{at} 0t0 5 /dev/dm-{at}\n")
        });
        let head = "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n".to_owned();
        let files = vec![
            ("commands/dmsetup-info.out", infos.collect()),
            (
                "commands/lsof.out",
                std::iter::once(head).chain(held).collect(),
            ),
            (
                "files/etc/pve/nodes/n/qemu-server/900000.conf",
                "memory: 1\n".to_owned(),
            ),
        ];
        (format!("n{node:03}"), "20261123T183645Z".to_owned(), files)
    })
}

/// A node at ten times, with this many thin pools.
fn history(count: usize) -> tempfile::NamedTempFile {
    bundles(10, |time| {
        let files = vec![
            ("commands/machine-id.out", "0123456789abcdef\n".to_owned()),
            ("commands/lvs-json.out", pools(count, time)),
        ];
        ("n".to_owned(), format!("20261123T18{time:02}45Z"), files)
    })
}

#[test]
#[ignore = "measures: needs GNU time, and a release build to be soon done"]
fn what_nodes_or_times_multiply_takes_less_than_256_mib() {
    for (what, archive) in [
        ("volumes of a cluster", nodes(100, 100, 0)),
        ("volumes that many hold on all nodes", nodes(100, 100, 50)),
        ("open volumes of large nodes", nodes(3, 20_000, 1)),
        ("open volumes of many nodes", nodes(64, 1_000, 6)),
        ("thin pools at several times", history(5_000)),
    ] {
        let peak = peak(archive.path());
        println!("{what}: {} MiB", peak / MIB);
        assert!(peak < 256 * MIB, "{what}: {} MiB", peak / MIB);
    }
}
