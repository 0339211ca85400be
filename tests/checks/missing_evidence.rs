//! Checks say nothing, rather than guess, where their evidence is missing.

use crate::recording::Recording;

/// Checks of what a single listing shows, which stay as they are.
fn fires(recording: Recording) -> Vec<&'static str> {
    let mut checks: Vec<&str> = recording
        .checked()
        .findings
        .iter()
        .map(|finding| finding.check)
        .collect();
    checks.dedup();
    checks
}

#[test]
fn without_tables_only_names_and_metadata_speak() {
    let recording = Recording::of("pve2")
        .remove("dmsetup-table")
        .remove("dmsetup-deps");
    let checked = recording.checked();
    for check in [
        "overlapping-mappings",
        "outdated-table",
        "single-path-under-multipath",
        "guest-lvm-on-host",
    ] {
        assert!(checked.lines(check).is_empty(), "{check}");
        assert!(checked.lacking.contains(&check), "{check}");
    }
    assert_eq!(checked.lines("stale-mapping").len(), 1);
}

#[test]
fn without_lvm_the_tables_still_show_an_overlap() {
    let mut recording = Recording::of("pve2");
    for id in ["lvs-json", "lvs-segments-json", "vgs-json", "pvs-json"] {
        recording = recording.remove(id);
    }
    let checked = recording.checked();
    assert_eq!(checked.lines("overlapping-mappings").len(), 1);
    assert!(checked.lines("stale-mapping").is_empty());
    assert!(checked.lines("outdated-table").is_empty());
    for check in [
        "overlapping-mappings",
        "stale-mapping",
        "outdated-table",
        "missing-volume",
        "leftover-volume",
    ] {
        assert!(checked.lacking.contains(&check), "{check}");
    }
}

#[test]
fn without_device_numbers_of_the_pvs_extents_are_nowhere() {
    let checked = Recording::of("pve2")
        .edit(
            "pvs-json",
            ", \"pv_major\":\"253\", \"pv_minor\":\"32\"",
            "",
        )
        .edit("pvs-json", ", \"pv_major\":\"7\", \"pv_minor\":\"0\"", "")
        .checked();
    assert!(checked.lines("outdated-table").is_empty());
    assert!(checked.lacking.contains(&"outdated-table"));
}

#[test]
fn without_configurations_nothing_is_said_of_guests() {
    for node in ["pve1", "pve2"] {
        let found = fires(Recording::of(node).remove("/etc/pve"));
        for check in [
            "orphan-guest-gone",
            "held-open-while-stopped",
            "missing-volume",
            "next-vmid-blocked",
            "leftover-volume",
            "activated-at-boot",
            "duplicate-entry",
        ] {
            assert!(!found.contains(&check), "{node}: {check}");
        }
    }
}

#[test]
fn a_bundle_of_three_listings_is_no_fault() {
    // dmsetup info, qm list and /etc/pve alone.
    let mut recording = Recording::of("pve1");
    for id in [
        "dmsetup-table",
        "dmsetup-status",
        "dmsetup-deps",
        "lvs-json",
        "lvs-segments-json",
        "vgs-json",
        "pvs-json",
        "kernel-dm",
        "multipath",
        "lvmconfig",
        "pveversion",
        "lsof",
        "fuser",
        "holders",
        "mountinfo",
        "pct-list",
    ] {
        recording = recording.remove(id);
    }
    let found = fires(recording);
    assert_eq!(
        found,
        [
            "duplicate-entry",
            "orphan-guest-gone",
            "orphan-disk-unreferenced",
            "held-open-while-stopped",
        ]
    );
}
