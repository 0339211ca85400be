//! Which entries the configurations of some guests reference.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use foldhash::quality::RandomState;

use super::given::Given;
use super::owners::{Owners, partitioned_name};
use super::paths::{device_at, is_vague, iscsi_link, plain, volume_at};
use crate::model::device::{Device, Index};
use crate::model::guest::{Mention, Target};
use crate::model::lvm::LogicalVolume;
use crate::model::names::{GuestVolume, meant_by};
use crate::model::node::Node;
use crate::model::storage::Resolution;

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

/// Volumes by VG and name.
type Placed<'a> = HashSet<(Cow<'a, str>, Cow<'a, str>), RandomState>;

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
    /// Disks that this node's guests are given, and that are no entries.
    given: Given<'a>,
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
                    Target::Volume { storage, volume } if !shown.contains(volume.as_str()) => {
                        references.lun(node, storage, volume, (side, mention));
                    }
                    Target::Volume { storage, volume } => {
                        let meant = storages.entry(storage).or_insert_with(|| {
                            let resolution = node.storages.resolve(storage, known.iter().copied());
                            Meant::of(resolution, &known)
                        });
                        let placed = || placed.get_or_init(|| placed_volumes(node));
                        let any = meant.may_be_any(side, volume, placed).then_some(None);
                        let is_placed = |vg: &&String| {
                            placed().contains(&(vg.as_str().into(), volume.as_str().into()))
                        };
                        let named = meant.names.iter().filter(is_placed).map(Some);
                        for vg in named.chain(any) {
                            let vg = vg.map(|name| references.vg(name.clone().into()));
                            let row = (Cow::from(volume), vg, side, mention);
                            references.volumes.push(row);
                        }
                    }
                    Target::Path(path) => {
                        let volume = references.path((node, &known), path, (side, mention));
                        references.add_volume(volume, &shown, (side, mention));
                    }
                }
            }
        }
        references.given.look_at(node);
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

    /// A LUN of an `iscsi` storage is a disk's link.
    fn lun(
        &mut self,
        node: &'a Node,
        storage: &str,
        volume: &str,
        (side, mention): (Side, Mention<'a>),
    ) {
        let link = iscsi_link(volume).filter(|_| {
            let storage = node.storages.get(storage);
            storage.is_some_and(|storage| storage.kind == "iscsi")
        });
        let Some(link) = link else {
            return;
        };
        self.device(node, &link, (side, mention));
    }

    /// Whether a path without `.` and `..` leads to an entry, which it names then;
    /// else it may be a disk of its own.
    fn device(&mut self, node: &Node, path: &str, (side, mention): (Side, Mention<'a>)) -> bool {
        let found = device_at(node, path);
        if let Some(index) = found {
            self.paths.push((side, index, mention));
            self.devices.entry((side, index)).or_insert(mention);
        } else if side == Side::Here {
            self.given.add(path, mention);
        }
        found.is_some()
    }

    /// A path names an entry, and a volume: its VG and LV.
    fn path(
        &mut self,
        (node, known): (&'a Node, &BTreeSet<&str>),
        path: &'a str,
        (side, mention): (Side, Mention<'a>),
    ) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        let path = plain(path);
        let is_entry = self.device(node, &path, (side, mention));
        if !is_entry && side == Side::Here {
            let has_vg = |vg: &str| known.contains(vg);
            if is_vague(&path, mention.reference.is_disk(), has_vg) {
                self.vague.entry(mention.guest.vmid).or_insert(mention);
            }
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
        shown: &HashSet<Cow<'a, str>, RandomState>,
        (side, mention): (Side, Mention<'a>),
    ) {
        let Some((vg, lv)) = volume else {
            return;
        };
        let whole = partitioned_name(&lv).filter(|whole| shown.contains(*whole));
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
    pub fn vague(&self, vmid: u64) -> Option<Hit> {
        self.vague.get(&vmid).copied().map(Hit::from)
    }

    /// A disk that a guest of this node is given, on which an entry may lie
    /// whose VG no storage names: it is a volume of that guest's own then.
    pub(super) fn given(&self, node: &Node, device: &Device) -> Option<Hit> {
        self.given.below(node, device).map(Hit::from)
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
            meant_by(lv).find_map(|lv| {
                let named = self
                    .vgs
                    .get(vg)
                    .and_then(|vg| self.first(side, &lv, Some(*vg)));
                named.or_else(|| self.first(side, &lv, None))
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
        placed: impl FnOnce() -> &'a Placed<'a>,
    ) -> bool {
        match self.certain {
            Certain::Yes => false,
            Certain::NotShown => side == Side::Here,
            Certain::No => true,
            Certain::Guessed => {
                let placed = placed();
                let mut names = self.names.iter();
                !names.any(|vg| placed.contains(&(vg.as_str().into(), volume.into())))
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
        GuestVolume::parse(lv)?;
        Some(vg)
    });
    by_lvm.chain(of_volumes).chain(of_entries).collect()
}

/// The names by which configurations may mean the LVs that the node shows: of
/// most guests on other nodes' local storage it shows none.
fn shown_volumes(node: &Node) -> HashSet<Cow<'_, str>, RandomState> {
    shown(node).flat_map(|(_, lv)| meant_by(lv)).collect()
}

/// All volumes that the node shows, by VG and such a name.
fn placed_volumes(node: &Node) -> Placed<'_> {
    let meant = |(vg, lv)| meant_by(lv).map(move |lv| (Cow::from(vg), lv));
    shown(node).flat_map(meant).collect()
}

/// VG and LV of all volumes that the node shows, by its entries or by LVM.
fn shown(node: &Node) -> impl Iterator<Item = (&str, &str)> {
    let entries = node.devices.iter();
    let entries = entries.filter_map(|(_, device)| device.volume());
    let volumes = node.lvm.lvs.iter().map(|lv| (&*lv.vg, lv.name.as_str()));
    entries.chain(volumes)
}
