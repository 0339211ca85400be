//! The storage under the entries with issues, as it is built: physical
//! volumes, volume group, logical volume, entries, holders.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::report::view::{Entry, Node, Physical};

/// How many entries a picture shows; beyond that, a table is easier to read.
const MOST: usize = 60;

/// A volume group and what of it is affected.
#[derive(Serialize)]
pub(super) struct Vg<'a> {
    vg: &'a str,
    physical: Vec<&'a Physical>,
    storages: String,
    volumes: Vec<Lv<'a>>,
}

/// A logical volume and the entries that map it.
#[derive(Serialize)]
struct Lv<'a> {
    lv: &'a str,
    lv_state: &'a str,
    pool: Option<&'a str>,
    entries: Vec<&'a Entry>,
}

/// Draws the entries with issues, and the healthy ones that share a volume with
/// them. Entries outside LVM have no place in it.
pub(super) fn picture(node: &Node) -> Vec<Vg<'_>> {
    let affected = |entry: &Entry| {
        entry.severity.is_some() || matches!(&*entry.verdict, "duplicate" | "orphan")
    };
    let key = |entry: &Entry| Some((entry.vg.clone()?, volume(entry)?.to_owned()));
    let shown: BTreeSet<_> = node
        .entries
        .iter()
        .filter(|entry| affected(entry))
        .filter_map(key)
        .collect();
    let mut groups: BTreeMap<&str, BTreeMap<&str, Lv>> = BTreeMap::new();
    let entries = node
        .entries
        .iter()
        .filter(|entry| key(entry).is_some_and(|key| shown.contains(&key)));
    for entry in entries.take(MOST) {
        if let (Some(vg), Some(volume)) = (entry.vg.as_deref(), volume(entry)) {
            let lv = groups.entry(vg).or_default().entry(volume).or_insert(Lv {
                lv: volume,
                lv_state: &entry.lv_state,
                pool: None,
                entries: Vec::new(),
            });
            // One entry that carries the volume's UUID tells its state for all.
            if lv.lv_state == "unknown" {
                lv.lv_state = &entry.lv_state;
            }
            lv.pool = lv.pool.or(entry.pool.as_deref());
            lv.entries.push(entry);
        }
    }
    groups
        .into_iter()
        .map(|(vg, volumes)| Vg {
            vg,
            physical: node.physical.iter().filter(|pv| pv.vg == vg).collect(),
            storages: storages(node, vg),
            volumes: volumes.into_values().collect(),
        })
        .collect()
}

/// The volume's name: the configuration's where one would name it so (a
/// duplicate's own name says less), else the logical volume's.
fn volume(entry: &Entry) -> Option<&str> {
    let of_storage = entry
        .volume
        .as_deref()
        .and_then(|volume| volume.split_once(':'));
    of_storage.map(|(_, volume)| volume).or(entry.lv.as_deref())
}

/// The storages on a volume group, in words.
fn storages(node: &Node, vg: &str) -> String {
    let on_it = node
        .storages
        .iter()
        .filter(|storage| storage.vg.as_deref() == Some(vg));
    let words = on_it.map(|storage| {
        let pool = storage
            .thinpool
            .iter()
            .map(|pool| format!(", thin pool {pool}"));
        let shared = storage.shared.then(|| ", shared".to_owned());
        let more: String = pool.chain(shared).collect();
        format!("storage {}{more}", storage.id)
    });
    words.collect::<Vec<_>>().join("; ")
}
