//! Volumes that go past their multipath device, and failed paths.

use std::collections::HashMap;

use super::facts::{self, vg_lv};
use super::layout::{Ground, is_multipath};
use super::{Case, Check, Outcome, Run, info_evidence, table_evidence};
use crate::model::device::Device;
use crate::model::finding::{Finding, Severity};
use crate::model::node::Node;
use crate::parse::DevNo;
use crate::parse::multipath::{Multipath, Path};

pub(super) const SINGLE_PATH: Check = Check {
    name: "single-path-under-multipath",
    title: "A mapping uses one path of a multipath device",
    page: include_str!("../../docs/checks/single-path-under-multipath.md"),
    run: Run::Node(single_path),
};

pub(super) const FAILED_PATH: Check = Check {
    name: "failed-path",
    title: "A multipath device has lost a path",
    page: include_str!("../../docs/checks/failed-path.md"),
    run: Run::Node(failed_path),
};

fn single_path(case: &Case<'_>) -> Outcome {
    let node = case.node;
    let ground = Ground::of(node);
    let paths = paths(node);
    let findings = case
        .entries()
        .filter(|(_, device, _)| !is_multipath(device))
        .filter_map(|(_, device, judgement)| {
            let (path, multipath) = device
                .below
                .iter()
                .find_map(|below| Some((*below, ground.multipath_over(*below)?)))?;
            let state = paths.get(&path).copied();
            Some(goes_past(
                node,
                device,
                judgement.vmid,
                path,
                state,
                multipath,
            ))
        })
        .collect();
    let tables = node.evidence.has("dmsetup-table");
    Outcome {
        findings,
        needs: (!tables && !node.devices.is_empty()).then_some("the tables (dmsetup-table)"),
    }
}

/// What `multipath -ll` says of each path, by its number; the first where it
/// lists one twice.
fn paths(node: &Node) -> HashMap<DevNo, &Path> {
    let mut paths = HashMap::new();
    for path in node.multipaths.iter().flat_map(|device| &device.paths) {
        if let Some(number) = path.devno {
            paths.entry(number).or_insert(path);
        }
    }
    paths
}

fn goes_past(
    node: &Node,
    device: &Device,
    vmid: Option<u64>,
    path: DevNo,
    state: Option<&Path>,
    multipath: DevNo,
) -> Finding {
    let name = node
        .devices
        .by_devno(multipath)
        .and_then(|index| node.devices.get(index))
        .map_or_else(|| multipath.to_string(), |device| device.name.clone());
    let path_name = state
        .and_then(|path| path.name.as_deref())
        .map_or_else(|| path.to_string(), |name| format!("{name} ({path})"));
    let open = device.open.is_some_and(|open| open > 0);
    let cut_off = open && state.is_some_and(is_lost);
    let mut evidence = vec![info_evidence(device)];
    evidence.extend(table_evidence(device));
    evidence.extend(state.map(|path| path_line(&name, path)));
    evidence.push(format!(
        "{path} is a path of the multipath device {name} ({multipath})"
    ));
    let again = match node.lvm.of(device) {
        Some(lv) => format!(
            "lvchange -an {0}; lvchange -ay {0}",
            vg_lv(&lv.vg, &lv.name)
        ),
        None => "take it down and make it anew on the multipath device".to_owned(),
    };
    Finding {
        check: SINGLE_PATH.name,
        severity: if cut_off { Severity::Critical } else { Severity::Warning },
        subject: device.name.clone(),
        vmid,
        message: format!(
            "{} lies on {path_name}, a single path of the multipath device {name}, instead of on {name} itself.{}",
            device.name,
            if cut_off { " That path has failed." } else { "" }
        ),
        impact: "When that one path fails, the disk is gone, although others still work; and what goes past the multipath device is not ordered \
                 with what goes through it."
            .into(),
        remedy: format!(
            "Make LVM use {name}: the filter in /etc/lvm/lvm.conf must reject the paths, or multipath_component_detection = 1 must be set (the default). \
             multipathd must be up before LVM (update-initramfs -u -k all). Then, with the guest stopped: {again}."
        ).into(),
        evidence,
    }
}

fn failed_path(case: &Case<'_>) -> Outcome {
    let node = case.node;
    let findings = node
        .multipaths
        .iter()
        .filter_map(|multipath| lost_paths(node, multipath))
        .collect();
    let unseen = node.devices.iter().any(|(_, device)| is_multipath(device))
        && !node.evidence.has("multipath");
    Outcome {
        findings,
        needs: unseen.then_some("the paths' states (multipath -ll)"),
    }
}

/// Whether a path has failed; one that is being checked has not.
fn is_lost(path: &Path) -> bool {
    path.dm_state == "failed"
        || path.checker == "faulty"
        || path.name.is_none()
        || path.device_state.as_deref() == Some("offline")
}

fn lost_paths(node: &Node, multipath: &Multipath) -> Option<Finding> {
    let lost: Vec<&Path> = multipath
        .paths
        .iter()
        .filter(|path| is_lost(path))
        .collect();
    if lost.is_empty() {
        return None;
    }
    let left = multipath.paths.len() - lost.len();
    let names: Vec<String> = lost
        .iter()
        .map(|path| {
            path.name
                .clone()
                .unwrap_or_else(|| format!("one that is gone ({})", path.hctl))
        })
        .collect();
    let device = node
        .devices
        .by_name(&multipath.name)
        .and_then(|index| node.devices.get(index));
    let mut evidence: Vec<String> = device.map(info_evidence).into_iter().collect();
    evidence.extend(
        multipath
            .paths
            .iter()
            .take(8)
            .map(|path| path_line(&multipath.name, path)),
    );
    Some(Finding {
        check: FAILED_PATH.name,
        severity: if left == 0 { Severity::Critical } else { Severity::Warning },
        subject: multipath.name.clone(),
        vmid: None,
        message: format!(
            "{} of {} paths to {} have failed: {}.",
            lost.len(),
            multipath.paths.len(),
            multipath.name,
            facts::some(&names, 6)
        ),
        impact: if left == 0 {
            "No path is left: every guest on it hangs or gets errors."
        } else {
            "The disk still works, with less or nothing in reserve: the next failure takes it away."
        }
        .into(),
        remedy: "Find the part that failed: cable, port, switch, controller, or a LUN that is no longer mapped to this node (dmesg; multipath -ll; \
                 the storage's own log). Once it is repaired, multipathd takes the path back by itself."
            .into(),
        evidence,
    })
}

fn path_line(name: &str, path: &Path) -> String {
    let number = path
        .devno
        .map_or_else(|| "-".to_owned(), |devno| devno.to_string());
    format!(
        "multipath: {name}: {} {} {number} {} {}{}",
        path.hctl,
        path.name.as_deref().unwrap_or("-"),
        path.dm_state,
        path.checker,
        path.device_state
            .as_deref()
            .map_or_else(String::new, |state| format!(" {state}"))
    )
}
