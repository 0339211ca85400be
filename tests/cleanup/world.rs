//! The made-up node's devices, volumes and guests, and the plan for them.

use chrono::{DateTime, Utc};
use dmaudit::cleanup::plan::{Item, Plan, Skipped};
use dmaudit::cleanup::script::About;
use dmaudit::model::verdict::{Action, LvState, Verdict};

use crate::node::Node;

/// The UUIDs of the volume groups `pve` and `ssd-ha01`, as LVM prints them.
pub const PVE: &str = "qI2XpX-d8NI-WOZX-TC89-2vFj-hskE-9CCRM7";
pub const SHARED: &str = "NSrARW-8xE3-eF5K-nc0v-yq4g-zobI-2n1ie4";

/// The UUID of a made-up logical volume, as LVM prints it.
pub fn lv_uuid(vmid: u32) -> String {
    format!("Vol{vmid}-aaaa-bbbb-cccc-dddd-eeee-ffffff")
}

/// The device-mapper UUID of a made-up logical volume.
pub fn dm_uuid(vg: &str, vmid: u32) -> String {
    format!("LVM-{vg}{}", lv_uuid(vmid))
        .replace('-', "")
        .replacen("LVM", "LVM-", 1)
}

/// `sha256sum </etc/machine-id` on the made-up node.
const MACHINE_ID_SHA256: &str = "a2192eeb9b7585151f53f0baf01f577d46936ffe0f97e38988506e01c07906a3";

/// What the script of these tests says of itself.
pub fn about(collected_at: DateTime<Utc>) -> About {
    About {
        node: "pve1".into(),
        cluster: Some("alpha".into()),
        machine_id_sha256: Some(MACHINE_ID_SHA256.into()),
        boot_id: Some("11111111-2222-3333-4444-555555555555".into()),
        collected_at,
        bundle: "dmaudit-pve1.zip".into(),
        dmaudit_version: "0.1.0".into(),
        analyzed_at: collected_at,
    }
}

/// A second mapping of guest 101's disk, made by hand: no UUID.
pub fn second_mapping() -> Item {
    Item {
        name: "pve-vm--101--disk--0-old".into(),
        uuid: None,
        table: vec!["0 131072 thin 254:2 2".into()],
        devno: "254:23".parse().unwrap(),
        action: Action::Remove,
        lv_state: LvState::Unknown,
        verdict: Verdict::Duplicate,
        vg_lv: Some(("pve".into(), "vm-101-disk-0".into())),
        vmid: Some(101),
        guest_gone: false,
        words: vec!["pve-vm--101--disk--0-old".into()],
        why: "a second mapping of guest 101's disk; pve-vm--101--disk--0 is kept".into(),
    }
}

/// The volume of a guest that is gone; LVM knows it.
pub fn known_to_lvm() -> Item {
    Item {
        name: "pve-vm--119--disk--0".into(),
        uuid: Some(dm_uuid(PVE, 119)),
        table: vec!["0 131072 thin 254:2 6".into()],
        devno: "254:12".parse().unwrap(),
        action: Action::Deactivate,
        lv_state: LvState::Backed,
        verdict: Verdict::Orphan,
        vg_lv: Some(("pve".into(), "vm-119-disk-0".into())),
        vmid: Some(119),
        guest_gone: true,
        words: vec![
            "vm-119-disk-0".into(),
            "pve-vm--119--disk--0".into(),
            dm_uuid(PVE, 119),
        ],
        why: "guest 119 is gone".into(),
    }
}

/// A partition of guest 150's volume, mapped by kpartx.
pub fn partition() -> Item {
    Item {
        name: "pve-vm--150--disk--0p1".into(),
        uuid: Some(format!("part1-{}", dm_uuid(PVE, 150))),
        table: vec!["0 129024 linear 254:13 2048".into()],
        devno: "254:22".parse().unwrap(),
        action: Action::Remove,
        lv_state: LvState::Unknown,
        verdict: Verdict::Dependent,
        vg_lv: None,
        vmid: Some(150),
        guest_gone: true,
        words: vec!["pve-vm--150--disk--0p1".into(), "vm-150-disk-0".into()],
        why: "a partition of pve-vm--150--disk--0".into(),
    }
}

/// The volume that the partition keeps open.
pub fn partitioned() -> Item {
    Item {
        name: "pve-vm--150--disk--0".into(),
        uuid: Some(dm_uuid(PVE, 150)),
        table: vec!["0 131072 thin 254:2 7".into()],
        devno: "254:13".parse().unwrap(),
        vg_lv: Some(("pve".into(), "vm-150-disk-0".into())),
        vmid: Some(150),
        words: vec!["vm-150-disk-0".into(), "pve-vm--150--disk--0".into()],
        why: "guest 150 is gone".into(),
        ..known_to_lvm()
    }
}

/// A mapping whose volume another node removed.
pub fn stale() -> Item {
    Item {
        name: "ssd--ha01-vm--170--disk--0".into(),
        uuid: Some(dm_uuid(SHARED, 170)),
        table: vec!["0 65536 linear 253:32 67584".into()],
        devno: "254:4".parse().unwrap(),
        action: Action::Remove,
        lv_state: LvState::Stale,
        vg_lv: Some(("ssd-ha01".into(), "vm-170-disk-0".into())),
        vmid: Some(170),
        words: vec!["vm-170-disk-0".into(), "ssd--ha01-vm--170--disk--0".into()],
        why: "its volume is gone".into(),
        ..known_to_lvm()
    }
}

/// An item of a bundle without LVM's report: the script asks LVM.
pub fn ask_lvm(item: Item) -> Item {
    Item {
        action: Action::Remove,
        lv_state: LvState::Unknown,
        ..item
    }
}

/// All of these, and an entry that is left alone.
pub fn plan() -> Plan {
    Plan {
        items: vec![
            second_mapping(),
            known_to_lvm(),
            partition(),
            partitioned(),
            stale(),
        ],
        skipped: vec![Skipped {
            name: "pve-vm--160--disk--0".into(),
            reason: "open".into(),
            why: "open count 1: qemu 4711".into(),
        }],
    }
}

/// Devices that the plan does not name, and must be there afterwards.
pub const KEPT: &[&str] = &[
    "pve-data-tpool",
    "pve-vm--101--disk--0",
    "pve-vm--160--disk--0",
    "ssd--ha01-vm--171--disk--0",
];

/// Fills the node.
pub fn build(node: &Node) {
    let (pool, kept) = (
        format!("LVM-{}tpool-tpool", PVE.replace('-', "")),
        dm_uuid(PVE, 101),
    );
    let mut devices = format!(
        "pve-data-tpool|{pool}|254|2|5|L--w\n\
         pve-vm--101--disk--0|{kept}|254|8|0|L--w\n\
         pve-vm--160--disk--0|{}|254|14|1|L--w\n\
         ssd--ha01-vm--171--disk--0|{}|254|9|1|L--w\n",
        dm_uuid(PVE, 160),
        dm_uuid(SHARED, 171),
    );
    for item in [
        second_mapping(),
        known_to_lvm(),
        partition(),
        partitioned(),
        stale(),
    ] {
        let open = u8::from(item.name == partitioned().name);
        let uuid = item.uuid.as_deref().unwrap_or_default();
        devices += &format!(
            "{}|{uuid}|254|{}|{open}|L--w\n",
            item.name, item.devno.minor
        );
        node.write(
            &format!("world/table/{}", item.name),
            &format!("{}\n", item.table.join("\n")),
        );
    }
    node.write("world/dm", &devices);
    for line in devices.lines() {
        let minor = line.split('|').nth(3).unwrap();
        std::fs::create_dir_all(node.path(format!("root/sys/block/dm-{minor}/holders"))).unwrap();
    }
    node.write("root/sys/block/dm-13/holders/dm-22", "");

    let mut volumes = String::new();
    for vmid in [101, 119, 150, 160] {
        volumes += &format!("{PVE}|{}|pve|vm-{vmid}-disk-0\n", lv_uuid(vmid));
    }
    volumes += &format!("{PVE}|{}|pve|[data_tmeta]\n", lv_uuid(1));
    volumes += &format!("{SHARED}|{}|ssd-ha01|vm-171-disk-0\n", lv_uuid(171));
    node.write("world/lvs", &volumes);
    node.write("world/lvs-more", "");
    node.write("world/vgs", "");
    node.write("world/lv-table", "0 131072 thin 254:2 6\n");

    node.write(
        "world/qm",
        "      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID       \n\
         \x20      101 mail01               stopped    1024               0.06 0         \n\
         \x20      160 a-very-long-name-of-a-guest running    512                0.06 4711      \n",
    );
    node.write(
        "world/pct",
        "VMID       Status     Lock         Name                \n\
         200        running                 ct-dns              \n",
    );
    node.write("world/users", "");
    node.write("world/stat", "");
    node.write("world/paths", "");
    node.write("world/attr", "");
    node.write("world/id", "0\n");
    node.write("world/uname", "pve1.example.com\n");

    node.write("root/etc/machine-id", "0123456789abcdef\n");
    node.write(
        "root/etc/pve/.members",
        "{ \"nodename\": \"pve1\", \"cluster\": { \"quorate\": 1 } }\n",
    );
    node.write(
        "root/etc/pve/nodes/pve1/qemu-server/101.conf",
        "# a mail server\nscsi0: local-lvm:vm-101-disk-0,size=64M\n",
    );
    node.write(
        "root/etc/pve/nodes/pve1/qemu-server/160.conf",
        "scsi0: local-lvm:vm-160-disk-0,size=64M\n",
    );
    node.write(
        "root/etc/pve/nodes/pve1/lxc/200.conf",
        "rootfs: local-lvm:vm-200-disk-0,size=1G\n",
    );
    node.write(
        "root/etc/pve/nodes/pve2/qemu-server/171.conf",
        "scsi0: ssd-ha01:vm-171-disk-0,size=64M\n",
    );
    node.write(
        "root/proc/sys/kernel/random/boot_id",
        "11111111-2222-3333-4444-555555555555\n",
    );
    node.write(
        "root/proc/1/mountinfo",
        "1 1 0:2 / / rw - rootfs rootfs rw\n",
    );
    node.write("root/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
}
