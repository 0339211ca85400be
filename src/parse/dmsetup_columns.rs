//! `dmsetup info -c`: the same facts as `dmsetup info`, a line a device.
//!
//! Two forms are understood: the collector's, with separator `|` and the
//! columns `name,uuid,major,minor,open,segments,events,attr,blkdevname,
//! blkdevs_used,names_using_dev`, and the default one with a header.

use super::dmsetup_info::DmInfo;
use super::{DevNo, Parsed, lines};

/// Columns of the collector's form before the first that may be absent.
const SEPARATED_COLUMNS: usize = 8;

/// Columns of the default form, and one more that would be too many.
const ALIGNED_COLUMNS: usize = 9;

/// Reads the `|`-separated form.
pub fn parse_separated(text: &str) -> Parsed<Vec<DmInfo<'_>>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        if line.trim().is_empty() || line.trim() == "No devices found" {
            continue;
        }
        let mut cells = [""; SEPARATED_COLUMNS];
        let found = first(&mut cells, line.trim_start().split('|'));
        let &[name, uuid, major, minor, open, _, _, attr] = found else {
            parsed.problem(
                number,
                "expected name|uuid|major|minor|open|segments|events|attr|…",
            );
            continue;
        };
        let info = info(name, uuid, (major, minor), open, attr, number);
        if info.devno.is_none() || info.open.is_none() {
            parsed.problem(number, "expected numbers as major, minor and open count");
        }
        parsed.value.push(info);
    }
    parsed
}

/// Reads the default form, with its header line
/// (`Name Maj Min Stat Open Targ Event UUID`).
pub fn parse_aligned(text: &str) -> Parsed<Vec<DmInfo<'_>>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        let mut cells = [""; ALIGNED_COLUMNS];
        match *first(&mut cells, line.split_ascii_whitespace()) {
            [] | ["Name", "Maj", "Min", ..] | ["No", "devices", "found"] => {}
            [name, major, minor, stat, open, _, _, ref rest @ ..] if rest.len() <= 1 => {
                let uuid = rest.first().copied().unwrap_or_default();
                parsed
                    .value
                    .push(info(name, uuid, (major, minor), open, stat, number));
            }
            _ => parsed.problem(number, "expected Name Maj Min Stat Open Targ Event UUID"),
        }
    }
    parsed
}

/// The first cells of a line, as many as there is room for.
fn first<'a, 'c>(room: &'c mut [&'a str], cells: impl Iterator<Item = &'a str>) -> &'c [&'a str] {
    let mut found = 0;
    for (place, cell) in room.iter_mut().zip(cells) {
        *place = cell;
        found += 1;
    }
    room.get(..found).unwrap_or_default()
}

/// `attr` is LVM's four letters: `L` live table, `I` inactive table, `s`
/// suspended, `r`/`w`.
fn info<'a>(
    name: &'a str,
    uuid: &'a str,
    (major, minor): (&str, &str),
    open: &str,
    attr: &str,
    line: usize,
) -> DmInfo<'a> {
    let devno = match (major.trim().parse(), minor.trim().parse()) {
        (Ok(major), Ok(minor)) => Some(DevNo { major, minor }),
        _ => None,
    };
    DmInfo {
        name,
        uuid: Some(uuid.trim()).filter(|uuid| !uuid.is_empty()),
        devno,
        open: open.trim().parse().ok(),
        suspended: attr.contains('s'),
        read_only: attr.ends_with('r'),
        live_table: Some(attr.starts_with('L')),
        by_lvm: None,
        line,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separated_lines_become_devices() {
        let parsed = parse_separated(
            "pve-vm--101--disk--0-old||254|23|0|1|0|L--w|dm-23|dm-2|\nvg-a|LVM-x|254|4|1|1|0|L-sr|dm-4||\nshort|line\n",
        );
        assert_eq!(parsed.value.len(), 2);
        assert_eq!(parsed.value[0].uuid, None);
        assert_eq!(parsed.value[0].open, Some(0));
        assert!(parsed.value[1].suspended && parsed.value[1].read_only);
        assert_eq!(parsed.problems[0].line, 3);
    }

    #[test]
    fn aligned_lines_become_devices() {
        let parsed = parse_aligned(
            "Name Maj Min Stat Open Targ Event  UUID\npve-vm--101--disk--0-old   254  23 L--w    0    1      0                     \nssd--ha01-vm--169--disk--0 254   3 L--w    1    2      0 LVM-NSrA\n",
        );
        assert!(parsed.problems.is_empty());
        assert_eq!(parsed.value[0].uuid, None);
        assert_eq!(parsed.value[1].uuid, Some("LVM-NSrA"));
        assert_eq!(parsed.value[1].open, Some(1));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|[|\\n 0-9]){0,80}") {
            parse_separated(&text);
            parse_aligned(&text);
        }
    }
}
