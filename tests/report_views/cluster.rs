//! A cluster.

use dmaudit::report::view::*;

use super::Texts;
use super::findings::finding;
use super::node::step;

/// Two nodes, one volume open on both, two guests on the same sectors.
pub fn alpha(w: Texts) -> Cluster {
    Cluster {
        cluster: w.t("alpha"),
        slug: w.k("alpha"),
        nodes: ["pve1", "pve2"]
            .map(|name| ClusterNode {
                node: w.t(name),
                slug: w.k(&format!("alpha-{name}")),
                grade: Some(w.k("F")),
                collected_at: w.k("2026-11-23T18:36:45Z"),
            })
            .into(),
        absent: w.list(&["pve3"]),
        grade: Some(w.k("F")),
        findings: vec![
            finding(w, "open-on-two-nodes", "A shared volume is open on two nodes", "critical", "ssd-ha01/vm-169-disk-0", Some(169), "VM 169 runs on `pve1`, and a process on `pve2` holds the same volume open. No migration is under way.", "Two writers without a cluster file system destroy the guest's disk.", "End the process on `pve2`, then deactivate the volume there: `lvchange -an ssd-ha01/vm-169-disk-0`.", &["pve1 dmsetup-info-c: ssd--ha01-vm--169--disk--0 254 3 L--w 1 2 0", "pve2 dmsetup-info-c: ssd--ha01-vm--169--disk--0 254 3 L--w 1 1 0"]),
            finding(w, "activated-at-boot", "Volumes are active where their guests do not run", "warning", "ssd-ha01", None, "All volumes of `ssd-ha01` are active on `pve2`, though most of their guests run elsewhere.", "This is how stale and overlapping entries come about.", "`vgchange --setautoactivation n ssd-ha01`", &["pve2 lvs-json: lv_autoactivation enabled"]),
        ],
        ignored: Vec::new(),
        notes: w.list(&["The snapshots lie 22 minutes apart: what moved in between can look like a fault."]),
        headline: w.t("VM 169's disk is open on `pve1` and `pve2` at once, and both would write to it. End the process on `pve2` first; then run the script of `pve2`, and after it the one of `pve1`."),
        matrix: Matrix {
            nodes: w.list(&["pve1", "pve2"]),
            rows: vec![
                row(w, "ssd-ha01/vm-169-disk-0", 169, "pve1", &[Cell::Open, Cell::Open], true),
                row(w, "ssd-ha01/vm-170-disk-0", 170, "", &[Cell::Absent, Cell::Stale], true),
                row(w, "ssd-ha01/vm-171-disk-0", 171, "pve2", &[Cell::Absent, Cell::Open], false),
                row(w, "ssd-ha01/vm-172-disk-0", 172, "pve2", &[Cell::Active, Cell::Open], false),
            ],
            ..Matrix::default()
        },
        steps: vec![
            step(w, "On `pve2`: find and end the process that holds VM 169's disk.", &["fuser -v /dev/ssd-ha01/vm-169-disk-0"]),
            step(w, "On `pve2`: run the cleanup script as a dry run, read it, then execute it.", &["sh cleanup-alpha-pve2.sh", "sh cleanup-alpha-pve2.sh --execute"]),
            step(w, "On `pve1`: the same.", &["sh cleanup-alpha-pve1.sh", "sh cleanup-alpha-pve1.sh --execute"]),
        ],
        page: Some(w.k("clusters/alpha.html")),
    }
}

fn row(w: Texts, volume: &str, vmid: u64, home: &str, cells: &[Cell], issue: bool) -> MatrixRow {
    MatrixRow {
        volume: w.t(volume),
        vmid: Some(vmid),
        home: w.maybe(home),
        cells: cells.to_vec(),
        issue,
    }
}
