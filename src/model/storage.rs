//! The cluster's storages, and which volume group a storage id means.

use std::collections::HashMap;

use crate::parse::storage_cfg::StorageSection;

/// A storage of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Its id.
    pub id: String,
    /// `lvm`, `lvmthin`, `dir`, ….
    pub kind: String,
    /// Its volume group, for `lvm` and `lvmthin`.
    pub vg: Option<String>,
    /// Its thin pool, for `lvmthin`.
    pub thinpool: Option<String>,
    /// Whether all nodes see the same.
    pub shared: bool,
    /// The nodes it is limited to; empty for all.
    pub nodes: Vec<String>,
    /// What that says of the node whose storages these are.
    pub reach: Reach,
    /// Whether it is switched off.
    pub disabled: bool,
    /// Whether only LVs with the tag of a guest are its volumes: its VG is
    /// shared with others. PVE knows this of `lvm` alone.
    pub tagged_only: bool,
}

/// Whether a node may use a storage, by the storage's list of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It has no list: every node may.
    Everywhere,
    /// The node is in the list.
    Named,
    /// Only others are.
    Elsewhere,
}

impl Reach {
    fn of(nodes: &[String], node: &str) -> Self {
        match nodes {
            [] => Self::Everywhere,
            nodes if nodes.iter().any(|named| named == node) => Self::Named,
            _ => Self::Elsewhere,
        }
    }

    /// Whether the node may use it.
    pub fn is_here(self) -> bool {
        self != Self::Elsewhere
    }
}

impl Storage {
    fn rank(&self) -> Rank {
        (!self.reach.is_here(), self.disabled)
    }

    /// A section of `storage.cfg`, as the node of this name sees it.
    pub fn new(section: StorageSection, node: &str) -> Self {
        let owned = |key: &str| section.get(key).map(str::to_owned);
        let nodes: Vec<String> = section
            .get("nodes")
            .unwrap_or_default()
            .split([',', ' '])
            .filter(|node| !node.is_empty())
            .map(str::to_owned)
            .collect();
        Self {
            vg: owned("vgname"),
            thinpool: owned("thinpool"),
            shared: section.flag("shared") || always_shared(&section.kind),
            reach: Reach::of(&nodes, node),
            nodes,
            disabled: section.flag("disable"),
            tagged_only: section.kind == "lvm" && section.flag("tagged_only"),
            id: section.id,
            kind: section.kind,
        }
    }
}

/// PVE's own storage types that are not on logical volumes. Of a type from
/// elsewhere that can't be told.
fn is_never_lvm(kind: &str) -> bool {
    matches!(
        kind,
        "dir"
            | "btrfs"
            | "zfspool"
            | "nfs"
            | "cifs"
            | "cephfs"
            | "rbd"
            | "glusterfs"
            | "iscsi"
            | "iscsidirect"
            | "pbs"
            | "zfs"
            | "esxi"
    )
}

/// Storage types that are on a network by their nature.
fn always_shared(kind: &str) -> bool {
    matches!(
        kind,
        "nfs" | "cifs" | "cephfs" | "rbd" | "glusterfs" | "iscsi" | "iscsidirect" | "pbs" | "zfs"
    )
}

/// Among more VGs than this no storage's is guessed.
const MOST_KNOWN: usize = 100;

/// A guess that leaves more VGs than this is none.
const MOST_GUESSED: usize = 4;

/// Which volume groups a storage id may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// This one.
    Vg(String),
    /// One of these, by a guess from names: not where it has no such volume.
    Guess(Vec<String>),
    /// None: the storage is not on LVM.
    NotLvm,
    /// It can't be told: a volume of that name in any VG counts.
    Unresolved,
}

/// The storages of a node, or that `storage.cfg` is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storages {
    configured: Option<Vec<Storage>>,
    /// The last of each id, as PVE reads the file.
    by_id: HashMap<String, usize>,
    /// The last of each id in small letters.
    by_any_case: HashMap<String, usize>,
    /// What those on a VG come to, by its name.
    by_vg: HashMap<String, OnVg>,
}

/// The storages on one VG together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OnVg {
    /// The one that the node uses, if any, and its rank.
    first: (Rank, usize),
    /// Whether any is shared.
    shared: bool,
    /// Whether all have only the volumes with a guest's tag.
    tagged_only: bool,
}

impl OnVg {
    fn of(index: usize, storage: &Storage) -> Self {
        Self {
            first: (storage.rank(), index),
            shared: storage.shared,
            tagged_only: storage.tagged_only,
        }
    }

    fn join(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.shared |= other.shared;
        self.tagged_only &= other.tagged_only;
    }
}

/// Whether a node may not use a storage, and whether it is switched off: what
/// is less is used.
type Rank = (bool, bool);

impl Storages {
    /// The storages of `storage.cfg`; none where it was not collected.
    pub fn new(configured: Option<Vec<Storage>>) -> Self {
        let mut storages = Self::default();
        for (index, storage) in configured.iter().flatten().enumerate() {
            let id = storage.id.clone();
            let small = id.to_ascii_lowercase();
            storages.by_id.insert(id, index);
            storages.by_any_case.insert(small, index);
            if let Some(vg) = &storage.vg {
                let on = OnVg::of(index, storage);
                let known = storages.by_vg.entry(vg.clone());
                known.and_modify(|known| known.join(on)).or_insert(on);
            }
        }
        storages.configured = configured;
        storages
    }

    fn at(&self, index: usize) -> Option<&Storage> {
        self.configured.as_ref()?.get(index)
    }

    /// Whether `storage.cfg` was collected.
    pub fn known(&self) -> bool {
        self.configured.is_some()
    }

    /// The storages, in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = &Storage> {
        self.configured.iter().flatten()
    }

    /// The storage with this id: exactly, else without regard to case.
    pub fn get(&self, id: &str) -> Option<&Storage> {
        let index = self
            .by_id
            .get(id)
            .or_else(|| self.by_any_case.get(&id.to_ascii_lowercase()))?;
        self.at(*index)
    }

    /// The first LVM storage on this VG that the node may use.
    pub fn on_vg(&self, vg: &str) -> Option<&Storage> {
        let (_, index) = self.by_vg.get(vg)?.first;
        self.at(index)
    }

    /// Whether all storages on this VG, of which there are some, have only the
    /// volumes with a guest's tag.
    pub fn only_tagged_on(&self, vg: &str) -> bool {
        self.by_vg.get(vg).is_some_and(|on| on.tagged_only)
    }

    /// Whether any storage is on this VG.
    pub fn has_vg(&self, vg: &str) -> bool {
        self.by_vg.contains_key(vg)
    }

    /// Whether a VG lies on shared storage, as far as `storage.cfg` tells.
    pub fn is_shared_vg(&self, vg: &str) -> bool {
        self.by_vg.get(vg).is_some_and(|on| on.shared)
    }

    /// Which VG of `vgs` a storage id means.
    pub fn resolve<'a>(&self, id: &str, vgs: impl IntoIterator<Item = &'a str>) -> Resolution {
        if self.known() {
            return match self.get(id) {
                Some(storage) => match (&storage.vg, storage.kind.as_str()) {
                    (Some(vg), _) => Resolution::Vg(vg.clone()),
                    (None, kind) if is_never_lvm(kind) => Resolution::NotLvm,
                    (None, _) => Resolution::Unresolved,
                },
                None => Resolution::Unresolved,
            };
        }
        let vgs: Vec<&str> = vgs.into_iter().take(MOST_KNOWN + 1).collect();
        if vgs.len() > MOST_KNOWN {
            return Resolution::Unresolved;
        }
        let matching: Vec<String> = vgs
            .into_iter()
            .filter(|vg| may_mean(id, vg))
            .map(str::to_owned)
            .collect();
        match matching.len() {
            1..=MOST_GUESSED => Resolution::Guess(matching),
            _ => Resolution::Unresolved,
        }
    }
}

/// The guess for when `storage.cfg` is missing: VG `pve` is `local-lvm`; a
/// storage named as the VG, but for dashes and case, is that VG; local
/// storages match each other.
fn may_mean(id: &str, vg: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars()
            .filter(|c| *c != '-')
            .flat_map(char::to_lowercase)
            .collect()
    };
    let local = |name: &str| name.to_ascii_lowercase().starts_with("local");
    plain(id) == plain(vg) || (local(id) && (vg == "pve" || local(vg)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn storages(text: &str) -> Storages {
        let sections = crate::parse::storage_cfg::parse(text).value;
        Storages::new(Some(
            sections
                .into_iter()
                .map(|section| Storage::new(section, "pve1"))
                .collect(),
        ))
    }

    #[test]
    fn ids_resolve_through_the_file() {
        let known = storages(
            "lvm: SAN\n\tvgname fast\n\tshared\n\ndir: local\n\tpath /x\n\nvendor: san3\n\tvg fast\n",
        );
        let vgs = ["pve", "fast", "san"];
        assert_eq!(known.resolve("SAN", vgs), Resolution::Vg("fast".into()));
        assert_eq!(known.resolve("san", vgs), Resolution::Vg("fast".into()));
        assert_eq!(known.resolve("local", vgs), Resolution::NotLvm);
        assert_eq!(known.resolve("gone", vgs), Resolution::Unresolved);
        assert_eq!(known.resolve("san3", vgs), Resolution::Unresolved);
        assert!(known.is_shared_vg("fast"));
    }

    #[test]
    fn the_storage_of_a_vg_is_the_first_that_the_node_may_use() {
        let off = "lvm: off\n\tvgname fast\n\tdisable\n\n";
        let others = "lvm: others\n\tvgname fast\n\tnodes pve2,pve3\n\tshared\n\n";
        let named = "lvm: named\n\tvgname fast\n\tnodes pve2 pve1\n\n";
        let all = "lvm: all\n\tvgname fast\n\n";
        for (text, first, shared) in [
            ([off, others, named, all], "named", true),
            ([off, all, named, ""], "all", false),
            ([others, off, "", ""], "off", true),
            ([others, "", "", ""], "others", true),
        ] {
            let known = storages(&text.concat());
            assert_eq!(known.on_vg("fast").unwrap().id, first);
            assert!(known.has_vg("fast") && !known.has_vg("slow"));
            assert_eq!(known.is_shared_vg("fast"), shared);
            assert_eq!(known.on_vg("slow"), None);
        }
        let reach = |id: &str| {
            storages(&[others, named, all].concat())
                .get(id)
                .unwrap()
                .reach
        };
        assert_eq!(reach("others"), Reach::Elsewhere);
        assert_eq!(reach("named"), Reach::Named);
        assert_eq!(reach("all"), Reach::Everywhere);
    }

    #[test]
    fn without_the_file_names_are_guessed() {
        let guess = Storages::default();
        let vgs = ["pve", "ssd-ha01"];
        let one = |vg: &str| Resolution::Guess(vec![vg.into()]);
        assert_eq!(guess.resolve("local-lvm", vgs), one("pve"));
        assert_eq!(guess.resolve("local-thin", vgs), one("pve"));
        assert_eq!(guess.resolve("SSDHA01", vgs), one("ssd-ha01"));
        assert_eq!(guess.resolve("tank", vgs), Resolution::Unresolved);
        assert_eq!(
            guess.resolve("local-a", ["pve", "local-b"]),
            Resolution::Guess(vec!["pve".into(), "local-b".into()])
        );
        let many = ["pve", "local-b", "local-c", "local-d", "local-e"];
        assert_eq!(guess.resolve("local-a", many), Resolution::Unresolved);
    }
}
