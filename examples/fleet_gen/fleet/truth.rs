//! The verdicts and findings that follow from how a cluster was built.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::world::*;

fn list(findings: &Findings) -> Vec<Value> {
    let each = findings
        .iter()
        .flat_map(|(finding, count)| std::iter::repeat_n(finding, *count));
    each.map(|(check, subject, severity)| json!([check, subject, severity]))
        .collect()
}

pub fn of(cluster: &Cluster) -> (Vec<Value>, Option<Value>) {
    let nodes = (0..cluster.nodes.len())
        .map(|index| node(cluster, index))
        .collect();
    let of_cluster = cluster
        .name
        .as_ref()
        .map(|name| json!({"cluster": name, "findings": list(&cluster.expected)}));
    (nodes, of_cluster)
}

fn node(cluster: &Cluster, index: usize) -> Value {
    let node = &cluster.nodes[index];
    let known = node.configs != Configs::None;
    let mut findings = node.expected.clone();
    let mut expect = |check: &str, subject: &str, severity| {
        *findings
            .entry((check.to_owned(), subject.to_owned(), severity))
            .or_default() += 1;
    };
    let mut entries = BTreeMap::new();
    let mut active = BTreeSet::new();
    // What a free VMID meets: whether it fails because of it.
    let mut meets: BTreeMap<u32, bool> = BTreeMap::new();
    for dev in &node.devs {
        let reason = match &dev.of {
            Of::System => "system",
            Of::OnTop => "dependent",
            Of::Double if known => "duplicate",
            _ if !known => "unknown:no-configurations",
            Of::Stale(_, vmid) => {
                expect("stale-mapping", &dev.name, "warning");
                meets.insert(*vmid, true);
                "orphan:guest-gone"
            }
            Of::Lv(shared, lv) => {
                active.insert((*shared, *lv));
                let vg = cluster
                    .shared
                    .as_ref()
                    .filter(|_| *shared)
                    .unwrap_or(&node.local);
                match vg.lvs[*lv].used {
                    Use::Referenced(guest) if cluster.guests[guest].node == index => "valid",
                    Use::Referenced(_) => "orphan:guest-elsewhere",
                    Use::Dropped(guest) if cluster.guests[guest].node == index => {
                        "orphan:disk-unreferenced"
                    }
                    Use::Dropped(_) => "orphan:guest-elsewhere",
                    _ => "orphan:guest-gone",
                }
            }
            Of::Double => "unknown:no-configurations",
        };
        if reason == "duplicate" {
            expect("duplicate-entry", &dev.name, "critical");
        }
        if let Some(reason) = reason.strip_prefix("orphan:") {
            expect(&format!("orphan-{reason}"), &dev.name, "warning");
        }
        entries.insert(dev.name.clone(), reason);
    }
    for (shared, vg) in [(false, Some(&node.local)), (true, cluster.shared.as_ref())] {
        let Some(vg) = vg else { continue };
        for (at, lv) in vg.lvs.iter().enumerate() {
            let name = format!("{}/{}", vg.name, lv.name);
            let unused = matches!(lv.used, Use::Gone | Use::Dropped(_));
            if known && unused && !active.contains(&(shared, at)) {
                expect("leftover-volume", &name, "info");
            }
            if lv.used == Use::Deleting {
                expect(
                    "deletion-stuck",
                    &name,
                    if shared { "info" } else { "warning" },
                );
            }
            if let Some(vmid) = lv.vmid {
                *meets.entry(vmid).or_default() |= lv.fixed_name;
            }
        }
        // LVM before 2.03.12 can't switch it off.
        if shared && cluster.lvm2.starts_with("2.03.11") {
            expect("autoactivation-enabled", &vg.name, "info");
        }
    }
    if known {
        let taken: BTreeSet<u32> = cluster.guests.iter().map(|guest| guest.vmid).collect();
        let next: BTreeSet<u32> = (100..)
            .filter(|vmid| !taken.contains(vmid))
            .take(5)
            .collect();
        meets.retain(|vmid, _| !taken.contains(vmid));
        let further: BTreeSet<u32> = meets
            .keys()
            .copied()
            .filter(|vmid| !next.contains(vmid))
            .take(50)
            .collect();
        for (vmid, blocked) in meets {
            let severity = if blocked { "warning" } else { "info" };
            if next.contains(&vmid) || blocked && further.contains(&vmid) {
                expect("next-vmid-blocked", &format!("VMID {vmid}"), severity);
            }
        }
    }
    json!({"bundle": super::bundle::file_name(cluster, node), "node": node.name, "entries": entries, "findings": list(&findings)})
}
