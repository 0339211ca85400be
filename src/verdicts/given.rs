//! Disks that guests are given as a whole, and that are no entries of
//! device-mapper: LVM on the host sees the VGs on them, too.

use std::collections::HashMap;

use super::paths::is_link_to_a_disk;
use crate::model::device::Device;
use crate::model::guest::Mention;
use crate::model::node::Node;

/// The disks that this node's guests are given.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    /// The first of all.
    first: Option<Mention<'a>>,
    /// The first that is given by a link: to which disk that leads is not
    /// recorded.
    link: Option<Mention<'a>>,
    /// By path.
    by_path: HashMap<String, Mention<'a>>,
    /// By a VG's UUID, and by its name: a disk on which it may lie, if it can.
    vgs: [HashMap<&'a str, Option<Mention<'a>>>; 2],
}

impl<'a> Given<'a> {
    /// Adds what a guest is given by a path without `.` and `..`, if it is a
    /// disk.
    pub(super) fn add(&mut self, path: &str, mention: Mention<'a>) {
        let disks = ["/dev/sd", "/dev/nvme", "/dev/vd", "/dev/xvd"];
        if is_link_to_a_disk(path) {
            self.link.get_or_insert(mention);
        } else if disks.iter().any(|disk| path.starts_with(disk)) {
            self.by_path.entry(path.to_owned()).or_insert(mention);
        } else {
            return;
        }
        self.first.get_or_insert(mention);
    }

    /// Looks for the VGs on them, once all are added.
    pub(super) fn look_at(&mut self, node: &'a Node) {
        if self.first.is_none() {
            return;
        }
        for pv in &node.lvm.pvs {
            let is_entry = pv.devno.and_then(|number| node.devices.by_devno(number));
            let mention = match is_entry {
                Some(_) => None,
                None => self.at(&pv.name).or(self.link),
            };
            let keys = [&*pv.vg_uuid, pv.vg.as_str()];
            for (vgs, key) in self.vgs.iter_mut().zip(keys) {
                let known = vgs.entry(key).or_insert(mention);
                *known = known.or(mention);
            }
        }
    }

    /// The disk on which an entry's VG may lie, if no storage is on that VG.
    /// Where its physical volumes are not known, it may lie on any.
    pub(super) fn below(&self, node: &Node, device: &Device) -> Option<Mention<'a>> {
        let first = self.first?;
        let (vg, _) = device.volume()?;
        if !node.storages.known() || node.storages.on_vg(vg).is_some() {
            return None;
        }
        let [by_uuid, by_name] = &self.vgs;
        let known = match &device.lvm_uuid {
            Some(uuid) => by_uuid.get(uuid.vg.as_str()),
            None => by_name.get(vg),
        };
        known.copied().unwrap_or(Some(first))
    }

    /// What is given as this disk, or as the disk that this is a partition of.
    fn at(&self, name: &str) -> Option<Mention<'a>> {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let parts = [Some(name), Some(stem), stem.strip_suffix('p')];
        let mut parts = parts.into_iter().flatten();
        parts.find_map(|name| self.by_path.get(name).copied())
    }
}
