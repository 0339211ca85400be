//! What the rows of LVM's reports say.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::lvm::{ExtentRange, LogicalVolume, LvSegment, PhysicalVolume, VolumeGroup};
use crate::parse::DevNo;
use crate::parse::lvm_json::{Column, Row, dashless};

/// Makes facts of rows. Texts that many rows have in common are kept once.
#[derive(Debug, Default)]
pub struct Facts {
    shared: HashSet<Arc<str>, foldhash::fast::RandomState>,
    /// The last VG's UUID, with and without dashes: rows are listed by VG.
    vg_uuid: Option<(String, Arc<str>)>,
}

impl Facts {
    /// A volume group, from a row of `vgs`.
    pub fn group(&mut self, row: &Row<'_>) -> VolumeGroup {
        VolumeGroup {
            name: row.text(Column::VgName).to_owned(),
            uuid: self.vg_uuid(row),
            extent_size: number(row, Column::VgExtentSize),
            size: number(row, Column::VgSize),
            free: number(row, Column::VgFree),
            autoactivation: autoactivation(row, Column::VgAutoactivation),
        }
    }

    /// A logical volume, from a row of `lvs`; none where it has no name.
    pub fn volume(&mut self, row: &Row<'_>) -> Option<LogicalVolume> {
        let name = row
            .text(Column::LvName)
            .trim_start_matches('[')
            .trim_end_matches(']');
        if name.is_empty() {
            return None;
        }
        let attr = row.text(Column::LvAttr);
        Some(LogicalVolume {
            vg: self.shared(row.text(Column::VgName)),
            vg_uuid: self.vg_uuid(row),
            name: name.to_owned(),
            uuid: dashless(row.text(Column::LvUuid)),
            attr: self.shared(attr),
            size: number(row, Column::LvSize),
            pool: filled(row, Column::PoolLv).map(|pool| self.shared(pool)),
            origin: filled(row, Column::Origin).map(str::to_owned),
            data_percent: percent(row, Column::DataPercent),
            metadata_percent: percent(row, Column::MetadataPercent),
            active: row.text(Column::LvActive) == "active" || attr.chars().nth(4) == Some('a'),
            tagged: row.get(Column::LvTags).map(is_tagged),
            autoactivation: autoactivation(row, Column::LvAutoactivation),
            time: filled(row, Column::LvTime).map(str::to_owned),
            segments: Vec::new(),
        })
    }

    /// A physical volume, from a row of `pvs`.
    pub fn physical(&mut self, row: &Row<'_>) -> PhysicalVolume {
        let part = |column| row.text(column).parse().ok();
        let devno = part(Column::PvMajor).zip(part(Column::PvMinor));
        PhysicalVolume {
            name: row.text(Column::PvName).to_owned(),
            uuid: dashless(row.text(Column::PvUuid)),
            vg: row.text(Column::VgName).to_owned(),
            vg_uuid: self.vg_uuid(row),
            devno: devno.map(|(major, minor)| DevNo { major, minor }),
            pe_start: number(row, Column::PeStart),
            size: number(row, Column::PvSize),
        }
    }

    /// A segment, and the UUIDs of its VG and LV, from a row of
    /// `lvs --segments`; none where it is not said how long it is.
    pub fn segment(&mut self, row: &Row<'_>) -> Option<SegmentOf> {
        let start = number(row, Column::SegStart)?;
        let size = number(row, Column::SegSize)?;
        let ranges = row.text(Column::SegPeRanges);
        let mut segment = LvSegment {
            kind: self.shared(row.text(Column::SegType)),
            start,
            size,
            ranges: Vec::with_capacity(1),
        };
        let ranges = ranges
            .split_whitespace()
            .filter_map(|text| self.range(text));
        segment.ranges.extend(ranges);
        Some(SegmentOf {
            vg_uuid: self.vg_uuid(row),
            lv_uuid: dashless(row.text(Column::LvUuid)),
            segment,
        })
    }

    /// `/dev/vdc:0-7`.
    fn range(&mut self, text: &str) -> Option<ExtentRange> {
        let (device, extents) = text.rsplit_once(':')?;
        let (first, last) = extents.split_once('-')?;
        Some(ExtentRange {
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            device: self.shared(device),
        })
    }

    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.shared.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.shared.insert(Arc::clone(&new));
        new
    }

    /// A VG's UUID without dashes.
    fn vg_uuid(&mut self, row: &Row<'_>) -> Arc<str> {
        let printed = row.text(Column::VgUuid);
        match &self.vg_uuid {
            Some((last, shared)) if last == printed => Arc::clone(shared),
            _ => {
                let shared = self.shared(&dashless(printed));
                self.vg_uuid = Some((printed.to_owned(), Arc::clone(&shared)));
                shared
            }
        }
    }
}

/// A segment, and whose it is.
#[derive(Debug)]
pub struct SegmentOf {
    /// The VG's UUID, without dashes.
    pub vg_uuid: Arc<str>,
    /// The LV's UUID, without dashes.
    pub lv_uuid: String,
    /// The segment.
    pub segment: LvSegment,
}

fn filled<'a>(row: &'a Row<'_>, column: Column) -> Option<&'a str> {
    Some(row.text(column)).filter(|cell| !cell.is_empty())
}

fn number(row: &Row<'_>, column: Column) -> Option<u64> {
    row.text(column).trim_end_matches('B').parse().ok()
}

fn percent(row: &Row<'_>, column: Column) -> Option<f64> {
    filled(row, column)?
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
}

/// `enabled`, or nothing for no; the column is absent before LVM 2.03.12.
fn autoactivation(row: &Row<'_>, column: Column) -> Option<bool> {
    row.get(column).map(|cell| cell.trim() == "enabled")
}

/// Whether a list of tags has a guest's (PVE's `LVMPlugin.pm`, `list_images`).
fn is_tagged(tags: &str) -> bool {
    tags.split(',').any(|tag| {
        let vmid = tag.trim().strip_prefix("pve-vm-");
        vmid.is_some_and(|vmid| !vmid.is_empty() && vmid.bytes().all(|b| b.is_ascii_digit()))
    })
}
