//! single-path-under-multipath and failed-path, on pve2 with its SAN disk
//! behind multipath.

use crate::recording::Recording;

const SINGLE: &str = "single-path-under-multipath";
const FAILED: &str = "failed-path";

/// The SAN disk is two paths, 253:32 and 253:48, of a multipath device that
/// LVM uses.
fn multipathed(first: &str, second: &str) -> Recording {
    Recording::of("pve2")
        .device("mpatha", 50, 4, "mpath-36001405f0a3")
        .add("dmsetup-table", "mpatha: 0 2097152 multipath 1 queue_if_no_path 0 1 1 service-time 0 2 1 253:32 1 253:48 1\n")
        .edit("dmsetup-table", "linear 253:32", "linear 254:50")
        .edit("dmsetup-deps", "(253, 32)", "(254, 50)")
        .edit("pvs-json", "/dev/vdc", "/dev/mapper/mpatha")
        .edit("pvs-json", "\"pv_major\":\"253\", \"pv_minor\":\"32\"", "\"pv_major\":\"254\", \"pv_minor\":\"50\"")
        .edit("lvs-segments-json", "/dev/vdc", "/dev/mapper/mpatha")
        .write(
            "multipath",
            &format!(
                "mpatha (36001405f0a3) dm-50 LIO-ORG,disk\nsize=1.0G features='1 queue_if_no_path' hwhandler='1 alua' wp=rw\n\
                 |-+- policy='service-time 0' prio=50 status=active\n| `- 2:0:0:1 vdc 253:32 {first}\n\
                 `-+- policy='service-time 0' prio=10 status=enabled\n  `- 3:0:0:1 vdd 253:48 {second}\n"
            ),
        )
}

const GOOD: &str = "active ready running";

fn past(recording: Recording) -> Recording {
    recording.edit(
        "dmsetup-table",
        "172--disk--0: 0 65536 linear 254:50 133120",
        "172--disk--0: 0 65536 linear 253:48 133120",
    )
}

#[test]
fn volumes_on_the_multipath_device_are_fine() {
    let checked = multipathed(GOOD, GOOD).checked();
    assert!(checked.lines(SINGLE).is_empty());
    assert!(checked.lines(FAILED).is_empty());
    // The rest stays as it was.
    assert_eq!(
        checked.lines("overlapping-mappings"),
        ["critical ssd--ha01-vm--170--disk--0"]
    );
    assert_eq!(
        checked.lines("outdated-table"),
        ["critical ssd--ha01-vm--169--disk--0"]
    );
}

#[test]
fn a_volume_on_one_path_is_told_once() {
    let checked = past(multipathed(GOOD, GOOD)).checked();
    assert_eq!(
        checked.lines(SINGLE),
        ["warning ssd--ha01-vm--172--disk--0"]
    );
    // The same sectors as by the metadata, if over one path.
    assert_eq!(
        checked.lines("outdated-table"),
        ["critical ssd--ha01-vm--169--disk--0"]
    );
    let lost = past(multipathed(GOOD, "failed faulty offline"));
    assert_eq!(lost.found(SINGLE), ["critical ssd--ha01-vm--172--disk--0"]);
}

#[test]
fn the_table_alone_tells_the_paths() {
    let checked = past(multipathed(GOOD, GOOD))
        .write("multipath", "")
        .fail("multipath", 127)
        .checked();
    assert_eq!(
        checked.lines(SINGLE),
        ["warning ssd--ha01-vm--172--disk--0"]
    );
    assert!(checked.lacking.contains(&FAILED));
    assert!(
        !Recording::of("pve2")
            .fail("multipath", 127)
            .checked()
            .lacking
            .contains(&FAILED)
    );
}

#[test]
fn overlaps_are_seen_over_different_paths() {
    let over_path = multipathed(GOOD, GOOD).edit(
        "dmsetup-table",
        "170--disk--0: 0 65536 linear 254:50 67584",
        "170--disk--0: 0 65536 linear 253:48 67584",
    );
    assert_eq!(
        over_path.found("overlapping-mappings"),
        ["critical ssd--ha01-vm--170--disk--0"]
    );
}

#[test]
fn failed_paths_are_counted() {
    for (second, found) in [
        ("failed faulty running", Some("warning mpatha")),
        ("active faulty offline", Some("warning mpatha")),
        ("active i/o pending running", None),
        ("active ghost running", None),
    ] {
        assert_eq!(
            multipathed(GOOD, second).found(FAILED),
            found.into_iter().collect::<Vec<_>>(),
            "{second}"
        );
    }
    let all = multipathed("failed faulty running", "failed faulty running").checked();
    assert_eq!(all.lines(FAILED), ["critical mpatha"]);
    assert!(
        all.only(FAILED)
            .message
            .contains("2 of 2 paths to mpatha have failed: vdc, vdd")
    );
}
