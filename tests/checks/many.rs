//! As many of a kind as a hostile bundle has: looked at one by one against all
//! the others, any of these takes minutes.

use std::fmt::Write as _;

use crate::recording::Recording;

/// A UUID of LVM's, with dashes.
fn uuid(kind: char, number: usize) -> String {
    let plain = format!("{kind}{number:031}");
    let parts = [0..6, 6..10, 10..14, 14..18, 18..22, 22..26, 26..32];
    parts.map(|part| &plain[part]).join("-")
}

/// One of LVM's reports as JSON, of these rows.
fn report(section: &str, rows: impl Iterator<Item = String>) -> String {
    let rows: Vec<String> = rows.collect();
    format!("{{\"report\":[{{\"{section}\":[{}]}}]}}", rows.join(",\n"))
}

/// A row of `lvs-json`.
fn volume(vg: &str, vg_uuid: &str, name: &str, number: usize, attr: &str, more: &str) -> String {
    format!(
        "{{\"vg_name\":\"{vg}\",\"vg_uuid\":\"{vg_uuid}\",\"lv_name\":\"{name}\",\"lv_uuid\":\"{}\",\
         \"lv_attr\":\"{attr}\",\"lv_size\":\"4096\"{more}}}",
        uuid('L', number)
    )
}

#[test]
fn pools_are_told_once_each_and_hold_only_their_own_volumes() {
    const MANY: usize = 24_000;
    let vg_uuid = uuid('V', 0);
    let pool = |number: usize| {
        let full = number.is_multiple_of(MANY / 2);
        let percent = if full { "85.00" } else { "1.00" };
        let more = format!(",\"data_percent\":\"{percent}\",\"metadata_percent\":\"1.00\"");
        volume(
            "v",
            &vg_uuid,
            &format!("p{number}"),
            number,
            "twi-aotz--",
            &more,
        )
    };
    let thin = |number: usize| {
        let more = ",\"pool_lv\":\"p7\"";
        volume(
            "v",
            &vg_uuid,
            &format!("t{number}"),
            MANY + number,
            "Vwi-a-tz--",
            more,
        )
    };
    let rows = (0..MANY).map(pool).chain((0..2).map(thin));
    let checked = Recording::of("pve2")
        .write("lvs-json", &report("lv", rows))
        .checked();
    assert_eq!(
        checked.lines("thin-pool-full"),
        ["warning v/p0", "warning v/p12000", "info v/p7"]
    );
}

#[test]
fn a_path_is_told_by_the_first_line_that_lists_it() {
    const MANY: usize = 15_000;
    let mut recording = Recording::of("pve2").device("mpatha", 60_000, 1, "mpath-3600");
    let mut info = String::new();
    let mut table = "mpatha: 0 8 multipath 0 0 1 1 service-time 0 1 1 8:16 1\n".to_owned();
    for number in 0..MANY {
        let _ = write!(
            info,
            "\nName:              past{number}\nState:             ACTIVE\nOpen count:        1\nMajor, minor:      254, {}\nNumber of targets: 1\n",
            number + 100
        );
        let _ = writeln!(table, "past{number}: 0 8 linear 8:16 {}", number * 8);
    }
    let mut paths = "mpatha (3600) dm-60000 LIO-ORG,disk\n".to_owned();
    for number in 0..MANY {
        let _ = writeln!(paths, "|- 1:0:0:1 x 9:{number} active ready running");
    }
    paths +=
        "|- 1:0:0:1 sdb 8:16 failed faulty running\n`- 1:0:0:1 sdz 8:16 active ready running\n";
    recording = recording
        .add("dmsetup-info", &info)
        .add("dmsetup-table", &table)
        .write("multipath", &paths);
    let lines = recording.found("single-path-under-multipath");
    assert_eq!(lines.len(), MANY);
    assert!(lines.iter().all(|line| line.starts_with("critical past")));
}

/// Volumes whose tables differ from LVM's metadata, each on these physical
/// volumes' extents.
fn on_extents(volumes: usize, pvs: usize, ranges: &str) -> Recording {
    let vg_uuid = uuid('V', 0);
    let pv = |number: usize| {
        format!(
            "{{\"pv_name\":\"/dev/a{number}\",\"pv_uuid\":\"{}\",\"vg_name\":\"v\",\"vg_uuid\":\"{vg_uuid}\",\
             \"pv_size\":\"99\",\"pe_start\":\"1048576\",\"pv_major\":\"9\",\"pv_minor\":\"{number}\"}}",
            uuid('P', number)
        )
    };
    let extents = ranges.split(' ').count() * 4096;
    let segment = |number: usize| {
        format!(
            "{{\"vg_uuid\":\"{vg_uuid}\",\"lv_uuid\":\"{}\",\"lv_name\":\"x\",\"segtype\":\"striped\",\
             \"seg_start\":\"0\",\"seg_size\":\"{extents}\",\"seg_pe_ranges\":\"{ranges}\",\"devices\":\"\"}}",
            uuid('L', number)
        )
    };
    let (mut info, mut table) = (String::new(), String::new());
    for number in 0..volumes {
        let name = format!("v-vm--{}--disk--0", number + 1000);
        let _ = write!(
            info,
            "\nName:              {name}\nState:             ACTIVE\nOpen count:        0\nMajor, minor:      254, {}\nNumber of targets: 1\nUUID: LVM-{}{}\n",
            number + 100,
            vg_uuid.replace('-', ""),
            uuid('L', number).replace('-', "")
        );
        let _ = writeln!(table, "{name}: 0 8 linear 8:16 {}", number * 8);
    }
    let lv = |number: usize| {
        let name = format!("vm-{}-disk-0", number + 1000);
        volume("v", &vg_uuid, &name, number, "-wi-a-----", "")
    };
    let vg = format!("{{\"vg_name\":\"v\",\"vg_uuid\":\"{vg_uuid}\",\"vg_extent_size\":\"4096\"}}");
    Recording::of("solo")
        .write("dmsetup-info", &info)
        .write("dmsetup-table", &table)
        .write("lvs-json", &report("lv", (0..volumes).map(lv)))
        .write(
            "lvs-segments-json",
            &report("seg", (0..volumes).map(segment)),
        )
        .write("pvs-json", &report("pv", (0..pvs).map(pv)))
        .write("vgs-json", &report("vg", std::iter::once(vg)))
}

fn evidence_of_pvs(recording: &Recording) -> Vec<String> {
    let checked = recording.checked();
    let evidence = &checked
        .findings
        .iter()
        .find(|one| one.check == "outdated-table");
    let lines = evidence.unwrap().evidence.iter();
    lines
        .filter(|line| line.starts_with("pvs-json: "))
        .cloned()
        .collect()
}

#[test]
fn physical_volumes_are_looked_up_and_of_many_the_first_are_told() {
    let ranges: Vec<String> = (0..100).map(|at| format!("/dev/a7:{at}-{at}")).collect();
    let one = on_extents(1000, 5_000, &ranges.join(" "));
    assert_eq!(
        evidence_of_pvs(&one),
        ["pvs-json: /dev/a7 is device 9:7, its first extent begins at 1048576 bytes"]
    );
    // Listed in the report's order, whatever that of the extents.
    let ranges: Vec<String> = (0..20).rev().map(|at| format!("/dev/a{at}:0-0")).collect();
    let lines = evidence_of_pvs(&on_extents(1, 20, &ranges.join(" ")));
    assert_eq!(lines.len(), 9, "{lines:?}");
    assert!(lines[0].starts_with("pvs-json: /dev/a0 "), "{lines:?}");
    assert_eq!(
        lines[8],
        "pvs-json: v/vm-1000-disk-0 lies on 12 more physical volumes"
    );
}

#[test]
fn each_group_is_judged_by_its_own_volumes() {
    const MANY: usize = 5_000;
    let all = MANY - 1;
    let row = |(group, number): (usize, usize)| {
        let name = format!("vm-7{number}-disk-0");
        let vg_uuid = uuid('V', group);
        volume(
            &format!("v{group}"),
            &vg_uuid,
            &name,
            group * 3 + number,
            "-wi-a-----",
            "",
        )
    };
    // Fewer than three are no boot's doing.
    let volumes = (0..MANY).flat_map(|group| {
        let of = if group == 0 || group == all { 3 } else { 1 };
        (0..of).map(move |number| (group, number))
    });
    let vg = |group: usize| {
        format!(
            "{{\"vg_name\":\"v{group}\",\"vg_uuid\":\"{}\"}}",
            uuid('V', group)
        )
    };
    let lines = Recording::of("pve2")
        .write("lvs-json", &report("lv", volumes.map(row)))
        .write("vgs-json", &report("vg", (0..MANY).map(vg)))
        .found("activated-at-boot");
    assert_eq!(lines, ["info v0", "info v4999"]);
}

#[test]
fn a_volumes_storage_is_the_first_of_very_many() {
    const MANY: usize = 15_000;
    let vg_uuid = uuid('V', 0);
    let lv = |number: usize| {
        let name = format!("vm-{}-disk-1", number + 10_000);
        volume("v", &vg_uuid, &name, number, "-wi-------", "")
    };
    let storages: Vec<String> = (0..MANY)
        .map(|number| format!("lvm: s{number}\n\tvgname v\n\tnodes pve9\n\n"))
        .collect();
    let checked = Recording::of("pve1")
        .write("lvs-json", &report("lv", (0..MANY).map(lv)))
        .write("/etc/pve/storage.cfg", &storages.concat())
        .checked();
    let left = checked
        .findings
        .iter()
        .filter(|one| one.check == "leftover-volume");
    let remedies: Vec<&str> = left.map(|one| &*one.remedy).collect();
    assert_eq!(remedies.len(), MANY);
    assert!(
        remedies
            .iter()
            .all(|remedy| remedy.contains("pvesm free s0:vm-"))
    );
}

#[test]
fn missing_volumes_are_counted_after_the_first() {
    let lines: String = (0..2_100)
        .map(|number| format!("scsi{number}: local-lvm:vm-103-disk-{}\n", number + 100))
        .collect();
    let conf = "/etc/pve/nodes/pve1/qemu-server/103.conf";
    let checked = Recording::of("pve1").add(conf, &lines).checked();
    let told = checked.lines("missing-volume");
    let further = checked
        .findings
        .iter()
        .find(|found| found.subject == "further volumes");
    let further = further.unwrap_or_else(|| panic!("{} are told", told.len()));
    assert_eq!(told.len(), 2_001);
    assert_eq!(told[2_000], "critical further volumes");
    assert!(further.message.contains("reference 100 more volumes"));
}

/// Of VGs that are not read none is free of faults.
#[test]
fn without_the_groups_their_checks_say_so() {
    let checks = ["activated-at-boot", "autoactivation-enabled"];
    let groups = |count: usize| {
        let vg = |number: usize| {
            format!(
                "{{\"vg_name\":\"w{number}\",\"vg_uuid\":\"{}\"}}",
                uuid('W', number)
            )
        };
        let text = report("vg", (0..count).map(vg));
        Recording::of("pve1").write("vgs-json", &text).checked()
    };
    let lacking = groups(5_001).lacking;
    assert!(
        checks.iter().all(|check| lacking.contains(check)),
        "{lacking:?}"
    );
    let lacking = groups(5_000).lacking;
    assert!(
        !checks.iter().any(|check| lacking.contains(check)),
        "{lacking:?}"
    );
}

/// Entries whose names take too much room are not half read, and no fewer than
/// there are.
#[test]
fn entries_that_have_no_room_are_unknown() {
    let node = |escapes: usize| {
        let mut info = String::new();
        for number in 0..15_000 {
            let _ = write!(
                info,
                "Name: v-vm--{}--{}\nOpen count: 0\nMajor, minor: 254, {number}\n\n",
                number + 1000,
                "\\x58".repeat(escapes)
            );
        }
        let ls = "v-vm--1--disk--0\t(254:1)\n";
        let recording = Recording::of("solo");
        let recording = recording
            .write("dmsetup-info", &info)
            .write("dmsetup-ls", ls);
        recording.checked().failed
    };
    assert!(node(20).is_empty());
    let failed = node(105);
    assert!(failed.contains(&"dmsetup-info"), "{failed:?}");
}

/// Each list is within its own bound, all together are more than there is room
/// for: the last ones are evidence that failed, none is half read.
#[test]
fn what_is_listed_has_room_together() {
    let listed = |name: &str| {
        let mut info = String::new();
        let (mut lsof, mut mounts) = (
            "COMMAND PID USER FD TYPE DEVICE SIZE/OFF NODE NAME\n".to_owned(),
            String::new(),
        );
        for number in 0..20_000 {
            let _ = write!(
                info,
                "Name: v-vm--{}--disk--0{name}\nOpen count: 1\nMajor, minor: 254, {number}\n\n",
                number + 1000
            );
        }
        for number in 0..9_000 {
            let (process, path) = ("c".repeat(160), "m".repeat(160));
            let _ = writeln!(lsof, "{process} {number} root 3u BLK 254,{number} 0t0 5 /x");
            let _ = writeln!(mounts, "{number} 1 254:{number} / /{path} rw - ext4 /x rw");
        }
        Recording::of("solo")
            .write("dmsetup-info", &info)
            .write("lsof", &lsof)
            .write("mountinfo", &mounts)
            .checked()
            .failed
    };
    assert!(listed("").is_empty());
    let name = "x".repeat(90);
    assert_eq!(listed(&name), ["mountinfo"]);
}
