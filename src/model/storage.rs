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
    /// Whether it is switched off.
    pub disabled: bool,
    /// Whether only LVs with the tag of a guest are its volumes: its VG is
    /// shared with others. PVE knows this of `lvm` alone.
    pub tagged_only: bool,
}

impl From<StorageSection> for Storage {
    fn from(section: StorageSection) -> Self {
        let owned = |key: &str| section.get(key).map(str::to_owned);
        Self {
            vg: owned("vgname"),
            thinpool: owned("thinpool"),
            shared: section.flag("shared") || always_shared(&section.kind),
            nodes: section
                .get("nodes")
                .unwrap_or_default()
                .split([',', ' '])
                .filter(|node| !node.is_empty())
                .map(str::to_owned)
                .collect(),
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
    /// All on a VG.
    by_vg: HashMap<String, Vec<usize>>,
}

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
                storages.by_vg.entry(vg.clone()).or_default().push(index);
            }
        }
        storages.configured = configured;
        storages
    }

    fn at(&self, index: usize) -> Option<&Storage> {
        self.configured.as_ref()?.get(index)
    }

    /// The storages on a VG, in the file's order.
    fn all_on(&self, vg: &str) -> impl Iterator<Item = &Storage> {
        let found = self.by_vg.get(vg).into_iter().flatten();
        found.filter_map(|index| self.at(*index))
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

    /// The first LVM storage on this VG that this node may use.
    pub fn on_vg(&self, vg: &str, node: &str) -> Option<&Storage> {
        self.all_on(vg).min_by_key(|storage| {
            let here = storage.nodes.is_empty() || storage.nodes.iter().any(|n| n == node);
            (!here, storage.disabled)
        })
    }

    /// Whether all storages on this VG, of which there are some, have only the
    /// volumes with a guest's tag.
    pub fn only_tagged_on(&self, vg: &str) -> bool {
        let mut all = self.all_on(vg).peekable();
        all.peek().is_some() && all.all(|storage| storage.tagged_only)
    }

    /// Whether any storage is on this VG.
    pub fn has_vg(&self, vg: &str) -> bool {
        self.iter().any(|storage| storage.vg.as_deref() == Some(vg))
    }

    /// Whether a VG lies on shared storage, as far as `storage.cfg` tells.
    pub fn is_shared_vg(&self, vg: &str) -> bool {
        self.all_on(vg).any(|storage| storage.shared)
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
        Storages::new(Some(sections.into_iter().map(Storage::from).collect()))
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
