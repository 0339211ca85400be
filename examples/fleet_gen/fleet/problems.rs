//! Puts faults into a healthy cluster, and notes what each must be told as.

use std::collections::BTreeMap;

use super::build::{NewLv, activate, add_lv, push, set_pool_size};
use super::guests::{new_vmid, storage};
use super::rng::Rng;
use super::world::*;

/// The problems by name; each comes at its own rate of nodes.
pub const PROBLEMS: [&str; 25] = [
    "guest-gone",
    "leftover",
    "fixed-name-leftover",
    "disk-unreferenced",
    "guest-elsewhere",
    "stale",
    "overlap",
    "outdated",
    "open-twice",
    "migration",
    "duplicate",
    "held-open",
    "partition",
    "guest-lvm",
    "missing-volume",
    "suspended",
    "no-table",
    "pool-full",
    "pool-failed",
    "pool-overcommitted",
    "single-path",
    "failed-path",
    "deletion-stuck",
    "kernel-errors",
    "no-config",
];

pub fn inject(rng: &mut Rng, cluster: &mut Cluster, rates: &BTreeMap<String, f64>) {
    for node in 0..cluster.nodes.len() {
        for problem in PROBLEMS {
            if rng.chance(rates.get(problem).copied().unwrap_or(0.0)) {
                one(rng, cluster, node, problem);
            }
        }
    }
}

/// An untouched volume's device of a guest of this node.
fn pick(
    rng: &mut Rng,
    cluster: &mut Cluster,
    node: usize,
    wanted: impl Fn(&Guest, bool) -> bool,
) -> Option<(usize, usize, usize)> {
    let shared_lvs = cluster.shared.as_ref().map_or(&[][..], |vg| &vg.lvs);
    let home = &cluster.nodes[node];
    let found: Vec<(usize, usize, usize)> = home
        .devs
        .iter()
        .enumerate()
        .filter(|(_, dev)| !dev.touched)
        .filter_map(|(at, dev)| {
            let Of::Lv(shared, lv) = dev.of else {
                return None;
            };
            let volume = if shared {
                &shared_lvs[lv]
            } else {
                &home.local.lvs[lv]
            };
            let Use::Referenced(guest) = volume.used else {
                return None;
            };
            let of = &cluster.guests[guest];
            (of.node == node && of.lock.is_none() && !volume.fixed_name && wanted(of, shared))
                .then_some((at, lv, guest))
        })
        .collect();
    if found.is_empty() {
        return None;
    }
    let chosen = found[rng.range(0, found.len() as u64 - 1) as usize];
    cluster.nodes[node].devs[chosen.0].touched = true;
    Some(chosen)
}

fn gone(
    rng: &mut Rng,
    cluster: &mut Cluster,
    node: usize,
    shared: bool,
    name: &str,
) -> (usize, u32) {
    let vmid = new_vmid(rng, cluster);
    let used = if name == "del" {
        Use::Deleting
    } else {
        Use::Gone
    };
    let name = match name {
        "del" => format!("del-vm-{vmid}-disk-0"),
        name => format!("vm-{vmid}-{name}"),
    };
    (
        add_lv(
            rng,
            cluster,
            node,
            shared,
            NewLv {
                name,
                vmid,
                extents: 64,
                used,
            },
        ),
        vmid,
    )
}

/// Whether a guest's device, but for one, is part of a problem on any node.
fn has_faults(cluster: &Cluster, guest: usize, except: (usize, usize)) -> bool {
    let used = Use::Referenced(guest);
    cluster.nodes.iter().enumerate().any(|(node, home)| {
        home.devs.iter().enumerate().any(|(at, dev)| {
            let lvs = match (&dev.of, cluster.shared.as_ref()) {
                (Of::Lv(true, _), Some(san)) => &san.lvs,
                _ => &home.local.lvs,
            };
            dev.touched
                && (node, at) != except
                && matches!(dev.of, Of::Lv(_, lv) if lvs[lv].used == used)
        })
    })
}

/// Another node of the cluster that has its configurations.
fn other(rng: &mut Rng, cluster: &Cluster, node: usize) -> Option<usize> {
    let count = cluster.nodes.len();
    let other = (node + rng.range(1, (count as u64).max(2) - 1) as usize) % count;
    (other != node && cluster.nodes[other].configs == Configs::All).then_some(other)
}

fn one(rng: &mut Rng, cluster: &mut Cluster, node: usize, problem: &str) -> Option<()> {
    let san = cluster.shared.is_some();
    match problem {
        "guest-gone" => {
            let shared = san && rng.chance(0.3);
            let (lv, _) = gone(rng, cluster, node, shared, "disk-0");
            let dev = activate(cluster, node, shared, lv, 0);
            cluster.nodes[node].devs[dev].touched = true;
        }
        "leftover" => {
            let shared = san && rng.chance(0.3);
            gone(rng, cluster, node, shared, "disk-0");
        }
        "fixed-name-leftover" => {
            gone(rng, cluster, node, false, "cloudinit");
        }
        "deletion-stuck" => {
            let shared = san && rng.chance(0.5);
            gone(rng, cluster, node, shared, "del");
        }
        "disk-unreferenced" => {
            let (_, _, guest) = pick(rng, cluster, node, |_, shared| !shared)?;
            let (vmid, disk) = (cluster.guests[guest].vmid, 100 + rng.range(0, 800));
            let name = format!("vm-{vmid}-disk-{disk}");
            let lv = add_lv(
                rng,
                cluster,
                node,
                false,
                NewLv {
                    name,
                    vmid,
                    extents: 64,
                    used: Use::Dropped(guest),
                },
            );
            let dev = activate(cluster, node, false, lv, 0);
            cluster.nodes[node].devs[dev].touched = true;
        }
        "guest-elsewhere" | "outdated" | "open-twice" | "migration" => {
            let there = other(rng, cluster, node)?;
            let (at, lv, guest) =
                pick(rng, cluster, node, |guest, shared| shared && guest.running)?;
            // A migration explains what is wrong with the guest's other disks.
            if problem == "migration" && has_faults(cluster, guest, (node, at)) {
                return None;
            }
            let dev = activate(
                cluster,
                there,
                true,
                lv,
                u32::from(problem == "open-twice" || problem == "migration"),
            );
            cluster.nodes[there].devs[dev].touched = true;
            let vg = cluster.shared.as_mut()?;
            let subject = format!("{}/{}", vg.name, vg.lvs[lv].name);
            match problem {
                "open-twice" => {
                    *cluster
                        .expected
                        .entry(("open-on-two-nodes".into(), subject, "critical"))
                        .or_default() += 1
                }
                "migration" => {
                    // The rest of the guest's disks stay as they are.
                    cluster.guests[guest].lock = Some("migrate");
                }
                "outdated" => {
                    let first = vg.take(16);
                    vg.lvs[lv].extents += 16;
                    if let Kind::Linear(runs) = &mut vg.lvs[lv].kind {
                        runs.push((first, 16));
                    }
                    // The guest's own node has the new table.
                    let table = super::build::table_of(vg, &vg.lvs[lv]);
                    let name = cluster.nodes[there].devs[dev].name.clone();
                    cluster.nodes[there].expect("outdated-table", name.clone(), "warning");
                    cluster.nodes[node]
                        .devs
                        .iter_mut()
                        .find(|d| d.name == name)?
                        .table = table;
                }
                _ => {}
            }
        }
        "stale" | "overlap" => {
            if !san {
                return None;
            }
            let vmid = new_vmid(rng, cluster);
            let vg = cluster.shared.as_mut()?;
            let first = vg.take(32);
            let name = dm_name(&vg.name, &format!("vm-{vmid}-disk-0"));
            let uuid = format!("LVM-{}{}", vg.uuid, rng.lvm_uuid())
                .replace('-', "")
                .replacen("LVM", "LVM-", 1);
            let (major, minor) = vg.devno;
            let target = Target {
                start: 0,
                length: 32 * 8192,
                text: format!("linear {major}:{minor} {}", Vg::sector(first)),
                on: vec![vg.devno],
            };
            if problem == "overlap" {
                // Its extents are another's now, whose guest has it inactive here.
                // Its tables are up to date and stay so wherever it is active.
                let nodes = &cluster.nodes;
                let at = (0..vg.lvs.len()).find(|at| {
                    let of = |dev: &&Dev| dev.of == Of::Lv(true, *at);
                    let mut devs = nodes.iter().flat_map(|node| node.devs.iter().filter(of));
                    matches!(vg.lvs[*at].used, Use::Referenced(g) if cluster.guests[g].node != node && cluster.guests[g].lock.is_none())
                        && !devs.any(|dev| dev.touched)
                })?;
                let lv = &mut vg.lvs[at];
                lv.extents += 32;
                if let Kind::Linear(runs) = &mut lv.kind {
                    runs.push((first, 32));
                }
                for other in 0..cluster.nodes.len() {
                    for dev in &mut cluster.nodes[other].devs {
                        if dev.of == Of::Lv(true, at) {
                            dev.table = super::build::table_of(vg, &vg.lvs[at]);
                        }
                    }
                }
                cluster.nodes[node].expect("overlapping-mappings", name.clone(), "critical");
            }
            let dev = push(
                &mut cluster.nodes[node],
                name,
                uuid,
                0,
                vec![target],
                Of::Stale(None, vmid),
            );
            cluster.nodes[node].devs[dev].touched = true;
        }
        "duplicate" => {
            let (at, ..) = pick(rng, cluster, node, |_, _| true)?;
            let home = &mut cluster.nodes[node];
            let dev = &home.devs[at];
            let table = dev
                .table
                .iter()
                .map(|t| Target {
                    start: t.start,
                    length: t.length,
                    text: t.text.clone(),
                    on: t.on.clone(),
                })
                .collect();
            let name = format!("{}-old", dev.name);
            push(home, name, String::new(), 0, table, Of::Double);
        }
        "held-open" | "partition" | "guest-lvm" => {
            let (at, ..) = pick(rng, cluster, node, |guest, _| {
                !guest.running && !guest.template
            })?;
            let inner = (rng.lvm_uuid() + &rng.lvm_uuid()).replace('-', "");
            let home = &mut cluster.nodes[node];
            let dev = &mut home.devs[at];
            dev.open = 1;
            let (name, uuid, minor) = (dev.name.clone(), dev.uuid.clone(), dev.minor);
            if problem == "held-open" {
                dev.process = Some((4242, "qemu-nbd"));
            } else {
                let target = Target {
                    start: 0,
                    length: 16384,
                    text: format!("linear {DM}:{minor} 2048"),
                    on: vec![(DM, minor)],
                };
                let (top, uuid) = if problem == "partition" {
                    (format!("{name}p1"), format!("part1-{uuid}"))
                } else {
                    let vg = format!("guestvg{minor}");
                    home.expect("guest-lvm-on-host", vg.clone(), "warning");
                    (format!("{vg}-root"), format!("LVM-{inner}"))
                };
                push(home, top, uuid, 0, vec![target], Of::OnTop);
            }
            home.expect("held-open-while-stopped", name, "warning");
        }
        "missing-volume" => {
            let (_, _, guest) = pick(rng, cluster, node, |guest, shared| {
                !shared && !guest.container && !guest.template
            })?;
            let guest = &mut cluster.guests[guest];
            let volume = format!("{}:vm-{}-disk-99", storage(false), guest.vmid);
            guest.lines.push(format!("sata5: {volume},size=32G"));
            cluster.nodes[node].expect("missing-volume", volume, "critical");
        }
        "suspended" | "no-table" => {
            let (at, ..) = pick(rng, cluster, node, |guest, _| !guest.running)?;
            let home = &mut cluster.nodes[node];
            let name = home.devs[at].name.clone();
            if problem == "suspended" {
                home.devs[at].suspended = true;
                home.expect("suspended-device", name, "critical");
            } else {
                home.devs[at].no_table = true;
                home.devs[at].table.clear();
                home.expect("no-live-table", name, "warning");
            }
        }
        "pool-full" | "pool-failed" | "pool-overcommitted" => {
            let home = &mut cluster.nodes[node];
            if home.pool.0 > 7500 || home.pool.2 != "rw" {
                return None;
            }
            let (check, severity) = match problem {
                "pool-full" if rng.chance(0.5) => {
                    home.pool.0 = 8000;
                    ("thin-pool-full", "warning")
                }
                "pool-full" => {
                    home.pool.1 = 9000;
                    home.pool.0 = 7999;
                    ("thin-pool-full", "critical")
                }
                "pool-failed" => {
                    home.pool = (10_000, 4000, "out_of_data_space", false);
                    ("thin-pool-failed", "critical")
                }
                _ => {
                    home.pool.0 = 7600;
                    set_pool_size(home, 16);
                    ("thin-pool-full", "info")
                }
            };
            home.expect(check, "pve/data", severity);
        }
        "single-path" => {
            if !cluster.multipath {
                return None;
            }
            let (at, ..) = pick(rng, cluster, node, |_, shared| shared)?;
            let home = &mut cluster.nodes[node];
            for target in &mut home.devs[at].table {
                target.text = target
                    .text
                    .replace(&format!("linear {DM}:6"), "linear 8:48");
                target.on = vec![(8, 48)];
            }
            let name = home.devs[at].name.clone();
            let lost = home.failed_paths > 0;
            home.expect(
                "single-path-under-multipath",
                name,
                if lost { "critical" } else { "warning" },
            );
        }
        "failed-path" if cluster.multipath => {
            let home = &mut cluster.nodes[node];
            if home
                .expected
                .keys()
                .any(|key| key.0 == "single-path-under-multipath")
            {
                return None;
            }
            home.failed_paths = rng.range(1, 2) as usize;
            home.expect(
                "failed-path",
                "mpatha",
                if home.failed_paths == 2 {
                    "critical"
                } else {
                    "warning"
                },
            );
        }
        "kernel-errors" => {
            let home = &mut cluster.nodes[node];
            home.log.push(format!("device-mapper: thin: {DM}:4: reached low water mark for data device: sending event."));
            home.log.push(format!(
                "device-mapper: table: {DM}:99999: linear: Device lookup failed (-ENODEV)"
            ));
            home.expect("kernel-dm-errors", "pve-data-tpool", "info");
            home.expect("kernel-dm-errors", format!("{DM}:99999"), "warning");
        }
        // All of this node's guests are unknown; nothing else is wrong with it.
        "no-config" => {
            let involved = cluster.nodes[node].devs.iter().any(|dev| dev.touched)
                || !cluster.nodes[node].expected.is_empty();
            if !involved && cluster.nodes.len() == 1 {
                cluster.nodes[node].configs = Configs::None;
            }
        }
        _ => return None,
    }
    Some(())
}
