//! Guests' volumes that come up by themselves when a node starts.
//!
//! `vgchange --setautoactivation` and its column came with LVM 2.03.12; PVE 9
//! switches it off for each volume that it makes, and ships a script for the
//! older ones.

use super::facts::{some, vg_lv, volume as volume_line, word};
use super::{Case, Check, Outcome, Run};
use crate::model::finding::{Finding, Severity};
use crate::model::lvm::{LogicalVolume, VolumeGroup};
use crate::model::names::{GuestVolume, VolumeKind};
use crate::model::node::Node;
use crate::parse::pveversion::Version;

pub(super) const AT_BOOT: Check = Check {
    name: "activated-at-boot",
    title: "Every guest's volume is active, though the guests don't run here",
    page: include_str!("../../docs/checks/activated-at-boot.md"),
    run: Run::Node(at_boot),
};

pub(super) const ENABLED: Check = Check {
    name: "autoactivation-enabled",
    title: "Guests' volumes on shared storage come up at boot",
    page: include_str!("../../docs/checks/autoactivation-enabled.md"),
    run: Run::Node(enabled),
};

/// So many idle volumes must be active before it looks like a boot's doing.
const ENOUGH: usize = 3;

fn at_boot(case: &Case<'_>) -> Outcome {
    let node = case.node;
    match since_8_2_2(node) {
        None => return Outcome::needs("the PVE version (pveversion)"),
        Some(false) => return Outcome::default(),
        Some(true) => {}
    }
    if node.guests.unusable.is_some() || !node.lvm.reported {
        return Outcome::needs(
            "the guests' configurations (/etc/pve) and LVM's volumes (lvs-json)",
        );
    }
    let findings = node
        .lvm
        .vgs
        .values()
        .filter_map(|vg| Some(booted(node, vg, &idle_though_all_active(node, vg)?)))
        .collect();
    let unknown = node
        .guests
        .here
        .iter()
        .any(|guest| guest.running().is_none());
    let states = unknown.then_some("the guests' states (qm-list, pct-list)");
    Outcome {
        findings,
        needs: lacks_groups(node).or(states),
    }
}

/// What is missing where a volume's VG is not in the report of VGs.
fn lacks_groups(node: &Node) -> Option<&'static str> {
    let lacks = node.lvm.vgs.is_empty() && !node.lvm.lvs.is_empty();
    lacks.then_some("LVM's report of volume groups (vgs-json)")
}

fn since_8_2_2(node: &Node) -> Option<bool> {
    let version = Version::parse(node.pve.manager.as_deref()?)?;
    Some(version.at_least("8.2.2") && version.major() < 9)
}

pub(crate) fn guests_volumes<'a>(
    node: &'a Node,
    vg: &'a VolumeGroup,
) -> impl Iterator<Item = (&'a LogicalVolume, GuestVolume)> {
    node.lvm
        .of_vg(&vg.uuid)
        .filter_map(|lv| Some((lv, GuestVolume::parse(&lv.name)?)))
        .filter(|(_, volume)| volume.kind != VolumeKind::Deleting)
}

/// The volumes whose guest does not run here, if every volume of a VG that an
/// activation of the whole VG brings up is active.
fn idle_though_all_active<'a>(
    node: &'a Node,
    vg: &'a VolumeGroup,
) -> Option<Vec<&'a LogicalVolume>> {
    let mut idle = Vec::new();
    for (lv, volume) in guests_volumes(node, vg) {
        // `k`: skipped by such an activation.
        if lv.attr.chars().nth(9) == Some('k') {
            continue;
        }
        if !lv.active {
            return None;
        }
        let guest = node.guests.here(volume.vmid);
        if guest.is_none_or(|guest| guest.running() == Some(false)) {
            idle.push(lv);
        }
    }
    (idle.len() >= ENOUGH).then_some(idle)
}

fn booted(node: &Node, vg: &VolumeGroup, idle: &[&LogicalVolume]) -> Finding {
    let shared = node.storages.is_shared_vg(&vg.name);
    let names: Vec<String> = idle.iter().map(|lv| lv.name.clone()).collect();
    let mut evidence: Vec<String> = idle.iter().take(8).map(|lv| volume_line(lv)).collect();
    evidence.extend(
        node.pve
            .manager
            .as_ref()
            .map(|v| format!("pveversion: pve-manager {v}")),
    );
    Finding {
        check: AT_BOOT.name,
        severity: if shared { Severity::Warning } else { Severity::Info },
        subject: vg.name.clone(),
        vmid: None,
        message: format!(
            "Every guest's volume of VG {} is active, though the guests of {} of them don't run here: {}. \
             That is how LVM's autoactivation at boot leaves it.",
            vg.name,
            idle.len(),
            some(&names, 6)
        ),
        impact: if shared {
            "On shared storage each of these is a mapping that turns stale, outdated or overlapping as soon as another node changes the volume."
        } else {
            "On local storage this is mostly cosmetic."
        }
        .into(),
        remedy: format!(
            "{} What is active now and belongs elsewhere, the orphans of this report name.",
            switch_off(node, vg, idle)
        ).into(),
        evidence,
    }
}

fn enabled(case: &Case<'_>) -> Outcome {
    let node = case.node;
    let mut unknown = None;
    let mut findings = Vec::new();
    if !node.storages.known() {
        return Outcome::needs("/etc/pve/storage.cfg, which says which VGs are shared");
    }
    let boots = since_8_2_2(node) == Some(true) && node.guests.unusable.is_none();
    for vg in node.lvm.vgs.values() {
        let booted = boots && idle_though_all_active(node, vg).is_some();
        // One fault, one finding.
        if booted || !node.storages.is_shared_vg(&vg.name) || vg.autoactivation == Some(false) {
            continue;
        }
        let volumes: Vec<&LogicalVolume> = guests_volumes(node, vg)
            .map(|(lv, _)| lv)
            .filter(|lv| lv.autoactivation != Some(false))
            .collect();
        if volumes.is_empty() {
            continue;
        }
        let reported = volumes.iter().all(|lv| lv.autoactivation == Some(true));
        if reported || has_setting(node) == Some(false) {
            findings.push(comes_up(node, vg, &volumes, reported));
        } else {
            unknown = Some(
                "the column lv_autoactivation of lvs-json, or the version of lvm2 (pveversion --verbose)",
            );
        }
    }
    Outcome {
        findings,
        needs: lacks_groups(node).or(unknown),
    }
}

/// Whether this node's LVM can switch autoactivation off by volume.
fn has_setting(node: &Node) -> Option<bool> {
    if node.lvm.lists_autoactivation() {
        return Some(true);
    }
    let version = Version::parse(node.pve.packages.get("lvm2")?)?;
    Some(version.at_least("2.03.12"))
}

fn comes_up(node: &Node, vg: &VolumeGroup, volumes: &[&LogicalVolume], reported: bool) -> Finding {
    let names: Vec<String> = volumes.iter().map(|lv| lv.name.clone()).collect();
    let mut evidence = Vec::new();
    if reported {
        evidence.extend(
            names
                .iter()
                .take(8)
                .map(|name| format!("lvs-json: {}/{name}: autoactivation enabled", vg.name)),
        );
    } else {
        evidence.extend(node.pve.packages.get("lvm2").map(|version| {
            format!("pveversion: lvm2 {version}, which has no setting for it by volume")
        }));
    }
    evidence.push(format!("storage.cfg: VG {} is shared", vg.name));
    Finding {
        check: ENABLED.name,
        severity: Severity::Info,
        subject: vg.name.clone(),
        vmid: None,
        message: format!(
            "{} guests' volumes of the shared VG {} are activated on every node that boots.",
            volumes.len(),
            vg.name
        ),
        impact: "After a reboot this node maps all guests' disks, whatever node they run on; those mappings turn stale, outdated or overlapping \
                 as the other nodes change the volumes."
            .into(),
        remedy: switch_off(node, vg, volumes).into(),
        evidence,
    }
}

/// How autoactivation is switched off, by PVE's and LVM's version, and by what
/// else the VG holds.
pub(crate) enum Switch {
    /// PVE's own script does it for existing volumes.
    PveScript,
    /// By the whole VG, which holds guests' volumes alone.
    Group,
    /// By volume: the VG holds others, which must come up.
    Volumes,
    /// This LVM has no such setting: a list of the VGs that do come up.
    List,
    /// The versions are not known.
    Unknown,
}

/// PVE's own script for existing volumes.
pub(crate) const PVE_SCRIPT: &str =
    "/usr/share/pve-manager/migrations/pve-lvm-disable-autoactivation";

pub(crate) fn switch(node: &Node, vg: &VolumeGroup) -> Switch {
    let pve = node.pve.manager.as_deref().and_then(Version::parse);
    match has_setting(node) {
        _ if pve.is_some_and(|version| version.major() >= 9) => Switch::PveScript,
        Some(true) if only_guests(node, vg) => Switch::Group,
        Some(true) => Switch::Volumes,
        Some(false) => Switch::List,
        None => Switch::Unknown,
    }
}

fn switch_off(node: &Node, vg: &VolumeGroup, volumes: &[&LogicalVolume]) -> String {
    match switch(node, vg) {
        Switch::PveScript => format!(
            "Run PVE's own script, which switches it off for existing volumes: {PVE_SCRIPT}."
        ),
        Switch::Group => format!(
            "Switch it off: vgchange --setautoactivation n {} (once, on any node that sees the VG).",
            word(&vg.name)
        ),
        // The node's root, swap and the like must still come up.
        Switch::Volumes => {
            let example = volumes
                .first()
                .map_or_else(|| "VG/LV".to_owned(), |lv| vg_lv(&lv.vg, &lv.name));
            format!(
                "If it bothers you, switch it off volume by volume: lvchange --setautoactivation n {example} and so on; \
                 not for the whole VG, which holds other volumes that must come up."
            )
        }
        Switch::List => "This LVM has no setting for it by volume: list in activation/auto_activation_volume_list of /etc/lvm/lvm.conf \
                        the VGs that must come up at boot (the one with the node's root among them), without this one; \
                        then update-initramfs -u -k all."
            .to_owned(),
        Switch::Unknown => format!(
            "With LVM 2.03.12 or later, if the VG holds only guests' volumes: vgchange --setautoactivation n {}. \
             Before, list the other VGs in activation/auto_activation_volume_list of /etc/lvm/lvm.conf.",
            word(&vg.name)
        ),
    }
}

/// Whether a VG holds guests' volumes alone.
fn only_guests(node: &Node, vg: &VolumeGroup) -> bool {
    node.lvm
        .of_vg(&vg.uuid)
        .all(|lv| GuestVolume::parse(&lv.name).is_some())
}
