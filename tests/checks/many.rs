//! As many of a kind as a hostile bundle has: looked at one by one against all
//! the others, any of these takes minutes.

use std::fmt::Write as _;

use crate::recording::Recording;

/// A UUID of LVM's, with dashes.
fn uuid(kind: char, number: usize) -> String {
    let plain = format!("{kind}{number:031}");
    let parts = [0..6, 6..10, 10..14, 14..18, 18..22, 22..26, 26..32];
    parts.map(|part| &plain[part]).join("-")
}

/// One of LVM's reports as JSON, of these rows.
fn report(section: &str, rows: impl Iterator<Item = String>) -> String {
    let rows: Vec<String> = rows.collect();
    format!("{{\"report\":[{{\"{section}\":[{}]}}]}}", rows.join(",\n"))
}

/// A row of `lvs-json`.
fn volume(vg: &str, vg_uuid: &str, name: &str, number: usize, attr: &str, more: &str) -> String {
    format!(
        "{{\"vg_name\":\"{vg}\",\"vg_uuid\":\"{vg_uuid}\",\"lv_name\":\"{name}\",\"lv_uuid\":\"{}\",\
         \"lv_attr\":\"{attr}\",\"lv_size\":\"4096\"{more}}}",
        uuid('L', number)
    )
}

#[test]
fn pools_are_told_once_each_and_hold_only_their_own_volumes() {
    const MANY: usize = 24_000;
    let vg_uuid = uuid('V', 0);
    let pool = |number: usize| {
        let full = number.is_multiple_of(MANY / 2);
        let percent = if full { "85.00" } else { "1.00" };
        let more = format!(",\"data_percent\":\"{percent}\",\"metadata_percent\":\"1.00\"");
        volume(
            "v",
            &vg_uuid,
            &format!("p{number}"),
            number,
            "twi-aotz--",
            &more,
        )
    };
    let thin = |number: usize| {
        let more = ",\"pool_lv\":\"p7\"";
        volume(
            "v",
            &vg_uuid,
            &format!("t{number}"),
            MANY + number,
            "Vwi-a-tz--",
            more,
        )
    };
    let rows = (0..MANY).map(pool).chain((0..2).map(thin));
    let checked = Recording::of("pve2")
        .write("lvs-json", &report("lv", rows))
        .checked();
    assert_eq!(
        checked.lines("thin-pool-full"),
        ["warning v/p0", "warning v/p12000", "info v/p7"]
    );
}

#[test]
fn a_path_is_told_by_the_first_line_that_lists_it() {
    const MANY: usize = 15_000;
    let mut recording = Recording::of("pve2").device("mpatha", 60_000, 1, "mpath-3600");
    let mut info = String::new();
    let mut table = "mpatha: 0 8 multipath 0 0 1 1 service-time 0 1 1 8:16 1\n".to_owned();
    for number in 0..MANY {
        let _ = write!(
            info,
            "\nName:              past{number}\nState:             ACTIVE\nOpen count:        1\nMajor, minor:      254, {}\nNumber of targets: 1\n",
            number + 100
        );
        let _ = writeln!(table, "past{number}: 0 8 linear 8:16 {}", number * 8);
    }
    let mut paths = "mpatha (3600) dm-60000 LIO-ORG,disk\n".to_owned();
    for number in 0..MANY {
        let _ = writeln!(paths, "|- 1:0:0:1 x 9:{number} active ready running");
    }
    paths +=
        "|- 1:0:0:1 sdb 8:16 failed faulty running\n`- 1:0:0:1 sdz 8:16 active ready running\n";
    recording = recording
        .add("dmsetup-info", &info)
        .add("dmsetup-table", &table)
        .write("multipath", &paths);
    let lines = recording.found("single-path-under-multipath");
    assert_eq!(lines.len(), MANY);
    assert!(lines.iter().all(|line| line.starts_with("critical past")));
}
