//! `dmsetup info -c`: the same facts as `dmsetup info`, a line a device.
//!
//! Two forms are understood: the collector's, with separator `|` and the
//! columns `name,uuid,major,minor,open,segments,events,attr,blkdevname,
//! blkdevs_used,names_using_dev`, and the default one with a header.

use super::dmsetup_info::DmInfo;
use super::{DevNo, Parsed, lines};

/// Columns of the collector's form before the first that may be absent.
const SEPARATED_COLUMNS: usize = 8;

/// Reads the `|`-separated form.
pub fn parse_separated(text: &str) -> Parsed<Vec<DmInfo>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        if line.trim().is_empty() || line.trim() == "No devices found" {
            continue;
        }
        let cells: Vec<&str> = line.trim_start().split('|').collect();
        let (Some(name), Some(uuid), Some(major), Some(minor), Some(open), Some(attr)) = (
            cells.first(),
            cells.get(1),
            cells.get(2),
            cells.get(3),
            cells.get(4),
            cells.get(SEPARATED_COLUMNS - 1),
        ) else {
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
pub fn parse_aligned(text: &str) -> Parsed<Vec<DmInfo>> {
    let mut parsed = Parsed::new(Vec::new());
    for (number, line) in lines(text) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        match cells[..] {
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

/// `attr` is LVM's four letters: `L` live table, `I` inactive table, `s`
/// suspended, `r`/`w`.
fn info(
    name: &str,
    uuid: &str,
    (major, minor): (&str, &str),
    open: &str,
    attr: &str,
    line: usize,
) -> DmInfo {
    let devno = match (major.trim().parse(), minor.trim().parse()) {
        (Ok(major), Ok(minor)) => Some(DevNo { major, minor }),
        _ => None,
    };
    DmInfo {
        name: name.to_owned(),
        uuid: (!uuid.trim().is_empty()).then(|| uuid.trim().to_owned()),
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
        assert_eq!(parsed.value[1].uuid.as_deref(), Some("LVM-NSrA"));
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
