//! Who holds each device open, besides devices on top of it: matched by
//! device number, never by name.

use std::collections::BTreeMap;

use super::Reader;
use super::bounds::{HOLDER, HOLDERS, brief, too_many};
use super::room::cost;
use crate::model::device::{Devices, Index};
use crate::model::node::Holder;
use crate::parse::holders::dm_minor;
use crate::parse::lsblk::BlockDevice;
use crate::parse::openers::{Opener, parse_fuser, parse_lsof};
use crate::parse::{self, DevNo};

/// What holds each entry.
type Found = BTreeMap<Index, Vec<Holder>>;

pub(super) fn read(reader: &mut Reader<'_>, devices: &Devices, blocks: &[BlockDevice]) -> Found {
    let mut found = Found::new();
    let by_minor = |minor: u32| {
        devices.by_devno(DevNo {
            major: devices.major()?,
            minor,
        })
    };
    let mut openers: Vec<Opener> = reader.command("lsof", parse_lsof);
    let mut by = "lsof";
    if openers.is_empty() {
        (openers, by) = (fuser(reader), "fuser");
    }
    let openers = openers.into_iter().filter(|opener| !opener.kernel);
    let held = openers.filter_map(|opener| {
        let index = match opener.devno {
            Some(devno) => devices.by_devno(devno),
            None => opener.minor_hint.and_then(by_minor),
        };
        let process = Holder::Process {
            pid: opener.pid,
            command: brief(&opener.command, HOLDER),
        };
        Some((index?, process))
    });
    add(reader, &mut found, by, held.collect());

    let mounts = reader.command("mountinfo", parse::mountinfo::parse);
    let held = mounts.into_iter().filter_map(|mount| {
        let index = devices.by_devno(mount.devno)?;
        Some((index, Holder::Mount(brief(&mount.mount_point, HOLDER))))
    });
    add(reader, &mut found, "mountinfo", held.collect());

    let held = blocks.iter().flat_map(|block| {
        let index = devices.by_devno(block.devno);
        let mounts = block.mounts.iter().map(|mount| match mount.as_str() {
            "[SWAP]" => Holder::Swap,
            mount => Holder::Mount(brief(mount, HOLDER)),
        });
        mounts.filter_map(move |holder| Some((index?, holder)))
    });
    add(reader, &mut found, "lsblk", held.collect());

    let swaps = reader.command("swaps", parse::swaps::parse);
    let held = swaps.into_iter().filter_map(|swap| {
        let minor = swap.path.rsplit('/').next().and_then(dm_minor);
        let index = minor
            .and_then(by_minor)
            .or_else(|| devices.by_name(swap.path.strip_prefix("/dev/mapper/")?));
        Some((index?, Holder::Swap))
    });
    add(reader, &mut found, "swaps", held.collect());

    let holders = reader.command("holders", parse::holders::parse);
    let held = holders.into_iter().filter_map(|holder| {
        let index = dm_minor(&holder.device).and_then(by_minor)?;
        // Devices on top that are known by their tables are told by name.
        let above = dm_minor(&holder.holder).and_then(by_minor);
        let is_told = above.is_some_and(|above| lies_on(devices, above, index));
        (!is_told).then(|| (index, Holder::Kernel(brief(&holder.holder, HOLDER))))
    });
    add(reader, &mut found, "holders", held.collect());
    for holders in found.values_mut() {
        holders.sort_unstable();
        holders.dedup();
    }
    found
}

/// Adds what a command says holds entries, unless no node has as many.
fn add(reader: &mut Reader<'_>, found: &mut Found, by: &str, held: Vec<(Index, Holder)>) {
    let all = held.len() + found.values().map(Vec::len).sum::<usize>();
    if all > HOLDERS && !held.is_empty() {
        let what = "holders of entries (with those of other commands)";
        reader.refuse(by, too_many(all, what, HOLDERS));
        return;
    }
    let bytes = held.iter().map(|(_, one)| cost::holder(one));
    if let Err(why) = reader.room.take(bytes.sum()) {
        reader.refuse(by, why);
        return;
    }
    for (index, holder) in held {
        found.entry(index).or_default().push(holder);
    }
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
