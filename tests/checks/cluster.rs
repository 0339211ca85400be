//! open-on-two-nodes.

use dmaudit::model::finding::Severity;

use crate::recording::{Recording, cluster};

const CONF: &str = "/etc/pve/nodes/pve1/qemu-server/169.conf";

fn found(pve1: Recording, pve2: Recording) -> (Vec<Severity>, Vec<&'static str>) {
    let (findings, lacking) = cluster(&[&pve1.checked(), &pve2.checked()]);
    let open: Vec<Severity> = findings
        .iter()
        .filter(|finding| finding.check == "open-on-two-nodes")
        .map(|finding| finding.severity)
        .collect();
    (open, lacking)
}

#[test]
fn both_nodes_and_their_holders_are_named() {
    let (pve1, pve2) = (
        Recording::of("pve1").checked(),
        Recording::of("pve2").checked(),
    );
    let (findings, _) = cluster(&[&pve1, &pve2]);
    assert_eq!(
        findings[0].message,
        "ssd-ha01/vm-169-disk-0 is open on 2 nodes: on pve1 by process 395 (sleep); on pve2 by process 591 (sleep). No migration is under way."
    );
    assert!(
        findings[0]
            .remedy
            .contains("on pve2, find out what holds it (process 591"),
        "{}",
        findings[0].remedy
    );
}

#[test]
fn a_migration_opens_a_disk_on_two_nodes() {
    // In any of the nodes' copies of the configuration.
    for node in ["pve1", "pve2"] {
        let (mut pve1, mut pve2) = (Recording::of("pve1"), Recording::of("pve2"));
        if node == "pve1" {
            pve1 = pve1.add(CONF, "lock: migrate\n");
        } else {
            pve2 = pve2.add(CONF, "lock: migrate\n");
        }
        assert_eq!(found(pve1, pve2), (vec![], vec![]));
    }
    let backup = Recording::of("pve1").add(CONF, "lock: backup\n");
    assert_eq!(found(backup, Recording::of("pve2")).0, [Severity::Critical]);
}

#[test]
fn active_is_not_open() {
    let closed = Recording::of("pve2").open_count("ssd--ha01-vm--169--disk--0", 1, 0);
    assert_eq!(found(Recording::of("pve1"), closed), (vec![], vec![]));
}

#[test]
fn volumes_of_one_name_on_two_local_vgs_are_two() {
    // 119's disk is active on both nodes, in VGs of one name.
    let pve1 = Recording::of("pve1").open_count("pve-vm--119--disk--0", 0, 1);
    let pve2 = Recording::of("pve2").open_count("pve-vm--119--disk--0", 0, 1);
    assert_eq!(found(pve1, pve2).0, [Severity::Critical]);
}

#[test]
fn a_guest_that_moved_between_the_snapshots_is_no_fault() {
    let moved = Recording::of("pve2").remove(CONF).write(
        "/etc/pve/nodes/pve2/qemu-server/169.conf",
        "scsi0: SSD-HA01:vm-169-disk-0\n",
    );
    assert_eq!(
        found(Recording::of("pve1"), moved),
        (vec![], vec!["open-on-two-nodes"])
    );
}

#[test]
fn without_configurations_a_migration_can_not_be_told() {
    let (findings, lacking) = found(
        Recording::of("pve1").remove("/etc/pve"),
        Recording::of("pve2").remove("/etc/pve"),
    );
    assert!(findings.is_empty());
    // What is unknown is no guest's: nothing is claimed of it.
    assert_eq!(lacking, ["open-on-two-nodes"]);
}

#[test]
fn guests_that_share_a_disk_on_purpose_are_a_warning() {
    let shared = Recording::of("pve2").add(
        "/etc/pve/nodes/pve2/qemu-server/171.conf",
        "scsi1: SSD-HA01:vm-169-disk-0,shared=1\n",
    );
    assert_eq!(found(Recording::of("pve1"), shared).0, [Severity::Warning]);
}
