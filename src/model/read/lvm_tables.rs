//! LVM's metadata from its plain tables, where there are no JSON reports.
//!
//! They lack most UUIDs, print sizes rounded, and say where segments begin,
//! not how long they are. What follows from the entries is taken from there:
//! a volume that LVM calls by an entry's name, in the VG of that entry's
//! UUID, has that UUID; a size that may be the entry's is the entry's.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::Reader;
use super::room::cost;
use crate::model::device::{Device, Devices};
use crate::model::lvm::{Facts, Reports};
use crate::parse::dmsetup_table::Target;
use crate::parse::lsblk::BlockDevice;
use crate::parse::lvm_json::{Column, Row};
use crate::parse::lvm_table::{self, Size, Table};

pub(super) fn reports(
    reader: &mut Reader<'_>,
    devices: &Devices,
    blocks: &[BlockDevice],
) -> Reports {
    let whole = Cell::new(true);
    let table = |reader: &mut Reader<'_>, id: &str, table: Table| {
        super::few(reader, id, "rows", |text| lvm_table::parse(text, table))
    };
    let vgs = table(reader, "vgs", Table::Vgs);
    let pvs = table(reader, "pvs", Table::Pvs);
    let lvs = reader
        .optional("lvs", |text| {
            let parsed = lvm_table::parse(text, Table::Lvs);
            whole.set(parsed.problems.is_empty());
            parsed
        })
        .unwrap_or_default();
    let lvs = reader.with_room("lvs", lvs, cost::ROW);
    let groups = Groups::of(&vgs);
    let entries = entries(devices);
    let mut facts = Facts::default();
    let mut reports = Reports {
        lvs_complete: whole.get()
            && !lvs.is_empty()
            && !groups.ambiguous
            && ["lvs", "vgs"].iter().all(|id| reader.evidence.has(id)),
        ..Reports::default()
    };
    let mut by_volume: BTreeMap<(String, String), Vec<Row<'static>>> = BTreeMap::new();
    for row in lvs {
        let name = cell(&row, Column::LvName)
            .trim_matches(['[', ']'])
            .to_owned();
        let key = (cell(&row, Column::VgName).to_owned(), name);
        by_volume.entry(key).or_default().push(row);
    }
    for ((vg, lv), rows) in by_volume {
        let vg_uuid = groups.uuid(&vg);
        let entry = entries.get(&(vg.as_str(), lv.as_str())).copied();
        let entry = entry.filter(|entry| {
            let uuid = entry.lvm_uuid.as_ref();
            uuid.is_some_and(|uuid| uuid.vg == vg_uuid.replace('-', ""))
        });
        let Some(mut row) = rows.first().cloned() else {
            continue;
        };
        let lv_uuid = entry
            .and_then(|entry| entry.lvm_uuid.as_ref())
            .map_or_else(|| made_up(&format!("{vg}/{lv}")), |uuid| uuid.lv.clone());
        let extent = groups.extents.get(&vg).copied();
        let size = Size::parse(cell(&row, Column::LvSize)).map(|size| {
            let mapped = entry.and_then(Device::size);
            mapped
                .filter(|mapped| size.may_be(*mapped))
                .or_else(|| size.only_multiple(extent?))
                .unwrap_or(size.shown)
        });
        row.set(Column::VgUuid, vg_uuid.clone());
        row.set(Column::LvUuid, lv_uuid.clone());
        if let Some(size) = size {
            row.set(Column::LvSize, size.to_string());
            let extents = extent.map(|extent| segments(&rows, size, extent, entry));
            for segment in extents.flatten().unwrap_or_default() {
                let mut segment = segment;
                segment.set(Column::VgUuid, vg_uuid.clone());
                segment.set(Column::LvUuid, lv_uuid.clone());
                reports.segments.extend(facts.segment(&segment));
            }
        }
        reports.lvs.extend(facts.volume(&row));
    }
    reports.pvs = pvs
        .into_iter()
        .filter(|row| !cell(row, Column::VgName).is_empty())
        .map(|row| facts.physical(&physical(row, &groups, blocks)))
        .collect();
    reports.vgs = vgs
        .into_iter()
        .map(|mut row| {
            let uuid = groups.uuid(cell(&row, Column::VgName));
            row.set(Column::VgUuid, uuid);
            in_bytes(
                &mut row,
                &[Column::VgSize, Column::VgFree, Column::VgExtentSize],
            );
            facts.group(&row)
        })
        .collect();
    reports
}

/// Stands for a UUID that was not printed; no UUID looks like it.
fn made_up(name: &str) -> String {
    format!("named {name}")
}

fn cell<'a>(row: &'a Row<'_>, column: Column) -> &'a str {
    row.get(column).unwrap_or_default()
}

/// Replaces sizes as printed by bytes, as LVM's JSON reports have them.
fn in_bytes(row: &mut Row<'_>, columns: &[Column]) {
    for column in columns {
        if let Some(text) = row.get(*column) {
            let size = Size::parse(text);
            row.set(
                *column,
                size.map_or_else(String::new, |size| size.shown.to_string()),
            );
        }
    }
}

/// What `vgs` says, by name.
struct Groups {
    uuids: BTreeMap<String, String>,
    extents: BTreeMap<String, u64>,
    /// Whether two VGs share a name.
    ambiguous: bool,
}

impl Groups {
    fn of(rows: &[Row<'_>]) -> Self {
        let mut groups = Self {
            uuids: BTreeMap::new(),
            extents: BTreeMap::new(),
            ambiguous: false,
        };
        let mut names = BTreeSet::new();
        for row in rows {
            let name = cell(row, Column::VgName);
            groups.ambiguous |= !names.insert(name);
            let uuid = cell(row, Column::VgUuid);
            if !uuid.is_empty() {
                groups.uuids.insert(name.to_owned(), uuid.to_owned());
            }
            if let Some(size) = Size::parse(cell(row, Column::VgExtentSize)) {
                groups.extents.insert(name.to_owned(), size.shown);
            }
        }
        groups
    }

    fn uuid(&self, name: &str) -> String {
        let known = self.uuids.get(name).cloned();
        known.unwrap_or_else(|| made_up(name))
    }
}

/// The entries that LVM made, by VG and LV; of a volume with layers the one
/// without, if there is one.
fn entries(devices: &Devices) -> BTreeMap<(&str, &str), &Device> {
    let mut found: BTreeMap<(&str, &str), &Device> = BTreeMap::new();
    for (_, device) in devices.iter() {
        let (Some(volume), Some(uuid)) = (device.volume(), &device.lvm_uuid) else {
            continue;
        };
        let plain = uuid.layer.is_none();
        match found.get(&volume) {
            Some(_) if !plain => {}
            _ => drop(found.insert(volume, device)),
        }
    }
    found
}

/// Where a volume lies: rows with `Devices` such as `/dev/sda3(128)`, one for
/// each segment. The last one has what the others leave; of those only a
/// table that begins at the same extents tells how long they are.
fn segments(
    rows: &[Row<'_>],
    size: u64,
    extent: u64,
    entry: Option<&Device>,
) -> Option<Vec<Row<'static>>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (index, row) in rows.iter().enumerate() {
        let devices = cell(row, Column::Devices);
        let (device, first) = devices.strip_suffix(')')?.rsplit_once('(')?;
        let plain = matches!(cell(row, Column::LvAttr).chars().next()?, '-' | 'T' | 'e');
        if !plain || !device.starts_with('/') || device.contains(',') {
            return None;
        }
        let first: u64 = first.parse().ok()?;
        let rest = size.checked_sub(start)?;
        let length = match index + 1 == rows.len() {
            true => rest,
            false => mapped(entry?, start)?,
        };
        if length == 0 || length > rest || !length.is_multiple_of(extent) {
            return None;
        }
        let last = first.checked_add(length / extent)?.checked_sub(1)?;
        let mut segment = Row::default();
        segment.set(Column::SegType, "linear");
        segment.set(Column::SegStart, start.to_string());
        segment.set(Column::SegSize, length.to_string());
        segment.set(Column::SegPeRanges, format!("{device}:{first}-{last}"));
        found.push(segment);
        start = start.checked_add(length)?;
    }
    Some(found)
}

/// Bytes of the linear segment of an entry's table that begins at a byte.
fn mapped(entry: &Device, start: u64) -> Option<u64> {
    entry
        .segments
        .iter()
        .find(|segment| segment.start.checked_mul(512) == Some(start))
        .filter(|segment| matches!(segment.target, Target::Linear { .. }))
        .and_then(|segment| segment.length.checked_mul(512))
}

fn physical<'a>(mut row: Row<'a>, groups: &Groups, blocks: &[BlockDevice]) -> Row<'a> {
    let uuid = groups.uuid(cell(&row, Column::VgName));
    row.set(Column::VgUuid, uuid);
    in_bytes(&mut row, &[Column::PvSize, Column::PeStart]);
    let name = cell(&row, Column::PvName);
    let name = name
        .strip_prefix("/dev/mapper/")
        .or_else(|| name.strip_prefix("/dev/"));
    if let Some(block) = blocks
        .iter()
        .find(|block| Some(block.name.as_str()) == name)
    {
        row.set(Column::PvMajor, block.devno.major.to_string());
        row.set(Column::PvMinor, block.devno.minor.to_string());
    }
    row
}
