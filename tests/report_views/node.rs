//! Nodes.

use dmaudit::config::{Labels, Thresholds};
use dmaudit::report::view::*;

use super::Texts;
use super::findings::pve1_findings;
use super::tables::{entries, guests};

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// A node with 16 guests' entries: 11 valid, 1 duplicate, 4 orphans.
pub fn pve1(w: Texts) -> Node {
    let findings = pve1_findings(w);
    Node {
        history: Vec::new(),
        machine_id_sha256: None,
        node: w.t("pve1"),
        slug: w.k("alpha-pve1"),
        cluster: w.maybe("alpha"),
        environment: w.k("clustered"),
        collected_at: w.k("2026-11-23T18:36:45Z"),
        bundle: w.t("samples/dmaudit-pve1-20261123T183645Z.zip"),
        labels: Labels { customer: w.maybe("Example GmbH"), site: w.maybe("Vienna") },
        thresholds: Thresholds::default(),
        manifest: w.t("collector 0.1.0"),
        pve_version: w.maybe("8.2.4"),
        kernel: w.maybe("6.1.0-56-cloud-amd64"),
        score: Some(60),
        grade: Some(w.k("F")),
        ungraded: None,
        unjudged: None,
        ignored: vec![Ignored {
            finding: super::findings::finding(w, "held-open-while-stopped", "A stopped guest's disk is held open", "warning", "pve-vm--107--disk--0", Some(107), "VM 107 is stopped, and `qemu-nbd` holds its disk open.", "It can't be deactivated.", "End the process.", &[]),
            reason: w.t("A restore test runs from it, ticket 4711"),
            until: w.t("2026-12-31"),
        }],
        left_alone: Vec::new(),
        prevention: vec![Prevention {
            title: w.t("LVM's filter"),
            text: w.t("Keep the host's LVM away from guests' disks."),
            settings: w.list(&["global_filter = [ \"r|/dev/zd.*|\" ]"]),
            commands: w.list(&["update-initramfs -u -k all"]),
            checks: w.list(&["guest-lvm-on-host"]),
        }],
        grade_reason: w.t("One critical issue makes it F: a second entry maps VM 101's disk."),
        score_steps: w.list(&["100 to begin with", "−20 for 1 critical issue", "−20 for 4 orphans"]),
        headline: w.t("A second entry, `pve-vm--101--disk--0-old`, writes to the disk of VM 101, and four entries belong to guests that are gone or no longer use them. Keep VM 101 stopped, check what made the second entry, then run the cleanup script: it removes the entry and deactivates three of the four orphans."),
        summary: Summary { entries: 16, valid: 11, duplicates: 1, orphans: 4, unknown: 0, in_use: 5, guests: 7, guests_running: 3 },
        findings,
        entries: entries(w),
        guests: guests(w),
        next_vmids: Some(NextVmids {
            lower: 100,
            upper: 1_000_000,
            ids: vec![
                next(w, 102, true, "free", &[]),
                next(w, 105, true, "free", &[]),
                next(w, 106, true, "free", &[]),
                next(w, 119, false, "blocked", &["pve/vm-119-cloudinit: creating a cloud-init drive fails with 'already exists'", "pve/vm-119-disk-0: an old disk lies beside the new one"]),
                next(w, 150, false, "leftover", &["pve/vm-150-disk-0: an old disk lies beside the new one"]),
            ],
            sentence: w.t("The next guest gets VMID 102 and meets nothing. VMID 119 will fail: `vm-119-cloudinit` is still there."),
        }),
        open_devices: vec![
            open(w, "pve-vm--100--disk--0", "254:7", 1, "valid", &["process 394 (qemu-system-x86, VM 100)"]),
            open(w, "pve-vm--103--disk--0", "254:17", 1, "valid", &["device ubuntu--vg-ubuntu--lv (254:21)"]),
            open(w, "pve-vm--150--disk--0", "254:13", 1, "orphan", &["device pve-vm--150--disk--0p1 (254:22)"]),
            open(w, "pve-vm--200--disk--0", "254:18", 1, "valid", &["mounted at /mnt/ct200"]),
            open(w, "ssd--ha01-vm--169--disk--0", "254:3", 1, "valid", &["process 395 (qemu-system-x86, VM 169)"]),
            open(w, "pve-data-tpool", "254:2", 16, "system", &["16 thin volumes of pool pve/data"]),
        ],
        storages: vec![
            storage(w, "local", "dir", "", "", false, Some((19 * GIB + 200 * MIB, 93 * GIB + 950 * MIB))),
            storage(w, "local-lvm", "lvmthin", "pve", "data", false, Some((341 * GIB, 400 * GIB))),
            storage(w, "SSD-HA01", "lvm", "ssd-ha01", "", true, Some((1228 * GIB, 9831 * GIB))),
            storage(w, "old-nas", "nfs", "", "", true, None),
        ],
        pools: vec![Pool { name: w.t("pve/data"), size: Some(400 * GIB), data_percent: Some(85.25), metadata_percent: Some(91.4), promised: Some(812 * GIB), state: w.k("ok") }],
        physical: vec![
            Physical { device: w.t("/dev/sda3"), vg: w.t("pve"), size: Some(400 * GIB) },
            Physical { device: w.t("/dev/mapper/mpatha"), vg: w.t("ssd-ha01"), size: Some(2048 * GIB) },
        ],
        system: [("CPU", "AMD EPYC 7302P, 16 cores, 32 threads"), ("Memory", "128 GiB, 61.4 GiB used"), ("Load", "0.80, 0.24, 0.08"), ("Uptime", "41 days, 3 hours"), ("Swap", "none")]
            .map(|(name, value)| Fact { name: w.t(name), value: w.t(value) })
            .into(),
        steps: vec![
            step(w, "Make sure that VM 101 stays stopped, and find out who made the second entry: it has no LVM UUID, so `dmsetup create` was typed by hand.", &["qm status 101", "dmsetup table pve-vm--101--disk--0-old"]),
            step(w, "Copy the cleanup script to the node and run it without options: it checks every item and changes nothing.", &["scp cleanup/cleanup-alpha-pve1.sh root@pve1:", "ssh root@pve1 sh cleanup-alpha-pve1.sh"]),
            step(w, "Then let it act; it asks before each item.", &["ssh -t root@pve1 sh cleanup-alpha-pve1.sh --execute"]),
            step(w, "Decide about the data that stays: the volumes of the deleted guests 119 and 150, and `vm-104-disk-1`. Nothing here deletes them.", &[]),
        ],
        missing: vec![missing(w, "multipath", "failed", "exit 127: multipath: not found", "Whether a volume is mapped onto one path of a multipath device can't be said.")],
        checks_not_run: vec![CheckNotRun { check: w.k("failed-path"), needs: w.t("the output of `multipath -ll`; install multipath-tools or ignore this on a node without a SAN") }],
        notes: w.list(&["files/etc/pve/nodes/pve1/qemu-server/104.conf line 9: 'scsi9 local-lvm' is no 'key: value' line and was skipped"]),
        issues_by_vg: [("pve", 6), ("ubuntu-vg", 1)].map(|(vg, count)| Count { label: w.t(vg), count }).into(),
        page: Some(w.k("nodes/alpha-pve1.html")),
        script: Some(w.k("cleanup/cleanup-alpha-pve1.sh")),
        planned: vec![
            planned(w, "pve-vm--101--disk--0-old", "remove", "A second mapping of VM 101's disk that LVM does not know."),
            planned(w, "pve-vm--104--disk--1", "deactivate", "VM 104 no longer references it."),
            planned(w, "pve-vm--119--cloudinit", "deactivate", "Guest 119 is gone."),
            planned(w, "pve-vm--119--disk--0", "deactivate", "Guest 119 is gone."),
            planned(w, "pve-vm--150--disk--0p1", "remove", "A partition of an orphan's disk; it goes first."),
            planned(w, "pve-vm--150--disk--0", "deactivate", "Guest 150 is gone; held only by its partition."),
        ],
    }
}

/// The same cluster's other node, shorter.
pub fn pve2(w: Texts) -> Node {
    Node {
        node: w.t("pve2"),
        slug: w.k("alpha-pve2"),
        page: Some(w.k("nodes/alpha-pve2.html")),
        bundle: w.t("samples/dmaudit-pve2-20261123T183645Z.zip"),
        score: Some(40),
        summary: Summary {
            entries: 6,
            valid: 2,
            orphans: 4,
            in_use: 3,
            guests: 2,
            guests_running: 2,
            ..Summary::default()
        },
        ..pve1(w)
    }
}

/// A node on which nothing was found.
pub fn healthy(w: Texts) -> Node {
    let (entries, guests): (Vec<_>, Vec<_>) = (entries(w), guests(w));
    Node {
        node: w.t("pve1"),
        slug: w.k("pve1"),
        cluster: None,
        environment: w.k("standalone"),
        page: Some(w.k("nodes/pve1.html")),
        bundle: w.t("samples/dmaudit-pve1-20261122T090000Z.zip"),
        collected_at: w.k("2026-11-22T10:00:00+01:00"),
        pve_version: w.maybe("9.0.11"),
        kernel: w.maybe("6.14.11-4-pve"),
        score: Some(100),
        grade: Some(w.k("A+")),
        ungraded: None,
        unjudged: None,
        ignored: Vec::new(),
        left_alone: Vec::new(),
        prevention: Vec::new(),
        grade_reason: w.t("No check found anything."),
        score_steps: w.list(&["100 to begin with"]),
        headline: w.t("Nothing is wrong on this node. Nothing has to be done."),
        summary: Summary {
            entries: 11,
            valid: 11,
            in_use: 4,
            guests: 3,
            guests_running: 3,
            ..Summary::default()
        },
        findings: Vec::new(),
        entries: entries
            .into_iter()
            .filter(|entry| entry.severity.is_none() && entry.verdict != "orphan")
            .collect(),
        guests: guests
            .into_iter()
            .filter(|guest| guest.health == "healthy")
            .collect(),
        next_vmids: Some(NextVmids {
            lower: 100,
            upper: 1_000_000,
            ids: vec![next(w, 102, true, "free", &[])],
            sentence: w.t("The next guest gets VMID 102 and meets nothing."),
        }),
        open_devices: Vec::new(),
        steps: Vec::new(),
        missing: Vec::new(),
        checks_not_run: Vec::new(),
        notes: Vec::new(),
        issues_by_vg: Vec::new(),
        script: None,
        planned: Vec::new(),
        ..pve1(w)
    }
}

/// A node whose guests' configurations were not collected.
pub fn without_etc_pve(w: Texts) -> Node {
    let mut node = Node {
        node: w.t("pve3"),
        slug: w.k("pve3"),
        page: Some(w.k("nodes/pve3.html")),
        environment: w.k("unknown"),
        collected_at: w.k("unknown"),
        labels: Labels::default(),
        thresholds: Thresholds::default(),
        manifest: w.t("no manifest"),
        pve_version: None,
        kernel: None,
        score: None,
        grade: None,
        ungraded: None,
        unjudged: None,
        ignored: Vec::new(),
        left_alone: Vec::new(),
        prevention: Vec::new(),
        grade_reason: w.t("Without /etc/pve no entry can be told from an orphan."),
        headline: w.t("Nothing can be said: /etc/pve was empty when the snapshot was taken. Check that pve-cluster runs on the node, then collect again."),
        summary: Summary { entries: 11, unknown: 11, in_use: 4, ..Summary::default() },
        guests: Vec::new(),
        next_vmids: None,
        storages: Vec::new(),
        pools: Vec::new(),
        physical: Vec::new(),
        system: Vec::new(),
        missing: vec![missing(w, "/etc/pve", "missing", "", "Every verdict, the score and the grade.")],
        ..healthy(w)
    };
    for entry in &mut node.entries {
        entry.verdict = w.k("unknown").into();
        entry.reason = Some(w.k("no-configuration").into());
    }
    node
}

fn next(w: Texts, vmid: u64, next: bool, outcome: &str, meets: &[&str]) -> NextVmid {
    NextVmid {
        vmid,
        next,
        outcome: w.k(outcome),
        meets: w.list(meets),
    }
}

fn open(
    w: Texts,
    name: &str,
    devno: &str,
    open: u32,
    verdict: &str,
    holders: &[&str],
) -> OpenDevice {
    OpenDevice {
        name: w.t(name),
        devno: w.t(devno),
        open: Some(open),
        verdict: w.k(verdict).into(),
        holders: w.list(holders),
    }
}

fn storage(
    w: Texts,
    id: &str,
    kind: &str,
    vg: &str,
    thinpool: &str,
    shared: bool,
    used_total: Option<(u64, u64)>,
) -> Storage {
    Storage {
        id: w.t(id),
        kind: w.t(kind),
        vg: w.maybe(vg),
        thinpool: w.maybe(thinpool),
        shared,
        nodes: if shared {
            w.list(&["pve1", "pve2"])
        } else {
            Vec::new()
        },
        status: w.k(if used_total.is_some() {
            "active"
        } else {
            "inactive"
        }),
        total: used_total.map(|(_, total)| total),
        used: used_total.map(|(used, _)| used),
        percent: used_total.map(|(used, total)| used as f64 / total as f64 * 100.0),
    }
}

/// A step.
pub fn step(w: Texts, text: &str, commands: &[&str]) -> Step {
    Step {
        text: w.t(text),
        commands: w.list(commands),
        runs_script: false,
    }
}

fn missing(w: Texts, id: &str, state: &str, detail: &str, consequence: &str) -> Missing {
    Missing {
        id: w.t(id),
        state: w.k(state),
        detail: if detail.is_empty() {
            String::new()
        } else {
            w.t(detail)
        },
        consequence: w.t(consequence),
    }
}

fn planned(w: Texts, name: &str, action: &str, why: &str) -> Planned {
    Planned {
        name: w.t(name),
        action: w.k(action),
        why: w.t(why),
    }
}
