//! Whose an entry is that a volume is made of, or that lies on one.

use std::path::Path;

use crate::recording::{Audited, Recording, info, uuid};

/// A RAID 1 of two images as LVM maps it.
fn raid(node: Recording, vmid: u32) -> Recording {
    let part = |part: &str| format!("pve-vm--{vmid}--disk--0_{part}");
    let lv = |part: &str| format!("vm-{vmid}-disk-0{part}");
    node.lv(&lv(""), 'a', "rwi-a-r---")
        .lv(&format!("[{}]", lv("_rimage_0")), 'b', "iwi-aor---")
        .lv(&format!("[{}]", lv("_rmeta_0")), 'c', "ewi-aor---")
        .entry(
            &part("rmeta_0"),
            1,
            1,
            &uuid('c', ""),
            "0 8192 linear 8:0 2048",
        )
        .entry(
            &part("rimage_0"),
            2,
            1,
            &uuid('b', ""),
            "0 65536 linear 8:0 10240",
        )
        .entry(
            &format!("pve-vm--{vmid}--disk--0"),
            3,
            0,
            &uuid('a', ""),
            "0 65536 raid raid1 3 0 region_size 4096 1 254:1 254:2",
        )
}

/// A recording of the laboratory's scenario of that name: the guests 101 and
/// 104 exist, 102 and 103 do not.
#[test]
fn a_real_raid_and_real_snapshots() {
    let recording =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdicts/raid-and-snapshots.zip");
    let audited = Audited::of(&recording);
    let lines: Vec<String> = audited
        .0
        .node
        .devices
        .iter()
        .filter(|(_, device)| device.name.contains("--10"))
        .map(|(_, device)| format!("{}: {}", device.name, audited.line(&device.name)))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    pve-vm--100--disk--0: valid - backed none -
    pve-vm--101--disk--0: valid - backed none -
    pve-vm--101--disk--0_rimage_0: dependent - backed none -
    pve-vm--101--disk--0_rimage_1: dependent - backed none -
    pve-vm--101--disk--0_rmeta_0: dependent - backed none -
    pve-vm--101--disk--0_rmeta_1: dependent - backed none -
    pve-vm--102--disk--0: orphan guest-gone backed deactivate -
    pve-vm--102--disk--0_rimage_0: dependent - backed none goes-with-volume
    pve-vm--102--disk--0_rimage_1: dependent - backed none goes-with-volume
    pve-vm--102--disk--0_rmeta_0: dependent - backed none goes-with-volume
    pve-vm--102--disk--0_rmeta_1: dependent - backed none goes-with-volume
    ssd--ha01-vm--103--disk--0: orphan guest-gone backed none snapshot
    ssd--ha01-vm--103--disk--0-real: dependent - backed none goes-with-volume
    ssd--ha01-vm--103--disk--1: orphan guest-gone backed none snapshot
    ssd--ha01-vm--103--disk--1-cow: dependent - backed none goes-with-volume
    ssd--ha01-vm--104--before: orphan disk-unreferenced backed none snapshot
    ssd--ha01-vm--104--before-cow: dependent - backed none goes-with-volume
    ssd--ha01-vm--104--disk--0: valid - backed none -
    ssd--ha01-vm--104--disk--0-real: dependent - backed none -
    ");
}

#[test]
fn the_parts_of_a_raid_are_its_volumes() {
    let used = raid(Recording::bare(), 1).conf("qemu-server/1", "scsi0: thick:vm-1-disk-0\n");
    let audited = used.audit();
    assert_eq!(audited.line("pve-vm--1--disk--0"), "valid - backed none -");
    for part in ["rimage_0", "rmeta_0"] {
        let line = audited.line(&format!("pve-vm--1--disk--0_{part}"));
        assert_eq!(line, "dependent - backed none -", "{part}");
    }
    // The guest is gone: LVM takes them down with the volume.
    let audited = raid(Recording::bare(), 7).audit();
    assert_eq!(audited.planned(), ["pve-vm--7--disk--0"]);
    assert_eq!(
        audited.line("pve-vm--7--disk--0_rimage_0"),
        "dependent - backed none goes-with-volume"
    );
}

#[test]
fn a_part_without_its_volume_is_judged_by_its_volumes_name() {
    let image = |node: Recording| {
        node.lv("[vm-1-disk-0_rimage_0]", 'b', "iwi-a-r---").entry(
            "pve-vm--1--disk--0_rimage_0",
            2,
            0,
            &uuid('b', ""),
            "0 65536 linear 8:0 10240",
        )
    };
    let named = image(Recording::bare()).conf("qemu-server/1", "scsi0: thick:vm-1-disk-0\n");
    assert_eq!(
        named.audit().verdict("pve-vm--1--disk--0_rimage_0"),
        "valid"
    );
    assert_eq!(
        image(Recording::bare())
            .audit()
            .line("pve-vm--1--disk--0_rimage_0"),
        "orphan disk-unreferenced backed none goes-with-volume"
    );
}

#[test]
fn the_parts_of_a_cached_volume_are_its_own_and_the_pools_nobodys() {
    let node = Recording::bare()
        .lv("vm-1-disk-0", 'a', "Cwi-aoC---")
        .lv("[vm-1-disk-0_corig]", 'b', "owi-aoC---")
        .lv("[vm-9-fast_cdata]", 'd', "Cwi-ao----")
        .entry(
            "pve-vm--9--fast_cdata",
            1,
            1,
            &uuid('d', ""),
            "0 8192 linear 8:0 2048",
        )
        .entry(
            "pve-vm--1--disk--0_corig",
            2,
            1,
            &uuid('b', ""),
            "0 65536 linear 8:0 10240",
        )
        .entry(
            "pve-vm--1--disk--0",
            3,
            1,
            &uuid('a', ""),
            "0 65536 cache 254:1 254:1 254:2 128 2 metadata2 writethrough smq 0",
        )
        .conf("qemu-server/1", "scsi0: thick:vm-1-disk-0\n");
    let audited = node.audit();
    assert_eq!(audited.verdict("pve-vm--1--disk--0"), "valid");
    assert_eq!(audited.verdict("pve-vm--1--disk--0_corig"), "dependent");
    assert_eq!(audited.verdict("pve-vm--9--fast_cdata"), "system");
    assert!(audited.planned().is_empty());
}

#[test]
fn a_pool_with_a_guests_name_is_no_guests() {
    let node = Recording::bare()
        .lv("vm-9-pool", 'p', "twi-aotz--")
        .lv("[vm-9-pool_tdata]", 'd', "Twi-ao----")
        .lv("[vm-9-pool_tmeta]", 'm', "ewi-ao----")
        .lv("vm-1-disk-0", 'a', "Vwi-a-tz--")
        .entry(
            "pve-vm--9--pool_tmeta",
            0,
            1,
            &uuid('m', "-tmeta"),
            "0 8192 linear 8:0 2048",
        )
        .entry(
            "pve-vm--9--pool_tdata",
            1,
            1,
            &uuid('d', "-tdata"),
            "0 65536 linear 8:0 10240",
        )
        .entry(
            "pve-vm--9--pool-tpool",
            2,
            2,
            &uuid('p', "-tpool"),
            "0 65536 thin-pool 254:0 254:1 128 0 0",
        )
        .entry(
            "pve-vm--9--pool",
            3,
            0,
            &uuid('p', "-pool"),
            "0 65536 linear 254:2 0",
        )
        .entry(
            "pve-vm--1--disk--0",
            4,
            0,
            &uuid('a', ""),
            "0 65536 thin 254:2 1",
        )
        .conf("qemu-server/1", "scsi0: thin:vm-1-disk-0\n");
    let audited = node.audit();
    for pool in ["_tmeta", "_tdata", "-tpool", ""] {
        let name = format!("pve-vm--9--pool{pool}");
        assert_eq!(audited.verdict(&name), "system", "{name}");
    }
    assert_eq!(audited.verdict("pve-vm--1--disk--0"), "valid");
    assert!(audited.planned().is_empty());
    // Nor where no UUID tells its layers.
    let names_alone = node
        .write("lvs-json", "{\"report\":[{\"lv\":[]}]}")
        .fail("lvs-json", 5);
    assert_eq!(names_alone.audit().count("system"), 4);
}

#[test]
fn a_partition_of_no_guests_disk_is_none_whatever_its_name() {
    // An alias that looks like a guest's volume.
    let audited = Recording::bare()
        .entry(
            "san-vm--7--disk",
            1,
            1,
            "mpath-3600",
            "0 65536 linear 8:0 0",
        )
        .entry(
            "san-vm--7--disk-part1",
            2,
            0,
            "part1-mpath-3600",
            "0 8192 linear 254:1 2048",
        )
        .audit();
    assert_eq!(audited.count("system"), 2);
    // Of a guest's disk it is that guest's, with its table or without.
    let disk = |node: Recording| {
        node.lv("vm-7-disk-0", 'a', "-wi-a-----").entry(
            "pve-vm--7--disk--0",
            1,
            1,
            &uuid('a', ""),
            "0 65536 linear 8:0 2048",
        )
    };
    let partition = format!("part1-{}", uuid('a', ""));
    let audited = disk(Recording::bare())
        .entry(
            "pve-vm--7--disk--0-part1",
            2,
            0,
            &partition,
            "0 8192 linear 254:1 2048",
        )
        .audit();
    assert_eq!(audited.verdict("pve-vm--7--disk--0-part1"), "dependent");
    let audited = disk(Recording::bare())
        .add("dmsetup-info", &info("elsewhere", 2, 0, &partition))
        .audit();
    assert_eq!(audited.verdict("elsewhere"), "dependent");
}

/// A guest's disk that is a VG's physical volume, on which the volume of a
/// second guest lies.
fn nested() -> Recording {
    Recording::bare()
        .lv("vm-1-disk-0", 'a', "-wi-ao----")
        .entry(
            "pve-vm--1--disk--0",
            1,
            1,
            &uuid('a', ""),
            "0 65536 linear 8:0 2048",
        )
        .entry(
            "inner-vm--7--disk--0",
            2,
            0,
            &format!("LVM-{}{}", "W".repeat(32), "b".repeat(32)),
            "0 8192 linear 254:1 2048",
        )
        .conf("qemu-server/1", "scsi0: thick:vm-1-disk-0\n")
}

#[test]
fn what_a_configuration_names_is_no_follower() {
    let audited = nested().audit();
    assert_eq!(audited.verdict("inner-vm--7--disk--0"), "dependent");
    let named = nested()
        .edit(
            "/etc/pve/storage.cfg",
            "lvm: thick",
            "lvm: inner\n\tvgname inner\n\nlvm: thick",
        )
        .conf("qemu-server/7", "scsi0: inner:vm-7-disk-0\n");
    let audited = named.audit();
    assert_eq!(audited.verdict("pve-vm--1--disk--0"), "valid");
    assert_eq!(audited.verdict("inner-vm--7--disk--0"), "valid");
}

#[test]
fn a_running_guest_keeps_what_its_name_is_on() {
    // It lies on the disk of a guest that is gone; its own guest runs.
    let listed = "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID\n         7 seven                running    512                0.03 700\n";
    let node = nested()
        .edit("/etc/pve/nodes/n1/qemu-server/1.conf", "scsi0", "#scsi0")
        .conf("qemu-server/7", "memory: 1\n");
    assert_eq!(
        node.audit().line("inner-vm--7--disk--0"),
        "dependent - unknown remove -"
    );
    assert_eq!(
        node.write("qm-list", listed)
            .audit()
            .line("inner-vm--7--disk--0"),
        "dependent - unknown none guest-running"
    );
}

#[test]
fn thick_snapshots_and_their_origins_are_left_to_a_person() {
    let node = Recording::bare()
        .lv("vm-7-disk-0", 'a', "owi-a-s---")
        .lv("vm-7-disk-1", 's', "swi-a-s---")
        .entry(
            "pve-vm--7--disk--0-real",
            1,
            2,
            &uuid('a', "-real"),
            "0 65536 linear 8:0 2048",
        )
        .entry(
            "pve-vm--7--disk--1-cow",
            2,
            1,
            &uuid('s', "-cow"),
            "0 8192 linear 8:0 90000",
        )
        .entry(
            "pve-vm--7--disk--0",
            3,
            0,
            &uuid('a', ""),
            "0 65536 snapshot-origin 254:1",
        )
        .entry(
            "pve-vm--7--disk--1",
            4,
            0,
            &uuid('s', ""),
            "0 65536 snapshot 254:1 254:2 P 8",
        );
    let audited = node.audit();
    for name in ["pve-vm--7--disk--0", "pve-vm--7--disk--1"] {
        assert_eq!(audited.line(name), "orphan guest-gone backed none snapshot");
    }
    assert!(audited.planned().is_empty());
}

/// Forged: each entry lies on the one before, and the first on all others.
#[test]
fn entries_that_lie_on_each_other_are_judged_all_the_same() {
    let count = 4000;
    let mut node = Recording::bare();
    let (mut infos, mut tables) = (String::new(), String::new());
    for i in 0..count {
        let name = format!("pve-vm--7--disk--{i}");
        infos += &info(&name, i, 0, &format!("LVM-{}{i:032}", "V".repeat(32)));
        let below = match i {
            0 => (1..count).collect(),
            i => vec![i - 1],
        };
        for (segment, below) in below.iter().enumerate() {
            tables += &format!("{name}: {} 8 linear 254:{below} 0\n", 8 * segment);
        }
    }
    node = node
        .write("dmsetup-info", &infos)
        .write("dmsetup-table", &tables);
    let audited = node.audit();
    assert_eq!(
        audited.count("dependent") + audited.count("orphan"),
        count as usize
    );
    // Nothing follows itself: what it follows is no follower in a circle.
    assert!(audited.count("orphan") >= 1);
}

/// Forged: entries that are named lie on all of a tower.
#[test]
fn what_is_named_stands_alone_on_a_tower() {
    let (tower, named) = (2_500, 20);
    let mut node = Recording::bare();
    let (mut infos, mut tables, mut deps) = (String::new(), String::new(), String::new());
    for i in 0..tower {
        let name = format!("pve-vm--7--disk--{i}");
        infos += &info(&name, i, 0, &format!("LVM-{}{i:032}", "V".repeat(32)));
        let below = i
            .checked_sub(1)
            .map_or("8:0".to_owned(), |below| format!("254:{below}"));
        tables += &format!("{name}: 0 8 linear {below} 0\n");
    }
    let all: Vec<String> = (0..tower).map(|i| format!("(254, {i})")).collect();
    for i in 0..named {
        let name = format!("pve-vm--1--disk--{i}");
        let minor = tower + i;
        infos += &info(
            &name,
            minor,
            0,
            &format!("LVM-{}{minor:032}", "V".repeat(32)),
        );
        deps += &format!("{name}: {tower} dependencies\t: {}\n", all.join(" "));
        node = node.conf("qemu-server/1", &format!("scsi{i}: thick:vm-1-disk-{i}\n"));
    }
    node = node
        .write("dmsetup-info", &infos)
        .write("dmsetup-table", &tables)
        .write("dmsetup-deps", &deps);
    let audited = node.audit();
    // Those, and the disk that the tower stands on: they stand on it, too.
    assert_eq!(audited.count("valid"), named as usize + 1);
    assert_eq!(audited.count("dependent"), tower as usize - 1);
}

/// What a disk in use stands on is in use.
#[test]
fn a_templates_disk_that_a_clone_reads_from_is_no_orphan() {
    let audited = Recording::bare()
        .lv("base-9-disk-0", 'a', "Vri---tz-k")
        .lv("vm-1-disk-0", 'b', "Vwi-a-tz--")
        .entry(
            "pve-base--9--disk--0",
            1,
            1,
            &uuid('a', ""),
            "0 8192 linear 8:0 2048",
        )
        .entry(
            "pve-vm--1--disk--0",
            2,
            0,
            &uuid('b', ""),
            "0 8192 thin 254:9 1 254:1",
        )
        .conf("qemu-server/1", "scsi0: thin:vm-1-disk-0\n")
        .audit();
    assert_eq!(
        audited.line("pve-base--9--disk--0"),
        "valid - backed none -"
    );
}

/// A VG of that name on the entry of this number.
fn with_tank(recording: Recording, minor: u32, more_vgs: &str) -> Recording {
    let tank = "T".repeat(32);
    recording
        .write(
            "/etc/pve/storage.cfg",
            "lvm: thick\n\tvgname pve\n\nlvm: tank\n\tvgname tank\n",
        )
        .write(
            "pvs-json",
            &format!(
                "{{\"report\":[{{\"pv\":[{{\"pv_name\":\"/dev/dm-1\",\"pv_uuid\":\"p\",\"vg_name\":\"tank\",\"vg_uuid\":\"{tank}\",\"pv_major\":\"254\",\"pv_minor\":\"{minor}\"}}]}}]}}"
            ),
        )
        .edit(
            "vgs-json",
            "[{\"vg_name\"",
            &format!("[{{\"vg_name\":\"tank\",\"vg_uuid\":\"{tank}\"}},{more_vgs}{{\"vg_name\""),
        )
}

/// A volume with a guest's name, made by hand, and one that lies on it.
fn made_by_hand() -> Recording {
    let tank = "T".repeat(32);
    Recording::bare()
        .lv("vm-99-data", 'a', "-wi-ao----")
        .entry(
            "pve-vm--99--data",
            1,
            1,
            &uuid('a', ""),
            "0 8192 linear 8:0 2048",
        )
        .entry(
            "tank-backup",
            2,
            0,
            &format!("LVM-{tank}{tank}"),
            "0 4096 linear 254:1 2048",
        )
}

#[test]
fn what_a_storage_is_on_is_the_hosts() {
    let used = |recording: Recording| recording.conf("qemu-server/1", "scsi0: tank:vm-1-disk-0\n");
    let audited = used(with_tank(made_by_hand(), 1, "")).audit();
    assert_eq!(audited.verdict("pve-vm--99--data"), "system");
    assert_eq!(audited.verdict("tank-backup"), "system");
    assert!(audited.planned().is_empty());
    // Or a storage of this node, by its list of nodes.
    let own = with_tank(made_by_hand(), 1, "").edit(
        "/etc/pve/storage.cfg",
        "vgname tank\n",
        "vgname tank\n\tnodes n1\n",
    );
    assert_eq!(own.audit().verdict("pve-vm--99--data"), "system");
    // Where only the names are the same, it may be a guest's own.
    let audited = with_tank(made_by_hand(), 1, "").audit();
    assert_eq!(
        audited.line("pve-vm--99--data"),
        "unknown storage-unclear backed none evidence-missing"
    );
    assert_eq!(audited.verdict("tank-backup"), "dependent");
    assert!(audited.planned().is_empty());
    // A second VG of that name, a disabled storage, and one of other nodes say
    // nothing.
    let other = "U".repeat(32);
    let second = format!("{{\"vg_name\":\"tank\",\"vg_uuid\":\"{other}\"}},");
    let audited = used(with_tank(made_by_hand(), 1, &second)).audit();
    assert_eq!(audited.verdict("tank-backup"), "dependent");
    for property in ["nodes n2", "disable"] {
        let audited = used(with_tank(made_by_hand(), 1, "")).edit(
            "/etc/pve/storage.cfg",
            "vgname tank\n",
            &format!("vgname tank\n\t{property}\n"),
        );
        assert_eq!(
            audited.audit().verdict("tank-backup"),
            "dependent",
            "{property}"
        );
    }
}

/// A guest's disk in use is the guest's, whatever its VG is called.
#[test]
fn a_guests_own_group_with_a_storages_name_is_the_guests() {
    let audited = with_tank(made_by_hand(), 1, "")
        .conf("qemu-server/99", "scsi0: thick:vm-99-data\n")
        .conf("qemu-server/1", "scsi0: tank:vm-1-disk-0\n")
        .audit();
    assert_eq!(audited.verdict("pve-vm--99--data"), "valid");
    assert_eq!(audited.verdict("tank-backup"), "dependent");
    assert!(audited.planned().is_empty());
}

#[test]
fn a_storage_on_a_partition_keeps_the_disk() {
    let recording = Recording::bare()
        .lv("vm-99-data", 'a', "-wi-ao----")
        .entry(
            "pve-vm--99--data",
            1,
            1,
            &uuid('a', ""),
            "0 8192 linear 8:0 2048",
        )
        .entry(
            "pve-vm--99--data1",
            2,
            0,
            &format!("part1-{}", uuid('a', "")),
            "0 4096 linear 254:1 2048",
        )
        .conf("qemu-server/1", "scsi0: tank:vm-1-disk-0\n");
    let audited = with_tank(recording, 2, "").audit();
    assert_eq!(audited.verdict("pve-vm--99--data"), "system");
    assert!(audited.planned().is_empty());
}
