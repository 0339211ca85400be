//! held-open-while-stopped and guest-lvm-on-host.

use dmaudit::model::finding::Finding;

use crate::recording::Recording;

const HELD: &str = "held-open-while-stopped";
const LVM: &str = "guest-lvm-on-host";

#[test]
fn the_holder_is_named_by_kind() {
    let checked = Recording::of("pve1").checked();
    let finding = checked.only(HELD);
    assert_eq!(
        finding.message,
        "pve-vm--103--disk--0 is held open by device ubuntu--vg-ubuntu--lv, though guest 103 (ubuntu-guest-with-lvm-inside) is stopped."
    );
    assert!(
        finding.remedy.contains("lvchange -an ubuntu-vg/ubuntu-lv"),
        "{}",
        finding.remedy
    );
    for line in [
        "qm-list: 103 is stopped",
        "/etc/pve/nodes/pve1/qemu-server/103.conf line 3: virtio0 references local-lvm:vm-103-disk-0",
    ] {
        assert!(finding.evidence.iter().any(|e| e == line), "{finding:#?}");
    }
}

#[test]
fn a_process_or_a_mount_holds_it_too() {
    let mounted = Recording::of("pve1")
        .open_count("pve-vm--104--disk--0", 0, 1)
        .add(
            "mountinfo",
            "29 1 254:9 / /mnt/look rw - ext4 /dev/mapper/pve-vm--104--disk--0 rw\n",
        )
        .checked();
    let finding = mounted
        .findings
        .iter()
        .find(|f| f.check == HELD && f.vmid == Some(104))
        .unwrap();
    assert!(
        finding.message.contains("mounted on /mnt/look"),
        "{}",
        finding.message
    );
}

/// More mounts than any node has are not half read: then nothing is known of
/// mounts, and the entry is open all the same.
#[test]
fn more_holders_than_any_node_has_are_not_read() {
    let message = |mounts: usize| {
        let line = |at: usize| format!("{at} 1 254:9 / /mnt/{at} rw - ext4 /dev/dm-9 rw\n");
        let lines: String = (0..mounts).map(line).collect();
        let checked = Recording::of("pve1")
            .open_count("pve-vm--104--disk--0", 0, 1)
            .add("mountinfo", &lines)
            .checked();
        let held = |f: &&Finding| f.check == HELD && f.vmid == Some(104);
        checked.findings.iter().find(held).unwrap().message.clone()
    };
    assert!(message(19_000).contains("mounted on /mnt/"));
    assert!(!message(20_001).contains("mounted on"));
}

#[test]
fn who_may_use_it_is_no_fault() {
    let is_quiet = |recording: Recording| assert!(recording.found(HELD).is_empty());
    let conf = "/etc/pve/nodes/pve1/qemu-server/103.conf";
    // A backup of a stopped guest, a clone, a snapshot.
    is_quiet(Recording::of("pve1").add(conf, "lock: backup\n"));
    is_quiet(Recording::of("pve1").edit(
        "qm-list",
        "103 ubuntu-guest-with-lvm-inside stopped",
        "103 ubuntu-guest-with-lvm-inside running",
    ));
    // Another guest here that runs has the disk, too.
    is_quiet(Recording::of("pve1").edit(
        "/etc/pve/nodes/pve1/qemu-server/100.conf",
        "[before]",
        "scsi5: local-lvm:vm-103-disk-0\n[before]",
    ));
    is_quiet(Recording::of("pve1").open_count("pve-vm--103--disk--0", 1, 0));
    is_quiet(Recording::of("pve1").add(conf, "template: 1\n"));
}

#[test]
fn without_states_nothing_is_said() {
    let checked = Recording::of("pve1").remove("qm-list").checked();
    assert!(checked.lines(HELD).is_empty());
    assert!(checked.lacking.contains(&HELD));
}

#[test]
fn the_filter_keeps_what_was_set() {
    let remedy = |set: &str| {
        let recording = Recording::of("pve1").write("lvmconfig", set);
        recording.checked().only(LVM).remedy.clone()
    };
    let own = "\"r|/dev/zd.*|\", \"r|/dev/rbd.*|\", \"r|/dev/mapper/.*-(vm|base)--[0-9]+--.*|\"";
    let bare = remedy("global_filter=[\"a|.*|\"]\nscan_lvs=0\n");
    assert!(
        bare.contains(&format!("global_filter = [ {own} ];")),
        "{bare}"
    );
    assert!(bare.contains("vgchange -an ubuntu-vg"), "{bare}");
    let kept = remedy("global_filter=[\"r|/dev/zd.*|\",\"r|/dev/sdx|\"]\nscan_lvs=1\n");
    assert!(
        kept.contains(&format!(
            "global_filter = [ {own}, \"r|/dev/sdx|\" ] and scan_lvs = 0"
        )),
        "{kept}"
    );
}

#[test]
fn a_vg_behind_a_partition_is_the_guests_too() {
    // The guest's PV in the partition of its disk.
    let checked = Recording::of("pve1")
        .device("pve-vm--104--disk--0p1", 40, 1, "part1-LVM-qI2XpXd8NIWOZXTC892vFjhskE9CCRM7zWrVIABJs5hA30Xgcd8JxdrNUn0AjzNP")
        .device("inner-root", 41, 0, "LVM-InnerInnerInnerInnerInnerInnerInRootRootRootRootRootRootRootRoot")
        .add("dmsetup-table", "pve-vm--104--disk--0p1: 0 1000 linear 254:9 2048\ninner-root: 0 900 linear 254:40 2048\n")
        .checked();
    let mut lines = checked.lines(LVM);
    lines.sort_unstable();
    assert_eq!(lines, ["warning inner", "warning ubuntu-vg"]);
    let inner = checked
        .findings
        .iter()
        .find(|f| f.check == LVM && f.subject == "inner")
        .unwrap();
    assert_eq!(inner.vmid, Some(104));
    assert!(
        inner.message.contains("pve-vm--104--disk--0,"),
        "{}",
        inner.message
    );
}

#[test]
fn a_vg_that_is_a_storage_is_meant_to_be_active() {
    let storage = Recording::of("pve1").add(
        "/etc/pve/storage.cfg",
        "\nlvm: nested\n\tvgname ubuntu-vg\n\tcontent images\n",
    );
    assert!(storage.found(LVM).is_empty());
}

#[test]
fn a_partition_alone_and_the_nodes_own_volumes_are_none() {
    let without = Recording::of("pve1")
        .drop_lines("dmsetup-table", "ubuntu--vg")
        .drop_lines("dmsetup-deps", "ubuntu--vg")
        .checked();
    assert!(without.lines(LVM).is_empty(), "{:#?}", without.findings);
    assert!(Recording::of("pve2").found(LVM).is_empty());
}
