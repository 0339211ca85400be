//! Missing evidence is never read as absence.

use crate::recording::Recording;

/// Everything of guests is unknown, and nothing is planned.
fn knows_nothing(recording: &Recording) {
    let audited = recording.audit();
    assert!(audited.0.node.guests.unusable.is_some());
    assert_eq!(audited.count("unknown"), 16);
    assert_eq!(
        audited.count("orphan") + audited.count("duplicate") + audited.count("valid"),
        0
    );
    assert_eq!(audited.count("system"), 4);
    assert!(audited.planned().is_empty());
    let (_, decision) = audited.entry("pve-vm--119--disk--0");
    assert_eq!(decision.reason, Some("evidence-missing"));
}

#[test]
fn without_etc_pve_nothing_is_known() {
    knows_nothing(&Recording::of("pve1").remove("/etc/pve"));
}

#[test]
fn without_etc_pve_and_without_listed_guests_nothing_is_known_either() {
    knows_nothing(
        &Recording::of("pve1")
            .remove("/etc/pve")
            .write("qm-list", "")
            .remove("pct-list"),
    );
}

#[test]
fn no_configuration_while_guests_are_listed_is_no_evidence() {
    knows_nothing(&Recording::of("pve1").remove("/etc/pve/nodes"));
    // Other nodes' are not this node's.
    knows_nothing(&Recording::of("pve1").remove("/etc/pve/nodes/pve1"));
}

#[test]
fn no_configuration_and_no_listing_is_no_evidence() {
    knows_nothing(
        &Recording::of("pve1")
            .remove("/etc/pve/nodes")
            .remove("qm-list")
            .remove("pct-list"),
    );
    // A listing that failed is none.
    knows_nothing(
        &Recording::of("pve1")
            .remove("/etc/pve/nodes")
            .write("qm-list", "")
            .fail("qm-list", 255),
    );
}

#[test]
fn configurations_that_say_nothing_are_unread() {
    let mut recording = Recording::of("pve1");
    for guest in [
        "qemu-server/100",
        "qemu-server/101",
        "qemu-server/103",
        "qemu-server/104",
        "qemu-server/169",
        "qemu-server/900",
        "lxc/200",
    ] {
        recording = recording.write(&format!("/etc/pve/nodes/pve1/{guest}.conf"), "");
    }
    let audited = recording.audit();
    // The guests of pve2 are still known, and those with no configuration at
    // all; nothing is said of the unread ones.
    assert_eq!(audited.count("valid"), 0);
    for name in [
        "pve-vm--100--disk--0",
        "pve-vm--104--disk--1",
        "pve-vm--101--disk--0-old",
        "pve-vm--200--disk--1",
    ] {
        assert_eq!(audited.verdict(name), "unknown", "{name}");
    }
}

#[test]
fn a_node_with_no_guests_is_told_from_one_without_evidence() {
    let audited = Recording::of("pve1")
        .remove("/etc/pve/nodes/pve1")
        .write("/etc/pve/nodes/pve1/lrm_status", "{}")
        .write("qm-list", "")
        .write("pct-list", "VMID       Status     Lock         Name\n")
        .audit();
    assert_eq!(
        audited.line("pve-vm--100--disk--0"),
        "orphan guest-gone backed none open"
    );
    assert_eq!(
        audited.line("pve-vm--101--disk--1"),
        "orphan guest-gone backed deactivate -"
    );
}

#[test]
fn no_open_count_means_in_use() {
    let audited = Recording::of("pve1")
        .edit("dmsetup-info", "Open count:        0\n", "")
        .remove("dmsetup-info-columns")
        .remove("dmsetup-info-c")
        .audit();
    assert_eq!(
        audited.line("pve-vm--119--disk--0"),
        "orphan guest-gone backed none open-unknown"
    );
    assert_eq!(
        audited.line("pve-vm--101--disk--0-old"),
        "duplicate - unknown none open-unknown"
    );
    assert!(audited.planned().is_empty());
}

#[test]
fn names_alone_plan_nothing() {
    let audited = Recording::of("pve1")
        .remove("dmsetup-info")
        .remove("dmsetup-info-columns")
        .remove("dmsetup-info-c")
        .audit();
    assert_eq!(
        audited.line("pve-vm--119--disk--0"),
        "orphan guest-gone unknown none open-unknown"
    );
    assert!(audited.planned().is_empty());
}

#[test]
fn this_nodes_configurations_alone_do_not_tell_gone_from_elsewhere() {
    let audited = Recording::of("pve1").remove("/etc/pve/nodes/pve2").audit();
    assert_eq!(
        audited.line("pve-vm--119--disk--0"),
        "orphan guest-not-here backed deactivate -"
    );
    assert_eq!(
        audited.line("pve-vm--104--disk--1"),
        "orphan disk-unreferenced backed deactivate -"
    );
    // The script must skip a VMID that turns out to be configured elsewhere.
    let gone = audited
        .0
        .planning
        .plan
        .items
        .iter()
        .find(|item| item.name == "pve-vm--119--disk--0");
    assert!(gone.unwrap().guest_gone);
}

#[test]
fn a_standalone_nodes_guest_is_gone() {
    let audited = Recording::of("pve1")
        .remove("/etc/pve/nodes/pve2")
        .remove("/etc/pve/corosync.conf")
        .audit();
    assert_eq!(audited.verdict("pve-vm--119--disk--0"), "orphan");
    assert_eq!(
        audited.entry("pve-vm--119--disk--0").0.reason,
        Some("guest-gone")
    );
}

#[test]
fn a_folder_of_configurations_alone_shows_no_standalone_node() {
    let audited = Recording::of("pve1")
        .remove("/etc/pve/nodes/pve2")
        .remove("/etc/pve/corosync.conf")
        .remove("/etc/pve/storage.cfg")
        .remove("/etc/pve/datacenter.cfg")
        .audit();
    assert_eq!(
        audited.entry("pve-vm--119--disk--0").0.reason,
        Some("guest-not-here")
    );
}

#[test]
fn a_guest_whose_configuration_is_unread_has_unknown_entries() {
    for broken in ["", "\0\0\0\0", "#only a note\n"] {
        let audited = Recording::of("pve1")
            .write("/etc/pve/nodes/pve1/qemu-server/101.conf", broken)
            .audit();
        assert_eq!(
            audited.line("pve-vm--101--disk--0"),
            "unknown configuration-unread backed none evidence-missing"
        );
        assert_eq!(audited.verdict("pve-vm--101--disk--0-old"), "unknown");
        assert_eq!(audited.verdict("pve-vm--100--disk--0"), "valid");
        assert_eq!(audited.verdict("pve-vm--119--disk--0"), "orphan");
    }
}

#[test]
fn a_listed_guest_without_a_configuration_exists() {
    let audited = Recording::of("pve1")
        .remove("/etc/pve/nodes/pve1/qemu-server/101.conf")
        .audit();
    assert_eq!(audited.verdict("pve-vm--101--disk--0"), "unknown");
    assert_eq!(audited.verdict("pve-vm--104--disk--1"), "orphan");
}

#[test]
fn without_lvms_report_a_bundle_is_still_a_full_input() {
    let audited = Recording::of("pve1").minimal().audit();
    assert_eq!(audited.count("valid"), 11);
    assert_eq!(
        audited.line("pve-vm--119--disk--0"),
        "orphan guest-gone unknown remove -"
    );
    assert_eq!(
        audited.line("pve-vm--150--disk--0p1"),
        "dependent - unknown remove -"
    );
    // Told by name; it has neither UUID nor table to know it by.
    assert_eq!(
        audited.line("pve-vm--101--disk--0-old"),
        "duplicate - unknown none evidence-missing"
    );
}

#[test]
fn a_report_that_failed_proves_nothing_by_what_it_lacks() {
    let audited = Recording::of("pve2").fail("lvs-json", 5).audit();
    assert_eq!(
        audited.line("ssd--ha01-vm--170--disk--0"),
        "orphan guest-gone unknown remove -"
    );
    assert_eq!(
        audited.line("ssd--ha01-vm--171--disk--0"),
        "valid - backed none -"
    );
}

#[test]
fn a_volume_group_that_was_not_read_makes_nothing_stale() {
    let audited = Recording::of("pve2")
        .edit(
            "lvs-json",
            "NSrARW-8xE3-eF5K-nc0v-yq4g-zobI-2n1ie4",
            "xxxxxx-8xE3-eF5K-nc0v-yq4g-zobI-2n1ie4",
        )
        .edit(
            "vgs-json",
            "NSrARW-8xE3-eF5K-nc0v-yq4g-zobI-2n1ie4",
            "xxxxxx-8xE3-eF5K-nc0v-yq4g-zobI-2n1ie4",
        )
        .audit();
    assert_eq!(
        audited.line("ssd--ha01-vm--170--disk--0"),
        "orphan guest-gone unknown remove -"
    );
}

#[test]
fn without_a_listing_of_devices_there_is_no_grade() {
    let listings = [
        "dmsetup-info",
        "dmsetup-info-columns",
        "dmsetup-info-c",
        "dmsetup-ls",
    ];
    let mut missing = Recording::of("pve1").remove("lsblk");
    let mut failed = Recording::of("pve1");
    let mut silent = Recording::of("pve1");
    let mut empty = Recording::of("pve1");
    for id in listings {
        missing = missing.remove(id);
        failed = failed.write(id, "").fail(id, 1);
        silent = silent.write(id, "");
        empty = empty.write(id, "No devices found\n");
    }
    assert!(missing.audit().0.node.ungraded().is_some());
    assert!(failed.audit().0.node.ungraded().is_some());
    assert!(silent.audit().0.node.ungraded().is_some());
    // Its tables say otherwise.
    assert!(empty.audit().0.node.ungraded().is_some());
    let empty = empty.write("dmsetup-table", "No devices found\n");
    assert!(empty.audit().0.node.ungraded().is_none());
}

/// What hung may have listed more.
#[test]
fn a_listing_that_was_cut_off_gives_no_grade() {
    let ids = ["dmsetup-info-columns", "dmsetup-info-c", "dmsetup-ls"];
    let mut cut = Recording::of("pve1").fail("dmsetup-info", 124);
    for id in ids {
        cut = cut.write(id, "").fail(id, 124);
    }
    let audited = cut.audit();
    assert!(audited.0.node.ungraded().is_some_and(|why| {
        why.contains("no listing of the node's device-mapper entries ended well")
    }));
    // One that is whole makes up for it.
    let audited = Recording::of("pve1").fail("dmsetup-info", 1).audit();
    assert_eq!(audited.0.node.ungraded(), None);
}

#[test]
fn an_entry_that_any_listing_has_counts() {
    let begin = |recording: Recording, id: &str, from: &str| {
        let text = recording.read(id);
        recording.write(id, text.split_once(from).unwrap().0)
    };
    // The one that says most was cut off before the orphan's block.
    let cut = || {
        begin(
            Recording::of("pve1"),
            "dmsetup-info",
            "Name:              pve-vm--119",
        )
    };
    let audited = cut().audit();
    assert_eq!(audited.0.node.ungraded(), None);
    assert_eq!(
        audited.line("pve-vm--119--disk--0"),
        "orphan guest-gone backed deactivate -"
    );
    let whole = Recording::of("pve1").audit().0.node.devices.len();
    assert_eq!(audited.0.node.devices.len(), whole);
    // Only names and numbers: open, as far as is known.
    let names_alone = cut()
        .remove("dmsetup-info-columns")
        .remove("dmsetup-info-c");
    let audited = names_alone.audit();
    assert_eq!(
        audited.line("pve-vm--119--disk--0"),
        "orphan guest-gone unknown none open-unknown"
    );
    assert!(
        audited
            .0
            .node
            .notes
            .iter()
            .any(|note| note.contains("dmsetup-ls has")
                && note.contains("that dmsetup-info does not list")),
        "{:?}",
        audited.0.node.notes
    );
    // Only tables tell that there is more.
    let audited = cut()
        .remove("dmsetup-info-columns")
        .remove("dmsetup-info-c")
        .remove("dmsetup-ls")
        .audit();
    assert!(
        audited
            .0
            .node
            .ungraded()
            .is_some_and(|why| why.contains("dmsetup-table has entries that no listing has"))
    );
}
