//! Which entries the configurations of some guests reference.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use foldhash::quality::RandomState;

use super::owners::{Owners, partitioned_name};
use crate::model::device::{Device, Index};
use crate::model::guest::{Mention, Target};
use crate::model::lvm::LogicalVolume;
use crate::model::names::{LvmName, LvmUuid, partition_parent, whole_volume};
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

/// Whose configurations are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Side {
    /// Those of this node's guests.
    Here,
    /// Those of other nodes' guests.
    Elsewhere,
}

/// A VG by its place in [`References::vgs`]; none where it can't be told.
type Vg = Option<usize>;

/// The references of all guests of the cluster to what a node shows, ready to
/// be asked by volume and by entry.
#[derive(Debug, Default)]
pub struct References<'a> {
    vgs: BTreeMap<Cow<'a, str>, usize>,
    /// By LV, VG and side; among equals as the configurations have them.
    volumes: Vec<(Cow<'a, str>, Vg, Side, Mention<'a>)>,
    /// Entries that a path names, in the order of the configurations.
    paths: Vec<(Side, Index, Mention<'a>)>,
    /// The first path that names an entry, or what lies on it.
    devices: HashMap<(Side, Index), Mention<'a>>,
    /// By guest, the first path that may lead to any device of the node.
    vague: HashMap<u64, Mention<'a>>,
}

impl<'a> References<'a> {
    pub(super) fn of(node: &'a Node) -> Self {
        let mut references = Self::default();
        let known = known_vgs(node);
        let shown = shown_volumes(node);
        let placed = OnceCell::new();
        // A cluster has thousands of references to a handful of storages.
        let mut storages: BTreeMap<&str, Meant> = BTreeMap::new();
        let guests = &node.guests;
        let here = guests.here.iter().map(|guest| (Side::Here, guest));
        let elsewhere = guests.elsewhere.iter();
        let elsewhere = elsewhere.map(|guest| (Side::Elsewhere, &**guest));
        for (side, guest) in here.chain(elsewhere) {
            for reference in &guest.references {
                let mention = Mention { guest, reference };
                match &reference.target {
                    Target::Volume { volume, .. } if !shown.contains(volume.as_str()) => {}
                    Target::Volume { storage, volume } => {
                        let meant = storages.entry(storage).or_insert_with(|| {
                            let resolution = node.storages.resolve(storage, known.iter().copied());
                            Meant::of(resolution, &known)
                        });
                        let placed = || placed.get_or_init(|| placed_volumes(node));
                        let any = meant.may_be_any(side, volume, placed).then_some(None);
                        let is_placed = |vg: &&String| placed().contains(&(vg.as_str(), volume));
                        let named = meant.names.iter().filter(is_placed).map(Some);
                        for vg in named.chain(any) {
                            let vg = vg.map(|name| references.vg(name.clone().into()));
                            let row = (Cow::from(volume), vg, side, mention);
                            references.volumes.push(row);
                        }
                    }
                    Target::Path(path) => {
                        let volume = references.path(node, path, (side, mention));
                        references.add_volume(volume, &shown, (side, mention));
                    }
                }
            }
        }
        references.volumes.sort_by(|(lv, vg, side, _), other| {
            (lv, vg, side).cmp(&(&other.0, &other.1, &other.2))
        });
        references
    }

    fn vg(&mut self, name: Cow<'a, str>) -> usize {
        let next = self.vgs.len();
        *self.vgs.entry(name).or_insert(next)
    }

    /// What names a partition or layer names what it lies on, too.
    pub(super) fn spread(&mut self, owners: &Owners<'_>) {
        for (side, index, mention) in std::mem::take(&mut self.paths) {
            if let Some(root) = owners.root(index) {
                self.devices.entry((side, root)).or_insert(mention);
            }
        }
    }

    /// A path names an entry, and a volume: its VG and LV.
    fn path(
        &mut self,
        node: &'a Node,
        path: &'a str,
        (side, mention): (Side, Mention<'a>),
    ) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        let path = plain(path);
        if let Some(index) = device_at(node, &path) {
            self.paths.push((side, index, mention));
            self.devices.entry((side, index)).or_insert(mention);
        } else if side == Side::Here && is_vague(&path) {
            self.vague.entry(mention.guest.vmid).or_insert(mention);
        }
        match path {
            Cow::Borrowed(path) => volume_at(node, path),
            Cow::Owned(path) => {
                let (vg, lv) = volume_at(node, &path)?;
                Some((vg.into_owned().into(), lv.into_owned().into()))
            }
        }
    }

    /// A volume that a path names, or of a partition's that what it is of, if
    /// the node shows such a name.
    fn add_volume(
        &mut self,
        volume: Option<(Cow<'a, str>, Cow<'a, str>)>,
        shown: &HashSet<&str, RandomState>,
        (side, mention): (Side, Mention<'a>),
    ) {
        let Some((vg, lv)) = volume else {
            return;
        };
        let whole = partitioned_name(&lv).filter(|whole| shown.contains(whole));
        let whole = whole.map(|whole| Cow::from(whole.to_owned()));
        let lv = Some(lv).filter(|lv| shown.contains(&**lv));
        for lv in whole.into_iter().chain(lv) {
            let vg = Some(self.vg(vg.clone()));
            self.volumes.push((lv, vg, side, mention));
        }
    }

    /// All mentions of a volume, those that may mean it included.
    pub fn mentions(&self, vg: &str, lv: &str) -> impl Iterator<Item = Mention<'a>> {
        let named = self.vgs.get(vg).map(|vg| self.rows(lv, Some(*vg)));
        named.into_iter().flatten().chain(self.rows(lv, None))
    }

    /// The mentions of an LV, of this node's guests first.
    fn rows(&self, lv: &str, vg: Vg) -> impl Iterator<Item = Mention<'a>> {
        let rows = self.from(lv, vg, Side::Here).iter();
        rows.take_while(move |(other, on, ..)| &**other == lv && *on == vg)
            .map(|(_, _, _, mention)| *mention)
    }

    /// The mentions from an LV's on a side on.
    fn from(&self, lv: &str, vg: Vg, side: Side) -> &[(Cow<'a, str>, Vg, Side, Mention<'a>)] {
        let first = self
            .volumes
            .partition_point(|(other, on, of, _)| (&**other, *on, *of) < (lv, vg, side));
        self.volumes.get(first..).unwrap_or_default()
    }

    /// A path that a guest is given and that the bundle does not resolve: it may
    /// be any of the guest's volumes.
    pub(super) fn vague(&self, vmid: u64) -> Option<Hit> {
        self.vague.get(&vmid).copied().map(Hit::from)
    }

    /// The reference to an entry by its path, if there is one.
    pub(super) fn path_hit(&self, side: Side, index: Index) -> Option<Hit> {
        self.devices.get(&(side, index)).copied().map(Hit::from)
    }

    /// The reference to an entry, if there is one: by its name, unless that
    /// is another volume's by now, and by the name that the metadata gives its
    /// UUID.
    pub(super) fn hit(
        &self,
        side: Side,
        node: &Node,
        index: Index,
        device: &Device,
    ) -> Option<Hit> {
        if let Some(hit) = self.path_hit(side, index) {
            return Some(hit);
        }
        let by_name = device
            .volume()
            .filter(|_| name_of_another(node, device).is_none());
        let by_uuid = node
            .lvm
            .of(device)
            .map(|lv| (&*lv.vg, lv.name.as_str()))
            .filter(|volume| Some(*volume) != by_name);
        let mention = by_name.into_iter().chain(by_uuid).find_map(|(vg, lv)| {
            let whole = Some(whole_volume(lv)).filter(|whole| *whole != lv);
            [Some(lv), whole].into_iter().flatten().find_map(|lv| {
                let named = self
                    .vgs
                    .get(vg)
                    .and_then(|vg| self.first(side, lv, Some(*vg)));
                named.or_else(|| self.first(side, lv, None))
            })
        });
        mention.map(Hit::from)
    }

    /// The reference to an entry by a guest of this node, else of another.
    pub(super) fn any_hit(&self, node: &Node, index: Index, device: &Device) -> Option<Hit> {
        self.hit(Side::Here, node, index, device)
            .or_else(|| self.hit(Side::Elsewhere, node, index, device))
    }

    fn first(&self, side: Side, lv: &str, vg: Vg) -> Option<Mention<'a>> {
        let (other, on, of, mention) = self.from(lv, vg, side).first()?;
        ((&**other, *on, *of) == (lv, vg, side)).then_some(*mention)
    }
}

/// The volume that has an entry's name while the entry is of another one, by
/// its UUID: that was renamed, on another node, and its old name given out.
pub fn name_of_another<'a>(node: &'a Node, device: &Device) -> Option<&'a LogicalVolume> {
    let own = node.lvm.of(device)?;
    let (vg, lv) = device.volume()?;
    let is_own = (&*own.vg, own.name.as_str()) == (vg, lv);
    node.lvm.by_name(vg, lv).filter(|_| !is_own)
}

/// The VGs that a storage means.
struct Meant {
    names: Vec<String>,
    certain: Certain,
}

/// Whether a storage means no other VG than those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Certain {
    Yes,
    /// `storage.cfg` says so, but the node shows no such VG.
    NotShown,
    /// It is a guess from names.
    Guessed,
    /// Nothing is known: it may mean any.
    No,
}

impl Meant {
    fn of(resolution: Resolution, known: &BTreeSet<&str>) -> Self {
        let (names, certain) = match resolution {
            Resolution::Vg(vg) => {
                let certain = match known.contains(vg.as_str()) {
                    true => Certain::Yes,
                    false => Certain::NotShown,
                };
                (vec![vg], certain)
            }
            Resolution::Guess(vgs) => (vgs, Certain::Guessed),
            Resolution::NotLvm => (Vec::new(), Certain::Yes),
            Resolution::Unresolved => (Vec::new(), Certain::No),
        };
        Self { names, certain }
    }

    /// Whether a volume of that name in any VG counts. A guess must not
    /// exclude the only one there is, nor may a VG that a guest of this node
    /// would have to use and the node does not show.
    fn may_be_any<'a>(
        &self,
        side: Side,
        volume: &str,
        placed: impl FnOnce() -> &'a HashSet<(&'a str, &'a str), RandomState>,
    ) -> bool {
        match self.certain {
            Certain::Yes => false,
            Certain::NotShown => side == Side::Here,
            Certain::No => true,
            Certain::Guessed => {
                let placed = placed();
                let mut names = self.names.iter();
                !names.any(|vg| placed.contains(&(vg.as_str(), volume)))
            }
        }
    }
}

/// The names of all VGs that the node shows, by LVM or by its entries.
fn known_vgs(node: &Node) -> BTreeSet<&str> {
    let by_lvm = node.lvm.vgs.values().map(|vg| vg.name.as_str());
    let of_volumes = node.lvm.lvs.iter().map(|lv| &*lv.vg);
    let of_entries = node.devices.iter().filter_map(|(_, device)| {
        let (vg, lv) = device.volume()?;
        crate::model::names::GuestVolume::parse(lv)?;
        Some(vg)
    });
    by_lvm.chain(of_volumes).chain(of_entries).collect()
}

/// The names of all LVs that the node shows: of most guests on other nodes'
/// local storage it shows none.
fn shown_volumes(node: &Node) -> HashSet<&str, RandomState> {
    let entries = node.devices.iter().filter_map(|(_, device)| {
        let (_, lv) = device.volume()?;
        Some([lv, whole_volume(lv)])
    });
    let volumes = node.lvm.lvs.iter().map(|lv| lv.name.as_str());
    volumes
        .flat_map(|lv| [lv, whole_volume(lv)])
        .chain(entries.flatten())
        .collect()
}

/// All volumes that the node shows, by VG and name.
fn placed_volumes(node: &Node) -> HashSet<(&str, &str), RandomState> {
    let entries = node
        .devices
        .iter()
        .filter_map(|(_, device)| device.volume());
    let volumes = node.lvm.lvs.iter().map(|lv| (&*lv.vg, lv.name.as_str()));
    let both = entries.chain(volumes);
    both.flat_map(|(vg, lv)| [(vg, lv), (vg, whole_volume(lv))])
        .collect()
}

/// A path without empty parts, `.` and `..`.
fn plain(path: &str) -> Cow<'_, str> {
    if !path.contains("//") && !path.contains("/.") {
        return path.into();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/")).into()
}

/// Whether a path may lead to a logical volume, though its name does not say to
/// which: one of what lies on it, or a link outside of `/dev`.
fn is_vague(path: &str) -> bool {
    let Some(name) = path.strip_prefix("/dev/") else {
        let ending = path.rsplit('.').next().unwrap_or_default();
        let is_image = matches!(ending, "raw" | "qcow2" | "vmdk" | "img" | "iso");
        let folders = ["/mnt/pve/", "/var/lib/vz/"];
        return !is_image && !folders.iter().any(|folder| path.starts_with(folder));
    };
    let by = [
        "by-uuid/",
        "by-label/",
        "by-partuuid/",
        "by-partlabel/",
        "by-id/lvm-pv-uuid-",
    ];
    let disk = name.strip_prefix("disk/");
    disk.is_some_and(|disk| by.iter().any(|by| disk.starts_with(by)))
}

/// The entry at a path below `/dev`; of a partition that is not mapped the
/// entry that it would lie on.
fn device_at(node: &Node, path: &str) -> Option<Index> {
    let devices = &node.devices;
    if let Some(number) = path.strip_prefix("/dev/block/") {
        return devices.by_devno(number.parse().ok()?);
    }
    if let Some(name) = path.strip_prefix("/dev/mapper/") {
        return devices.by_name(name);
    }
    if let Some(id) = path.strip_prefix("/dev/disk/by-id/") {
        if let Some(uuid) = id.strip_prefix("dm-uuid-") {
            let parent = || devices.by_uuid(partition_parent(uuid)?);
            return devices.by_uuid(uuid).or_else(parent);
        }
        return devices.by_name(id.strip_prefix("dm-name-")?);
    }
    if let Some(minor) = path.strip_prefix("/dev/dm-") {
        return devices.by_devno(DevNo {
            major: devices.major()?,
            minor: minor.parse().ok()?,
        });
    }
    let (vg, lv) = named_volume(path)?;
    devices.by_name(&LvmName::join(&vg, &lv))
}

/// VG and LV of a path below `/dev`.
fn volume_at<'a>(node: &'a Node, path: &'a str) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    if let Some(uuid) = path.strip_prefix("/dev/disk/by-id/dm-uuid-") {
        let uuid = LvmUuid::parse(partition_parent(uuid).unwrap_or(uuid))?;
        let lv = node.lvm.by_uuid(&uuid.vg, &uuid.lv)?;
        return Some((Cow::from(&*lv.vg), Cow::from(&lv.name)));
    }
    named_volume(path)
}

/// VG and LV of `/dev/VG/LV`, `/dev/mapper/VG-LV` and
/// `/dev/disk/by-id/dm-name-VG-LV`.
fn named_volume(path: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let rest = path.strip_prefix("/dev/")?;
    let mapped = rest.strip_prefix("disk/by-id/dm-name-");
    if let Some(name) = mapped.or_else(|| rest.strip_prefix("mapper/")) {
        return LvmName::split(name).map(|name| (name.vg.into(), name.lv.into()));
    }
    let (vg, lv) = rest.split_once('/')?;
    (vg != "disk" && !lv.is_empty() && !lv.contains('/')).then(|| (vg.into(), lv.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_parts_belong_to_their_volume() {
        assert_eq!(whole_volume("vm-1-disk-0_rimage_0"), "vm-1-disk-0");
        assert_eq!(whole_volume("vm-1-disk-0_corig"), "vm-1-disk-0");
        assert_eq!(whole_volume("vm-1-disk-0_00000"), "vm-1-disk-0");
        assert_eq!(whole_volume("vm-1-disk-0"), "vm-1-disk-0");
        assert_eq!(whole_volume("snap_vm-1-disk-0_1"), "snap_vm-1-disk-0_1");
    }

    #[test]
    fn paths_are_made_plain() {
        for (path, expected) in [
            ("/dev/pve/vm-1-disk-0", "/dev/pve/vm-1-disk-0"),
            ("/dev//pve//vm-1-disk-0", "/dev/pve/vm-1-disk-0"),
            ("/dev/mapper/../dm-3", "/dev/dm-3"),
            ("/dev/./pve/.hidden", "/dev/pve/.hidden"),
            ("/dev/../../x", "/x"),
        ] {
            assert_eq!(plain(path), expected, "{path}");
        }
    }

    #[test]
    fn paths_name_volumes() {
        let volume = |vg: &'static str, lv: &'static str| Some((vg.into(), lv.into()));
        for path in [
            "/dev/ssd-ha01/vm-5-disk-0",
            "/dev/mapper/ssd--ha01-vm--5--disk--0",
            "/dev/disk/by-id/dm-name-ssd--ha01-vm--5--disk--0",
        ] {
            assert_eq!(
                named_volume(path),
                volume("ssd-ha01", "vm-5-disk-0"),
                "{path}"
            );
        }
        assert_eq!(named_volume("/dev/disk/by-id/x"), None);
        assert_eq!(named_volume("/dev/sda"), None);
    }
}
