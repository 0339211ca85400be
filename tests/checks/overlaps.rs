//! overlapping-mappings.

use crate::recording::{Recording, SAN, volume};

const CHECK: &str = "overlapping-mappings";
const STALE: &str = "critical ssd--ha01-vm--170--disk--0";

#[test]
fn the_stale_one_is_the_one_in_the_wrong() {
    let checked = Recording::of("pve2").checked();
    let finding = checked.only(CHECK);
    assert_eq!(finding.vmid, Some(171));
    assert!(finding.message.contains("ssd--ha01-vm--171--disk--0"));
    assert!(finding.message.contains("67584 to 133119 of /dev/vdc"));
    for line in [
        "dmsetup-table: ssd--ha01-vm--170--disk--0: 0 65536 linear 253:32 67584",
        "dmsetup-table: ssd--ha01-vm--171--disk--0: 0 65536 linear 253:32 67584",
        "lvs-segments-json: ssd-ha01/vm-171-disk-0: 33554432 bytes from 0 on extents /dev/vdc:8-15",
        "pvs-json: /dev/vdc is device 253:32, its first extent begins at 1048576 bytes",
        "vgs-json: ssd-ha01: extents of 4194304 bytes",
    ] {
        assert!(
            finding.evidence.iter().any(|e| e == line),
            "{line}\n{finding:#?}"
        );
    }
}

#[test]
fn extents_of_a_volume_that_is_not_active_here_count() {
    let found = Recording::of("pve2")
        .edit("dmsetup-info", "ssd--ha01-vm--171--disk--0", "x")
        .edit("dmsetup-info", &format!("LVM-{SAN}kwPp76"), "OTHER-")
        .drop_lines("dmsetup-table", "vm--171")
        .checked();
    let finding = found.only(CHECK);
    assert_eq!(finding.subject, "ssd--ha01-vm--170--disk--0");
    assert!(
        finding
            .message
            .contains("given to ssd-ha01/vm-171-disk-0 (not active on this node)"),
        "{}",
        finding.message
    );
}

#[test]
fn a_mapping_that_ends_where_another_begins_is_none() {
    let moved = Recording::of("pve2").edit(
        "dmsetup-table",
        "170--disk--0: 0 65536 linear 253:32 67584",
        "170--disk--0: 0 65536 linear 253:32 264192",
    );
    assert!(moved.found(CHECK).is_empty());
    let one_sector = Recording::of("pve2").edit(
        "dmsetup-table",
        "170--disk--0: 0 65536 linear 253:32 67584",
        "170--disk--0: 0 65536 linear 253:32 133119",
    );
    // One sector of 171's, and all but one of 172's.
    assert_eq!(one_sector.found(CHECK), [STALE, STALE]);
}

#[test]
fn an_old_table_over_anothers_extents_is_one_finding_and_not_outdated_as_well() {
    let checked = Recording::of("pve2")
        .edit(
            "dmsetup-table",
            "169--disk--0: 0 65536 linear 253:32 2048",
            "169--disk--0: 0 65536 linear 253:32 133120",
        )
        .checked();
    assert_eq!(
        checked.lines(CHECK),
        [STALE, "critical ssd--ha01-vm--169--disk--0"]
    );
    assert!(checked.lines("outdated-table").is_empty());
}

#[test]
fn a_mapping_by_hand_over_a_part_of_a_volume_overlaps_it() {
    let by_hand = |table: &str| {
        Recording::of("pve2")
            .device("rescue", 30, 0, "")
            .add("dmsetup-table", table)
            .checked()
    };
    let part = by_hand("rescue: 0 100 linear 253:32 133220\n");
    assert_eq!(part.lines(CHECK), [STALE, "critical rescue"]);
    // The whole of it is a duplicate, and a duplicate is no overlap as well.
    let whole = by_hand("rescue: 0 65536 linear 253:32 133120\n");
    assert_eq!(whole.lines(CHECK), [STALE]);
    assert_eq!(whole.lines("duplicate-entry"), ["critical rescue"]);
    // Another device, or free extents.
    assert_eq!(
        by_hand("rescue: 0 100 linear 8:0 133220\n").lines(CHECK),
        [STALE]
    );
    assert_eq!(
        by_hand("rescue: 0 100 linear 253:32 300000\n").lines(CHECK),
        [STALE]
    );
}

#[test]
fn what_can_not_write_overlaps_nothing() {
    let rescue = |state: &str| {
        Recording::of("pve2")
            .device("rescue", 30, 0, "")
            .edit(
                "dmsetup-info",
                "rescue\nState:             ACTIVE",
                &format!("rescue\nState:             {state}"),
            )
            .add("dmsetup-table", "rescue: 0 100 linear 253:32 133220\n")
            .found(CHECK)
    };
    assert_eq!(rescue("ACTIVE"), [STALE, "critical rescue"]);
    assert_eq!(rescue("ACTIVE (READ-ONLY)"), [STALE]);
}

#[test]
fn of_two_volumes_the_one_whose_table_is_old_is_in_the_wrong() {
    // 172's table has 169's first extents; 169's own is as LVM says there.
    let checked = Recording::of("pve2")
        .edit(
            "dmsetup-table",
            "linear 253:32 133120",
            "linear 253:32 2048",
        )
        .checked();
    assert_eq!(
        checked.lines(CHECK),
        ["critical ssd--ha01-vm--172--disk--0", STALE]
    );
    let finding = checked
        .findings
        .iter()
        .find(|f| f.check == CHECK && f.vmid == Some(172))
        .unwrap();
    assert!(
        finding
            .message
            .contains("table is older than LVM's metadata"),
        "{}",
        finding.message
    );
}

#[test]
fn stripes_take_up_their_share_of_each_device() {
    let striped = |offset: u64| {
        Recording::of("pve2")
            .device("stripes", 30, 0, "")
            .add(
                "dmsetup-table",
                &format!("stripes: 0 2000 striped 2 128 8:0 0 253:32 {offset}\n"),
            )
            .found(CHECK)
    };
    // 169's last extent, by the metadata, ends before sector 231424.
    assert_eq!(striped(231_423), [STALE, "critical stripes"]);
    assert_eq!(striped(231_424), [STALE]);
}

#[test]
fn layers_of_one_volume_lie_apart() {
    // A snapshot as LVM builds it: origin and copy-on-write layer on extents
    // of their own, the volumes on top of them.
    let lvm = |name: &str, uuid: &str| format!("LVM-{SAN}{uuid}{name}");
    let origin = "pEQmXx26ZEuMgbIowLHSu59VSZqPwjsj";
    let snapshot = "SnApSnApSnApSnApSnApSnApSnApSnAp";
    let layered = || {
        Recording::of("pve1")
        .device("ssd--ha01-vm--169--disk--0-real", 40, 2, &lvm("-real", origin))
        .device("ssd--ha01-snap-cow", 41, 1, &lvm("-cow", snapshot))
        .device("ssd--ha01-snap", 42, 0, &lvm("", snapshot))
        .edit(
            "dmsetup-table",
            "ssd--ha01-vm--169--disk--0: 0 65536 linear 253:32 2048\nssd--ha01-vm--169--disk--0: 65536 32768 linear 253:32 198656\n",
            "ssd--ha01-vm--169--disk--0-real: 0 65536 linear 253:32 2048\nssd--ha01-vm--169--disk--0-real: 65536 32768 linear 253:32 198656\n\
             ssd--ha01-vm--169--disk--0: 0 98304 snapshot-origin 254:40\nssd--ha01-snap-cow: 0 8192 linear 253:32 231424\n\
             ssd--ha01-snap: 0 98304 snapshot 254:40 254:41 P 8\n",
        )
    };
    let found = layered().checked();
    assert!(found.lines(CHECK).is_empty(), "{:#?}", found.findings);
    assert!(found.lines("outdated-table").is_empty());
    // The layers follow the guest's volume, but are no LVM of the guest's.
    assert_eq!(found.lines("guest-lvm-on-host"), ["warning ubuntu-vg"]);
    let unnamed = layered().remove("/etc/pve/storage.cfg");
    assert_eq!(unnamed.found("guest-lvm-on-host"), ["warning ubuntu-vg"]);
}

#[test]
fn a_partition_within_the_extended_one_is_no_overlap() {
    let parts = |second: &str| {
        Recording::of("pve1")
            .device("pve-vm--150--disk--0p5", 40, 0, second)
            .add(
                "dmsetup-table",
                "pve-vm--150--disk--0p5: 0 1000 linear 254:13 4096\n",
            )
            .found(CHECK)
    };
    let disk = "LVM-qI2XpXd8NIWOZXTC892vFjhskE9CCRM7mVFp6Zs50e0nvmirtOt6UAY9y9H7xpN1";
    assert!(parts(&format!("part5-{disk}")).is_empty());
}

#[test]
fn two_volumes_with_one_thin_id_are_one_disk_twice() {
    let found = |id: u64| {
        Recording::of("pve1")
            .row(
                "lvs-json",
                &volume(
                    "vm-101-disk-9",
                    "TwinTw-inTw-inTw-inTw-inTw-inTw-inTwin",
                    "Vwi-a-tz--",
                    "67108864",
                ),
            )
            .device(
                "pve-vm--101--disk--9",
                40,
                0,
                "LVM-qI2XpXd8NIWOZXTC892vFjhskE9CCRM7TwinTwinTwinTwinTwinTwinTwinTwin",
            )
            .add(
                "dmsetup-table",
                &format!("pve-vm--101--disk--9: 0 131072 thin 254:2 {id}\n"),
            )
            .checked()
    };
    let twice = found(3);
    let finding = twice.only(CHECK);
    assert!(
        finding.message.contains("volume 3 of the thin pool 254:2"),
        "{}",
        finding.message
    );
    assert!(found(99).lines(CHECK).is_empty());
}
