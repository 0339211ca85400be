//! Volume groups inside guests' disks that the host has activated.

use std::collections::BTreeMap;

use super::facts::{some, word};
use super::{Case, Check, Outcome, Run, info_evidence, table_evidence};
use crate::model::device::{Device, Index};
use crate::model::finding::{Finding, Severity};
use crate::model::node::Node;
use crate::model::verdict::Verdict;

pub(super) const CHECK: Check = Check {
    name: "guest-lvm-on-host",
    title: "A guest's own volume group is active on the host",
    page: include_str!("../../docs/checks/guest-lvm-on-host.md"),
    run: Run::Node(run),
};

/// What keeps LVM away from guests' disks, in the style of PVE's default.
const FILTERS: [&str; 3] = [
    "r|/dev/zd.*|",
    "r|/dev/rbd.*|",
    "r|/dev/mapper/.*-(vm|base)--[0-9]+--.*|",
];

fn run(case: &Case<'_>) -> Outcome {
    let node = case.node;
    // By guest's entry and the UUID of the VG on it.
    let mut groups: BTreeMap<(Index, &str), Vec<&Device>> = BTreeMap::new();
    for (index, device, judgement) in case.entries() {
        let Some(uuid) = device.lvm_uuid.as_ref() else {
            continue;
        };
        let root = case.verdicts.root(index);
        let Some(disk) = node.devices.get(root).filter(|_| root != index) else {
            continue;
        };
        let own = disk.lvm_uuid.as_ref().is_some_and(|of| of.vg == uuid.vg);
        let name = device.volume().map(|(vg, _)| vg);
        let storage = name.is_some_and(|name| node.storages.has_vg(name));
        if judgement.verdict == Verdict::Dependent && !own && !storage {
            groups
                .entry((root, uuid.vg.as_str()))
                .or_default()
                .push(device);
        }
    }
    let tables = node.evidence.has("dmsetup-table") || node.evidence.has("dmsetup-deps");
    Outcome {
        findings: groups
            .into_iter()
            .filter_map(|((root, _), devices)| finding(case, root, &devices))
            .collect(),
        needs: (!tables && !node.devices.is_empty())
            .then_some("the tables (dmsetup-table), which say what lies on a guest's disk"),
    }
}

fn finding(case: &Case<'_>, root: Index, devices: &[&Device]) -> Option<Finding> {
    let node = case.node;
    let disk = node.devices.get(root)?;
    let judgement = case.verdicts.get(root)?;
    let vg = devices
        .iter()
        .find_map(|device| device.volume())
        .map(|(vg, _)| vg)?;
    let names: Vec<String> = devices.iter().map(|device| device.name.clone()).collect();
    let vmid = judgement
        .vmid
        .map_or_else(|| "a guest".to_owned(), |vmid| format!("guest {vmid}"));
    let mut evidence = vec![info_evidence(disk)];
    for device in devices.iter().take(4) {
        evidence.push(info_evidence(device));
        evidence.extend(table_evidence(device));
    }
    evidence.extend(node.lvm_config.iter().flat_map(|config| {
        let filter = config
            .global_filter
            .as_ref()
            .map(|f| format!("lvmconfig: global_filter is {}", list(f)));
        let scan = config
            .scan_lvs
            .map(|scan| format!("lvmconfig: scan_lvs is {}", u8::from(scan)));
        filter.into_iter().chain(scan)
    }));
    Some(Finding {
        check: CHECK.name,
        severity: Severity::Warning,
        subject: vg.to_owned(),
        vmid: judgement.vmid,
        message: format!(
            "VG {vg} belongs to {vmid} and lies inside its disk {}, yet the host has activated {}.",
            disk.name,
            some(&names, 4)
        ),
        impact: "The disk stays open on the host, so the guest's disk can't be deactivated or migrated; if host and guest both use the VG, \
                 they destroy its metadata and file systems."
            .into(),
        remedy: format!(
            "Look that nothing of it is mounted or in use on the host (lsblk /dev/mapper/{}), then take it down: vgchange -an {}. \
             To keep it down: {}",
            word(&disk.name),
            word(vg),
            filter(node)
        ).into(),
        evidence,
    })
}

fn filter(node: &Node) -> String {
    format!(
        "set in the section devices of /etc/lvm/lvm.conf: {}; then update-initramfs -u -k all.",
        settings(node).join(" and ")
    )
}

/// The lines for the section `devices` of lvm.conf that add what is missing to
/// what is set.
pub(crate) fn settings(node: &Node) -> Vec<String> {
    let set = node
        .lvm_config
        .as_ref()
        .and_then(|config| config.global_filter.clone());
    let mut patterns: Vec<String> = FILTERS.map(str::to_owned).to_vec();
    let others = set.into_iter().flatten();
    // `a|.*|` at the front would accept everything before a rejection counts.
    patterns.extend(
        others.filter(|pattern| !FILTERS.contains(&pattern.as_str()) && pattern != "a|.*|"),
    );
    let mut lines = vec![format!("global_filter = {}", list(&patterns))];
    if node.lvm_config.as_ref().and_then(|config| config.scan_lvs) == Some(true) {
        lines.push("scan_lvs = 0".to_owned());
    }
    lines
}

fn list(patterns: &[String]) -> String {
    let quoted: Vec<String> = patterns
        .iter()
        .map(|pattern| format!("\"{pattern}\""))
        .collect();
    format!("[ {} ]", quoted.join(", "))
}
