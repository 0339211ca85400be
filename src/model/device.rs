//! A node's device-mapper devices, and what lies above and below each.

use std::collections::HashMap;

use crate::model::names::{HiddenVolume, LvmName, LvmUuid, partition_parent};
use crate::model::positions::Positions;
use crate::parse::DevNo;
use crate::parse::dmsetup_info::DmInfo;
use crate::parse::dmsetup_table::{Segment, Target};

/// One device-mapper device of a node: an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its name, as printed.
    pub name: String,
    /// Its UUID.
    pub uuid: Option<String>,
    /// Its number.
    pub devno: Option<DevNo>,
    /// Open count; none when it was not recorded.
    pub open: Option<u32>,
    /// Whether LVM said that it is open.
    pub flagged_open: Option<bool>,
    /// Whether LVM made it, where no UUID was recorded that tells.
    pub by_lvm: Option<bool>,
    /// Whether it is suspended.
    pub suspended: bool,
    /// Whether it is read-only.
    pub read_only: bool,
    /// Whether it has a live table, if recorded.
    pub live_table: Option<bool>,
    /// Its table; empty when it was not recorded.
    pub segments: Vec<Segment>,
    /// The devices below, without repetition.
    pub below: Vec<DevNo>,
    /// The name taken apart by LVM's rule.
    pub lvm_name: Option<LvmName>,
    /// The UUID taken apart, where it is LVM's.
    pub lvm_uuid: Option<LvmUuid>,
    /// Where the device's open count was recorded: command id and line.
    pub origin: (&'static str, usize),
}

impl Device {
    /// Size in bytes, from its table.
    pub fn size(&self) -> Option<u64> {
        let end = self
            .segments
            .iter()
            .map(|segment| segment.start.saturating_add(segment.length))
            .max()?;
        end.checked_mul(512)
    }

    /// Whether something uses it. What was not recorded counts as use, and so
    /// does what only one of dmsetup and LVM said.
    pub fn in_use(&self) -> bool {
        match self.open {
            Some(open) => open > 0 || self.flagged_open == Some(true),
            None => self.flagged_open != Some(false),
        }
    }

    /// Its VG, LV and layer by name, where its UUID was not recorded but
    /// that LVM made it was.
    pub fn named_by_lvm(&self) -> Option<&LvmName> {
        let known = self.uuid.is_none() && self.by_lvm == Some(true);
        self.lvm_name.as_ref().filter(|_| known)
    }

    /// The VG and LV that its name says it maps.
    pub fn volume(&self) -> Option<(&str, &str)> {
        let name = self.lvm_name.as_ref()?;
        Some((&name.vg, &name.lv))
    }

    /// Whether its name says that it maps a volume that LVM hides.
    pub fn is_hidden(&self) -> bool {
        let volume = self.volume();
        volume.is_some_and(|(_, lv)| HiddenVolume::parse(lv).is_some())
    }
}

/// Position of a device in its node's list.
pub type Index = usize;

/// All device-mapper devices of a node.
#[derive(Debug, Clone, Default)]
pub struct Devices {
    list: Vec<Device>,
    by_devno: HashMap<DevNo, Index, foldhash::fast::RandomState>,
    by_name: Positions,
    by_uuid: Positions,
    above: HashMap<DevNo, Vec<Index>, foldhash::fast::RandomState>,
}

impl Devices {
    /// Puts devices together from `dmsetup info`'s facts (each with the command
    /// that listed it), their tables, and `dmsetup deps` for what the tables don't
    /// say. A name that is listed twice keeps its first facts.
    pub fn new(
        infos: Vec<(&'static str, DmInfo<'_>)>,
        tables: Vec<(&str, Segment)>,
        deps: Vec<(&str, Vec<DevNo>)>,
    ) -> Self {
        let mut devices = Self {
            list: Vec::with_capacity(infos.len()),
            by_name: Positions::with_capacity(infos.len()),
            by_uuid: Positions::with_capacity(infos.len()),
            ..Self::default()
        };
        for (origin, info) in infos {
            devices.push(origin, &info);
        }
        for (name, segment) in tables {
            if let Some(device) = devices.named(name) {
                // Most have one.
                let first = device.segments.is_empty();
                device.segments.reserve_exact(usize::from(first));
                device.segments.push(segment);
            }
        }
        for (name, below) in deps {
            if let Some(device) = devices.named(name) {
                device.below = below;
            }
        }
        // A partition whose table was not collected lies on its parent.
        let parents: Vec<Option<DevNo>> = devices
            .list
            .iter()
            .map(|device| {
                let parent = partition_parent(device.uuid.as_deref()?)?;
                devices.get(devices.by_uuid(parent)?)?.devno
            })
            .collect();
        for (index, (device, parent)) in devices.list.iter_mut().zip(parents).enumerate() {
            if device.segments.is_empty() && device.below.is_empty() {
                device.below.extend(parent);
            }
            let targets = device.segments.iter().map(|segment| &segment.target);
            device.below.extend(targets.flat_map(Target::devices));
            device.below.sort_unstable();
            device.below.dedup();
            for below in &device.below {
                devices.above.entry(*below).or_default().push(index);
            }
        }
        devices
    }

    /// Adds a device without table, unless there is one of its name.
    fn push(&mut self, origin: &'static str, info: &DmInfo<'_>) {
        let (list, index) = (&self.list, self.list.len());
        let named = |at: Index| list.get(at).is_some_and(|device| device.name == info.name);
        if self.by_name.add(info.name, index, named) != index {
            return;
        }
        if let Some(devno) = info.devno {
            self.by_devno.entry(devno).or_insert(index);
        }
        if let Some(uuid) = info.uuid {
            let has_uuid = |at: Index| {
                list.get(at)
                    .is_some_and(|of| of.uuid.as_deref() == info.uuid)
            };
            self.by_uuid.add(uuid, index, has_uuid);
        }
        self.list.push(Device {
            lvm_name: LvmName::split(info.name),
            lvm_uuid: info.uuid.and_then(LvmUuid::parse),
            name: info.name.to_owned(),
            uuid: info.uuid.map(str::to_owned),
            devno: info.devno,
            open: info.open,
            flagged_open: None,
            by_lvm: info.by_lvm,
            suspended: info.suspended,
            read_only: info.read_only,
            live_table: info.live_table,
            segments: Vec::new(),
            below: Vec::new(),
            origin: (origin, info.line),
        });
    }

    fn named(&mut self, name: &str) -> Option<&mut Device> {
        let index = self.by_name(name)?;
        self.list.get_mut(index)
    }

    /// Notes which devices LVM says are open.
    pub fn flag_open(&mut self, flag: impl Fn(&Device) -> Option<bool>) {
        for device in &mut self.list {
            device.flagged_open = flag(device);
        }
    }

    /// The devices, in the order they were listed.
    pub fn iter(&self) -> impl Iterator<Item = (Index, &Device)> {
        self.list.iter().enumerate()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The device at a position.
    pub fn get(&self, index: Index) -> Option<&Device> {
        self.list.get(index)
    }

    /// The position of the device with this number.
    pub fn by_devno(&self, devno: DevNo) -> Option<Index> {
        self.by_devno.get(&devno).copied()
    }

    /// The position of the device with this name.
    pub fn by_name(&self, name: &str) -> Option<Index> {
        let named = |at: Index| self.list.get(at).is_some_and(|device| device.name == name);
        self.by_name.get(name, named)
    }

    /// The position of the device with this UUID.
    pub fn by_uuid(&self, uuid: &str) -> Option<Index> {
        let list = &self.list;
        let has_uuid = |at: Index| {
            list.get(at)
                .is_some_and(|of| of.uuid.as_deref() == Some(uuid))
        };
        self.by_uuid.get(uuid, has_uuid)
    }

    /// Device-mapper's major number on this node, from its devices.
    pub fn major(&self) -> Option<u32> {
        self.list
            .iter()
            .find_map(|device| device.devno)
            .map(|devno| devno.major)
    }

    /// The devices that lie directly above one, as tables and dependencies
    /// say.
    pub fn above(&self, index: Index) -> &[Index] {
        self.get(index)
            .and_then(|device| self.above.get(&device.devno?))
            .map_or(&[], Vec::as_slice)
    }

    /// The devices that lie directly below one, as far as they are
    /// device-mapper's.
    pub fn below(&self, index: Index) -> impl Iterator<Item = Index> {
        self.get(index)
            .into_iter()
            .flat_map(|device| &device.below)
            .filter_map(|devno| self.by_devno(*devno))
            .filter(move |below| *below != index)
    }
}
