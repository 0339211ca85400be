//! Thin pools that are full, failed, or promise more than they have.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::facts::{self, size, vg_lv};
use super::{Case, Check, Outcome, Run};
use crate::config::Thresholds;
use crate::model::finding::{Finding, Severity};
use crate::model::lvm::LogicalVolume;
use crate::model::names::LvmName;
use crate::model::node::Node;
use crate::parse::dmsetup_table::Target;
use crate::parse::thin_status::{PoolMode, ThinPoolStatus};

pub(super) const FULL: Check = Check {
    name: "thin-pool-full",
    title: "A thin pool can run full",
    page: include_str!("../../docs/checks/thin-pool-full.md"),
    run: Run::Node(full),
};

pub(super) const FAILED: Check = Check {
    name: "thin-pool-failed",
    title: "A thin pool has failed",
    page: include_str!("../../docs/checks/thin-pool-failed.md"),
    run: Run::Node(failed),
};

/// A thin pool by what is known of it: the kernel's status, LVM's report.
struct Pool<'a> {
    name: String,
    active: bool,
    /// The pool's device, and what it says of itself.
    status: Option<(&'a str, &'a ThinPoolStatus)>,
    lv: Option<&'a LogicalVolume>,
}

fn pools(node: &Node) -> Vec<Pool<'_>> {
    let mut entries: BTreeMap<&str, Option<&ThinPoolStatus>> = node
        .devices
        .iter()
        .filter(|(_, device)| {
            let mut targets = device.segments.iter().map(|segment| &segment.target);
            targets.any(|target| matches!(target, Target::ThinPool { .. }))
        })
        .map(|(_, device)| (device.name.as_str(), None))
        .collect();
    entries.extend(
        node.thin_pools
            .iter()
            .map(|(entry, status)| (entry.as_str(), Some(status))),
    );
    let mut pools: Vec<Pool<'_>> = entries
        .into_iter()
        .map(|(entry, status)| {
            let device = node
                .devices
                .by_name(entry)
                .and_then(|index| node.devices.get(index));
            let named = LvmName::split(entry);
            let lv = device.and_then(|device| node.lvm.of(device)).or_else(|| {
                let name = named.as_ref()?;
                node.lvm.by_name(&name.vg, &name.lv)
            });
            let name = match (lv, named.as_ref()) {
                (Some(lv), _) => format!("{}/{}", lv.vg, lv.name),
                (None, Some(name)) => format!("{}/{}", name.vg, name.lv),
                (None, None) => entry.to_owned(),
            };
            Pool {
                name,
                active: true,
                status: status.map(|status| (entry, status)),
                lv: lv.filter(|lv| lv.is_thin_pool()),
            }
        })
        .collect();
    let mut named: HashSet<String> = pools.iter().map(|pool| pool.name.clone()).collect();
    for lv in node.lvm.lvs.iter().filter(|lv| lv.is_thin_pool()) {
        let name = format!("{}/{}", lv.vg, lv.name);
        if named.insert(name.clone()) {
            pools.push(Pool {
                name,
                active: lv.active,
                status: None,
                lv: Some(lv),
            });
        }
    }
    pools
}

impl Pool<'_> {
    /// Per cent of data and of metadata in use.
    fn used(&self) -> (Option<f64>, Option<f64>) {
        match (self.status, self.lv) {
            (Some((_, ThinPoolStatus::Working(pool))), _) => {
                (pool.data_percent(), pool.metadata_percent())
            }
            (_, Some(lv)) => (lv.data_percent, lv.metadata_percent),
            _ => (None, None),
        }
    }

    /// What is wrong with it, if it has failed.
    fn fault(&self) -> Option<&'static str> {
        match self.status {
            Some((_, ThinPoolStatus::Fail)) => Some("has failed: every read and write on it fails"),
            Some((_, ThinPoolStatus::Error)) => Some("can't say how it is (Error)"),
            Some((_, ThinPoolStatus::Working(pool))) => match pool.mode {
                _ if pool.needs_check => {
                    Some("has damaged metadata that must be checked (needs_check)")
                }
                PoolMode::ReadOnly => Some("is read-only: its metadata can't be written"),
                PoolMode::OutOfDataSpace => Some("is out of data space (out_of_data_space)"),
                PoolMode::ReadWrite => None,
            },
            // The ninth letter of LVM's attributes is the volume's health.
            None => match self.lv?.attr.chars().nth(8) {
                Some('F') => Some("has failed: every read and write on it fails"),
                Some('D') => Some("is out of data space"),
                Some('M') => Some("is read-only: its metadata can't be written"),
                _ => None,
            },
        }
    }

    fn evidence(&self) -> Vec<String> {
        let mut evidence = Vec::new();
        if let Some((entry, status)) = self.status {
            evidence.push(match status {
                ThinPoolStatus::Fail => format!("dmsetup-status: {entry}: Fail"),
                ThinPoolStatus::Error => format!("dmsetup-status: {entry}: Error"),
                ThinPoolStatus::Working(pool) => format!(
                    "dmsetup-status: {entry}: metadata {}/{}, data {}/{}, {}{}",
                    pool.used_metadata,
                    pool.total_metadata,
                    pool.used_data,
                    pool.total_data,
                    match pool.mode {
                        PoolMode::ReadWrite => "rw",
                        PoolMode::ReadOnly => "ro",
                        PoolMode::OutOfDataSpace => "out_of_data_space",
                    },
                    if pool.needs_check {
                        ", needs_check"
                    } else {
                        ""
                    }
                ),
            });
        }
        evidence.extend(self.lv.map(|lv| {
            let percent =
                |value: Option<f64>| value.map_or_else(|| "?".to_owned(), |v| format!("{v:.2}"));
            format!(
                "{}; data {} %, metadata {} %",
                facts::volume(lv),
                percent(lv.data_percent),
                percent(lv.metadata_percent)
            )
        }));
        evidence
    }
}

/// A pool that works, but that neither source says the use of.
fn unmeasured(node: &Node) -> Option<&'static str> {
    pools(node)
        .iter()
        .any(|pool| pool.active && pool.fault().is_none() && pool.used() == (None, None))
        .then_some("the thin pools' status (dmsetup-status)")
}

fn failed(case: &Case<'_>) -> Outcome {
    let findings = pools(case.node)
        .iter()
        .filter_map(|pool| {
            let fault = pool.fault()?;
            let (data, metadata) = pool.used();
            let fill: Vec<String> = [("data", data), ("metadata", metadata)]
                .into_iter()
                .filter_map(|(what, percent)| Some(format!("{what} {:.1} % used", percent?)))
                .collect();
            let fill = match fill.is_empty() {
                true => String::new(),
                false => format!(" ({})", fill.join(", ")),
            };
            Some(Finding {
                check: FAILED.name,
                severity: Severity::Critical,
                subject: pool.name.clone(),
                vmid: None,
                message: format!("Thin pool {} {fault}{fill}.", pool.name),
                impact: "Every guest with a disk in this pool stalls, gets write errors or loses what it writes.".into(),
                remedy: repair(pool, fault).into(),
                evidence: pool.evidence(),
            })
        })
        .collect();
    Outcome {
        findings,
        needs: unmeasured(case.node),
    }
}

fn pool_word(pool: &Pool<'_>) -> String {
    match pool.name.split_once('/') {
        Some((vg, lv)) => vg_lv(vg, lv),
        None => "VG/POOL".to_owned(),
    }
}

fn repair(pool: &Pool<'_>, fault: &str) -> String {
    let name = pool_word(pool);
    if fault.contains("data space") {
        return format!(
            "Give it space now: lvextend -L +10G {name} (the VG needs room), or delete what is not needed, then fstrim in the guests. \
             Guests whose writes failed: check their file systems."
        );
    }
    format!(
        "Stop the guests on it and back up what can be read. Deactivate the pool with all its volumes (lvchange -an), then lvconvert --repair {name}; \
         it needs free room in the VG for new metadata. Keep the old metadata ({name}_meta0) until everything has been checked."
    )
}

fn full(case: &Case<'_>) -> Outcome {
    let node = case.node;
    let given = given(node);
    let mut findings = Vec::new();
    for pool in pools(node) {
        // That a failed pool is full, too, is one fault.
        if pool.fault().is_some() {
            continue;
        }
        let promised = promised(&given, &pool);
        findings.extend(
            filling(&pool, promised.as_deref(), case.thresholds)
                .or_else(|| overcommitted(&pool, promised.as_deref())),
        );
    }
    Outcome {
        findings,
        needs: unmeasured(node),
    }
}

fn filling(pool: &Pool<'_>, promised: Option<&str>, thresholds: Thresholds) -> Option<Finding> {
    let (data, metadata) = pool.used();
    let high: Vec<(&str, f64)> = [("data", data), ("metadata", metadata)]
        .into_iter()
        .filter_map(|(what, percent)| Some((what, percent?)))
        .filter(|(_, percent)| *percent >= thresholds.thin_pool_high)
        .collect();
    let worst = high.iter().map(|(_, percent)| *percent).reduce(f64::max)?;
    let text: Vec<String> = high
        .iter()
        .map(|(what, percent)| format!("{percent:.1} % of its {what}"))
        .collect();
    let name = pool_word(pool);
    let mut remedy = Vec::new();
    if high.iter().any(|(what, _)| *what == "metadata") {
        remedy.push(format!("lvextend --poolmetadatasize +1G {name}"));
    }
    if high.iter().any(|(what, _)| *what == "data") {
        remedy.push(format!("lvextend -L +10G {name}"));
    }
    Some(Finding {
        check: FULL.name,
        severity: if worst >= thresholds.thin_pool_urgent { Severity::Critical } else { Severity::Warning },
        subject: pool.name.clone(),
        vmid: None,
        message: format!(
            "Thin pool {} has used {}.{}",
            pool.name,
            text.join(" and "),
            promised.map_or_else(String::new, |promised| format!(" {promised}"))
        ),
        impact: "When its data is full, every guest's writes stall and then fail; when its metadata is full, the pool turns read-only and needs a repair \
                 with all guests stopped."
            .into(),
        remedy: format!(
            "Give it room while it works (the VG needs free space): {}. Or delete snapshots and disks that nobody needs, and fstrim in the guests \
             (discard=on). Leftover volumes of this report are a place to begin.",
            remedy.join("; ")
        ).into(),
        evidence: pool.evidence(),
    })
}

fn overcommitted(pool: &Pool<'_>, promised: Option<&str>) -> Option<Finding> {
    let promised = promised?;
    Some(Finding {
        check: FULL.name,
        severity: Severity::Info,
        subject: pool.name.clone(),
        vmid: None,
        message: format!("Thin pool {} is overcommitted. {promised}", pool.name),
        impact: "That is what thin pools are for, as long as somebody watches how full they get.".into(),
        remedy: "Have a warning sent before the pool is 80 % full, or let LVM extend it (activation/thin_pool_autoextend_threshold in lvm.conf)."
            .into(),
        evidence: pool.evidence(),
    })
}

/// The bytes of each pool's volumes together, by the VG's UUID and the pool's
/// name.
fn given(node: &Node) -> HashMap<(&str, &str), u64> {
    let mut given = HashMap::new();
    for volume in &node.lvm.lvs {
        if let (Some(pool), Some(size)) = (&volume.pool, volume.size) {
            let sum: &mut u64 = given.entry((&*volume.vg_uuid, &**pool)).or_default();
            *sum = sum.saturating_add(size);
        }
    }
    given
}

/// What a pool's volumes may come to hold, if that is more than it has.
fn promised(given: &HashMap<(&str, &str), u64>, pool: &Pool<'_>) -> Option<String> {
    let lv = pool.lv?;
    let has = lv.size?;
    let volumes = *given.get(&(&*lv.vg_uuid, lv.name.as_str()))?;
    (volumes > has).then(|| {
        format!(
            "Its volumes may grow to {}; it has {}.",
            size(volumes),
            size(has)
        )
    })
}
