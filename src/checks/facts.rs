//! Recorded facts in words, as evidence lines and in commands.

use crate::model::guest::{Guest, Reference};
use crate::model::lvm::{LogicalVolume, Lvm};
use crate::model::names::is_safe;

/// What `lvs` says of a volume.
pub(super) fn volume(lv: &LogicalVolume) -> String {
    let size = lv.size.map_or_else(|| "unknown size".to_owned(), size);
    format!(
        "lvs-json: {}/{}: attributes {}, {size}, UUID {}",
        lv.vg, lv.name, lv.attr, lv.uuid
    )
}

/// Where the metadata puts a volume: its segments, at most four.
pub(super) fn extents(lv: &LogicalVolume) -> impl Iterator<Item = String> {
    lv.segments.iter().take(4).map(|segment| {
        let ranges: Vec<String> = segment
            .ranges
            .iter()
            .map(|range| format!("{}:{}-{}", range.device, range.first, range.last))
            .collect();
        format!(
            "lvs-segments-json: {}/{}: {} bytes from {} on extents {}",
            lv.vg,
            lv.name,
            segment.size,
            segment.start,
            ranges.join(" ")
        )
    })
}

/// Physical volumes of a volume that are told; few lie on more.
const MOST_PVS: usize = 8;

/// What turns a volume's extents into sectors: its physical volumes, of many
/// the first, and the extent size.
pub(super) fn extents_to_sectors(lvm: &Lvm, lv: &LogicalVolume) -> Vec<String> {
    let mut pvs = lvm.pvs_under(lv).filter_map(|pv| {
        Some(format!(
            "pvs-json: {} is device {}, its first extent begins at {} bytes",
            pv.name, pv.devno?, pv.pe_start?
        ))
    });
    let mut facts: Vec<String> = pvs.by_ref().take(MOST_PVS).collect();
    match pvs.count() {
        0 => {}
        more => facts.push(format!(
            "pvs-json: {}/{} lies on {more} more physical volumes",
            lv.vg, lv.name
        )),
    }
    facts.extend(lvm.vgs.get(&lv.vg_uuid).and_then(|vg| {
        Some(format!(
            "vgs-json: {}: extents of {} bytes",
            vg.name, vg.extent_size?
        ))
    }));
    facts
}

/// Where a configuration references a volume.
pub(super) fn mention(guest: &Guest, reference: &Reference) -> String {
    format!(
        "{} line {}: {} references {}",
        guest.path, reference.line, reference.place, reference.target
    )
}

/// Bytes in binary units.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in UNITS.iter().skip(1) {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    let text = format!("{value:.1}");
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

/// A name as a word of a shell command; a placeholder for one that would need
/// quoting, so that nobody pastes it.
pub(crate) fn word(name: &str) -> &str {
    if is_safe(name) { name } else { "NAME" }
}

/// `VG/LV` as a word of a shell command.
pub(crate) fn vg_lv(vg: &str, lv: &str) -> String {
    format!("{}/{}", word(vg), word(lv))
}

/// A few of many: the first `most`, and how many more there are.
pub(super) fn some(names: &[String], most: usize) -> String {
    let (first, others) = names.split_at(most.min(names.len()));
    and_more(first, others.len())
}

/// Names, and how many more there are.
pub(super) fn and_more(names: &[String], more: usize) -> String {
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_write_them() {
        for (bytes, text) in [
            (512, "512 bytes"),
            (1024, "1 KiB"),
            (50_331_648, "48 MiB"),
            (1_610_612_736, "1.5 GiB"),
            (u64::MAX, "16384 PiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn only_plain_names_reach_a_command() {
        assert_eq!(word("pve-vm--1--disk--0"), "pve-vm--1--disk--0");
        assert_eq!(word("x; reboot"), "NAME");
        assert_eq!(vg_lv("pve", "$(x)"), "pve/NAME");
    }

    #[test]
    fn many_names_are_cut() {
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).to_vec();
        assert_eq!(some(&names, 3), "a, b, c");
        assert_eq!(some(&names, 2), "a, b and 1 more");
    }
}
