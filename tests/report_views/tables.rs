//! Entries and guests, as tables.

use dmaudit::report::view::{Entry, Guest};

use super::Texts;

/// Name, device, open count, volume group, volume, volume id, VMID, verdict,
/// reason, state, action, MiB.
const ENTRIES: &str = "\
pve-vm--101--disk--0-old   254:23 0  pve       vm-101-disk-0       local-lvm:vm-101-disk-0       101 duplicate -                 unknown remove     64
pve-vm--104--disk--1       254:10 0  pve       vm-104-disk-1       local-lvm:vm-104-disk-1       104 orphan    disk-unreferenced backed  deactivate 64
pve-vm--119--cloudinit     254:20 0  pve       vm-119-cloudinit    local-lvm:vm-119-cloudinit    119 orphan    guest-gone        backed  deactivate 4
pve-vm--119--disk--0       254:12 0  pve       vm-119-disk-0       local-lvm:vm-119-disk-0       119 orphan    guest-gone        backed  deactivate 64
pve-vm--150--disk--0       254:13 1  pve       vm-150-disk-0       local-lvm:vm-150-disk-0       150 orphan    guest-gone        backed  deactivate 64
pve-vm--103--disk--0       254:17 1  pve       vm-103-disk-0       local-lvm:vm-103-disk-0       103 valid     -                 backed  none       128
pve-vm--150--disk--0p1     254:22 0  pve       -                   -                             150 dependent -                 unknown remove     63
pve-vm--100--cloudinit     254:14 0  pve       vm-100-cloudinit    local-lvm:vm-100-cloudinit    100 valid     -                 backed  none       4
pve-vm--100--disk--0       254:7  1  pve       vm-100-disk-0       local-lvm:vm-100-disk-0       100 valid     -                 backed  none       64
pve-vm--100--state--before 254:15 0  pve       vm-100-state-before local-lvm:vm-100-state-before 100 valid     -                 backed  none       8
pve-vm--101--disk--0       254:8  0  pve       vm-101-disk-0       local-lvm:vm-101-disk-0       101 valid     -                 backed  none       64
pve-vm--101--disk--1       254:16 0  pve       vm-101-disk-1       local-lvm:vm-101-disk-1       101 valid     -                 backed  none       4
pve-vm--104--disk--0       254:9  0  pve       vm-104-disk-0       local-lvm:vm-104-disk-0       104 valid     -                 backed  none       64
pve-vm--104--disk--2       254:11 0  pve       vm-104-disk-2       local-lvm:vm-104-disk-2       104 valid     -                 backed  none       64
pve-vm--200--disk--0       254:18 1  pve       vm-200-disk-0       local-lvm:vm-200-disk-0       200 valid     -                 backed  none       32
pve-vm--200--disk--1       254:19 0  pve       vm-200-disk-1       local-lvm:vm-200-disk-1       200 valid     -                 backed  none       32
ssd--ha01-vm--169--disk--0 254:3  1  ssd-ha01  vm-169-disk-0       SSD-HA01:vm-169-disk-0        169 valid     -                 backed  none       48
pve-data                   254:6  0  pve       data                -                             -   system    -                 backed  none       500
pve-data-tpool             254:2  16 pve       data                -                             -   system    -                 backed  none       500
pve-data_tdata             254:1  1  pve       data_tdata          -                             -   system    -                 backed  none       500
pve-data_tmeta             254:0  1  pve       data_tmeta          -                             -   system    -                 backed  none       4
ubuntu--vg-ubuntu--lv      254:21 0  ubuntu-vg ubuntu-lv           -                             -   system    -                 backed  none       40
";

/// VMID, kind, name, status, lock, template, volumes, entries, issues, health.
const GUESTS: &str = "\
100 vm web01                        running -      false 3 3 0 healthy
101 vm mail01                       stopped -      false 2 2 1 critical
103 vm ubuntu-guest-with-lvm-inside stopped -      false 1 1 1 warning
104 vm files01                      stopped backup false 2 3 1 warning
169 vm Production-Database          running -      false 1 1 0 healthy
200 ct ct-dns                       running -      false 2 2 0 healthy
900 vm debian-template              stopped -      true  1 0 0 healthy
";

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.lines().map(|line| {
        let cells = line.split_whitespace();
        cells
            .map(|cell| if cell == "-" { "" } else { cell })
            .collect()
    })
}

/// 16 guests' entries, a partition and the system's.
pub fn entries(w: Texts) -> Vec<Entry> {
    rows(ENTRIES).map(|row| entry(w, &row)).collect()
}

fn entry(w: Texts, row: &[&str]) -> Entry {
    let [
        name,
        devno,
        open,
        vg,
        lv,
        volume,
        vmid,
        verdict,
        reason,
        lv_state,
        action,
        mib,
    ] = row
    else {
        panic!("a row of 12 cells: {row:?}");
    };
    let vmid: Option<u64> = vmid.parse().ok();
    Entry {
        name: w.t(name),
        uuid: (!name.ends_with("-old")).then(|| {
            w.t(&format!(
                "LVM-qI2XpXd8NIWOZXTC892vFjhskE9CCRM7{:9<32}",
                name.replace('-', "")
            ))
        }),
        devno: w.t(devno),
        open: open.parse().ok(),
        holders: match *name {
            "pve-vm--150--disk--0" => w.list(&["device pve-vm--150--disk--0p1 (254:22)"]),
            "pve-vm--103--disk--0" => w.list(&["device ubuntu--vg-ubuntu--lv (254:21)"]),
            _ => Vec::new(),
        },
        vg: w.maybe(vg),
        lv: w.maybe(lv),
        vmid,
        guest_kind: vmid.map(|vmid| w.k(if vmid == 200 { "ct" } else { "vm" }).into()),
        volume: w.maybe(volume),
        verdict: w.k(verdict).into(),
        reason: w.maybe(reason).map(Into::into),
        explanation: w.t(match *verdict {
            "duplicate" => {
                "It maps thin volume 2 of pool pve/data, which pve-vm--101--disk--0 already maps."
            }
            "orphan" => "No configuration of this node references it.",
            "dependent" => "A partition of pve-vm--150--disk--0.",
            "system" => "Not a guest's.",
            _ => "A configuration of this node references it.",
        }),
        lv_state: w.k(lv_state).into(),
        action: w.k(action).into(),
        action_reason: (*name == "pve-vm--103--disk--0").then(|| w.k("held").into()),
        size: mib.parse().ok().map(|mib: u64| mib << 20),
        pool: None,
        severity: match *verdict {
            "duplicate" => Some(w.k("critical").into()),
            "orphan" => Some(w.k("warning").into()),
            _ => (vmid == Some(103)).then(|| w.k("warning").into()),
        },
    }
}

/// Seven guests, four of them healthy.
pub fn guests(w: Texts) -> Vec<Guest> {
    rows(GUESTS).map(|row| guest(w, &row)).collect()
}

fn guest(w: Texts, row: &[&str]) -> Guest {
    let [
        vmid,
        kind,
        name,
        status,
        locked,
        template,
        disks,
        entries,
        issues,
        health,
    ] = row
    else {
        panic!("a row of 10 cells: {row:?}");
    };
    let number = |text: &str| text.parse().expect("a number");
    Guest {
        vmid: vmid.parse().expect("a VMID"),
        kind: w.k(kind),
        name: w.t(name),
        status: w.t(status),
        locked: w.maybe(locked),
        template: *template == "true",
        disks: number(disks),
        entries: number(entries),
        issues: number(issues),
        health: w.k(health),
    }
}
