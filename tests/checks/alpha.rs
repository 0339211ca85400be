//! What is true of the recorded nodes, all of it.

use dmaudit::model::finding::Severity;

use crate::recording::{Checked, Recording, cluster};

fn all(checked: &Checked) -> Vec<String> {
    let line = |finding: &dmaudit::model::finding::Finding| {
        format!(
            "{} {} {}",
            finding.severity.as_str(),
            finding.check,
            finding.subject
        )
    };
    checked.findings.iter().map(line).collect()
}

#[test]
fn pve2_overlaps_and_is_outdated() {
    let pve2 = Recording::of("pve2").checked();
    assert_eq!(
        all(&pve2),
        [
            "critical overlapping-mappings ssd--ha01-vm--170--disk--0",
            "critical outdated-table ssd--ha01-vm--169--disk--0",
            "warning stale-mapping ssd--ha01-vm--170--disk--0",
            "warning orphan-guest-gone pve-vm--119--disk--0",
            "warning orphan-guest-gone pve-vm--180--disk--0",
            "warning orphan-guest-gone ssd--ha01-vm--170--disk--0",
            "warning orphan-guest-elsewhere ssd--ha01-vm--169--disk--0",
            "warning next-vmid-blocked VMID 170",
            "info autoactivation-enabled ssd-ha01",
        ]
    );
    assert!(pve2.lacking.is_empty(), "{:?}", pve2.lacking);
}

#[test]
fn pve1_has_a_duplicate_and_a_held_disk() {
    let pve1 = Recording::of("pve1").checked();
    assert_eq!(
        all(&pve1),
        [
            "critical duplicate-entry pve-vm--101--disk--0-old",
            "warning orphan-guest-gone pve-vm--119--cloudinit",
            "warning orphan-guest-gone pve-vm--119--disk--0",
            "warning orphan-guest-gone pve-vm--150--disk--0",
            "warning orphan-disk-unreferenced pve-vm--104--disk--1",
            "warning held-open-while-stopped pve-vm--103--disk--0",
            "warning guest-lvm-on-host ubuntu-vg",
            "warning next-vmid-blocked VMID 119",
            "info thin-pool-full pve/data",
            "info activated-at-boot pve",
            "info autoactivation-enabled ssd-ha01",
        ]
    );
    assert!(pve1.lacking.is_empty(), "{:?}", pve1.lacking);
    let orphan = pve1
        .findings
        .iter()
        .find(|finding| finding.subject == "pve-vm--150--disk--0")
        .unwrap();
    assert!(
        orphan.remedy.contains("pve-vm--150--disk--0p1"),
        "{}",
        orphan.remedy
    );
}

#[test]
fn the_cluster_has_one_disk_open_twice() {
    let (pve1, pve2) = (
        Recording::of("pve1").checked(),
        Recording::of("pve2").checked(),
    );
    let (findings, lacking) = cluster(&[&pve1, &pve2]);
    let [finding] = &findings[..] else {
        panic!("{findings:#?}")
    };
    assert_eq!(
        (finding.check, finding.severity, finding.subject.as_str()),
        (
            "open-on-two-nodes",
            Severity::Critical,
            "ssd-ha01/vm-169-disk-0"
        )
    );
    assert!(lacking.is_empty());
}

#[test]
fn a_healthy_node_has_no_finding() {
    let solo = Recording::of("solo").checked();
    assert!(solo.findings.is_empty(), "{:#?}", solo.findings);
    assert!(solo.lacking.is_empty(), "{:?}", solo.lacking);
}

#[test]
fn every_finding_says_what_why_and_what_to_do_and_rests_on_evidence() {
    for node in ["pve1", "pve2"] {
        for finding in Recording::of(node).checked().findings {
            for text in [
                &finding.message,
                &*finding.impact,
                &*finding.remedy,
                &finding.subject,
            ] {
                assert!(!text.trim().is_empty(), "{finding:#?}");
            }
            assert!(!finding.evidence.is_empty(), "{finding:#?}");
            assert!(!finding.remedy.contains("--force"), "{finding:#?}");
        }
    }
}
