//! Which configurations mention a volume, by VG and LV.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use crate::model::guest::{Mention, Target};
use crate::model::names::{LvmName, LvmUuid};
use crate::model::node::Node;
use crate::model::storage::Resolution;

/// The mentions of all guests that a node knows.
#[derive(Debug, Default)]
pub(super) struct Mentions<'a> {
    /// By VG, then by LV.
    volumes: HashMap<String, HashMap<Cow<'a, str>, Vec<Mention<'a>>>>,
    /// Where the VG can't be told.
    anywhere: HashMap<&'a str, Vec<Mention<'a>>>,
}

impl<'a> Mentions<'a> {
    /// Of the guests of this node and of the others.
    pub fn of(node: &'a Node) -> Self {
        let mut mentions = Self::default();
        let vgs = vgs(node);
        for guest in node.guests.here.iter().chain(&node.guests.elsewhere) {
            for reference in &guest.references {
                mentions.add(node, &vgs, Mention { guest, reference });
            }
        }
        mentions
    }

    fn add(&mut self, node: &'a Node, vgs: &[&str], mention: Mention<'a>) {
        match &mention.reference.target {
            Target::Volume { storage, volume } => {
                match node.storages.resolve(storage, vgs.iter().copied()) {
                    Resolution::Vg(vg) => self.volume(vg, volume.into(), mention),
                    Resolution::Any(vgs) => {
                        for vg in vgs {
                            self.volume(vg, volume.into(), mention);
                        }
                    }
                    Resolution::NotLvm => {}
                    Resolution::Unresolved => {
                        self.anywhere.entry(volume).or_default().push(mention);
                    }
                }
            }
            Target::Path(path) => {
                if let Some((vg, lv)) = at_path(node, path) {
                    self.volume(vg, lv.into(), mention);
                }
            }
        }
    }

    fn volume(&mut self, vg: String, lv: Cow<'a, str>, mention: Mention<'a>) {
        let volumes = self.volumes.entry(vg).or_default();
        volumes.entry(lv).or_default().push(mention);
    }

    /// The mentions of a volume, those that may mean it included.
    pub fn get(&self, vg: &str, lv: &str) -> impl Iterator<Item = Mention<'a>> {
        let named = self.volumes.get(vg).and_then(|volumes| volumes.get(lv));
        named
            .into_iter()
            .chain(self.anywhere.get(lv))
            .flatten()
            .copied()
    }
}

/// The names of the VGs that a node's LVM shows.
fn vgs(node: &Node) -> Vec<&str> {
    let by_lvm = node.lvm.vgs.values().map(|vg| vg.name.as_str());
    let names: BTreeSet<&str> = by_lvm
        .chain(node.lvm.lvs.iter().map(|lv| &*lv.vg))
        .collect();
    names.into_iter().collect()
}

/// VG and LV of a path below `/dev`.
fn at_path(node: &Node, path: &str) -> Option<(String, String)> {
    let by_name = |name: &str| LvmName::split(name).map(|name| (name.vg, name.lv));
    let rest = path.strip_prefix("/dev/")?;
    if let Some(uuid) = rest.strip_prefix("disk/by-id/dm-uuid-") {
        let uuid = LvmUuid::parse(uuid)?;
        let lv = node.lvm.by_uuid(&uuid.vg, &uuid.lv)?;
        return Some((lv.vg.to_string(), lv.name.clone()));
    }
    if let Some(name) = rest.strip_prefix("disk/by-id/dm-name-") {
        return by_name(name);
    }
    match rest.split_once('/')? {
        ("mapper", name) => by_name(name),
        (vg, lv) if !lv.contains('/') => Some((vg.to_owned(), lv.to_owned())),
        _ => None,
    }
}
