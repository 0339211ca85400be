//! Guests' volumes that no configuration of the cluster references.

use chrono::{DateTime, Utc};

use super::facts::{self, size};
use super::{Case, Check, Outcome, Run};
use crate::model::finding::{Finding, Severity};
use crate::model::lvm::LogicalVolume;
use crate::model::names::{GuestVolume, LvmName, VolumeKind, meant_by};
use crate::model::node::Node;

pub(super) const CHECK: Check = Check {
    name: "leftover-volume",
    title: "A volume that no configuration references",
    page: include_str!("../../docs/checks/leftover-volume.md"),
    run: Run::Node(run),
};

fn run(case: &Case<'_>) -> Outcome {
    let node = case.node;
    if !every_configuration_is_known(node) {
        return Outcome::needs(
            "every configuration of the cluster (/etc/pve with every node's folder)",
        );
    }
    if !node.lvm.reported {
        return Outcome::needs("LVM's volumes (lvs-json)");
    }
    let findings = node
        .lvm
        .lvs
        .iter()
        .filter_map(|lv| Some((lv, GuestVolume::parse(&lv.name)?)))
        .filter(|(lv, volume)| {
            // An active one is an orphaned entry, and told as such.
            volume.kind != VolumeKind::Deleting
                && !lv.active
                && is_storages(node, lv)
                && !meant_by(&lv.name)
                    .any(|name| case.references.mentions(&lv.vg, &name).next().is_some())
                && !is_mapped(node, lv)
                && !is_worked_on(node, volume.vmid)
                && case.references.vague(volume.vmid).is_none()
        })
        .map(|(lv, volume)| finding(node, lv, &volume))
        .collect();
    Outcome::found(findings)
}

/// Whether each guest that exists was read: any of them may reference any
/// volume.
fn every_configuration_is_known(node: &Node) -> bool {
    let guests = &node.guests;
    guests.unusable.is_none()
        && guests.whole_cluster
        && guests.unread.is_empty()
        && guests.unread_elsewhere.is_empty()
}

/// Whether it is of a VG that a storage is on, as far as is known. Another may
/// be a guest's own, on a disk that it is given, or another program's; so may be
/// an LV without a guest's tag, where that tells them apart.
fn is_storages(node: &Node, lv: &LogicalVolume) -> bool {
    let on_storage = || node.storages.on_vg(&lv.vg).is_some();
    (!node.storages.known() || on_storage()) && !node.lacks_tag(lv)
}

fn is_mapped(node: &Node, lv: &LogicalVolume) -> bool {
    let by_name = node.devices.by_name(&LvmName::join(&lv.vg, &lv.name));
    let uuid = format!("LVM-{}{}", lv.vg_uuid, lv.uuid);
    by_name.or_else(|| node.devices.by_uuid(&uuid)).is_some()
}

/// A restore or a clone makes volumes before it writes them down.
fn is_worked_on(node: &Node, vmid: u64) -> bool {
    node.guests
        .anywhere(vmid)
        .is_some_and(|guest| guest.lock.is_some())
}

fn finding(node: &Node, lv: &LogicalVolume, volume: &GuestVolume) -> Finding {
    let vmid = volume.vmid;
    let name = format!("{}/{}", lv.vg, lv.name);
    let guest = match node.guests.anywhere(vmid) {
        Some(guest) => format!("guest {vmid} on {} does not reference it", guest.node),
        None => format!("no guest of the cluster has VMID {vmid}"),
    };
    let mut what = vec![lv.size.map_or_else(|| "of unknown size".to_owned(), size)];
    what.extend(lv.data_percent.zip(lv.size).map(|(percent, bytes)| {
        format!(
            "{} of it written",
            size((bytes as f64 * percent / 100.0) as u64)
        )
    }));
    what.extend(age(lv, node.collected_at));
    let storage = node.storages.on_vg(&lv.vg);
    let free = match storage {
        Some(storage) => format!(
            "pvesm free {}:{}",
            facts::word(&storage.id),
            facts::word(&lv.name)
        ),
        None => format!("lvremove {}", facts::vg_lv(&lv.vg, &lv.name)),
    };
    let mut evidence = vec![facts::volume(lv)];
    evidence.extend(
        lv.time
            .as_ref()
            .map(|time| format!("lvs-json: {name} was made at {time}")),
    );
    evidence.push(format!("/etc/pve: {guest}, nor does another"));
    Finding {
        check: CHECK.name,
        severity: Severity::Info,
        subject: name.clone(),
        vmid: Some(vmid),
        message: format!("{name} is left over: {guest} ({}).", what.join(", ")),
        impact: "It takes up space, and its data belongs to nobody.".into(),
        remedy: format!(
            "No script deletes data. If nobody needs it any more, a person does: {free}. If it is needed, \
             qm rescan (or pct rescan) adds it to its guest's configuration as unused."
        ).into(),
        evidence,
    }
}

/// How old a volume was when the snapshot was taken.
fn age(lv: &LogicalVolume, now: Option<DateTime<Utc>>) -> Option<String> {
    let made = DateTime::parse_from_str(lv.time.as_deref()?, "%Y-%m-%d %H:%M:%S %z").ok()?;
    let days = (now? - made.with_timezone(&Utc)).num_days();
    match days {
        ..0 => None,
        0 => Some("less than a day old".to_owned()),
        1 => Some("1 day old".to_owned()),
        days => Some(format!("{days} days old")),
    }
}
