//! LVM's metadata of a node, as its reports show it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::device::Device;
use crate::model::names::GuestVolume;
use crate::model::verdict::LvState;
use crate::parse::DevNo;
use crate::parse::lvm_json::{Row, dashless};

/// A volume group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeGroup {
    /// Its name.
    pub name: String,
    /// Its UUID, without dashes.
    pub uuid: String,
    /// Extent size in bytes.
    pub extent_size: Option<u64>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Free bytes.
    pub free: Option<u64>,
    /// Whether it is activated automatically; none where LVM has no such
    /// column (before 2.03.12).
    pub autoactivation: Option<bool>,
}

/// A logical volume.
#[derive(Debug, Clone, PartialEq)]
pub struct LogicalVolume {
    /// Its VG's name.
    pub vg: String,
    /// Its VG's UUID, without dashes.
    pub vg_uuid: String,
    /// Its name, without the brackets of a hidden one.
    pub name: String,
    /// Its UUID, without dashes.
    pub uuid: String,
    /// The ten attribute letters of `lvs`.
    pub attr: String,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Its thin pool.
    pub pool: Option<String>,
    /// What it is a snapshot of.
    pub origin: Option<String>,
    /// Per cent of its data space used.
    pub data_percent: Option<f64>,
    /// Per cent of its metadata space used.
    pub metadata_percent: Option<f64>,
    /// Whether it is active on this node.
    pub active: bool,
    /// Tags.
    pub tags: Vec<String>,
    /// Whether it is activated automatically; none where LVM has no such
    /// column.
    pub autoactivation: Option<bool>,
    /// When it was made, as LVM prints it.
    pub time: Option<String>,
    /// Its segments by start; empty when they were not reported.
    pub segments: Vec<LvSegment>,
}

impl LogicalVolume {
    /// Whether it is a thin pool.
    pub fn is_thin_pool(&self) -> bool {
        self.attr.starts_with('t')
    }
}

/// A segment of a logical volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LvSegment {
    /// `linear`, `striped`, `thin`, `thin-pool`, ….
    pub kind: String,
    /// Start in bytes within the volume.
    pub start: u64,
    /// Length in bytes.
    pub size: u64,
    /// The extents it lies on: device and first and last extent.
    pub ranges: Vec<ExtentRange>,
}

/// Extents of a physical volume or a hidden LV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtentRange {
    /// The device, as LVM names it (`/dev/vdc`, `data_tdata`).
    pub device: String,
    /// First extent.
    pub first: u64,
    /// Last extent.
    pub last: u64,
}

/// A physical volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhysicalVolume {
    /// Its device, as LVM names it.
    pub name: String,
    /// Its UUID, without dashes.
    pub uuid: String,
    /// Its VG's name.
    pub vg: String,
    /// Its VG's UUID, without dashes.
    pub vg_uuid: String,
    /// The device's number.
    pub devno: Option<DevNo>,
    /// Where its first extent begins, in bytes.
    pub pe_start: Option<u64>,
    /// Size in bytes.
    pub size: Option<u64>,
}

/// The reports that the metadata is put together from.
#[derive(Debug, Default)]
pub struct Reports {
    /// `lvs-json`.
    pub lvs: Vec<Row>,
    /// Whether `lvs-json` is there and ended without error, so that what it
    /// does not list does not exist.
    pub lvs_complete: bool,
    /// `lvs-segments-json`.
    pub segments: Vec<Row>,
    /// `vgs-json`.
    pub vgs: Vec<Row>,
    /// `pvs-json`.
    pub pvs: Vec<Row>,
}

/// LVM's metadata as a node sees it.
#[derive(Debug, Clone, Default)]
pub struct Lvm {
    /// Whether there is a report of logical volumes at all.
    pub reported: bool,
    /// Whether that report is complete.
    pub complete: bool,
    /// Volume groups by UUID.
    pub vgs: BTreeMap<String, VolumeGroup>,
    /// Logical volumes, by VG and name.
    pub lvs: Vec<LogicalVolume>,
    /// Physical volumes.
    pub pvs: Vec<PhysicalVolume>,
    /// By the VG's UUID, then by the volume's.
    by_uuid: HashMap<String, HashMap<String, usize>>,
    /// By the VG's name, then by the volume's.
    by_name: HashMap<String, HashMap<String, usize>>,
    vg_uuids: HashMap<String, BTreeSet<String>>,
    read: BTreeSet<String>,
}

impl Lvm {
    /// Puts the metadata together.
    pub fn new(reports: Reports) -> Self {
        let mut lvm = Self {
            reported: reports.lvs_complete || !reports.lvs.is_empty(),
            complete: reports.lvs_complete,
            ..Self::default()
        };
        for row in &reports.vgs {
            let uuid = dashless(text(row, "vg_uuid"));
            lvm.read.insert(uuid.clone());
            let name = text(row, "vg_name").to_owned();
            let uuids = lvm.vg_uuids.entry(name).or_default();
            uuids.insert(uuid.clone());
            lvm.vgs.insert(
                uuid.clone(),
                VolumeGroup {
                    name: text(row, "vg_name").to_owned(),
                    uuid,
                    extent_size: number(row, "vg_extent_size"),
                    size: number(row, "vg_size"),
                    free: number(row, "vg_free"),
                    autoactivation: autoactivation(row, "vg_autoactivation"),
                },
            );
        }
        lvm.pvs = reports.pvs.iter().map(physical).collect();
        lvm.lvs = reports.lvs.iter().filter_map(logical).collect();
        lvm.lvs
            .sort_by(|a, b| (&a.vg, &a.name).cmp(&(&b.vg, &b.name)));
        for (index, lv) in lvm.lvs.iter().enumerate() {
            lvm.read.insert(lv.vg_uuid.clone());
            let volumes = lvm.by_uuid.entry(lv.vg_uuid.clone()).or_default();
            volumes.insert(lv.uuid.clone(), index);
            let volumes = lvm.by_name.entry(lv.vg.clone()).or_default();
            volumes.insert(lv.name.clone(), index);
        }
        for row in &reports.segments {
            let lv = lvm
                .by_uuid
                .get(&dashless(text(row, "vg_uuid")))
                .and_then(|volumes| volumes.get(&dashless(text(row, "lv_uuid"))))
                .and_then(|index| lvm.lvs.get_mut(*index));
            if let (Some(lv), Some(segment)) = (lv, segment(row)) {
                lv.segments.push(segment);
            }
        }
        for lv in &mut lvm.lvs {
            lv.segments.sort_by_key(|segment| segment.start);
        }
        lvm
    }

    /// The logical volume with these UUIDs (without dashes).
    pub fn by_uuid(&self, vg: &str, lv: &str) -> Option<&LogicalVolume> {
        let index = self.by_uuid.get(vg)?.get(lv)?;
        self.lvs.get(*index)
    }

    /// The logical volume of this name in the VG of this name.
    pub fn by_name(&self, vg: &str, lv: &str) -> Option<&LogicalVolume> {
        let index = self.by_name.get(vg)?.get(lv)?;
        self.lvs.get(*index)
    }

    /// The logical volume that a device is, by its UUID.
    pub fn of(&self, device: &Device) -> Option<&LogicalVolume> {
        let uuid = device.lvm_uuid.as_ref()?;
        self.by_uuid(&uuid.vg, &uuid.lv)
    }

    /// Whether the metadata of the VG with this UUID was read.
    pub fn was_read(&self, vg_uuid: &str) -> bool {
        self.read.contains(vg_uuid)
    }

    /// What the metadata says of a device's volume. A report that ended with
    /// an error proves nothing by what it lacks.
    pub fn state_of(&self, device: &Device) -> LvState {
        let Some(uuid) = &device.lvm_uuid else {
            return self.state_by_name(device);
        };
        if self.by_uuid(&uuid.vg, &uuid.lv).is_some() {
            LvState::Backed
        } else if self.complete && self.was_read(&uuid.vg) {
            LvState::Stale
        } else {
            LvState::Unknown
        }
    }

    /// What the metadata says of a guest's volume that LVM made and whose
    /// UUID was not recorded. An inactive volume of that name is not what the
    /// entry maps; which one that is can't be told.
    fn state_by_name(&self, device: &Device) -> LvState {
        let volume = device
            .named_by_lvm()
            .filter(|name| name.layer.is_none())
            // Tables for people leave hidden volumes out.
            .filter(|name| GuestVolume::parse(&name.lv).is_some() && !is_hidden(&name.lv));
        let Some(name) = volume else {
            return LvState::Unknown;
        };
        match self.by_name(&name.vg, &name.lv) {
            Some(lv) if lv.active => LvState::Backed,
            Some(_) => LvState::Unknown,
            None if self.complete && self.vg_uuids.contains_key(&name.vg) => LvState::Stale,
            None => LvState::Unknown,
        }
    }

    /// The UUIDs (without dashes) of the VGs of this name; more than one
    /// where names collide, none where they were not printed.
    pub fn vg_uuids(&self, name: &str) -> impl Iterator<Item = &str> {
        let found = self.vg_uuids.get(name).into_iter().flatten();
        found
            .map(String::as_str)
            .filter(|uuid| uuid.len() == UUID_LENGTH)
    }
}

/// Letters of a UUID without dashes.
const UUID_LENGTH: usize = 32;

/// Whether a name is that of a volume's part, which LVM hides.
fn is_hidden(lv: &str) -> bool {
    [
        "_rimage", "_rmeta", "_mimage", "_mlog", "_tdata", "_tmeta", "_cdata", "_cmeta", "_corig",
        "_wcorig", "_iorig", "_imeta", "_vdata", "_pmspare", "_cvol",
    ]
    .iter()
    .any(|part| lv.contains(part))
}

fn text<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("", |cell| cell.trim())
}

fn filled(row: &Row, column: &str) -> Option<String> {
    Some(text(row, column))
        .filter(|cell| !cell.is_empty())
        .map(str::to_owned)
}

fn number(row: &Row, column: &str) -> Option<u64> {
    text(row, column).trim_end_matches('B').parse().ok()
}

fn percent(row: &Row, column: &str) -> Option<f64> {
    text(row, column)
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
}

/// `enabled`, or nothing for no; the column is absent before LVM 2.03.12.
fn autoactivation(row: &Row, column: &str) -> Option<bool> {
    row.get(column).map(|cell| cell.trim() == "enabled")
}

fn logical(row: &Row) -> Option<LogicalVolume> {
    let name = text(row, "lv_name")
        .trim_start_matches('[')
        .trim_end_matches(']');
    if name.is_empty() {
        return None;
    }
    let attr = text(row, "lv_attr");
    Some(LogicalVolume {
        vg: text(row, "vg_name").to_owned(),
        vg_uuid: dashless(text(row, "vg_uuid")),
        name: name.to_owned(),
        uuid: dashless(text(row, "lv_uuid")),
        attr: attr.to_owned(),
        size: number(row, "lv_size"),
        pool: filled(row, "pool_lv"),
        origin: filled(row, "origin"),
        data_percent: percent(row, "data_percent"),
        metadata_percent: percent(row, "metadata_percent"),
        active: text(row, "lv_active") == "active" || attr.chars().nth(4) == Some('a'),
        tags: text(row, "lv_tags")
            .split(',')
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect(),
        autoactivation: autoactivation(row, "lv_autoactivation"),
        time: filled(row, "lv_time"),
        segments: Vec::new(),
    })
}

fn physical(row: &Row) -> PhysicalVolume {
    let devno = match (text(row, "pv_major").parse(), text(row, "pv_minor").parse()) {
        (Ok(major), Ok(minor)) => Some(DevNo { major, minor }),
        _ => None,
    };
    PhysicalVolume {
        name: text(row, "pv_name").to_owned(),
        uuid: dashless(text(row, "pv_uuid")),
        vg: text(row, "vg_name").to_owned(),
        vg_uuid: dashless(text(row, "vg_uuid")),
        devno,
        pe_start: number(row, "pe_start"),
        size: number(row, "pv_size"),
    }
}

fn segment(row: &Row) -> Option<LvSegment> {
    Some(LvSegment {
        kind: text(row, "segtype").to_owned(),
        start: number(row, "seg_start")?,
        size: number(row, "seg_size")?,
        ranges: text(row, "seg_pe_ranges")
            .split_whitespace()
            .filter_map(range)
            .collect(),
    })
}

/// `/dev/vdc:0-7`.
fn range(text: &str) -> Option<ExtentRange> {
    let (device, extents) = text.rsplit_once(':')?;
    let (first, last) = extents.split_once('-')?;
    Some(ExtentRange {
        device: device.to_owned(),
        first: first.parse().ok()?,
        last: last.parse().ok()?,
    })
}
