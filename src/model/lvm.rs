//! LVM's metadata of a node, as its reports show it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::device::Device;
pub use crate::model::lvm_facts::{Facts, SegmentOf};
use crate::model::names::{GuestVolume, HiddenVolume};
use crate::model::positions::Positions;
use crate::model::verdict::LvState;
use crate::parse::DevNo;

/// A volume group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeGroup {
    /// Its name.
    pub name: String,
    /// Its UUID, without dashes.
    pub uuid: Arc<str>,
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
    pub vg: Arc<str>,
    /// Its VG's UUID, without dashes.
    pub vg_uuid: Arc<str>,
    /// Its name, without the brackets of a hidden one.
    pub name: String,
    /// Its UUID, without dashes.
    pub uuid: String,
    /// The ten attribute letters of `lvs`.
    pub attr: Arc<str>,
    /// Size in bytes.
    pub size: Option<u64>,
    /// Its thin pool.
    pub pool: Option<Arc<str>>,
    /// What it is a snapshot of.
    pub origin: Option<String>,
    /// Per cent of its data space used.
    pub data_percent: Option<f64>,
    /// Per cent of its metadata space used.
    pub metadata_percent: Option<f64>,
    /// Whether it is active on this node.
    pub active: bool,
    /// Whether it has the tag of a guest, as PVE gives it (`pve-vm-100`); none
    /// where the report has no tags.
    pub tagged: Option<bool>,
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

    fn is(&self, vg_uuid: &str, uuid: &str) -> bool {
        self.uuid == uuid && *self.vg_uuid == *vg_uuid
    }

    fn is_named(&self, vg: &str, name: &str) -> bool {
        self.name == name && *self.vg == *vg
    }
}

/// A segment of a logical volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LvSegment {
    /// `linear`, `striped`, `thin`, `thin-pool`, ….
    pub kind: Arc<str>,
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
    pub device: Arc<str>,
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
    pub vg_uuid: Arc<str>,
    /// The device's number.
    pub devno: Option<DevNo>,
    /// Where its first extent begins, in bytes.
    pub pe_start: Option<u64>,
    /// Size in bytes.
    pub size: Option<u64>,
}

impl PhysicalVolume {
    fn is(&self, vg_uuid: &str, name: &str) -> bool {
        self.name == name && *self.vg_uuid == *vg_uuid
    }
}

/// The reports that the metadata is put together from.
#[derive(Debug, Default)]
pub struct Reports {
    /// `lvs-json`.
    pub lvs: Vec<LogicalVolume>,
    /// Whether `lvs-json` is there and ended without error, so that what it
    /// does not list does not exist.
    pub lvs_complete: bool,
    /// `lvs-segments-json`.
    pub segments: Vec<SegmentOf>,
    /// `vgs-json`.
    pub vgs: Vec<VolumeGroup>,
    /// `pvs-json`.
    pub pvs: Vec<PhysicalVolume>,
}

/// LVM's metadata as a node sees it.
#[derive(Debug, Clone, Default)]
pub struct Lvm {
    /// Whether there is a report of logical volumes at all.
    pub reported: bool,
    /// Whether that report is complete.
    pub complete: bool,
    /// Volume groups by UUID.
    pub vgs: BTreeMap<Arc<str>, VolumeGroup>,
    /// Logical volumes, by VG and name.
    pub lvs: Vec<LogicalVolume>,
    /// Physical volumes.
    pub pvs: Vec<PhysicalVolume>,
    /// By the VG's UUID, then by the volume's.
    by_uuid: Positions,
    /// By the VG's name, then by the volume's.
    by_name: Positions,
    /// Of the physical volumes, by the VG's UUID, then by their names.
    pvs_by_name: Positions,
    vg_uuids: BTreeMap<String, BTreeSet<Arc<str>>>,
    /// Of the volumes of each VG whose metadata was read, by its UUID.
    by_vg: BTreeMap<Arc<str>, Vec<usize>>,
    /// The VGs, by UUID, of which a volume is active, or may be, whose own
    /// UUID is not known: it may be any entry of theirs.
    unsure: BTreeSet<Arc<str>>,
    /// Whether there is such a volume of a VG whose UUID is not known.
    all_unsure: bool,
    /// Whether hidden volumes were listed, as `lvs -a` does.
    lists_hidden: bool,
    /// Whether any volume's autoactivation was listed.
    lists_autoactivation: bool,
}

impl Lvm {
    /// Puts the metadata together.
    pub fn new(reports: Reports) -> Self {
        let mut lvm = Self {
            reported: reports.lvs_complete || !reports.lvs.is_empty(),
            complete: reports.lvs_complete,
            ..Self::default()
        };
        for vg in reports.vgs {
            lvm.by_vg.entry(Arc::clone(&vg.uuid)).or_default();
            let uuids = lvm.vg_uuids.entry(vg.name.clone()).or_default();
            uuids.insert(Arc::clone(&vg.uuid));
            lvm.vgs.insert(Arc::clone(&vg.uuid), vg);
        }
        lvm.pvs = reports.pvs;
        lvm.lvs = reports.lvs;
        lvm.lvs.sort_by(|a, b| match Arc::ptr_eq(&a.vg, &b.vg) {
            true => a.name.cmp(&b.name),
            false => (&a.vg, &a.name).cmp(&(&b.vg, &b.name)),
        });
        lvm.index();
        lvm.index_pvs();
        for SegmentOf {
            vg_uuid,
            lv_uuid,
            segment,
        } in reports.segments
        {
            let lv = lvm.position(&vg_uuid, &lv_uuid);
            if let Some(lv) = lv.and_then(|index| lvm.lvs.get_mut(index)) {
                // Most have one.
                lv.segments
                    .reserve_exact(usize::from(lv.segments.is_empty()));
                lv.segments.push(segment);
            }
        }
        for lv in &mut lvm.lvs {
            lv.segments.sort_by_key(|segment| segment.start);
        }
        lvm
    }

    fn index(&mut self) {
        let lvs = &self.lvs;
        self.by_uuid = Positions::with_capacity(lvs.len());
        self.by_name = Positions::with_capacity(lvs.len());
        for (index, lv) in lvs.iter().enumerate() {
            let of_vg = self.by_vg.entry(Arc::clone(&lv.vg_uuid)).or_default();
            of_vg.push(index);
        }
        // From behind: the last one counts.
        for (index, lv) in lvs.iter().enumerate().rev() {
            let same = |at: usize| lvs.get(at).is_some_and(|of| of.is(&lv.vg_uuid, &lv.uuid));
            if !is_uuid(&lv.uuid) && (lv.active || lv.attr.is_empty()) {
                match is_uuid(&lv.vg_uuid) {
                    true => drop(self.unsure.insert(Arc::clone(&lv.vg_uuid))),
                    false => self.all_unsure = true,
                }
            }
            self.lists_autoactivation |= lv.autoactivation.is_some();
            self.lists_hidden |= HiddenVolume::parse(&lv.name).is_some();
            self.by_uuid.add((&*lv.vg_uuid, &*lv.uuid), index, same);
            let same = |at: usize| lvs.get(at).is_some_and(|of| of.is_named(&lv.vg, &lv.name));
            self.by_name.add((&*lv.vg, &*lv.name), index, same);
        }
    }

    fn index_pvs(&mut self) {
        let pvs = &self.pvs;
        self.pvs_by_name = Positions::with_capacity(pvs.len());
        for (index, pv) in pvs.iter().enumerate() {
            let same = |at: usize| pvs.get(at).is_some_and(|of| of.is(&pv.vg_uuid, &pv.name));
            self.pvs_by_name.add((&*pv.vg_uuid, &*pv.name), index, same);
        }
    }

    fn position(&self, vg_uuid: &str, lv_uuid: &str) -> Option<usize> {
        let is = |at: usize| self.lvs.get(at).is_some_and(|lv| lv.is(vg_uuid, lv_uuid));
        self.by_uuid.get((vg_uuid, lv_uuid), is)
    }

    /// The logical volume with these UUIDs (without dashes).
    pub fn by_uuid(&self, vg: &str, lv: &str) -> Option<&LogicalVolume> {
        self.lvs.get(self.position(vg, lv)?)
    }

    /// The logical volume of this name in the VG of this name.
    pub fn by_name(&self, vg: &str, lv: &str) -> Option<&LogicalVolume> {
        let is = |at: usize| self.lvs.get(at).is_some_and(|of| of.is_named(vg, lv));
        self.lvs.get(self.by_name.get((vg, lv), is)?)
    }

    /// The logical volumes of the VG with this UUID, by name.
    pub fn of_vg(&self, vg_uuid: &str) -> impl Iterator<Item = &LogicalVolume> {
        let found = self.by_vg.get(vg_uuid).into_iter().flatten();
        found.filter_map(|index| self.lvs.get(*index))
    }

    /// Whether this LVM has the column that says of a volume whether it is
    /// activated automatically.
    pub fn lists_autoactivation(&self) -> bool {
        self.lists_autoactivation
    }

    /// The physical volumes of its VG that a volume lies on, as they were
    /// listed.
    pub fn pvs_under(&self, lv: &LogicalVolume) -> impl Iterator<Item = &PhysicalVolume> {
        let vg = &*lv.vg_uuid;
        let ranges = lv.segments.iter().flat_map(|segment| &segment.ranges);
        let under: BTreeSet<usize> = ranges
            .filter_map(|range| {
                let is = |at: usize| self.pvs.get(at).is_some_and(|pv| pv.is(vg, &range.device));
                self.pvs_by_name.get((vg, &*range.device), is)
            })
            .collect();
        under.into_iter().filter_map(|at| self.pvs.get(at))
    }

    /// The logical volume that a device is, by its UUID.
    pub fn of(&self, device: &Device) -> Option<&LogicalVolume> {
        let uuid = device.lvm_uuid.as_ref()?;
        self.by_uuid(&uuid.vg, &uuid.lv)
    }

    /// The first of the attribute letters of the volume that a device is.
    pub fn letter_of(&self, device: &Device) -> Option<char> {
        self.of(device)?.attr.chars().next()
    }

    /// Whether the metadata of the VG with this UUID was read.
    pub fn was_read(&self, vg_uuid: &str) -> bool {
        self.by_vg.contains_key(vg_uuid)
    }

    /// What the metadata says of a device's volume. A report that ended with
    /// an error proves nothing by what it lacks, nor does one without UUIDs,
    /// nor of a hidden volume one that lists none.
    pub fn state_of(&self, device: &Device) -> LvState {
        let Some(uuid) = &device.lvm_uuid else {
            return self.state_by_name(device);
        };
        if self.by_uuid(&uuid.vg, &uuid.lv).is_some() {
            LvState::Backed
        } else if self.complete && self.was_read(&uuid.vg) && self.lists_all(device, &uuid.vg) {
            LvState::Stale
        } else {
            LvState::Unknown
        }
    }

    /// Whether a volume that an entry of this VG is would be listed, and
    /// known by its UUID.
    fn lists_all(&self, device: &Device, vg_uuid: &str) -> bool {
        let is_listed = self.lists_hidden || !device.is_hidden();
        !self.all_unsure && !self.unsure.contains(vg_uuid) && is_listed
    }

    /// What the metadata says of a guest's volume that LVM made and whose
    /// UUID was not recorded. An inactive volume of that name is not what the
    /// entry maps; which one that is can't be told.
    fn state_by_name(&self, device: &Device) -> LvState {
        let volume = device
            .named_by_lvm()
            .filter(|name| name.layer.is_none())
            // Tables for people leave hidden volumes out.
            .filter(|name| {
                GuestVolume::parse(&name.lv).is_some() && HiddenVolume::parse(&name.lv).is_none()
            });
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
        found.map(|uuid| &**uuid).filter(|uuid| is_uuid(uuid))
    }
}

/// Whether a text is a UUID of LVM's without dashes, and none that stands for
/// one that was not printed.
fn is_uuid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_graphic())
}
