//! `lvs`, `vgs` and `pvs` as tables for people, with whatever columns.
//!
//! Columns stand where their headings do, and cells may be blank. A table
//! becomes rows under the names that LVM's own reports use (`lv_name`,
//! `vg_uuid`, …), so that both are read alike. Sizes are rounded there
//! (`<1.82t`, `147.10g`): see [`Size`]. Source: lvs(8), LVM's `columns.h`,
//! and recordings of 2.03.16.

use std::ops::RangeInclusive;

use super::lvm_row::{Column, MAX_CELL, MAX_ROWS, Row};
use super::{Parsed, lines};

/// Headings of `lvs`, `vgs` and `pvs`, and the columns of them that are read.
const HEADINGS: [(&str, Option<Column>); 34] = [
    ("LV", Some(Column::LvName)),
    ("VG", Some(Column::VgName)),
    ("PV", Some(Column::PvName)),
    ("LSize", Some(Column::LvSize)),
    ("VSize", Some(Column::VgSize)),
    ("VFree", Some(Column::VgFree)),
    ("PSize", Some(Column::PvSize)),
    ("PFree", None),
    ("DevSize", None),
    ("Pool", Some(Column::PoolLv)),
    ("Origin", Some(Column::Origin)),
    ("Data%", Some(Column::DataPercent)),
    ("Meta%", Some(Column::MetadataPercent)),
    ("Move", None),
    ("Log", None),
    ("Cpy%Sync", None),
    ("Convert", None),
    ("Devices", Some(Column::Devices)),
    ("LV Tags", Some(Column::LvTags)),
    ("VG Tags", None),
    ("LV UUID", Some(Column::LvUuid)),
    ("VG UUID", Some(Column::VgUuid)),
    ("PV UUID", Some(Column::PvUuid)),
    ("Ext", Some(Column::VgExtentSize)),
    ("1st PE", Some(Column::PeStart)),
    ("#Seg", None),
    ("#Str", None),
    ("Stripe", None),
    ("#PV", None),
    ("#LV", None),
    ("#SN", None),
    ("Type", Some(Column::SegType)),
    ("Fmt", None),
    ("System ID", None),
];

/// Which table it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// `lvs`.
    Lvs,
    /// `vgs`.
    Vgs,
    /// `pvs`.
    Pvs,
}

impl Table {
    fn name(self) -> Column {
        match self {
            Self::Lvs => Column::LvName,
            Self::Vgs => Column::VgName,
            Self::Pvs => Column::PvName,
        }
    }

    fn attr(self) -> Column {
        match self {
            Self::Lvs => Column::LvAttr,
            Self::Vgs => Column::VgAttr,
            Self::Pvs => Column::PvAttr,
        }
    }

    /// Lengths of the attributes: `-wi-ao----` (nine letters in old
    /// releases), `wz--n-`, `a--`.
    fn attr_length(self) -> RangeInclusive<usize> {
        match self {
            Self::Lvs => 9..=10,
            Self::Vgs => 6..=6,
            Self::Pvs => 3..=4,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Lvs => "expected lvs' columns: LV VG Attr LSize …",
            Self::Vgs => "expected vgs' columns: VG … Attr VSize …",
            Self::Pvs => "expected pvs' columns: PV VG Fmt Attr PSize …",
        }
    }
}

/// Reads one of the tables. Lines in front of the heading are messages;
/// those that speak of an error are problems, since what LVM could not read
/// it does not list. So is a line behind it that is no row.
///
/// A volume of several segments has several rows where `Devices` is asked
/// for.
pub fn parse(text: &str, table: Table) -> Parsed<Vec<Row<'static>>> {
    let mut parsed = Parsed::new(Vec::new());
    let mut columns: Vec<Heading> = Vec::new();
    for (number, line) in lines(text) {
        if line.trim().is_empty() || is_harmless(line) {
            continue;
        }
        if columns.is_empty() {
            columns = heading(line, table);
            if columns.is_empty() && speaks_of_an_error(line) {
                parsed.problem(number, "LVM reported an error");
            }
            continue;
        }
        match row(line, &columns, table) {
            Some(_) if parsed.value.len() == MAX_ROWS => {
                parsed.problem(number, "expected fewer rows: no node has so many");
                return parsed;
            }
            Some(row) => parsed.value.push(row),
            None => parsed.problem(number, table.expected()),
        }
    }
    parsed
}

/// What `sosreport` and verbose commands provoke.
fn is_harmless(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("WARNING: File locking is disabled")
        || line.starts_with("WARNING: Locking disabled")
        || line.starts_with("File descriptor ")
}

fn speaks_of_an_error(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    [
        "error",
        "fail",
        "couldn't",
        "cannot",
        "can't",
        "missing",
        "not found",
        "timed out",
        "skip",
        "duplicate",
        "denied",
    ]
    .iter()
    .any(|word| line.contains(word))
}

/// A heading: the column, if it is one that is read, and where it begins, in
/// bytes.
struct Heading {
    column: Option<Column>,
    begin: usize,
}

/// The columns of a heading; none where the line is no heading of the table.
fn heading(line: &str, table: Table) -> Vec<Heading> {
    let mut columns: Vec<Heading> = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.trim().is_empty()) {
        at += rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let word = rest.split(' ').next().unwrap_or(rest);
        // Some headings are of two words: the longest that fits.
        let known = HEADINGS
            .iter()
            .filter(|(heading, _)| {
                rest.strip_prefix(heading)
                    .is_some_and(|after| after.is_empty() || after.starts_with(' '))
            })
            .max_by_key(|(heading, _)| heading.len());
        let (column, length) = match known {
            Some((heading, column)) => (*column, heading.len()),
            None if word == "Attr" => (Some(table.attr()), word.len()),
            None => (None, word.len()),
        };
        columns.push(Heading { column, begin: at });
        at += length;
    }
    let has = |column| columns.iter().any(|heading| heading.column == Some(column));
    if has(table.name()) && has(table.attr()) && has(Column::VgName) {
        columns
    } else {
        Vec::new()
    }
}

fn row(line: &str, columns: &[Heading], table: Table) -> Option<Row<'static>> {
    let mut row = Row::default();
    for (index, heading) in columns.iter().enumerate() {
        let Some(column) = heading.column else {
            continue;
        };
        let end = columns.get(index + 1).map_or(line.len(), |next| next.begin);
        let cell = line
            .get(heading.begin.min(line.len())..end.min(line.len()))?
            .trim();
        if cell.len() > MAX_CELL {
            return None;
        }
        row.set(column, cell.to_owned());
    }
    let attr = row.get(table.attr())?;
    let sound = table.attr_length().contains(&attr.len())
        && attr
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && row
            .get(table.name())
            .is_some_and(|name| !name.is_empty() && !name.contains(char::is_whitespace));
    sound.then_some(row)
}

/// A size as LVM prints it for people: rounded to two decimals of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The least number of bytes that is printed so.
    pub least: u64,
    /// The largest.
    pub most: u64,
    /// What is printed, in bytes.
    pub shown: u64,
}

impl Size {
    /// Reads `64.00m`, `<1.82t` (a little less than that), `0`, `512b`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = text.trim_start_matches(['<', '>']);
        let digits = number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit: u64 = match number.get(digits.len()..)?.to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" => 1 << 10,
            "m" => 1 << 20,
            "g" => 1 << 30,
            "t" => 1 << 40,
            "p" => 1 << 50,
            "e" => 1 << 60,
            _ => return None,
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let digits_only = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits_only(whole) || !digits_only(part) || part.len() > 2 {
            return None;
        }
        let hundredths: u64 = match part.len() {
            0 => 0,
            1 => part.parse::<u64>().ok()? * 10,
            _ => part.parse().ok()?,
        };
        let hundred = whole
            .parse::<u64>()
            .ok()?
            .checked_mul(100)?
            .checked_add(hundredths)?;
        let bytes = |hundred: u64| u64::try_from(u128::from(hundred) * u128::from(unit) / 100).ok();
        let shown = bytes(hundred)?;
        if unit == 1 {
            return Some(Self {
                least: shown,
                most: shown,
                shown,
            });
        }
        Some(Self {
            least: bytes(hundred.saturating_sub(1))?,
            most: bytes(hundred.checked_add(1)?)?,
            shown,
        })
    }

    /// Whether a size of so many bytes may be printed so.
    pub fn may_be(self, bytes: u64) -> bool {
        (self.least..=self.most).contains(&bytes)
    }

    /// The multiple of `unit` bytes that is printed so, where there is only
    /// one.
    pub fn only_multiple(self, unit: u64) -> Option<u64> {
        let first = self.least.div_ceil(unit.max(1)).checked_mul(unit)?;
        let only = self.may_be(first)
            && first
                .checked_add(unit)
                .is_none_or(|next| !self.may_be(next));
        only.then_some(first)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const LVS: &str = "  WARNING: File locking is disabled.
  LV                        VG       Attr       LSize   Pool Origin        Data%  Meta%  Move Log Cpy%Sync Convert
  data                      pve      twi-aotz-- 500.00m                    1.36   12.30                           
  snap_vm-100-disk-0_before pve      Vri---tz-k  64.00m data vm-100-disk-0                                        
  vm-169-disk-0             ssd-ha01 -wi-ao----  <1.82t                                                           
";

    #[test]
    fn cells_stand_below_their_headings() {
        let parsed = parse(LVS, Table::Lvs);
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        let cell = |row: usize, name: &str| {
            let column = Column::named(name).unwrap();
            parsed.value[row].get(column).unwrap()
        };
        assert_eq!(cell(0, "data_percent"), "1.36");
        assert_eq!(cell(0, "metadata_percent"), "12.30");
        assert_eq!(cell(0, "pool_lv"), "");
        assert_eq!(cell(1, "origin"), "vm-100-disk-0");
        assert_eq!(cell(2, "vg_name"), "ssd-ha01");
        assert_eq!(cell(2, "lv_attr"), "-wi-ao----");
        assert_eq!(cell(2, "lv_size"), "<1.82t");
    }

    #[test]
    fn headings_of_two_words_are_one_column() {
        let parsed = parse(
            "    Reloading config files\n  VG  Attr   Ext   #PV #LV #SN VSize    VFree   VG UUID                                VProfile #VMda VMdaFree  VMdaSize  #VMdaUse VG Tags System ID\n  pve wz--n- 4.00m   1  17   0 1020.00m 512.00m qI2XpX-d8NI-WOZX-TC89-2vFj-hskE-9CCRM7              1   500.00k  1020.00k        1\n",
            Table::Vgs,
        );
        assert!(parsed.problems.is_empty(), "{:?}", parsed.problems);
        assert_eq!(
            parsed.value[0].get(Column::VgUuid).unwrap(),
            "qI2XpX-d8NI-WOZX-TC89-2vFj-hskE-9CCRM7"
        );
        assert_eq!(parsed.value[0].get(Column::VgExtentSize).unwrap(), "4.00m");
    }

    #[test]
    fn what_is_no_row_is_a_problem() {
        for text in [
            LVS.to_owned() + "  WARNING: VG san is missing PV x.\n",
            "  Error reading device /dev/sdb at 0\n".to_owned() + LVS,
            LVS.replace("-wi-ao----", "-wi ao----"),
        ] {
            assert_eq!(parse(&text, Table::Lvs).problems.len(), 1, "{text}");
        }
        assert!(parse("", Table::Lvs).value.is_empty());
        assert!(parse(LVS, Table::Pvs).value.is_empty());
    }

    #[test]
    fn sizes_keep_their_rounding() {
        let size = |text| Size::parse(text).unwrap();
        assert_eq!(size("64.00m").shown, 64 << 20);
        assert_eq!(size("64.00m").only_multiple(4 << 20), Some(64 << 20));
        assert!(size("147.10g").may_be(37_658 * (4 << 20)));
        assert_eq!(size("147.10g").only_multiple(4 << 20), None);
        assert!(!size("<1.82t").may_be(1 << 41));
        assert_eq!(size("0").most, 0);
        assert_eq!(Size::parse("many"), None);
        assert_eq!(Size::parse(""), None);
        assert_eq!(Size::parse("99999999999999999999.00e"), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(  LV VG Attr LSize\\n|  VG UUID|\\PC|[ -~]|1st PE|-wi-ao----|\\n| ){0,60}", size in "\\PC{0,8}|[<>]?[0-9.]{0,24}[bkmgtpe]?") {
            for table in [Table::Lvs, Table::Vgs, Table::Pvs] {
                parse(&text, table);
            }
            if let Some(size) = Size::parse(&size) {
                prop_assert!(size.may_be(size.shown));
            }
        }

        #[test]
        fn cells_are_read_back(
            rows in prop::collection::vec(("[a-z0-9_.-]{1,30}", "[a-zA-Z0-9+_.-]{1,20}", "([a-z0-9]{1,9})?", "[0-9]{1,3}\\.[0-9]{2}[mgt]"), 1..20)
        ) {
            let w = |pick: fn(&(String, String, String, String)) -> usize, head: usize| rows.iter().map(pick).max().unwrap().max(head);
            let (a, b, c) = (w(|r| r.0.len(), 2), w(|r| r.1.len(), 2), w(|r| r.2.len(), 4));
            let mut text = format!("  {:<a$} {:<b$} Attr       LSize   {:<c$} Origin\n", "LV", "VG", "Pool");
            for (lv, vg, pool, size) in &rows {
                text += &format!("  {lv:<a$} {vg:<b$} -wi-a----- {size:>7} {pool:<c$}       \n");
            }
            let parsed = parse(&text, Table::Lvs);
            prop_assert!(parsed.problems.is_empty());
            let read: Vec<_> = parsed.value.iter().map(|row| [Column::LvName, Column::VgName, Column::PoolLv, Column::LvSize].map(|column| row.get(column).unwrap().to_owned())).collect();
            let expected: Vec<_> = rows.iter().map(|(lv, vg, pool, size)| [lv, vg, pool, size].map(Clone::clone)).collect();
            prop_assert_eq!(read, expected);
        }
    }
}
