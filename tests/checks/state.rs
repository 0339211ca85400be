//! suspended-device and no-live-table.

use crate::recording::Recording;

fn block(name: &str, state: &str, tables: &str) -> String {
    format!(
        "Name:              {name}\nState:             {state}\nRead Ahead:        256\nTables present:    {tables}\n"
    )
}

fn pve2(state: &str, tables: &str) -> Recording {
    let name = "ssd--ha01-vm--172--disk--0";
    Recording::of("pve2").edit(
        "dmsetup-info",
        &block(name, "ACTIVE", "LIVE"),
        &block(name, state, tables),
    )
}

#[test]
fn a_suspended_device_is_critical() {
    let checked = pve2("SUSPENDED", "LIVE").checked();
    let finding = checked.only("suspended-device");
    assert_eq!(finding.subject, "ssd--ha01-vm--172--disk--0");
    assert_eq!(finding.vmid, Some(172));
    assert!(
        finding
            .remedy
            .contains("dmsetup resume ssd--ha01-vm--172--disk--0")
    );
    assert!(
        pve2("ACTIVE (READ-ONLY)", "LIVE")
            .found("suspended-device")
            .is_empty()
    );
}

#[test]
fn a_device_without_a_live_table_is_told_once() {
    let checked = pve2("SUSPENDED", "INACTIVE").checked();
    assert_eq!(
        checked.lines("no-live-table"),
        ["warning ssd--ha01-vm--172--disk--0"]
    );
    assert!(checked.lines("suspended-device").is_empty());
    // It is open: nobody is told to remove it.
    assert!(
        !checked
            .only("no-live-table")
            .remedy
            .contains("dmsetup remove")
    );
    let waiting = pve2("ACTIVE", "LIVE & INACTIVE");
    assert!(waiting.found("no-live-table").is_empty());
}

#[test]
fn names_that_need_quoting_reach_no_command() {
    let name = "x$(reboot)";
    let recording = Recording::of("pve2")
        .edit("dmsetup-info", "ssd--ha01-vm--172--disk--0", name)
        .edit(
            "dmsetup-info",
            &block(name, "ACTIVE", "LIVE"),
            &block(name, "SUSPENDED", "LIVE"),
        );
    let remedy = recording.checked().only("suspended-device").remedy.clone();
    assert!(
        remedy.contains("dmsetup resume NAME") && !remedy.contains("reboot"),
        "{remedy}"
    );
}
