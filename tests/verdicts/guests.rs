//! What is known of guests and where their configurations are.

use crate::recording::{Recording, uuid};

const DISK: &str = "pve-vm--7--disk--0";

/// An entry of guest 7, which LVM knows.
fn disk(node: Recording) -> Recording {
    node.lv("vm-7-disk-0", 'a', "-wi-a-----").entry(
        DISK,
        1,
        0,
        &uuid('a', ""),
        "0 65536 linear 8:0 2048",
    )
}

fn line(node: Recording) -> String {
    disk(node).audit().line(DISK)
}

/// A manifest that lists these folders and could not read those.
fn manifest(directories: &[&str], unread: &[&str]) -> String {
    let directories: Vec<String> = directories
        .iter()
        .map(|path| format!("\"/etc/pve/nodes/{path}\""))
        .collect();
    let unread: Vec<String> = unread
        .iter()
        .map(|path| {
            format!("{{\"path\":\"/etc/pve/nodes/{path}\",\"error\":\"Input/output error\"}}")
        })
        .collect();
    format!(
        "{{\"format\":1,\"node\":\"n1\",\"directories\":[{}],\"unread\":[{}]}}",
        directories.join(","),
        unread.join(",")
    )
}

/// The node in a cluster with `n2`.
fn clustered() -> Recording {
    Recording::bare()
        .write(
            "/etc/pve/corosync.conf",
            "totem {\n  cluster_name: c\n}\nnodelist {\n  node {\n    name: n1\n  }\n  node {\n    name: n2\n  }\n}\n",
        )
        .write("/etc/pve/nodes/n2/qemu-server/3.conf", "memory: 1\n")
        .write("/etc/pve/nodes/n2/lxc/4.conf", "memory: 1\n")
}

#[test]
fn a_folder_of_its_own_that_was_not_read_makes_no_orphans() {
    let whole = ["n1/qemu-server", "n1/lxc"];
    let read = Recording::bare().manifest(&manifest(&whole, &[]));
    assert_eq!(line(read), "orphan guest-gone backed deactivate -");
    let unread = Recording::bare().manifest(&manifest(&["n1/lxc"], &["n1/qemu-server"]));
    assert!(line(unread).starts_with("unknown no-configurations"));
    let unseen = Recording::bare()
        .remove("/etc/pve/nodes/n1/qemu-server")
        .remove("qm-list")
        .manifest(&manifest(&["n1/lxc"], &[]));
    assert!(line(unseen).starts_with("unknown no-configurations"));
}

#[test]
fn a_folder_of_another_node_that_was_not_read_may_have_the_guest() {
    let all = ["n1/qemu-server", "n1/lxc", "n2/qemu-server", "n2/lxc"];
    let read = clustered().manifest(&manifest(&all, &[]));
    assert_eq!(line(read), "orphan guest-gone backed deactivate -");
    for (gone, directories, unread) in [
        ("n2/lxc", &all[..3], &[][..]),
        ("n2/lxc", &all[..3], &["n2/lxc"][..]),
        ("n2", &all[..2], &["n2"][..]),
    ] {
        let found = line(
            clustered()
                .remove(&format!("/etc/pve/nodes/{gone}"))
                .manifest(&manifest(directories, unread)),
        );
        assert!(
            found.starts_with("orphan guest-not-here"),
            "{unread:?}: {found}"
        );
    }
}

#[test]
fn a_configuration_elsewhere_that_can_not_be_read_may_name_anything() {
    let node = clustered().write("/etc/pve/nodes/n2/qemu-server/7.conf", "");
    assert_eq!(
        line(node),
        "unknown configuration-unread backed none evidence-missing"
    );
}

#[test]
fn a_list_of_all_guests_that_lacks_one_is_not_believed() {
    let listed = |vmids: &[u32]| {
        let ids: Vec<String> = vmids
            .iter()
            .map(|vmid| format!("\"{vmid}\":{{\"node\":\"n1\",\"type\":\"qemu\",\"version\":1}}"))
            .collect();
        format!("{{\"version\":1,\"ids\":{{{}}}}}", ids.join(","))
    };
    let node = || clustered().remove("/etc/pve/nodes/n2");
    assert!(line(node()).starts_with("orphan guest-not-here"));
    let whole = node().write("/etc/pve/.vmlist", &listed(&[1, 2]));
    assert_eq!(line(whole), "orphan guest-gone backed deactivate -");
    let lacking = node().write("/etc/pve/.vmlist", &listed(&[2]));
    assert!(line(lacking).starts_with("orphan guest-not-here"));
}

#[test]
fn every_way_to_name_a_disk_keeps_it() {
    for text in [
        "lxc.rootfs.path = /dev/pve/vm-7-disk-0\n",
        "lxc.mount.entry=/dev/pve/vm-7-disk-0 x none bind\n",
        "args: -blockdev driver=raw,file.filename=/dev/pve/vm-7-disk-0\n",
        "args: -drive file=/dev/pve/vm-7-disk-0:x\n",
        "args: -drive file=/dev//pve/../pve/./vm-7-disk-0\n",
        "args: -drive file=/dev/block/254:1\n",
        "hookscript: x;/dev/mapper/pve-vm--7--disk--0\n",
        "fleecing-images: thick:vm-9-disk-0;thick:vm-7-disk-0\n",
        "scsi0: /dev/mapper/pve-vm--7--disk--0-part1\n",
        "scsi0: /dev/mapper/pve-vm--7--disk--0p1\n",
        // No line of PVE's, and it names the disk all the same.
        "  scsi0: thick:vm-7-disk-0\n",
        "scsi0 thick:vm-7-disk-0\n",
    ] {
        let node = Recording::bare().conf("qemu-server/1", text);
        let found = line(node);
        assert!(found.starts_with("valid"), "{text}: {found}");
    }
}

#[test]
fn a_guess_never_excludes_the_only_volume_of_the_name() {
    let node = Recording::bare()
        .remove("/etc/pve/storage.cfg")
        .edit(
            "vgs-json",
            "\"vg\":[",
            "\"vg\":[{\"vg_name\":\"san\",\"vg_uuid\":\"w\"},",
        )
        .conf("qemu-server/7", "scsi0: san:vm-7-disk-0\n");
    assert!(
        line(node).starts_with("valid"),
        "the VG san has no such volume"
    );
}

#[test]
fn a_storage_of_an_unknown_kind_or_vg_may_mean_any() {
    for cfg in [
        "vendorsan: far\n\tpool pve\n",
        "lvm: far\n\tvgname not-shown\n",
        "linstor: far\n\tresourcegroup x\n",
    ] {
        let node = Recording::bare()
            .write("/etc/pve/storage.cfg", cfg)
            .conf("qemu-server/7", "scsi0: far:vm-7-disk-0\n");
        let found = line(node);
        assert!(found.starts_with("valid"), "{cfg}: {found}");
    }
    let node = Recording::bare()
        .write("/etc/pve/storage.cfg", "dir: far\n\tpath /x\n")
        .conf("qemu-server/7", "scsi0: far:vm-7-disk-0\n");
    assert!(line(node).starts_with("orphan disk-unreferenced"));
}

#[test]
fn a_linstor_volume_is_its_resources() {
    let node = Recording::bare()
        .lv("vm-1-disk-0_00000", 'b', "-wi-ao----")
        .entry(
            "pve-vm--1--disk--0_00000",
            2,
            1,
            &uuid('b', ""),
            "0 65536 linear 8:0 90000",
        )
        .edit(
            "/etc/pve/storage.cfg",
            "lvm: thick",
            "drbd: drbd\n\tresourcegroup x\n\nlvm: thick",
        )
        .conf("qemu-server/1", "scsi0: drbd:vm-1-disk-0\n");
    assert_eq!(node.audit().verdict("pve-vm--1--disk--0_00000"), "valid");
}

/// DRBD uses it, wherever the guest runs.
#[test]
fn a_linstor_replica_is_in_use_on_every_node() {
    let node = |storage| {
        clustered()
            .entry(
                "pve-vm--5--disk--0_00000",
                2,
                0,
                &uuid('b', ""),
                "0 65536 linear 8:0 90000",
            )
            .edit(
                "/etc/pve/storage.cfg",
                "lvm: thick",
                "drbd: drbd\n\tresourcegroup x\n\nlvm: thick",
            )
            .write(
                "/etc/pve/nodes/n2/qemu-server/5.conf",
                &format!("scsi0: {storage}:vm-5-disk-0\n"),
            )
            .audit()
            .line("pve-vm--5--disk--0_00000")
    };
    assert_eq!(node("drbd"), "valid - stale none -");
    assert!(node("thick").starts_with("orphan guest-elsewhere"));
}

/// Other hosts have volumes in the VG, and only a tag tells PVE's from them.
#[test]
fn an_untagged_volume_of_a_shared_group_is_nobodys() {
    let verdict = |property: &str, tags: &str, conf: &str| {
        Recording::bare()
            .lv("vm-7-disk-0", 'a', "-wi-a-----")
            .edit("lvs-json", "\"lv_name\"", &format!("{tags}\"lv_name\""))
            .write(
                "/etc/pve/storage.cfg",
                &format!("lvm: thick\n\tvgname pve\n{property}"),
            )
            .entry(
                "pve-vm--7--disk--0",
                1,
                0,
                &uuid('a', ""),
                "0 8192 linear 8:0 2048",
            )
            .conf("qemu-server/1", conf)
            .audit()
            .verdict("pve-vm--7--disk--0")
    };
    let only = "\ttagged_only 1\n";
    let none = "\"lv_tags\":\"other,pve-vm-x\",";
    assert_eq!(verdict(only, none, ""), "system");
    assert_eq!(verdict(only, none, "scsi0: thick:vm-7-disk-0\n"), "valid");
    assert_eq!(verdict(only, "\"lv_tags\":\"a,pve-vm-7\",", ""), "orphan");
    assert_eq!(verdict("", none, ""), "orphan");
    // Nothing is known of tags.
    assert_eq!(verdict(only, "", ""), "orphan");
    // Another storage on the VG has them all.
    let second = format!("{only}\nlvm: all\n\tvgname pve\n");
    assert_eq!(verdict(&second, none, ""), "orphan");
}

/// LVM on the host sees the VGs on disks that are given to a guest.
#[test]
fn a_volume_on_a_disk_that_a_guest_is_given_may_be_its_own() {
    let inner = "W".repeat(32);
    let pv = |name: &str| {
        format!(
            "{{\"report\":[{{\"pv\":[{{\"pv_name\":\"{name}\",\"pv_uuid\":\"p\",\"vg_name\":\"inner\",\"vg_uuid\":\"{inner}\",\"pv_major\":\"8\",\"pv_minor\":\"16\"}}]}}]}}"
        )
    };
    let line = |pvs: Option<&str>, disk: &str| {
        let node = Recording::bare().entry(
            "inner-vm--7--disk--0",
            1,
            0,
            &format!("LVM-{inner}{}", "b".repeat(32)),
            "0 8192 linear 8:16 2048",
        );
        let node = match pvs {
            Some(name) => node.write("pvs-json", &pv(name)),
            None => node,
        };
        let node = node.conf("qemu-server/1", &format!("scsi1: {disk}\n"));
        node.audit().line("inner-vm--7--disk--0")
    };
    let unresolved = "unknown path-unresolved unknown none evidence-missing";
    for (pv, disk) in [
        (Some("/dev/sdb"), "/dev/sdb"),
        (Some("/dev/sdb3"), "/dev/sdb,size=1G"),
        (Some("/dev/nvme0n1p3"), "/dev/nvme0n1"),
        (Some("/dev/sdb"), "/dev/disk/by-id/ata-X"),
        (Some("/dev/sdb"), "/dev/disk/by-path/pci-0"),
        (None, "/dev/sdb"),
        (None, "/dev/disk/by-id/wwn-0x5"),
    ] {
        assert_eq!(line(pv, disk), unresolved, "{pv:?} {disk}");
    }
    for (pv, disk) in [
        (Some("/dev/sdb"), "/dev/sdc"),
        (Some("/dev/sdb"), "thick:vm-1-disk-0"),
        (None, "/dev/pve/vm-1-disk-0"),
    ] {
        assert!(
            line(pv, disk).starts_with("orphan guest-gone"),
            "{pv:?} {disk}"
        );
    }
}

/// Whatever name udev gives a disk that multipath has.
#[test]
fn a_multipath_disk_is_known_by_its_links() {
    let verdicts = |disk: &str| {
        let audited = Recording::bare()
            .entry("mpatha", 1, 1, "mpath-3600a", "0 65536 linear 8:0 0")
            .entry(
                "inner-vm--7--disk--0",
                2,
                0,
                &format!("LVM-{}{}", "W".repeat(32), "b".repeat(32)),
                "0 8192 linear 254:1 2048",
            )
            .edit(
                "/etc/pve/storage.cfg",
                "lvm: thick",
                "iscsi: san\n\tportal x\n\ttarget y\n\nlvm: thick",
            )
            .conf("qemu-server/1", &format!("scsi1: {disk}\n"))
            .audit();
        let (judgement, _) = audited.entry("inner-vm--7--disk--0");
        (judgement.verdict.as_str(), judgement.vmid)
    };
    for disk in [
        "/dev/mapper/mpatha",
        "/dev/disk/by-id/scsi-3600a",
        "/dev/disk/by-id/wwn-0x600a",
        "/dev/disk/by-id/scsi-3600a-part1",
        "san:0.0.1.scsi-3600a",
    ] {
        assert_eq!(verdicts(disk), ("dependent", Some(1)), "{disk}");
    }
    // Which disk that is, and on which the volume lies, is not recorded.
    assert_eq!(verdicts("san:0.0.1.scsi-3600b").0, "unknown");
}

/// What lies on a volume by other means than device-mapper, or is a link.
#[test]
fn a_path_that_leads_nowhere_may_be_any_volume_of_its_guest() {
    let line = |conf: &str| {
        Recording::bare()
            .entry(
                "pve-vm--1--data",
                1,
                0,
                &uuid('a', ""),
                "0 8192 linear 8:0 2048",
            )
            .conf("qemu-server/1", conf)
            .audit()
            .line("pve-vm--1--data")
    };
    for conf in [
        "scsi0: /dev/drbd/by-res/r/0\n",
        "scsi0: /dev/md127,size=1G\n",
        "scsi0: /dev/oracle/data1\n",
        "args: -drive file=/dev/bcache0,if=none\n",
        "args: -drive file=/srv/links/data,if=none\n",
    ] {
        assert_eq!(
            line(conf),
            "unknown path-unresolved stale none evidence-missing",
            "{conf}"
        );
    }
    for conf in [
        "scsi0: /dev/sdb\n",
        "scsi0: /dev/pve/gone\n",
        "serial0: /dev/ttyS0\n",
        "args: -drive if=pflash,file=/usr/share/OVMF.fd\n",
    ] {
        assert!(line(conf).starts_with("orphan"), "{conf}");
    }
    // Without LVM's reports a VG is known by its entries.
    let gone = Recording::bare()
        .remove("vgs-json")
        .remove("lvs-json")
        .entry(
            "pve-vm--1--data",
            1,
            0,
            &uuid('a', ""),
            "0 8192 linear 8:0 2048",
        )
        .conf("qemu-server/1", "scsi0: /dev/pve/gone\n");
    assert_eq!(gone.audit().verdict("pve-vm--1--data"), "orphan");
    // A container's devices are allowed by number.
    let allowed = Recording::bare()
        .entry(
            "pve-vm--2--data",
            1,
            0,
            &uuid('a', ""),
            "0 8192 linear 8:0 2048",
        )
        .conf("lxc/2", "lxc.cgroup2.devices.allow: b 254:1 rwm\n");
    assert_eq!(allowed.audit().verdict("pve-vm--2--data"), "valid");
}

#[test]
fn what_lvm_or_another_listing_calls_open_stays() {
    let flagged = Recording::bare()
        .lv("vm-7-disk-0", 'a', "-wi-ao----")
        .entry(DISK, 1, 0, &uuid('a', ""), "0 65536 linear 8:0 2048");
    assert_eq!(
        flagged.audit().line(DISK),
        "orphan guest-gone backed none open"
    );
    let columns = format!("{DISK}|{}|254|1|1|1|0|L--w|dm-1|sda|\n", uuid('a', ""));
    let listed = disk(Recording::bare()).write("dmsetup-info-columns", &columns);
    assert_eq!(
        listed.audit().line(DISK),
        "orphan guest-gone backed none open"
    );
}

#[test]
fn a_report_without_uuids_proves_no_absence() {
    let gone = |node: Recording| {
        node.entry(DISK, 1, 0, &uuid('a', ""), "0 65536 linear 8:0 2048")
            .audit()
            .line(DISK)
    };
    let listed = || Recording::bare().lv("renamed", 'b', "-wi-a-----");
    assert_eq!(gone(listed()), "orphan guest-gone stale remove -");
    let letters = "b".repeat(32);
    for (from, to) in [
        (format!("\"lv_uuid\":\"{letters}\","), String::new()),
        (letters, "bbbbbb".to_owned()),
    ] {
        let node = listed().edit("lvs-json", &from, &to);
        assert!(gone(node).starts_with("orphan guest-gone unknown"), "{to}");
    }
    // LVM prints the section even where it lists nothing.
    let cut = Recording::bare().write("lvs-json", "{\"report\":[]}");
    assert!(gone(cut).starts_with("orphan guest-gone unknown"));
}

#[test]
fn a_report_without_hidden_volumes_proves_no_absence_of_one() {
    let hidden = "pve-vm--7--disk--0_rimage_0";
    let line = |node: Recording| {
        node.entry(hidden, 1, 0, &uuid('a', ""), "0 65536 linear 8:0 2048")
            .audit()
            .line(hidden)
    };
    let visible = Recording::bare().lv("other", 'b', "-wi-a-----");
    assert!(line(visible).starts_with("orphan guest-gone unknown"));
    let all = Recording::bare().lv("[other_rimage_0]", 'b', "iwi-aor---");
    assert_eq!(line(all), "orphan guest-gone stale remove -");
}

#[test]
fn a_renamed_double_that_a_guest_uses_by_its_name_is_referenced() {
    let node = disk(Recording::bare())
        .lv("vm-1-disk-5", 'a', "-wi-a-----")
        .entry("pve-vm--1--disk--5", 2, 0, "", "0 65536 linear 8:0 2048")
        .conf("qemu-server/1", "scsi0: thick:vm-1-disk-5\n");
    let audited = node.audit();
    let planned = audited.planned();
    assert!(!planned.contains(&"pve-vm--1--disk--5"), "{planned:?}");
}
