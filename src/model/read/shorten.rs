//! Values that are no longer than their kind can be where they are made: what
//! is shown of a node has room for the rest of the page.

use super::bounds::{NAME, brief};
use crate::model::storage::Storage;
use crate::parse::{lvmconfig::LvmConfig, multipath::Multipath, pveversion::PveVersion};

/// Characters of all patterns of a filter: some hundred paths.
const FILTER: usize = 16 << 10;

fn shorten(text: &mut String) {
    if text.len() > NAME {
        *text = brief(text, NAME);
    }
}

/// Versions; packages' names are looked up, and not shown.
pub(super) fn versions(mut pve: PveVersion) -> PveVersion {
    pve.manager.iter_mut().for_each(shorten);
    pve.running_kernel.iter_mut().for_each(shorten);
    pve.packages.values_mut().for_each(shorten);
    pve
}

/// What a storage has besides its id: a longer VG or node is none that a node has.
pub(super) fn storage(mut storage: Storage) -> Storage {
    shorten(&mut storage.kind);
    storage.vg.iter_mut().for_each(shorten);
    storage.thinpool.iter_mut().for_each(shorten);
    storage.nodes.iter_mut().for_each(shorten);
    storage
}

/// Multipath devices and their paths.
pub(super) fn multipaths(mut multipaths: Vec<Multipath>) -> Vec<Multipath> {
    for multipath in &mut multipaths {
        shorten(&mut multipath.name);
        multipath.wwid.iter_mut().for_each(shorten);
        for path in &mut multipath.paths {
            shorten(&mut path.hctl);
            path.name.iter_mut().for_each(shorten);
            shorten(&mut path.dm_state);
            shorten(&mut path.checker);
            path.device_state.iter_mut().for_each(shorten);
        }
    }
    multipaths
}

/// LVM's filters, whole or not at all: a part of one would be set in place of
/// the whole. The names of those that are too long come second.
pub(super) fn lvm_config(mut config: LvmConfig) -> (LvmConfig, Vec<&'static str>) {
    let filters = [
        ("global_filter", &mut config.global_filter),
        ("filter", &mut config.filter),
    ];
    let mut without = Vec::new();
    for (name, filter) in filters {
        let patterns = filter.iter().flatten();
        if patterns.map(String::len).sum::<usize>() > FILTER {
            *filter = None;
            without.push(name);
        }
    }
    (config, without)
}
