//! Findings.

use dmaudit::report::view::Finding;

use super::Texts;

/// A finding.
#[allow(clippy::too_many_arguments)]
pub fn finding(
    w: Texts,
    check: &str,
    title: &str,
    severity: &str,
    subject: &str,
    vmid: Option<u64>,
    message: &str,
    impact: &str,
    remedy: &str,
    evidence: &[&str],
) -> Finding {
    Finding {
        check: w.k(check).into(),
        title: w.k(title).into(),
        severity: w.k(severity).into(),
        subject: w.t(subject),
        vmid,
        message: w.t(message),
        impact: w.t(impact).into(),
        remedy: w.t(remedy).into(),
        evidence: w.list(evidence),
    }
}

/// One finding of each kind that a single node shows.
pub fn pve1_findings(w: Texts) -> Vec<Finding> {
    vec![
        finding(
            w,
            "duplicate-entry",
            "A second entry maps a guest's disk",
            "critical",
            "pve-vm--101--disk--0-old",
            Some(101),
            "`pve-vm--101--disk--0-old` maps thin volume 2 of pool `pve/data`, which is VM 101's disk `pve-vm--101--disk--0`.",
            "Whatever writes through the second entry destroys VM 101's file systems, and LVM can't deactivate the volume while the entry is open.",
            "Find out who made it, then let the cleanup script remove it.\nBy hand: `dmsetup remove pve-vm--101--disk--0-old`",
            &[
                "dmsetup-table: pve-vm--101--disk--0: 0 131072 thin 254:2 2",
                "dmsetup-table: pve-vm--101--disk--0-old: 0 131072 thin 254:2 2",
                "dmsetup-info: pve-vm--101--disk--0-old: open count 0, no UUID",
            ],
        ),
        finding(
            w,
            "orphan-guest-gone",
            "An entry of a guest that no longer exists",
            "warning",
            "pve-vm--119--disk--0",
            Some(119),
            "No node of the cluster has a configuration for guest 119, but its disk is still active here.",
            "The disk holds data that nobody references. It takes 64 MiB of the pool.",
            "Deactivate it: `lvchange -an pve/vm-119-disk-0`. Whether its data may be deleted is for a person to decide.",
            &["dmsetup-info-c: pve-vm--119--disk--0 254 12 L--w 0 1 0"],
        ),
        finding(
            w,
            "orphan-guest-gone",
            "An entry of a guest that no longer exists",
            "warning",
            "pve-vm--119--cloudinit",
            Some(119),
            "No node of the cluster has a configuration for guest 119.",
            "A new guest 119 can't get a cloud-init drive: 'already exists'.",
            "Deactivate it: `lvchange -an pve/vm-119-cloudinit`.",
            &["dmsetup-info-c: pve-vm--119--cloudinit 254 20 L--w 0 1 0"],
        ),
        finding(
            w,
            "orphan-guest-gone",
            "An entry of a guest that no longer exists",
            "warning",
            "pve-vm--150--disk--0",
            Some(150),
            "No node of the cluster has a configuration for guest 150. Its partition is still mapped.",
            "It can't be deactivated until its partition is gone.",
            "Remove the partition's entry first, then deactivate it.",
            &["holders: /sys/block/dm-13/holders/dm-22"],
        ),
        finding(
            w,
            "orphan-disk-unreferenced",
            "A disk that its guest no longer references",
            "warning",
            "pve-vm--104--disk--1",
            Some(104),
            "VM 104's configuration does not name this disk, not even as unused.",
            "It takes space; nothing shows it in the web interface.",
            "Run `qm rescan --vmid 104` to have it listed as unused, or deactivate it.",
            &[
                "files/etc/pve/nodes/pve1/qemu-server/104.conf: scsi0: local-lvm:vm-104-disk-0,size=64M",
            ],
        ),
        finding(
            w,
            "held-open-while-stopped",
            "Open although its guest is stopped",
            "warning",
            "pve-vm--103--disk--0",
            Some(103),
            "VM 103 is stopped, but `ubuntu--vg-ubuntu--lv` on the host holds its disk.",
            "Starting VM 103 gives the same file system two writers.",
            "Deactivate it: `vgchange -an ubuntu-vg`, and keep the host from scanning guests' disks.",
            &["holders: /sys/block/dm-17/holders/dm-21"],
        ),
        finding(
            w,
            "autoactivation-enabled",
            "Guests' volumes are activated at boot",
            "info",
            "pve",
            None,
            "15 of 16 volumes of `pve` have autoactivation on.",
            "On local storage this is cosmetic.",
            "`vgchange --setautoactivation n pve`",
            &["lvs-json: lv_autoactivation enabled"],
        ),
    ]
}
