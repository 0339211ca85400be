//! stale-mapping and outdated-table.

use dmaudit::model::finding::Severity;

use crate::recording::{Recording, SAN};

#[test]
fn a_stale_mapping_is_critical_where_a_guest_of_this_node_references_it() {
    let orphaned = Recording::of("pve2").found("stale-mapping");
    assert_eq!(orphaned, ["warning ssd--ha01-vm--170--disk--0"]);
    let referenced = Recording::of("pve2")
        .add(
            "/etc/pve/nodes/pve2/qemu-server/171.conf",
            "scsi1: SSD-HA01:vm-170-disk-0\n",
        )
        .checked();
    let finding = referenced.only("stale-mapping");
    assert_eq!(finding.severity, Severity::Critical);
    assert!(
        finding
            .evidence
            .iter()
            .any(|line| line.contains("171.conf line 4")),
        "{finding:#?}"
    );
    // One fault: the volume's absence is told by the mapping.
    assert!(referenced.lines("missing-volume").is_empty());
}

#[test]
fn a_volume_of_a_vg_that_was_not_read_is_not_stale() {
    let unread = Recording::of("pve2")
        .drop_lines("lvs-json", "ssd-ha01")
        .edit(
            "lvs-json",
            "\"lv_autoactivation\":\"enabled\"},\n              ]",
            "\"lv_autoactivation\":\"enabled\"}\n              ]",
        )
        .drop_lines("vgs-json", "ssd-ha01")
        .edit(
            "vgs-json",
            "\"vg_autoactivation\":\"enabled\"},\n              ]",
            "\"vg_autoactivation\":\"enabled\"}\n              ]",
        );
    assert!(unread.found("stale-mapping").is_empty());
    let failed = Recording::of("pve2").fail("lvs-json", 5).checked();
    assert!(failed.lines("stale-mapping").is_empty());
    assert!(failed.lacking.contains(&"stale-mapping"));
}

#[test]
fn a_layer_goes_with_its_volume() {
    let gone = "GoneGoneGoneGoneGoneGoneGoneGone";
    let found = |uuid: &str| {
        Recording::of("pve2")
            .device("ssd--ha01-gone", 40, 0, uuid)
            .found("stale-mapping")
    };
    let stale = "warning ssd--ha01-vm--170--disk--0";
    assert_eq!(
        found(&format!("LVM-{SAN}{gone}")),
        [stale, "warning ssd--ha01-gone"]
    );
    assert_eq!(found(&format!("LVM-{SAN}{gone}-real")), [stale]);
}

#[test]
fn a_newer_volume_of_the_name_is_told() {
    let checked = Recording::of("pve2")
        .edit("lvs-json", "vm-172-disk-0", "vm-170-disk-0")
        .checked();
    let finding = checked.only("stale-mapping");
    assert!(
        finding
            .message
            .contains("a newer volume ssd-ha01/vm-170-disk-0"),
        "{}",
        finding.message
    );
}

#[test]
fn a_duplicate_is_not_stale_as_well() {
    // A renamed mapping of a volume that was made anew.
    let checked = Recording::of("pve1")
        .device(
            "pve-vm--101--disk--0-before",
            40,
            0,
            "LVM-qI2XpXd8NIWOZXTC892vFjhskE9CCRM7GoneGoneGoneGoneGoneGoneGoneGone",
        )
        .add(
            "dmsetup-table",
            "pve-vm--101--disk--0-before: 0 131072 thin 254:2 77\n",
        )
        .checked();
    assert!(checked.lines("stale-mapping").is_empty());
    assert_eq!(checked.lines("duplicate-entry").len(), 2);
}

#[test]
fn an_outdated_table_is_critical_only_while_it_is_open() {
    let open = Recording::of("pve2").checked();
    let finding = open.only("outdated-table");
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(
        finding.message,
        "ssd--ha01-vm--169--disk--0 still maps 32 MiB; by LVM's metadata ssd-ha01/vm-169-disk-0 has 48 MiB in 2 segments. It is open."
    );
    assert!(finding.remedy.contains("process 591"), "{}", finding.remedy);
    let closed = Recording::of("pve2").open_count("ssd--ha01-vm--169--disk--0", 1, 0);
    assert_eq!(
        closed.found("outdated-table"),
        ["warning ssd--ha01-vm--169--disk--0"]
    );
}

#[test]
fn a_table_cut_otherwise_is_the_same() {
    let cut = Recording::of("pve1").edit(
        "dmsetup-table",
        "169--disk--0: 0 65536 linear 253:32 2048\n",
        "169--disk--0: 0 40000 linear 253:32 2048\nssd--ha01-vm--169--disk--0: 40000 25536 linear 253:32 42048\n",
    );
    assert!(cut.found("outdated-table").is_empty());
    let shifted = Recording::of("pve1").edit(
        "dmsetup-table",
        "169--disk--0: 65536 32768 linear 253:32 198656\n",
        "169--disk--0: 65536 32768 linear 253:32 240000\n",
    );
    let checked = shifted.checked();
    let finding = checked.only("outdated-table");
    assert!(
        finding.message.contains("maps other sectors"),
        "{}",
        finding.message
    );
    assert!(finding.remedy.contains("Stop the guest now"));
}

#[test]
fn a_guest_whose_volume_has_only_grown_need_not_be_stopped() {
    let grown = Recording::of("pve1").drop_lines("dmsetup-table", "65536 32768 linear");
    let remedy = grown.checked().only("outdated-table").remedy.clone();
    assert!(
        remedy.contains("lvchange --refresh ssd-ha01/vm-169-disk-0"),
        "{remedy}"
    );
}

#[test]
fn thin_volumes_are_compared_by_size() {
    let grown = Recording::of("pve1").edit(
        "dmsetup-table",
        "104--disk--0: 0 131072 thin",
        "104--disk--0: 0 65536 thin",
    );
    assert_eq!(
        grown.found("outdated-table"),
        ["warning pve-vm--104--disk--0"]
    );
}

#[test]
fn what_follows_other_rules_is_not_compared() {
    // A move of extents under way: the metadata names a hidden volume.
    let moving = Recording::of("pve1")
        .edit("lvs-segments-json", "/dev/vdc:24-27", "pvmove0:0-3")
        .edit("dmsetup-table", "linear 253:32 198656", "linear 254:60 0");
    assert!(moving.found("outdated-table").is_empty());
    // A volume that has a snapshot on another node.
    let origin = Recording::of("pve2").edit(
        "lvs-json",
        "\"lv_uuid\":\"pEQmXx-26ZE-uMgb-IowL-HSu5-9VSZ-qPwjsj\", \"lv_attr\":\"-",
        "\"lv_uuid\":\"pEQmXx-26ZE-uMgb-IowL-HSu5-9VSZ-qPwjsj\", \"lv_attr\":\"o",
    );
    assert!(origin.found("outdated-table").is_empty());
    // A volume whose device is missing.
    let missing =
        Recording::of("pve2").edit("lvs-segments-json", "/dev/vdc:24-27", "[unknown]:24-27");
    assert!(missing.found("outdated-table").is_empty());
}

#[test]
fn a_pools_data_is_compared_too() {
    let grown = Recording::of("pve1").edit(
        "dmsetup-table",
        "pve-data_tdata: 0 1024000 linear 7:0 10240",
        "pve-data_tdata: 0 1015808 linear 7:0 10240",
    );
    assert_eq!(grown.found("outdated-table"), ["critical pve-data_tdata"]);
}

#[test]
fn the_uuid_counts_and_not_the_name() {
    // The entry keeps the old name of a volume that was renamed elsewhere.
    let renamed = Recording::of("pve1")
        .edit(
            "lvs-json",
            "\"lv_name\":\"vm-169-disk-0\"",
            "\"lv_name\":\"vm-169-disk-9\"",
        )
        .checked();
    assert!(renamed.lines("stale-mapping").is_empty());
    assert!(renamed.lines("outdated-table").is_empty());
}
