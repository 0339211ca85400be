//! missing-volume, leftover-volume and deletion-stuck.

use crate::recording::{Recording, volume};

const MISSING: &str = "missing-volume";
const LEFTOVER: &str = "leftover-volume";
const STUCK: &str = "deletion-stuck";
const CONF: &str = "/etc/pve/nodes/pve1/qemu-server/104.conf";
const UUID: &str = "AAAAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGGGG";

fn with(line: &str) -> Vec<String> {
    Recording::of("pve1").add(CONF, line).found(MISSING)
}

#[test]
fn what_is_missing_is_as_bad_as_what_names_it() {
    for (line, found) in [
        (
            "scsi1: local-lvm:vm-104-disk-9\n",
            "critical local-lvm:vm-104-disk-9",
        ),
        (
            "scsi1: ssd-ha01:vm-104-disk-9\n",
            "critical SSD-HA01:vm-104-disk-9",
        ),
        (
            "unused1: local-lvm:vm-104-disk-9\n",
            "info local-lvm:vm-104-disk-9",
        ),
        (
            "ide2: local-lvm:vm-104-cloudinit,media=cdrom\n",
            "info local-lvm:vm-104-cloudinit",
        ),
        (
            "ide2: local-lvm:vm-104-cloudinit.qcow2,media=cdrom\n",
            "info local-lvm:vm-104-cloudinit.qcow2",
        ),
        (
            "vmstate: local-lvm:vm-104-state-x\n",
            "warning local-lvm:vm-104-state-x",
        ),
        (
            "[PENDING]\nscsi1: local-lvm:vm-104-disk-9\n",
            "warning local-lvm:vm-104-disk-9",
        ),
        (
            "[old]\nscsi0: local-lvm:vm-104-disk-9\n",
            "warning local-lvm:vm-104-disk-9",
        ),
        // A volume that is missing for the guest and its snapshot is missing once.
        (
            "scsi1: local-lvm:vm-104-disk-9\n[old]\nscsi1: local-lvm:vm-104-disk-9\n",
            "critical local-lvm:vm-104-disk-9",
        ),
    ] {
        assert_eq!(with(line), [found], "{line}");
    }
    let template = Recording::of("pve1").edit(
        "/etc/pve/nodes/pve1/qemu-server/900.conf",
        "base-900-disk-0",
        "base-900-disk-1",
    );
    assert_eq!(
        template.found(MISSING),
        ["warning local-lvm:base-900-disk-1"]
    );
}

#[test]
fn what_is_there_or_not_on_lvm_or_not_known_is_not_missing() {
    for line in [
        "scsi1: local-lvm:vm-104-disk-1\n",
        "scsi1: LOCAL-LVM:vm-104-disk-1\n",
        "scsi1: local:104/vm-104-disk-9.raw\n",
        "scsi1: gone-storage:vm-104-disk-9\n",
        "scsi1: /dev/pve/vm-104-disk-9\n",
        "ide2: none,media=cdrom\n",
        "ide2: local:iso/debian.iso,media=cdrom\n",
        "[special:fleecing]\nfleecing-images: local-lvm:vm-104-fleece-0\n",
        "#scsi1: local-lvm:vm-104-disk-9\n",
        "lock: create\nscsi1: local-lvm:vm-104-disk-9\n",
    ] {
        assert!(with(line).is_empty(), "{line}");
    }
}

#[test]
fn a_storage_that_is_not_for_this_node_or_off_or_unread_says_nothing() {
    let base = || Recording::of("pve1").add(CONF, "scsi1: SSD-HA01:vm-104-disk-9\n");
    assert_eq!(base().found(MISSING).len(), 1);
    for option in ["nodes pve2,pve3", "disable"] {
        let recording = base().add("/etc/pve/storage.cfg", &format!("\t{option}\n"));
        assert!(recording.found(MISSING).is_empty(), "{option}");
    }
    let here = base().add("/etc/pve/storage.cfg", "\tnodes pve2,pve1\n");
    assert_eq!(here.found(MISSING).len(), 1);
    let other_vg = base().edit("/etc/pve/storage.cfg", "vgname ssd-ha01", "vgname away");
    assert!(other_vg.found(MISSING).is_empty());
    let failed = base().fail("lvs-json", 5).checked();
    assert!(failed.lines(MISSING).is_empty() && failed.lacking.contains(&MISSING));
    let no_storages = base().remove("/etc/pve/storage.cfg").checked();
    assert!(no_storages.lines(MISSING).is_empty() && no_storages.lacking.contains(&MISSING));
}

#[test]
fn a_volume_that_nobody_references_is_left_over_with_size_age_and_use() {
    let mut cells = volume("vm-777-disk-0", UUID, "Vwi---tz--", "1073741824");
    cells.push(("data_percent", "25.00"));
    let checked = Recording::of("pve1").row("lvs-json", &cells).checked();
    let finding = checked.only(LEFTOVER);
    assert_eq!(
        finding.message,
        "pve/vm-777-disk-0 is left over: no guest of the cluster has VMID 777 (1 GiB, 256 MiB of it written, 10 days old)."
    );
    assert!(
        finding
            .remedy
            .contains("pvesm free local-lvm:vm-777-disk-0")
    );
}

#[test]
fn what_is_referenced_active_or_in_the_making_is_not_left_over() {
    let of = |name: &str, attr: &str| {
        Recording::of("pve1").row("lvs-json", &volume(name, UUID, attr, "67108864"))
    };
    let is_quiet = |recording: Recording| assert!(recording.found(LEFTOVER).is_empty());
    // Active: an orphaned entry or, here, not recorded as one.
    is_quiet(of("vm-777-disk-0", "Vwi-a-tz--"));
    is_quiet(of("images", "Vwi---tz--"));
    is_quiet(of("vm-104-disk-9", "Vwi---tz--").add(CONF, "unused1: local-lvm:vm-104-disk-9\n"));
    is_quiet(of("vm-104-disk-9", "Vwi---tz--").add(CONF, "scsi1: /dev/pve/vm-104-disk-9\n"));
    is_quiet(
        of("vm-104-disk-9", "Vwi---tz--").add(CONF, "[old]\nscsi1: local-lvm:vm-104-disk-9\n"),
    );
    is_quiet(of("vm-104-disk-9", "Vwi---tz--").add(CONF, "lock: create\n"));
    // Another node's guest has it.
    is_quiet(of("vm-777-disk-0", "Vwi---tz--").add(
        "/etc/pve/nodes/pve2/qemu-server/171.conf",
        "scsi3: local-lvm:vm-777-disk-0\n",
    ));
    // A link may lead to it.
    is_quiet(of("vm-104-disk-9", "Vwi---tz--").add(CONF, "scsi1: /srv/disks/nine\n"));
    // The image of the disk may read from it.
    is_quiet(
        of("snap_vm-104-disk-9_s.qcow2", "-wi-------")
            .add(CONF, "unused1: local-lvm:vm-104-disk-9.qcow2\n"),
    );
    // No storage is on its VG: it may be a guest's own, or another program's.
    is_quiet(of("vm-777-disk-0", "Vwi---tz--").edit(
        "/etc/pve/storage.cfg",
        "vgname pve",
        "vgname other",
    ));
    assert_eq!(
        of("vm-104-disk-9", "Vwi---tz--").found(LEFTOVER),
        ["info pve/vm-104-disk-9"]
    );
}

#[test]
fn one_configuration_that_was_not_read_may_reference_anything() {
    for unread in [
        "/etc/pve/nodes/pve1/qemu-server/104.conf",
        "/etc/pve/nodes/pve2/qemu-server/171.conf",
    ] {
        let checked = Recording::of("pve1")
            .row(
                "lvs-json",
                &volume("vm-777-disk-0", UUID, "Vwi---tz--", "67108864"),
            )
            .write(unread, "")
            .checked();
        assert!(checked.lines(LEFTOVER).is_empty(), "{unread}");
        assert!(checked.lacking.contains(&LEFTOVER), "{unread}");
    }
}

#[test]
fn a_deletion_is_stuck_when_nothing_wipes_the_volume() {
    let deleted = || {
        Recording::of("pve1").row(
            "lvs-json",
            &volume("del-vm-777-disk-0", UUID, "Vwi-a-tz--", "67108864"),
        )
    };
    assert_eq!(deleted().found(STUCK), ["warning pve/del-vm-777-disk-0"]);
    let entry = |open| {
        deleted().device(
            "pve-del--vm--777--disk--0",
            40,
            open,
            "LVM-qI2XpXd8NIWOZXTC892vFjhskE9CCRM7AAAAAABBBBCCCCDDDDEEEEFFFFGGGGGG",
        )
    };
    assert_eq!(entry(0).found(STUCK), ["warning pve/del-vm-777-disk-0"]);
    assert!(entry(1).found(STUCK).is_empty());
    let uncounted = entry(1).drop_lines("dmsetup-info", "Open count").checked();
    assert!(uncounted.lines(STUCK).is_empty() && uncounted.lacking.contains(&STUCK));
}

#[test]
fn on_shared_storage_another_node_may_wipe_it() {
    let shared = Recording::of("pve1").edit(
        "lvs-json",
        "\"lv_name\":\"vm-172-disk-0\"",
        "\"lv_name\":\"del-vm-172-disk-0\"",
    );
    assert_eq!(shared.found(STUCK), ["info ssd-ha01/del-vm-172-disk-0"]);
}
