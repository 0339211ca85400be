//! Who holds each device open, besides devices on top of it: matched by
//! device number, never by name.

use std::collections::BTreeMap;

use super::Reader;
use super::bounds::{NAME, SENTENCE, brief};
use crate::model::device::{Devices, Index};
use crate::model::node::Holder;
use crate::parse::holders::dm_minor;
use crate::parse::lsblk::BlockDevice;
use crate::parse::openers::{Opener, parse_fuser, parse_lsof};
use crate::parse::{self, DevNo};

pub(super) fn read(
    reader: &mut Reader<'_>,
    devices: &Devices,
    blocks: &[BlockDevice],
) -> BTreeMap<Index, Vec<Holder>> {
    let mut found: BTreeMap<Index, Vec<Holder>> = BTreeMap::new();
    let by_minor = |minor: u32| {
        devices.by_devno(DevNo {
            major: devices.major()?,
            minor,
        })
    };
    let mut openers: Vec<Opener> = reader.command("lsof", parse_lsof);
    if openers.is_empty() {
        openers = fuser(reader);
    }
    for opener in openers.into_iter().filter(|opener| !opener.kernel) {
        let index = match opener.devno {
            Some(devno) => devices.by_devno(devno),
            None => opener.minor_hint.and_then(by_minor),
        };
        if let Some(index) = index {
            found.entry(index).or_default().push(Holder::Process {
                pid: opener.pid,
                command: brief(&opener.command, NAME),
            });
        }
    }
    for mount in reader.command("mountinfo", parse::mountinfo::parse) {
        if let Some(index) = devices.by_devno(mount.devno) {
            found
                .entry(index)
                .or_default()
                .push(Holder::Mount(brief(&mount.mount_point, SENTENCE)));
        }
    }
    for block in blocks {
        let Some(index) = devices.by_devno(block.devno) else {
            continue;
        };
        let holders = block.mounts.iter().map(|mount| match mount.as_str() {
            "[SWAP]" => Holder::Swap,
            mount => Holder::Mount(brief(mount, SENTENCE)),
        });
        found.entry(index).or_default().extend(holders);
    }
    found.retain(|_, holders| !holders.is_empty());
    for swap in reader.command("swaps", parse::swaps::parse) {
        let minor = swap.path.rsplit('/').next().and_then(dm_minor);
        let index = minor
            .and_then(by_minor)
            .or_else(|| devices.by_name(swap.path.strip_prefix("/dev/mapper/")?));
        if let Some(index) = index {
            found.entry(index).or_default().push(Holder::Swap);
        }
    }
    for holder in reader.command("holders", parse::holders::parse) {
        let Some(index) = dm_minor(&holder.device).and_then(by_minor) else {
            continue;
        };
        // Devices on top that are known by their tables are told by name.
        let above = dm_minor(&holder.holder).and_then(by_minor);
        if !above.is_some_and(|above| lies_on(devices, above, index)) {
            found
                .entry(index)
                .or_default()
                .push(Holder::Kernel(brief(&holder.holder, NAME)));
        }
    }
    for holders in found.values_mut() {
        holders.sort_unstable();
        holders.dedup();
    }
    found
}

/// Whether a device's table or dependencies name another one.
fn lies_on(devices: &Devices, above: Index, below: Index) -> bool {
    let number = devices.get(below).and_then(|below| below.devno);
    let above = devices.get(above);
    number
        .is_some_and(|number| above.is_some_and(|above| above.below.binary_search(&number).is_ok()))
}

/// `fuser -v` prints ids to standard output and the rest to standard error.
fn fuser(reader: &mut Reader<'_>) -> Vec<Opener> {
    let Some(output) = reader.output("fuser") else {
        return Vec::new();
    };
    let parsed = parse_fuser(&output.error, &output.text);
    reader.note_problems("fuser", &parsed);
    parsed.value
}
