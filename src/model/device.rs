//! A node's device-mapper devices, and what lies above and below each.

use std::collections::{BTreeMap, HashMap};

use crate::model::names::{LvmName, LvmUuid};
use crate::parse::DevNo;
use crate::parse::dmsetup_info::DmInfo;
use crate::parse::dmsetup_table::Segment;

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
    /// Whether LVM said that it is open, where no count was recorded.
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

    /// Whether something uses it. What was not recorded counts as use.
    pub fn in_use(&self) -> bool {
        match self.open {
            Some(open) => open > 0,
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
}

/// Position of a device in its node's list.
pub type Index = usize;

/// All device-mapper devices of a node.
#[derive(Debug, Clone, Default)]
pub struct Devices {
    list: Vec<Device>,
    by_devno: HashMap<DevNo, Index>,
    by_name: HashMap<String, Index>,
    by_uuid: HashMap<String, Index>,
    above: BTreeMap<DevNo, Vec<Index>>,
}

impl Devices {
    /// Puts devices together from `dmsetup info`'s facts (from the command
    /// `origin`), their tables, and `dmsetup deps` for what the tables don't
    /// say. A name that is listed twice keeps its first facts.
    pub fn new(
        origin: &'static str,
        infos: Vec<DmInfo>,
        tables: Vec<(String, Segment)>,
        deps: Vec<(String, Vec<DevNo>)>,
    ) -> Self {
        let mut segments: HashMap<String, Vec<Segment>> = HashMap::new();
        for (name, segment) in tables {
            segments.entry(name).or_default().push(segment);
        }
        let mut deps: HashMap<String, Vec<DevNo>> = deps.into_iter().collect();
        let mut devices = Self::default();
        for info in infos {
            if devices.by_name.contains_key(&info.name) {
                continue;
            }
            let segments = segments.remove(&info.name).unwrap_or_default();
            let mut below: Vec<DevNo> = segments
                .iter()
                .flat_map(|segment| segment.target.devices())
                .chain(deps.remove(&info.name).unwrap_or_default())
                .collect();
            below.sort_unstable();
            below.dedup();
            devices.push(Device {
                lvm_name: LvmName::split(&info.name),
                lvm_uuid: info.uuid.as_deref().and_then(LvmUuid::parse),
                name: info.name,
                uuid: info.uuid,
                devno: info.devno,
                open: info.open,
                flagged_open: None,
                by_lvm: info.by_lvm,
                suspended: info.suspended,
                read_only: info.read_only,
                live_table: info.live_table,
                segments,
                below,
                origin: (origin, info.line),
            });
        }
        devices
    }

    fn push(&mut self, device: Device) {
        let index = self.list.len();
        if let Some(devno) = device.devno {
            self.by_devno.entry(devno).or_insert(index);
        }
        if let Some(uuid) = &device.uuid {
            self.by_uuid.entry(uuid.clone()).or_insert(index);
        }
        for below in &device.below {
            self.above.entry(*below).or_default().push(index);
        }
        self.by_name.insert(device.name.clone(), index);
        self.list.push(device);
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
        self.by_name.get(name).copied()
    }

    /// The position of the device with this UUID.
    pub fn by_uuid(&self, uuid: &str) -> Option<Index> {
        self.by_uuid.get(uuid).copied()
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
