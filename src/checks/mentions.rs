//! Which configurations mention a volume, by VG and LV.

use std::collections::{BTreeSet, HashMap};

use crate::model::guest::{Guest, Reference, Target};
use crate::model::names::{LvmName, LvmUuid};
use crate::model::node::Node;
use crate::model::storage::Resolution;

/// A guest's mention of a volume.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mention<'a> {
    pub guest: &'a Guest,
    pub reference: &'a Reference,
}

/// The mentions of all guests that a node knows.
#[derive(Debug, Default)]
pub(super) struct Mentions<'a> {
    volumes: HashMap<(String, String), Vec<Mention<'a>>>,
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
        let volumes = match &mention.reference.target {
            Target::Volume { storage, volume } => {
                let vg = node.storages.resolve(storage, vgs.iter().copied());
                let one = |vg: String| (vg, volume.clone());
                match vg {
                    Resolution::Vg(vg) => vec![one(vg)],
                    Resolution::Any(vgs) => vgs.into_iter().map(one).collect(),
                    Resolution::NotLvm => vec![],
                    Resolution::Unresolved => {
                        self.anywhere.entry(volume).or_default().push(mention);
                        vec![]
                    }
                }
            }
            Target::Path(path) => at_path(node, path).into_iter().collect(),
        };
        for volume in volumes {
            self.volumes.entry(volume).or_default().push(mention);
        }
    }

    /// The mentions of a volume, those that may mean it included.
    pub fn get(&self, vg: &str, lv: &str) -> impl Iterator<Item = Mention<'a>> {
        let named = self.volumes.get(&(vg.to_owned(), lv.to_owned()));
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
        .chain(node.lvm.lvs.iter().map(|lv| lv.vg.as_str()))
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
        return Some((lv.vg.clone(), lv.name.clone()));
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
