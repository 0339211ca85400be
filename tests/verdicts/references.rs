//! What keeps a volume in use.

use crate::recording::{Recording, info, uuid};

const CONF: &str = "/etc/pve/nodes/pve1/qemu-server/104.conf";

/// The verdict on 104's dropped disk when its configuration has this text,
/// too.
fn with(text: &str) -> &'static str {
    Recording::of("pve1")
        .add(CONF, text)
        .audit()
        .verdict("pve-vm--104--disk--1")
}

#[test]
fn every_section_and_form_keeps_a_volume() {
    for text in [
        "scsi1: local-lvm:vm-104-disk-1,size=64M\n",
        "virtio15: cache=none,file=local-lvm:vm-104-disk-1\n",
        "tpmstate0: local-lvm:vm-104-disk-1,size=4M,version=v2.0\n",
        "unused255: local-lvm:vm-104-disk-1\n",
        "scsi1: LOCAL-LVM:vm-104-disk-1\n",
        "scsi1: /dev/pve/vm-104-disk-1\n",
        "scsi1: /dev/mapper/pve-vm--104--disk--1,backup=0\n",
        "scsi1: /dev/dm-10\n",
        "scsi1: /dev/disk/by-id/dm-name-pve-vm--104--disk--1\n",
        "scsi1: /dev/disk/by-id/dm-uuid-LVM-qI2XpXd8NIWOZXTC892vFjhskE9CCRM7YmifZswYeBRE0lTYcX6C1jPHp6neJAix\n",
        "args: -drive file=/dev/pve/vm-104-disk-1,if=none\n",
        "scsi1: gone-storage:vm-104-disk-1\n",
        "[PENDING]\nscsi1: local-lvm:vm-104-disk-1\n",
        "[old]\nscsi1: local-lvm:vm-104-disk-1\n",
        "[old]\nvmstate: local-lvm:vm-104-disk-1\n",
        "[special:fleecing]\nfleecing-images: local-lvm:vm-104-disk-1\n",
    ] {
        assert_eq!(with(text), "valid", "{text}");
    }
}

#[test]
fn prose_and_other_volumes_do_not() {
    for text in [
        "#local-lvm:vm-104-disk-1\n",
        "description: local-lvm:vm-104-disk-1\n",
        "scsi1: local-lvm:vm-104-disk-10\n",
        "scsi1: local:104/vm-104-disk-1.raw\n",
        "scsi1: SSD-HA01:vm-104-disk-1\n",
        "scsi1: none,media=cdrom\n",
    ] {
        assert_eq!(with(text), "orphan", "{text}");
    }
}

#[test]
fn without_storage_cfg_the_storage_is_guessed_and_doubt_counts_as_use() {
    let verdict = |line: &str| {
        Recording::of("pve1")
            .remove("/etc/pve/storage.cfg")
            .add(CONF, line)
            .audit()
            .verdict("pve-vm--104--disk--1")
    };
    assert_eq!(verdict("scsi1: local-lvm:vm-104-disk-1\n"), "valid");
    assert_eq!(verdict("scsi1: nowhere:vm-104-disk-1\n"), "valid");
    // A guess excludes other VGs only where the guessed one has the volume.
    let guessed = "scsi1: ssdha01:vm-104-disk-1\n";
    assert_eq!(verdict(guessed), "valid");
    let other = Recording::of("pve1")
        .remove("/etc/pve/storage.cfg")
        .add(CONF, guessed)
        .add(
            "dmsetup-info",
            &info("ssd--ha01-vm--104--disk--1", 40, 0, ""),
        )
        .audit();
    assert_eq!(other.verdict("ssd--ha01-vm--104--disk--1"), "valid");
    assert_eq!(other.verdict("pve-vm--104--disk--1"), "orphan");
    let all = Recording::of("pve1").remove("/etc/pve/storage.cfg").audit();
    assert_eq!((all.count("valid"), all.count("orphan")), (11, 4));
}

#[test]
fn another_guests_reference_counts_as_well() {
    let audited = Recording::of("pve1")
        .add(
            "/etc/pve/nodes/pve1/lxc/200.conf",
            "mp5: local-lvm:vm-119-disk-0,mp=/old\n",
        )
        .audit();
    assert_eq!(
        audited.line("pve-vm--119--disk--0"),
        "valid - backed none -"
    );
}

#[test]
fn a_reference_from_another_node_means_elsewhere_and_blocks_the_script() {
    let audited = Recording::of("pve1")
        .add(
            "/etc/pve/nodes/pve2/qemu-server/171.conf",
            "scsi5: local-lvm:vm-119-disk-0\n",
        )
        .audit();
    assert_eq!(
        audited.line("pve-vm--119--disk--0"),
        "orphan guest-elsewhere backed none referenced"
    );
}

#[test]
fn snapshots_of_disks_follow_from_their_section() {
    let uuid = "LVM-qI2XpXd8NIWOZXTC892vFjhskE9CCRM7ftq4wkrfecbRwFVSBYo2KXcofv4WEcbB";
    let audited = Recording::of("pve1")
        .add("dmsetup-info", &info("pve-snap_vm--100--disk--0_before", 30, 0, uuid))
        .add("dmsetup-info", &info("pve-snap_vm--100--disk--0_after", 31, 0, ""))
        .add("dmsetup-table", "pve-snap_vm--100--disk--0_before: 0 131072 thin 254:2 20\npve-snap_vm--100--disk--0_after: 0 131072 thin 254:2 21\n")
        .audit();
    assert_eq!(
        audited.line("pve-snap_vm--100--disk--0_before"),
        "valid - backed none -"
    );
    assert_eq!(
        audited.entry("pve-snap_vm--100--disk--0_after").0.reason,
        Some("disk-unreferenced")
    );
}

/// The disk's image may read from them, whatever snapshots the configuration has
/// left: PVE brings up all that have the disk's name.
#[test]
fn volume_chains_keep_their_snapshots() {
    let conf = "scsi3: SSD-HA01:vm-104-disk-3.qcow2,size=1G\n[s1]\nscsi3: SSD-HA01:vm-104-disk-3.qcow2,size=1G\n";
    let names = [
        "ssd--ha01-vm--104--disk--3.qcow2",
        "ssd--ha01-snap_vm--104--disk--3_s1.qcow2",
        "ssd--ha01-snap_vm--104--disk--3_s_2.qcow2",
        "ssd--ha01-snap_vm--104--disk--4_s1.qcow2",
        "ssd--ha01-snap_vm--104--disk--3_s2",
    ];
    let mut recording = Recording::of("pve1").add(CONF, conf);
    for (number, name) in (40..).zip(names) {
        recording = recording
            .add("dmsetup-info", &info(name, number, 0, ""))
            .add(
                "dmsetup-table",
                &format!(
                    "{name}: 0 2048 linear 253:32 {}\n",
                    u64::from(number) * 1_000_000
                ),
            );
    }
    let audited = recording.audit();
    assert_eq!(
        names.map(|name| audited.verdict(name)),
        ["valid", "valid", "unknown", "orphan", "orphan"]
    );
    assert_eq!(
        audited.line(names[2]),
        "unknown chain-unclear unknown none evidence-missing"
    );
    // Open, it is in use.
    let open = recording.edit(
        "dmsetup-info",
        "Open count:        0\nEvent number:      0\nMajor, minor:      254, 42",
        "Open count:        1\nEvent number:      0\nMajor, minor:      254, 42",
    );
    assert_eq!(open.audit().verdict(names[2]), "valid");
    // The script looks for the disk's name, too.
    let item = audited.plan().items.iter();
    let item = item.clone().find(|item| item.name == names[3]).unwrap();
    let head = "vm-104-disk-4.qcow2";
    assert!(
        item.words.iter().any(|word| word == head),
        "{:?}",
        item.words
    );
}

#[test]
fn layers_of_a_volume_follow_it() {
    let uuid = "LVM-NSrARW8xE3eF5Knc0vyq4gzobI2n1ie4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let audited = Recording::of("pve1")
        .add(CONF, "scsi3: SSD-HA01:vm-104-disk-3,size=1G\n")
        .add("dmsetup-info", &info("ssd--ha01-vm--104--disk--3", 40, 0, uuid))
        .add("dmsetup-info", &info("ssd--ha01-vm--104--disk--3-real", 41, 1, &format!("{uuid}-real")))
        .add("dmsetup-table", "ssd--ha01-vm--104--disk--3: 0 2048 snapshot-origin 254:41\nssd--ha01-vm--104--disk--3-real: 0 2048 linear 253:32 900000\n")
        .audit();
    assert_eq!(audited.verdict("ssd--ha01-vm--104--disk--3"), "valid");
    assert_eq!(
        audited.verdict("ssd--ha01-vm--104--disk--3-real"),
        "dependent"
    );
}

#[test]
fn the_metadata_name_of_a_renamed_volume_counts() {
    // Renamed on another node: this kernel still has the old name.
    let audited = Recording::of("pve2")
        .edit(
            "lvs-json",
            "\"lv_name\":\"vm-171-disk-0\"",
            "\"lv_name\":\"vm-171-disk-9\"",
        )
        .edit(
            "/etc/pve/nodes/pve2/qemu-server/171.conf",
            "vm-171-disk-0",
            "vm-171-disk-9",
        )
        .audit();
    assert_eq!(audited.verdict("ssd--ha01-vm--171--disk--0"), "valid");
}

#[test]
fn a_lab_inside_a_guest_is_no_guest_of_this_cluster() {
    // A nested hypervisor's volume, activated on the host.
    let audited = Recording::of("pve1")
        .add(
            "dmsetup-info",
            &info(
                "inner-vm--100--disk--0",
                40,
                0,
                "LVM-kfO11VeBT5UA0L8ZRlR88J0scdr48aNJBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB",
            ),
        )
        .add(
            "dmsetup-table",
            "inner-vm--100--disk--0: 0 2048 linear 254:17 100000\n",
        )
        .audit();
    assert_eq!(
        audited.line("inner-vm--100--disk--0"),
        "dependent - unknown none -"
    );
    assert_eq!(audited.entry("inner-vm--100--disk--0").0.vmid, Some(103));
}

/// A disk that a guest was given, under whatever name, is the guest's with all
/// that lies on it: here the volumes of a hypervisor inside.
#[test]
fn what_lies_on_a_disk_that_a_guest_was_given_is_the_guests() {
    let inner = "LVM-kfO11VeBT5UA0L8ZRlR88J0scdr48aNJBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
    let given = |below: u32, line: &str| {
        Recording::of("pve1")
            .add("dmsetup-info", &info("mpathb", 40, 1, "mpath-3600b"))
            .add("dmsetup-info", &info("san-lun1", 41, 1, ""))
            .add("dmsetup-info", &info("nest-vm--500--disk--0", 42, 0, inner))
            .add(
                "dmsetup-table",
                &format!(
                    "mpathb: 0 200000 multipath 0 0 1 1 service-time 0 1 2 8:32 1 1\n\
                     san-lun1: 0 200000 linear 8:48 0\n\
                     nest-vm--500--disk--0: 0 2048 linear 254:{below} 100000\n"
                ),
            )
            .add("/etc/pve/storage.cfg", "\nlvm: san\n\tvgname san\n")
            .edit(
                "/etc/pve/nodes/pve1/qemu-server/103.conf",
                "virtio0:",
                &format!("{line}\nvirtio0:"),
            )
            .audit()
    };
    for (below, line) in [
        (40, "scsi9: /dev/mapper/mpathb"),
        (40, "scsi9: /dev/disk/by-id/dm-uuid-mpath-3600b"),
        (41, "scsi9: /dev/san/lun1"),
        (41, "scsi9: san:lun1"),
    ] {
        let audited = given(below, line);
        assert_eq!(
            audited.line("nest-vm--500--disk--0"),
            "dependent - unknown none -",
            "{line}"
        );
        let judgement = audited.entry("nest-vm--500--disk--0").0;
        assert_eq!(judgement.vmid, Some(103), "{line}");
    }
    // That nobody was given it makes it nobody's.
    let audited = given(40, "scsi9: /dev/san/lun1");
    assert_eq!(
        audited.line("nest-vm--500--disk--0"),
        "orphan guest-gone unknown remove -"
    );
}

/// Another node renamed the volume and made a new one of its old name.
#[test]
fn a_name_that_is_another_volumes_by_now_is_not_the_entrys() {
    let renamed = |config: &str| {
        Recording::bare()
            .lv("vm-101-disk-5", 'a', "-wi-a-----")
            .lv("vm-101-disk-0", 'b', "-wi-------")
            .entry(
                "pve-vm--101--disk--0",
                1,
                0,
                &uuid('a', ""),
                "0 8192 linear 8:0 2048",
            )
            .conf("qemu-server/101", config)
            .audit()
    };
    let audited = renamed("scsi0: thick:vm-101-disk-0\n");
    assert_eq!(
        audited.line("pve-vm--101--disk--0"),
        "orphan disk-unreferenced backed deactivate -"
    );
    let said = &audited.entry("pve-vm--101--disk--0").0.explanation;
    assert!(
        said.contains("By its UUID it is pve/vm-101-disk-5")
            && said.contains("pve/vm-101-disk-0, which can't be activated"),
        "{said}"
    );
    let audited = renamed("scsi0: thick:vm-101-disk-5\n");
    assert_eq!(audited.verdict("pve-vm--101--disk--0"), "valid");
}

/// A path that the bundle does not resolve may lead to the guest's disk.
#[test]
fn a_path_that_may_be_any_disk_leaves_no_verdict() {
    for text in [
        "scsi1: /srv/disks/data,size=4M\n",
        "virtio2: cache=none,file=/srv/disks/data\n",
        "scsi1: /dev/disk/by-uuid/0a1b2c3d-0000-4000-8000-000000000001\n",
        "scsi1: /dev/disk/by-partlabel/data\n",
        "args: -drive file=/dev/disk/by-label/data,if=none\n",
        "scsi1: /dev/disk/by-id/lvm-pv-uuid-abc\n",
    ] {
        assert_eq!(with(text), "unknown", "{text}");
    }
    for text in [
        "ide2: /srv/iso/debian.iso,media=cdrom\n",
        "scsi1: /dev/disk/by-id/ata-DISK_1\n",
        "scsi1: /mnt/pve/nfs/images/104/vm-104-disk-1.raw\n",
        "scsi1: /srv/x.qcow2\n",
        "hookscript: local:snippets/x.pl\n",
        "mp0: /srv/disks/data,mp=/data\n",
    ] {
        assert_eq!(with(text), "orphan", "{text}");
    }
}

/// PVE takes the last section of an id, and the first of a repeated property.
#[test]
fn storages_that_are_there_twice_mean_what_they_mean_to_pve() {
    let verdict = |storages: &str| {
        let recording = Recording::bare()
            .lv("vm-1-disk-0", 'a', "-wi-a-----")
            .entry(
                "pve-vm--1--disk--0",
                1,
                0,
                &uuid('a', ""),
                "0 8192 linear 8:0 2048",
            )
            .write("/etc/pve/storage.cfg", storages)
            .conf("qemu-server/1", "scsi0: s:vm-1-disk-0\n");
        recording.audit().verdict("pve-vm--1--disk--0")
    };
    assert_eq!(
        verdict("lvm: s\n\tvgname old\n\nlvm: s\n\tvgname pve\n"),
        "valid"
    );
    assert_eq!(verdict("lvm: s\n\tvgname pve\n\tvgname old\n"), "valid");
}
