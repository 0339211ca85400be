//! Second mappings of one disk.

use crate::recording::{Recording, info, uuid};

#[test]
fn the_same_table_under_any_name_is_a_duplicate() {
    let audited = Recording::of("pve1")
        .add("dmsetup-info", &info("rescue", 30, 0, ""))
        .add("dmsetup-table", "rescue: 0 131072 thin 254:2 3\n")
        .audit();
    assert_eq!(audited.line("rescue"), "duplicate - unknown remove -");
    assert_eq!(audited.entry("rescue").0.vmid, Some(104));
    assert_eq!(audited.verdict("pve-vm--104--disk--0"), "valid");
}

#[test]
fn another_thin_id_or_another_pool_is_another_disk() {
    let audited = Recording::of("pve1")
        .add("dmsetup-info", &info("rescue", 30, 0, ""))
        .add("dmsetup-info", &info("copy", 31, 0, ""))
        .add(
            "dmsetup-table",
            "rescue: 0 131072 thin 254:2 99\ncopy: 0 131072 thin 254:6 3\n",
        )
        .audit();
    assert_eq!(audited.verdict("rescue"), "system");
    assert_eq!(audited.verdict("copy"), "system");
}

#[test]
fn the_entry_with_the_volumes_uuid_is_kept_even_if_the_other_is_open() {
    let audited = Recording::of("pve1")
        .edit("dmsetup-info", "Name:              pve-vm--101--disk--0-old\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\nOpen count:        0", "Name:              pve-vm--101--disk--0-old\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\nOpen count:        1")
        .audit();
    assert_eq!(
        audited.line("pve-vm--101--disk--0-old"),
        "duplicate - unknown none open"
    );
    assert_eq!(audited.verdict("pve-vm--101--disk--0"), "valid");
}

#[test]
fn of_two_without_the_uuid_the_open_one_is_kept_then_the_canonical_name() {
    let table =
        "san-vm--104--disk--7: 0 2048 linear 8:0 0\nsan-vm--104--disk--7-b: 0 2048 linear 8:0 0\n";
    let kept = |canonical: u32, other: u32| {
        let audited = Recording::of("pve1")
            .add(
                "dmsetup-info",
                &info("san-vm--104--disk--7-b", 31, other, ""),
            )
            .add(
                "dmsetup-info",
                &info("san-vm--104--disk--7", 30, canonical, ""),
            )
            .add("dmsetup-table", table)
            .audit();
        ["san-vm--104--disk--7", "san-vm--104--disk--7-b"].map(|name| audited.verdict(name))
    };
    assert_eq!(kept(0, 1), ["duplicate", "orphan"]);
    assert_eq!(kept(1, 0), ["orphan", "duplicate"]);
    assert_eq!(kept(0, 0), ["orphan", "duplicate"]);
}

#[test]
fn a_double_that_a_configuration_names_is_left_alone() {
    let audited = Recording::of("pve1")
        .add(
            "/etc/pve/nodes/pve1/qemu-server/104.conf",
            "scsi9: /dev/mapper/pve-vm--101--disk--0-old\n",
        )
        .audit();
    assert_eq!(
        audited.line("pve-vm--101--disk--0-old"),
        "duplicate - unknown none referenced"
    );
}

#[test]
fn a_double_of_a_running_guests_disk_is_left_alone() {
    let audited = Recording::of("pve1")
        .edit(
            "qm-list",
            "mail01               stopped",
            "mail01               running",
        )
        .audit();
    assert_eq!(
        audited.line("pve-vm--101--disk--0-old"),
        "duplicate - unknown none guest-running"
    );
}

/// LVM's metadata says whose an entry is, whatever its name became.
#[test]
fn a_renamed_entry_of_another_volume_is_none() {
    let audited = Recording::bare()
        .lv("vm-1-disk-0", 'a', "-wi-a-----")
        .lv("vm-1-disk-1", 'b', "-wi-a-----")
        .entry(
            "pve-vm--1--disk--0",
            1,
            0,
            &uuid('a', ""),
            "0 8192 linear 8:0 2048",
        )
        .entry(
            "pve-vm--1--disk--0-old",
            2,
            0,
            &uuid('b', ""),
            "0 8192 linear 8:0 10240",
        )
        .conf(
            "qemu-server/1",
            "scsi0: thick:vm-1-disk-0\nscsi1: thick:vm-1-disk-1\n",
        )
        .audit();
    for entry in ["pve-vm--1--disk--0", "pve-vm--1--disk--0-old"] {
        assert_eq!(audited.verdict(entry), "valid", "{entry}");
    }
}
