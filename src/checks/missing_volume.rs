//! Volumes that a configuration references and LVM does not have.

use std::collections::BTreeSet;

use super::facts::mention;
use super::{Case, Check, Outcome, Run};
use crate::model::finding::{Finding, Severity};
use crate::model::guest::{Guest, Reference, Target};
use crate::model::names::{GuestVolume, LvmName, VolumeKind};
use crate::model::storage::Storage;
use crate::model::verdict::LvState;

pub(super) const CHECK: Check = Check {
    name: "missing-volume",
    title: "A configuration references a volume that is not there",
    page: include_str!("../../docs/checks/missing-volume.md"),
    run: Run::Node(run),
};

/// Volumes that are told one by one, the others are counted.
const MOST: usize = 2_000;

fn run(case: &Case<'_>) -> Outcome {
    let node = case.node;
    // What is being made may name volumes that are not there yet.
    let guests = node.guests.here.iter().filter(|guest| {
        guest.readable
            && !matches!(
                guest.lock.as_deref(),
                Some("create" | "clone" | "destroyed")
            )
    });
    if !node.storages.known() {
        return Outcome::needs("/etc/pve/storage.cfg, which says on which VG a storage lies");
    }
    if !node.lvm.complete {
        return Outcome::needs("the report of all volumes by LVM (lvs-json), ended without error");
    }
    let mut findings = Vec::new();
    let (mut further, mut worst) = (0_usize, Severity::Info);
    for guest in guests {
        // A volume that several sections name is missing once; the current
        // section comes first.
        let mut told = BTreeSet::new();
        for reference in &guest.references {
            let Some((storage, vg, volume)) = missing(case, reference) else {
                continue;
            };
            if let Some(part) = part(guest, reference, volume)
                && told.insert((vg, volume))
            {
                if findings.len() < MOST {
                    findings.push(finding(guest, reference, storage, vg, volume, part));
                } else {
                    further += 1;
                    // The worst comes first.
                    worst = worst.min(part.severity());
                }
            }
        }
    }
    findings.extend((further > 0).then(|| others(further, worst)));
    Outcome::found(findings)
}

/// Volumes that are not told one by one.
fn others(volumes: usize, severity: Severity) -> Finding {
    Finding {
        check: CHECK.name,
        severity,
        subject: "further volumes".to_owned(),
        vmid: None,
        message: format!(
            "Configurations reference {volumes} more volumes that are not there, besides the {MOST} that are told one by one."
        ),
        impact: "Their guests won't start here, or lack what was kept for them.".into(),
        remedy: "Look at what so many have in common: a storage whose VG is another one now, or a VG that was made anew.".into(),
        evidence: Vec::new(),
    }
}

/// Storage, VG and volume of a reference whose VG was read and does not have
/// it.
fn missing<'a>(
    case: &Case<'a>,
    reference: &'a Reference,
) -> Option<(&'a Storage, &'a str, &'a str)> {
    let node = case.node;
    let Target::Volume { storage, volume } = &reference.target else {
        return None;
    };
    let storage = node.storages.get(storage).filter(|_| !reference.derived)?;
    let vg = storage
        .vg
        .as_deref()
        .filter(|_| storage.reach.is_here() && !storage.disabled)?;
    // Two VGs of one name: which one the storage means is not known.
    let mut uuids = node.lvm.vg_uuids(vg);
    let read = uuids.next().is_some_and(|uuid| node.lvm.was_read(uuid)) && uuids.next().is_none();
    // While a mapping of the name is left, that is the finding.
    let stale = node
        .devices
        .by_name(&LvmName::join(vg, volume))
        .and_then(|index| case.verdicts.get(index))
        .is_some_and(|judgement| judgement.lv_state == LvState::Stale);
    (read && !stale && node.lvm.by_name(vg, volume).is_none()).then_some((storage, vg, volume))
}

/// What a missing volume is to its guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Without it the guest does not start.
    Disk,
    /// A template's: no new clone can be made.
    Template,
    /// PVE makes it anew at the next start.
    CloudInit,
    /// It is kept, but not used.
    Unused,
    /// A snapshot, or pending changes, name it.
    Section,
    /// The memory of a suspended guest.
    Memory,
}

impl Part {
    fn severity(self) -> Severity {
        match self {
            Self::Disk => Severity::Critical,
            Self::Template | Self::Memory | Self::Section => Severity::Warning,
            Self::CloudInit | Self::Unused => Severity::Info,
        }
    }

    fn impact(self) -> &'static str {
        match self {
            Self::Disk => {
                "The guest won't start here. If it runs, its disk has been removed under it."
            }
            Self::Template => "No new guest can be made from this template.",
            Self::Memory => {
                "The saved memory is lost: the guest can't be resumed, only started anew."
            }
            Self::Section => {
                "A rollback to this snapshot, or applying these pending changes, fails."
            }
            Self::CloudInit => "PVE makes it anew when the guest is started.",
            Self::Unused => "The guest does not use it; the data that it was to keep is gone.",
        }
    }
}

/// None for what is not missed: a backup's fleecing image is PVE's to clean
/// up.
fn part(guest: &Guest, reference: &Reference, volume: &str) -> Option<Part> {
    let key = reference.place.as_str();
    let kind = GuestVolume::parse(volume).map(|volume| volume.kind);
    Some(match (kind, key) {
        (Some(VolumeKind::Fleece), _) => return None,
        (_, key) if key.contains(" in [special:") => return None,
        (_, key) if key.contains(" in [") => Part::Section,
        (Some(VolumeKind::CloudInit), _) => Part::CloudInit,
        (_, key) if key.starts_with("unused") => Part::Unused,
        (_, "vmstate") => Part::Memory,
        _ if guest.template => Part::Template,
        _ => Part::Disk,
    })
}

fn finding(
    guest: &Guest,
    reference: &Reference,
    storage: &Storage,
    vg: &str,
    volume: &str,
    part: Part,
) -> Finding {
    let id = format!("{}:{volume}", storage.id);
    let remedy = match part {
        Part::Disk | Part::Template => format!(
            "Look whether it was renamed or lies on another storage (lvs -a; pvesm list {} --vmid {}). \
             If it is gone, restore the guest from a backup, or take the line out of its configuration.",
            super::facts::word(&storage.id),
            guest.vmid
        ),
        Part::Memory => "Start the guest anew; what it had in memory is lost.".to_owned(),
        Part::Section => {
            "Delete the snapshot or revert the pending change that names it.".to_owned()
        }
        Part::CloudInit => format!(
            "Nothing, or make it now: qm cloudinit update {}.",
            guest.vmid
        ),
        Part::Unused => format!(
            "Take the line {} out of the configuration.",
            reference.place
        ),
    };
    Finding {
        check: CHECK.name,
        severity: part.severity(),
        subject: id.clone(),
        vmid: Some(guest.vmid),
        message: format!(
            "Guest {} ({}) references {id} as {}, but VG {vg} has no such volume.",
            guest.vmid, guest.name, reference.place
        ),
        impact: part.impact().into(),
        remedy: remedy.into(),
        evidence: vec![
            mention(guest, reference),
            format!("storage.cfg: storage {} is VG {vg}", storage.id),
            format!("lvs-json: the volumes of VG {vg} were read; none is named {volume}"),
        ],
    }
}
