//! thin-pool-full and thin-pool-failed.

use crate::recording::Recording;

const FULL: &str = "thin-pool-full";
const FAILED: &str = "thin-pool-failed";
const STATUS: &str = "pve-data-tpool: 0 1024000 thin-pool 2 113/1024 0/8000 - rw discard_passdown queue_if_no_space - 256 ";

fn with(status: &str) -> Recording {
    let line = format!("pve-data-tpool: 0 1024000 thin-pool {status}");
    Recording::of("pve2").edit("dmsetup-status", STATUS, &line)
}

#[test]
fn a_pool_is_full_from_80_and_urgent_from_90_per_cent() {
    for (use_of, found) in [
        ("113/1024 6399/8000", None),
        ("113/1024 6400/8000", Some("warning pve/data")),
        ("113/1024 7199/8000", Some("warning pve/data")),
        ("113/1024 7200/8000", Some("critical pve/data")),
        ("819/1024 0/8000", None),
        ("820/1024 0/8000", Some("warning pve/data")),
        ("922/1024 0/8000", Some("critical pve/data")),
    ] {
        let recording = with(&format!(
            "2 {use_of} - rw discard_passdown queue_if_no_space - 256"
        ));
        assert_eq!(
            recording.found(FULL),
            found.into_iter().collect::<Vec<_>>(),
            "{use_of}"
        );
    }
}

#[test]
fn what_is_full_is_what_the_remedy_enlarges() {
    let checked =
        with("2 1000/1024 100/8000 - rw discard_passdown queue_if_no_space - 256").checked();
    let finding = checked.only(FULL);
    assert!(
        finding.message.contains("97.7 % of its metadata"),
        "{}",
        finding.message
    );
    assert!(finding.remedy.contains("--poolmetadatasize +1G pve/data"));
    assert!(
        !finding.remedy.contains("lvextend -L"),
        "{}",
        finding.remedy
    );
}

#[test]
fn a_failed_pool_is_one_finding() {
    for status in [
        "Fail",
        "Error",
        "2 113/1024 8000/8000 - out_of_data_space discard_passdown error_if_no_space - 256",
        "2 1024/1024 10/8000 - ro no_discard_passdown queue_if_no_space needs_check 256",
        "2 113/1024 10/8000 - ro no_discard_passdown queue_if_no_space - 256",
        "2 113/1024 10/8000 - rw no_discard_passdown queue_if_no_space needs_check 256",
    ] {
        let checked = with(status).checked();
        assert_eq!(checked.lines(FAILED), ["critical pve/data"], "{status}");
        assert!(checked.lines(FULL).is_empty(), "{status}");
    }
    assert!(Recording::of("pve2").found(FAILED).is_empty());
}

#[test]
fn a_pool_out_of_space_needs_room_and_one_with_bad_metadata_a_repair() {
    let remedy = |status: &str| with(status).checked().only(FAILED).remedy.clone();
    let space =
        remedy("2 113/1024 8000/8000 - out_of_data_space discard_passdown error_if_no_space - 256");
    assert!(
        space.contains("lvextend -L +10G pve/data") && !space.contains("--repair"),
        "{space}"
    );
    let metadata =
        remedy("2 9/1024 10/8000 - ro no_discard_passdown queue_if_no_space needs_check 256");
    assert!(
        metadata.contains("lvconvert --repair pve/data"),
        "{metadata}"
    );
}

#[test]
fn without_status_lvms_report_tells() {
    let by_lvm = |from: &str, to: &str| {
        Recording::of("pve2")
            .remove("dmsetup-status")
            .edit("lvs-json", from, to)
    };
    let full = by_lvm(
        "\"data_percent\":\"0.00\", \"metadata_percent\":\"11.04\"",
        "\"data_percent\":\"85.00\", \"metadata_percent\":\"11.04\"",
    );
    assert_eq!(full.found(FULL), ["warning pve/data"]);
    let failed = by_lvm("twi-aotz--", "twi-aotzM-");
    assert_eq!(failed.found(FAILED), ["critical pve/data"]);
    let silent = by_lvm(
        "\"data_percent\":\"0.00\", \"metadata_percent\":\"11.04\"",
        "\"data_percent\":\"\", \"metadata_percent\":\"\"",
    )
    .checked();
    assert!(silent.lines(FULL).is_empty());
    assert!(silent.lacking.contains(&FULL) && silent.lacking.contains(&FAILED));
}

#[test]
fn promising_more_than_there_is_is_worth_knowing() {
    let checked = Recording::of("pve1").checked();
    assert_eq!(
        checked.only(FULL).message,
        "Thin pool pve/data is overcommitted. Its volumes may grow to 788 MiB; it has 500 MiB."
    );
    assert!(Recording::of("pve2").found(FULL).is_empty());
}
