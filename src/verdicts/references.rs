//! Which entries the configurations of some guests reference.

use std::borrow::Cow;
use std::collections::HashMap;

use super::owners::Owners;
use crate::model::device::{Device, Index};
use crate::model::guest::{Guest, Mention, Target};
use crate::model::names::LvmName;
use crate::model::node::Node;
use crate::model::storage::Resolution;
use crate::parse::DevNo;

/// A reference to an entry's volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The guest that references it.
    pub vmid: u64,
    /// That guest's node.
    pub node: String,
    /// The volume id or path, as written.
    pub target: String,
    /// The key and section: `scsi0`, `scsi0 in [before]`.
    pub place: String,
    /// The configuration and its line.
    pub origin: String,
}

/// Few mentions become a hit.
impl From<Mention<'_>> for Hit {
    fn from(Mention { guest, reference }: Mention<'_>) -> Self {
        Self {
            vmid: guest.vmid,
            node: guest.node.clone(),
            target: reference.target.to_string(),
            place: reference.place.clone(),
            origin: format!("{} line {}", guest.path, reference.line),
        }
    }
}

/// The references of a set of guests, ready to be asked by entry.
#[derive(Debug, Default)]
pub struct References<'a> {
    /// By VG, then by LV.
    volumes: HashMap<String, HashMap<Cow<'a, str>, Mention<'a>>>,
    /// By LV, where the VG can't be told.
    anywhere: HashMap<&'a str, Mention<'a>>,
    /// By entry: absolute paths.
    devices: HashMap<Index, Mention<'a>>,
}

impl<'a> References<'a> {
    pub(super) fn of(node: &Node, guests: &'a [Guest], owners: &Owners) -> Self {
        let vgs: Vec<String> = known_vgs(node);
        let mut references = Self::default();
        for guest in guests {
            for reference in &guest.references {
                let mention = Mention { guest, reference };
                match &reference.target {
                    Target::Volume { storage, volume } => {
                        let resolution = node
                            .storages
                            .resolve(storage, vgs.iter().map(String::as_str));
                        references.resolved(resolution, volume, mention);
                    }
                    Target::Path(path) => references.path(node, owners, path, mention),
                }
            }
        }
        references
    }

    fn resolved(&mut self, resolution: Resolution, lv: &'a str, mention: Mention<'a>) {
        match resolution {
            Resolution::Vg(vg) => self.volume(vg, lv.into(), mention),
            Resolution::Any(vgs) => {
                for vg in vgs {
                    self.volume(vg, lv.into(), mention);
                }
            }
            Resolution::NotLvm => {}
            Resolution::Unresolved => {
                self.anywhere.entry(lv).or_insert(mention);
            }
        }
    }

    fn volume(&mut self, vg: String, lv: Cow<'a, str>, mention: Mention<'a>) {
        let volumes = self.volumes.entry(vg).or_default();
        volumes.entry(lv).or_insert(mention);
    }

    /// A path names an entry, or a partition of one.
    fn path(&mut self, node: &Node, owners: &Owners, path: &str, mention: Mention<'a>) {
        if let Some(index) = device_at(node, path) {
            let root = owners.root(index).unwrap_or(index);
            self.devices.entry(index).or_insert(mention);
            self.devices.entry(root).or_insert(mention);
        }
        if let Some((vg, lv)) = volume_at(path) {
            self.volume(vg, lv.into(), mention);
        }
    }

    /// The reference to an entry by its path, if there is one.
    pub fn path_hit(&self, index: Index) -> Option<Hit> {
        self.devices.get(&index).copied().map(Hit::from)
    }

    /// The reference to an entry, if there is one: by its name and, since
    /// facts win, by the name that the metadata gives its UUID.
    pub fn hit(&self, node: &Node, index: Index, device: &Device) -> Option<Hit> {
        if let Some(hit) = self.path_hit(index) {
            return Some(hit);
        }
        let by_name = device.volume();
        let by_uuid = node.lvm.of(device).map(|lv| (&*lv.vg, lv.name.as_str()));
        let mention = by_name.into_iter().chain(by_uuid).find_map(|(vg, lv)| {
            let volumes = self.volumes.get(vg);
            [lv, whole_volume(lv)].into_iter().find_map(|lv| {
                volumes
                    .and_then(|volumes| volumes.get(lv))
                    .or_else(|| self.anywhere.get(lv))
            })
        });
        mention.copied().map(Hit::from)
    }
}

/// The names of all VGs that the node shows, by LVM or by its entries.
fn known_vgs(node: &Node) -> Vec<String> {
    let mut vgs: Vec<String> = node
        .lvm
        .vgs
        .values()
        .map(|vg| vg.name.clone())
        .chain(node.lvm.lvs.iter().map(|lv| lv.vg.to_string()))
        .chain(node.devices.iter().filter_map(|(_, device)| {
            let (vg, lv) = device.volume()?;
            crate::model::names::GuestVolume::parse(lv)?;
            Some(vg.to_owned())
        }))
        .collect();
    vgs.sort_unstable();
    vgs.dedup();
    vgs
}

/// The entry at a path below `/dev`.
fn device_at(node: &Node, path: &str) -> Option<Index> {
    let devices = &node.devices;
    if let Some(name) = path.strip_prefix("/dev/mapper/") {
        return devices.by_name(name);
    }
    if let Some(id) = path.strip_prefix("/dev/disk/by-id/") {
        if let Some(uuid) = id.strip_prefix("dm-uuid-") {
            return devices.by_uuid(uuid);
        }
        return devices.by_name(id.strip_prefix("dm-name-")?);
    }
    if let Some(minor) = path.strip_prefix("/dev/dm-") {
        return devices.by_devno(DevNo {
            major: devices.major()?,
            minor: minor.parse().ok()?,
        });
    }
    let (vg, lv) = volume_at(path)?;
    devices.by_name(&LvmName::join(&vg, &lv))
}

/// VG and LV of `/dev/VG/LV` and `/dev/mapper/VG-LV`.
fn volume_at(path: &str) -> Option<(String, String)> {
    let rest = path.strip_prefix("/dev/")?;
    match rest.split_once('/')? {
        ("mapper", name) => LvmName::split(name).map(|name| (name.vg, name.lv)),
        ("disk", _) => None,
        (vg, lv) => (!lv.is_empty() && !lv.contains('/')).then(|| (vg.to_owned(), lv.to_owned())),
    }
}

/// The volume that a hidden LV is a part of: `vm-1-disk-0_rimage_0` is one of
/// `vm-1-disk-0`.
fn whole_volume(lv: &str) -> &str {
    const PARTS: [&str; 13] = [
        "_rimage", "_rmeta", "_mimage", "_mlog", "_tdata", "_tmeta", "_cdata", "_cmeta", "_corig",
        "_wcorig", "_iorig", "_imeta", "_vdata",
    ];
    let stem = lv
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .trim_end_matches('_');
    PARTS
        .iter()
        .find_map(|part| lv.strip_suffix(part).or_else(|| stem.strip_suffix(part)))
        .unwrap_or(lv)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_parts_belong_to_their_volume() {
        assert_eq!(whole_volume("vm-1-disk-0_rimage_0"), "vm-1-disk-0");
        assert_eq!(whole_volume("vm-1-disk-0_rmeta_12"), "vm-1-disk-0");
        assert_eq!(whole_volume("vm-1-disk-0_corig"), "vm-1-disk-0");
        assert_eq!(whole_volume("vm-1-disk-0"), "vm-1-disk-0");
        assert_eq!(whole_volume("snap_vm-1-disk-0_1"), "snap_vm-1-disk-0_1");
    }

    #[test]
    fn paths_name_volumes() {
        let volume = |vg: &str, lv: &str| Some((vg.to_owned(), lv.to_owned()));
        assert_eq!(
            volume_at("/dev/ssd-ha01/vm-5-disk-0"),
            volume("ssd-ha01", "vm-5-disk-0")
        );
        assert_eq!(
            volume_at("/dev/mapper/ssd--ha01-vm--5--disk--0"),
            volume("ssd-ha01", "vm-5-disk-0")
        );
        assert_eq!(volume_at("/dev/disk/by-id/x"), None);
        assert_eq!(volume_at("/dev/sda"), None);
    }
}
