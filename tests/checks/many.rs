//! As many of a kind as a hostile bundle has: looked at one by one against all
//! the others, any of these takes minutes.

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
