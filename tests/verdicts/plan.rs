//! What a script may do, in which order.

use crate::recording::{Recording, info, uuid};

#[test]
fn duplicates_first_and_children_before_their_parents() {
    assert_eq!(
        Recording::of("pve1").audit().planned(),
        [
            "pve-vm--101--disk--0-old",
            "pve-vm--104--disk--1",
            "pve-vm--119--cloudinit",
            "pve-vm--119--disk--0",
            "pve-vm--150--disk--0p1",
            "pve-vm--150--disk--0",
        ]
    );
    assert_eq!(
        Recording::of("pve2").audit().planned(),
        [
            "pve-vm--119--disk--0",
            "pve-vm--180--disk--0",
            "ssd--ha01-vm--170--disk--0"
        ]
    );
}

#[test]
fn a_mounted_partition_keeps_its_disk() {
    let audited = Recording::of("pve1")
        .edit("dmsetup-info", "Name:              pve-vm--150--disk--0p1\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\nOpen count:        0", "Name:              pve-vm--150--disk--0p1\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\nOpen count:        1")
        .add("mountinfo", "29 1 254:22 / /mnt/x rw - ext4 /dev/mapper/pve-vm--150--disk--0p1 rw\n")
        .audit();
    assert_eq!(
        audited.line("pve-vm--150--disk--0p1"),
        "dependent - unknown none open"
    );
    assert_eq!(
        audited.line("pve-vm--150--disk--0"),
        "orphan guest-gone backed none open"
    );
}

#[test]
fn a_process_beside_the_partition_keeps_the_disk() {
    let audited = Recording::of("pve1")
        .edit("dmsetup-info", "Name:              pve-vm--150--disk--0\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\nOpen count:        1", "Name:              pve-vm--150--disk--0\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\nOpen count:        2")
        .audit();
    assert_eq!(
        audited.line("pve-vm--150--disk--0"),
        "orphan guest-gone backed none open"
    );
    assert_eq!(
        audited.line("pve-vm--150--disk--0p1"),
        "dependent - unknown remove -"
    );
}

#[test]
fn a_recorded_holder_beats_an_open_count_of_zero() {
    let audited = Recording::of("pve1")
        .add(
            "mountinfo",
            "29 1 254:12 / /mnt/x rw - ext4 /dev/mapper/pve-vm--119--disk--0 rw\n",
        )
        .audit();
    assert_eq!(
        audited.line("pve-vm--119--disk--0"),
        "orphan guest-gone backed none held"
    );
}

#[test]
fn locks_count_wherever_the_guest_is() {
    let audited = Recording::of("pve1")
        .add("/etc/pve/nodes/pve1/qemu-server/104.conf", "lock: backup\n")
        .audit();
    assert_eq!(
        audited.line("pve-vm--104--disk--1"),
        "orphan disk-unreferenced backed none guest-locked"
    );
    let audited = Recording::of("pve1")
        .write(
            "/etc/pve/nodes/pve2/qemu-server/119.conf",
            "lock: migrate\nmemory: 512\n",
        )
        .audit();
    assert_eq!(
        audited.line("pve-vm--119--disk--0"),
        "orphan guest-elsewhere backed none guest-locked"
    );
}

#[test]
fn a_running_guests_dropped_disk_stays() {
    let audited = Recording::of("pve1")
        .edit(
            "qm-list",
            "files01              stopped",
            "files01              paused ",
        )
        .audit();
    assert_eq!(
        audited.line("pve-vm--104--disk--1"),
        "orphan disk-unreferenced backed none guest-running"
    );
}

#[test]
fn names_that_need_quoting_get_no_removal() {
    for name in [
        "pve-vm--119--x$(touch\\x20x)",
        "pve-vm--119--a'b",
        "pve-vm--119--a\\x2fb",
    ] {
        let audited = Recording::of("pve1")
            .add("dmsetup-info", &info(name, 30, 0, ""))
            .add("dmsetup-table", &format!("{name}: 0 8 linear 8:0 8\n"))
            .audit();
        assert_eq!(
            audited.line(name),
            "orphan guest-gone unknown none unsafe-name",
            "{name}"
        );
    }
}

#[test]
fn a_mapping_with_a_key_stays_and_so_does_what_it_holds() {
    for (kind, target) in [
        ("crypt", "crypt aes-xts-plain64 0000 0 DISK 4096"),
        (
            "integrity",
            "integrity DISK 0 32 J 1 internal_hash:hmac(sha256):0000",
        ),
    ] {
        let disk = "254:12";
        let audited = Recording::of("pve1")
            .edit(
                "dmsetup-info",
                "Name:              pve-vm--119--disk--0\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\nOpen count:        0\n",
                "Name:              pve-vm--119--disk--0\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\nOpen count:        1\n",
            )
            .add("dmsetup-info", &info("opened", 40, 0, "CRYPT-LUKS2-0123-opened"))
            .add(
                "dmsetup-table",
                &format!("opened: 0 8 {}\n", target.replace("DISK", disk)),
            )
            .audit();
        assert!(
            audited.line("opened").ends_with("none key-in-table"),
            "{kind}: {}",
            audited.line("opened")
        );
        assert!(
            audited.line("pve-vm--119--disk--0").ends_with("none open"),
            "{kind}: {}",
            audited.line("pve-vm--119--disk--0")
        );
    }
}

#[test]
fn suspended_and_tableless_devices_stay() {
    let audited = Recording::of("pve1")
        .edit("dmsetup-info", "Name:              pve-vm--119--disk--0\nState:             ACTIVE\n", "Name:              pve-vm--119--disk--0\nState:             SUSPENDED\n")
        .edit("dmsetup-info", "Name:              pve-vm--119--cloudinit\nState:             ACTIVE\nRead Ahead:        256\nTables present:    LIVE\n", "Name:              pve-vm--119--cloudinit\nState:             ACTIVE\nRead Ahead:        256\nTables present:    None\n")
        .audit();
    assert_eq!(
        audited.line("pve-vm--119--disk--0"),
        "orphan guest-gone backed none suspended"
    );
    assert_eq!(
        audited.line("pve-vm--119--cloudinit"),
        "orphan guest-gone backed none no-live-table"
    );
}

#[test]
fn tables_in_a_circle_end() {
    let audited = Recording::of("pve1")
        .add("dmsetup-info", &info("pve-vm--119--a", 30, 1, ""))
        .add("dmsetup-info", &info("pve-vm--119--b", 31, 1, ""))
        .add(
            "dmsetup-table",
            "pve-vm--119--a: 0 8 linear 254:31 0\npve-vm--119--b: 0 8 linear 254:30 0\n",
        )
        .audit();
    assert!(!audited.planned().contains(&"pve-vm--119--a"));
    assert!(!audited.planned().contains(&"pve-vm--119--b"));
}

/// A volume that was given to another guest, on another node, is that guest's.
#[test]
fn the_guest_of_the_volume_by_uuid_counts() {
    let line = |config: &str, list: &str| {
        Recording::bare()
            .lv("vm-1-disk-3", 'a', "-wi-a-----")
            .entry(
                "pve-vm--9--disk--0",
                1,
                0,
                &uuid('a', ""),
                "0 8192 linear 8:0 2048",
            )
            .write("/etc/pve/nodes/n1/qemu-server/1.conf", config)
            .write("qm-list", list)
            .audit()
            .line("pve-vm--9--disk--0")
    };
    let head = "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID\n";
    let listed = |status: &str| {
        format!("{head}         1 a                    {status}    2048              0.00 0\n")
    };
    assert_eq!(
        line("memory: 1\n", &listed("stopped")),
        "orphan disk-unreferenced backed deactivate -"
    );
    assert_eq!(
        line("memory: 1\nlock: create\n", &listed("stopped")),
        "orphan disk-unreferenced backed none guest-locked"
    );
    assert_eq!(
        line("memory: 1\n", &listed("running")),
        "orphan disk-unreferenced backed none guest-running"
    );
}

#[test]
fn linstors_volumes_are_looked_for_by_their_name() {
    let audited = Recording::bare()
        .entry(
            "drbd-vm--1--disk--1_00000",
            1,
            0,
            &uuid('a', ""),
            "0 8192 linear 8:0 2048",
        )
        .write("/etc/pve/storage.cfg", "drbd: linstor\n\tresourcegroup x\n")
        .audit();
    let item = &audited.plan().items[0];
    for word in ["vm-1-disk-1_00000", "vm-1-disk-1"] {
        assert!(item.words.iter().any(|one| one == word), "{:?}", item.words);
    }
}

/// An entry in the way of the volume whose name it has: that the volume is
/// referenced is no reason to leave it.
#[test]
fn the_name_of_another_volume_is_no_word_of_the_entrys() {
    let audited = Recording::bare()
        .lv("vm-1-disk-5", 'b', "-wi-------")
        .lv("vm-1-disk-6", 'a', "-wi-a-----")
        .entry(
            "pve-vm--1--disk--5",
            1,
            0,
            &uuid('a', ""),
            "0 8192 linear 8:0 2048",
        )
        .conf("qemu-server/1", "scsi0: thick:vm-1-disk-5\n")
        .audit();
    assert_eq!(audited.planned(), ["pve-vm--1--disk--5"]);
    let words = &audited.plan().items[0].words;
    assert_eq!(*words, [uuid('a', ""), "vm-1-disk-6".to_owned()]);
}
