//! What keeps a node's findings from coming back: settings and habits, with
//! the lines for this node.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::audit::Audit;
use crate::checks::autoactivation::{self, PVE_SCRIPT, Switch};
use crate::checks::facts::{vg_lv, word};
use crate::checks::guest_lvm_on_host;
use crate::model::finding::Finding;
use crate::model::guest::GuestKind;
use crate::model::lvm::{LogicalVolume, VolumeGroup};
use crate::model::names::is_safe;
use crate::model::node::Node;
use crate::report::view::{self, Prevention};

const INITRAMFS: &str = "update-initramfs -u -k all";
const ENTRIES: &str = "dmsetup ls";

// After these a name follows: of a volume, a volume group, an entry, a guest.
const VG_ACTIVATION: &str = "vgchange --setautoactivation n ";
const LV_ACTIVATION: &str = "lvchange --setautoactivation n ";
const OPEN_COUNT: &str = "dmsetup info -c -o name,open ";
const ACTIVE_VOLUMES: &str = "lvs -o lv_name,lv_active ";
const POOL_USE: &str = "lvs -o lv_name,data_percent,metadata_percent ";
const RESCAN_VM: &str = "qm rescan --vmid ";
const RESCAN_CT: &str = "pct rescan --vmid ";

/// All commands of advice.
const COMMANDS: [&str; 10] = [
    PVE_SCRIPT,
    INITRAMFS,
    ENTRIES,
    VG_ACTIVATION,
    LV_ACTIVATION,
    OPEN_COUNT,
    ACTIVE_VOLUMES,
    POOL_USE,
    RESCAN_VM,
    RESCAN_CT,
];

/// Volumes and guests for which a line each is written.
const MOST: usize = 8;

/// Whether a command is one that advice consists of: facts may come from a
/// stranger, and commands of a report are typed as root.
pub fn is_advice(command: &str) -> bool {
    let name = |word: &str| word.splitn(2, '/').all(is_safe);
    COMMANDS
        .iter()
        .any(|known| match command.strip_prefix(known) {
            Some(rest) if known.ends_with(' ') => name(rest),
            Some(rest) => rest.is_empty(),
            None => false,
        })
}

/// A command for each of some names, in their order; of many only the first.
fn each<T: Ord + Display>(
    names: impl Iterator<Item = T>,
    command: impl Fn(&T) -> &'static str,
) -> Vec<String> {
    let names: BTreeSet<T> = names.collect();
    let lines = names.iter().map(|name| format!("{}{name}", command(name)));
    lines.take(MOST).collect()
}

/// Drops the advice of which no finding is left.
pub(super) fn keep_needed(node: &mut view::Node) {
    let findings = &node.findings;
    node.prevention.retain(|advice| {
        let mut checks = advice.checks.iter();
        checks.any(|check| findings.iter().any(|finding| finding.check == *check))
    });
}

/// The advice for a node, in the order of what it saves.
pub(super) fn of(audit: &Audit) -> Vec<Prevention> {
    let all = [
        duplicates(audit),
        lvm_on_host(audit),
        autoactivation(audit),
        migration(audit),
        deletion(audit),
        disks(audit),
        pools(audit),
    ];
    all.into_iter().flatten().collect()
}

/// Those of a node's findings that these checks made, if any.
fn found<'a>(audit: &'a Audit, checks: &[&str]) -> Option<Vec<&'a Finding>> {
    let findings = audit.findings.iter();
    let found: Vec<_> = findings
        .filter(|finding| checks.contains(&finding.check))
        .collect();
    (!found.is_empty()).then_some(found)
}

fn advice(title: &str, text: &str, checks: &[&str]) -> Prevention {
    Prevention {
        title: title.to_owned(),
        text: text.to_owned(),
        settings: Vec::new(),
        commands: Vec::new(),
        checks: checks.iter().map(|check| (*check).to_owned()).collect(),
    }
}

fn duplicates(audit: &Audit) -> Option<Prevention> {
    let checks = ["duplicate-entry", "held-open-while-stopped"];
    found(audit, &checks)?;
    Some(advice(
        "Guests' disks on the host",
        "Don't map a guest's disk by hand (dmsetup create, kpartx, mount) while its guest may start. Look into a copy or a snapshot, \
         stop the guest before, and take down what was mapped right after (umount, vgchange -an, kpartx -d), before the guest starts again.",
        &checks,
    ))
}

fn lvm_on_host(audit: &Audit) -> Option<Prevention> {
    let checks = ["guest-lvm-on-host"];
    found(audit, &checks)?;
    let mut advice = advice(
        "LVM's filter",
        "Keep the host's LVM away from volume groups inside guests' disks. Set these lines in the section devices of /etc/lvm/lvm.conf; \
         what this node's filter has already is in them.",
        &checks,
    );
    advice.settings = guest_lvm_on_host::settings(&audit.node);
    advice.commands = vec![INITRAMFS.to_owned()];
    Some(advice)
}

fn autoactivation(audit: &Audit) -> Option<Prevention> {
    let checks = ["activated-at-boot", "autoactivation-enabled"];
    let node = &audit.node;
    let found: BTreeSet<&str> = found(audit, &checks)?
        .into_iter()
        .map(|finding| finding.subject.as_str())
        .collect();
    let vgs = node.lvm.vgs.values();
    let vgs: Vec<&VolumeGroup> = vgs.filter(|vg| found.contains(vg.name.as_str())).collect();
    let (shared, local): (Vec<_>, Vec<_>) = vgs
        .into_iter()
        .partition(|vg| node.storages.is_shared_vg(&vg.name));
    // On local storage it is cosmetic: not worth a line beside what is not.
    let vgs = if shared.is_empty() { local } else { shared };
    let mut advice = advice(
        "Activation at boot",
        "PVE activates a guest's volumes when the guest needs them. Have nothing else activate them when this node boots.",
        &checks,
    );
    let mut left_out = BTreeSet::new();
    for vg in &vgs {
        match autoactivation::switch(node, vg) {
            Switch::PveScript => {
                advice.commands = vec![PVE_SCRIPT.to_owned()];
                break;
            }
            Switch::Group => advice
                .commands
                .push(format!("{VG_ACTIVATION}{}", word(&vg.name))),
            Switch::Volumes => {
                let volumes = autoactivation::guests_volumes(node, vg)
                    .map(|(lv, _)| lv)
                    .filter(|lv| lv.autoactivation != Some(false));
                let line =
                    |lv: &LogicalVolume| format!("{LV_ACTIVATION}{}", vg_lv(&lv.vg, &lv.name));
                advice.commands.extend(volumes.map(line));
            }
            Switch::List | Switch::Unknown => {
                left_out.insert(vg.name.as_str());
            }
        }
    }
    if advice.commands.len() > MOST {
        let more = advice.commands.split_off(MOST).len();
        advice
            .text
            .push_str(&format!(" {more} more volumes need the same."));
    }
    if !left_out.is_empty() {
        advice.text.push_str(
            " An LVM before 2.03.12 has no setting for it by volume: set this line in the section activation of /etc/lvm/lvm.conf, \
             with every VG that must come up at boot, the one with the node's root above all.",
        );
        advice.settings = vec![activation_list(node, &left_out)];
        advice.commands.push(INITRAMFS.to_owned());
    }
    Some(advice)
}

/// The VGs that come up at boot, without those whose volumes must not.
fn activation_list(node: &Node, without: &BTreeSet<&str>) -> String {
    let vgs = node.lvm.vgs.values().map(|vg| vg.name.as_str());
    let mut kept: Vec<String> = vgs
        .filter(|vg| !without.contains(*vg) && is_safe(vg))
        .map(|vg| format!("\"{vg}\""))
        .collect();
    kept.sort();
    kept.dedup();
    format!("auto_activation_volume_list = [ {} ]", kept.join(", "))
}

fn migration(audit: &Audit) -> Option<Prevention> {
    let checks = [
        "orphan-guest-elsewhere",
        "outdated-table",
        "stale-mapping",
        "overlapping-mappings",
    ];
    found(audit, &checks)?;
    let node = &audit.node;
    let mut advice = advice(
        "Migration and changes on shared storage",
        "Move guests with PVE's own migration, never by moving their configuration files, and let a migration that broke off be cleaned up \
         before the next one. Resize, move and delete disks on the node on which the guest runs. After each, no volume of a guest of another \
         node may be active here.",
        &checks,
    );
    let vgs = node.lvm.vgs.values().map(|vg| vg.name.as_str());
    let shared = vgs.filter(|vg| node.storages.is_shared_vg(vg)).map(word);
    advice.commands = each(shared, |_| ACTIVE_VOLUMES);
    Some(advice)
}

fn deletion(audit: &Audit) -> Option<Prevention> {
    let checks = [
        "orphan-guest-gone",
        "orphan-guest-not-here",
        "next-vmid-blocked",
        "deletion-stuck",
        "leftover-volume",
    ];
    let found = found(audit, &checks)?;
    let mut advice = advice(
        "Deleting guests",
        "Delete a guest only when it is stopped and nothing on the host has its disks open: the open count is 0 for every entry of the guest. \
         Delete it with PVE (qm destroy VMID --purge, pct destroy VMID --purge) on its own node, and look afterwards \
         that no entry of it is left: its VMID is given out again.",
        &checks,
    );
    let entries = found
        .iter()
        .filter(|finding| finding.check.starts_with("orphan-"))
        .map(|finding| finding.subject.as_str());
    advice.commands = each(entries.filter(|name| is_safe(name)), |_| OPEN_COUNT);
    if advice.commands.is_empty() {
        advice.commands.push(ENTRIES.to_owned());
    }
    Some(advice)
}

fn disks(audit: &Audit) -> Option<Prevention> {
    let checks = ["orphan-disk-unreferenced"];
    let found = found(audit, &checks)?;
    let mut advice = advice(
        "Detaching disks",
        "A detached disk stays as unusedN in the guest's configuration until it is removed there; deleting the line alone leaves the volume behind. \
         A rescan brings volumes that no configuration names back as unusedN, to be removed or attached.",
        &checks,
    );
    let guests = &audit.node.guests;
    let container = |vmid| {
        let guest = guests.here(vmid);
        guest.is_some_and(|guest| guest.kind == GuestKind::Ct)
    };
    let vmids = found.iter().filter_map(|finding| finding.vmid);
    advice.commands = each(vmids, |vmid| match container(*vmid) {
        true => RESCAN_CT,
        false => RESCAN_VM,
    });
    Some(advice)
}

fn pools(audit: &Audit) -> Option<Prevention> {
    let checks = ["thin-pool-full", "thin-pool-failed"];
    let found = found(audit, &checks)?;
    let mut advice = advice(
        "Thin pools",
        "Have somebody told before a pool is full, and let LVM extend it while the VG has room: these lines belong into the section activation \
         of /etc/lvm/lvm.conf (dmeventd must run). Use discard=on on guests' disks, and fstrim in the guests.",
        &checks,
    );
    advice.settings = vec![
        "thin_pool_autoextend_threshold = 80".to_owned(),
        "thin_pool_autoextend_percent = 20".to_owned(),
    ];
    let pools = found
        .iter()
        .filter_map(|finding| finding.subject.split_once('/'));
    let vgs = pools.map(|(vg, _)| vg).filter(|vg| is_safe(vg));
    advice.commands = each(vgs, |_| POOL_USE);
    Some(advice)
}
