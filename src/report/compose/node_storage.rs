//! The node's storage and system, as its page shows them.

use std::collections::HashMap;

use crate::model::node::Node;
use crate::parse::pvesm::StorageStatus;
use crate::parse::thin_status::{PoolMode, ThinPoolStatus};
use crate::report::view;
use crate::report::words::size;

/// The storages: of `storage.cfg`, else of `pvesm status`.
pub(super) fn storages(node: &Node) -> Vec<view::Storage> {
    let mut by_name: HashMap<String, &StorageStatus> = HashMap::new();
    for status in &node.storage_status {
        let name = status.name.to_ascii_lowercase();
        by_name.entry(name).or_insert(status);
    }
    let status = |id: &str| by_name.get(&id.to_ascii_lowercase()).copied();
    let blank = |id: &str, kind: &str| {
        let status = status(id);
        let bytes = |kib: Option<u64>| kib.and_then(|kib| kib.checked_mul(1024));
        let (total, used) = (
            bytes(status.and_then(|status| status.total_kib)),
            bytes(status.and_then(|status| status.used_kib)),
        );
        view::Storage {
            id: id.to_owned(),
            kind: kind.to_owned(),
            vg: None,
            thinpool: None,
            shared: false,
            nodes: Vec::new(),
            status: status.map_or_else(|| "unknown".to_owned(), |status| status.status.clone()),
            total,
            used,
            percent: percent(used, total),
        }
    };
    if !node.storages.known() {
        return node
            .storage_status
            .iter()
            .map(|status| blank(&status.name, &status.kind))
            .collect();
    }
    node.storages
        .iter()
        .map(|storage| {
            let base = blank(&storage.id, &storage.kind);
            view::Storage {
                vg: storage.vg.clone(),
                thinpool: storage.thinpool.clone(),
                shared: storage.shared,
                nodes: storage.nodes.clone(),
                status: if storage.disabled {
                    "disabled".to_owned()
                } else {
                    base.status.clone()
                },
                ..base
            }
        })
        .collect()
}

fn percent(part: Option<u64>, whole: Option<u64>) -> Option<f64> {
    let (part, whole) = (part?, whole.filter(|whole| *whole > 0)?);
    Some(part as f64 * 100.0 / whole as f64)
}

/// Physical volumes, by volume group.
pub(super) fn physical(node: &Node) -> Vec<view::Physical> {
    let mut physical: Vec<view::Physical> = node
        .lvm
        .pvs
        .iter()
        .filter(|pv| !pv.vg.is_empty())
        .map(|pv| view::Physical {
            device: pv.name.clone(),
            vg: pv.vg.clone(),
            size: pv.size,
        })
        .collect();
    physical.sort_by(|a, b| (&a.vg, &a.device).cmp(&(&b.vg, &b.device)));
    physical
}

/// Thin pools and their use.
pub(super) fn pools(node: &Node) -> Vec<view::Pool> {
    // What is promised to the volumes of each pool, by VG and pool.
    let mut promised: HashMap<(&str, &str), u64> = HashMap::new();
    for lv in &node.lvm.lvs {
        if let (Some(pool), Some(size)) = (&lv.pool, lv.size) {
            let sum = promised.entry((&lv.vg_uuid, pool)).or_default();
            *sum = sum.saturating_add(size);
        }
    }
    node.lvm
        .lvs
        .iter()
        .filter(|lv| lv.is_thin_pool())
        .map(|pool| {
            let name = crate::model::names::LvmName::join(&pool.vg, &pool.name);
            let status = node
                .thin_pools
                .get(&format!("{name}-tpool"))
                .or_else(|| node.thin_pools.get(&name));
            let promised = promised
                .get(&(&*pool.vg_uuid, pool.name.as_str()))
                .copied()
                .unwrap_or_default();
            let working = match status {
                Some(ThinPoolStatus::Working(working)) => Some(working),
                _ => None,
            };
            view::Pool {
                name: format!("{}/{}", pool.vg, pool.name),
                size: pool.size,
                data_percent: working
                    .and_then(|pool| pool.data_percent())
                    .or(pool.data_percent),
                metadata_percent: working
                    .and_then(|pool| pool.metadata_percent())
                    .or(pool.metadata_percent),
                promised: Some(promised),
                state: match status {
                    None => "status unknown".to_owned(),
                    Some(ThinPoolStatus::Fail | ThinPoolStatus::Error) => "failed".to_owned(),
                    Some(ThinPoolStatus::Working(pool)) => match pool.mode {
                        _ if pool.needs_check => "needs check".to_owned(),
                        PoolMode::ReadWrite => "ok".to_owned(),
                        PoolMode::ReadOnly => "read-only".to_owned(),
                        PoolMode::OutOfDataSpace => "out of data space".to_owned(),
                    },
                },
            }
        })
        .collect()
}

/// Processor to versions.
pub(super) fn system(node: &Node) -> Vec<view::Fact> {
    let fact = |name: &str, value: String| view::Fact {
        name: name.to_owned(),
        value,
    };
    let mut facts: Vec<view::Fact> = node
        .system
        .iter()
        .map(|(name, value)| fact(name, value.clone()))
        .collect();
    facts.extend(
        node.pve
            .packages
            .get("lvm2")
            .map(|version| fact("LVM", version.clone())),
    );
    for vg in node.lvm.vgs.values() {
        if let (Some(total), Some(free)) = (vg.size, vg.free) {
            facts.push(fact(
                &format!("Volume group {}", vg.name),
                format!("{}, {} free", size(total), size(free)),
            ));
        }
    }
    facts
}
