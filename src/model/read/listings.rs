//! The device-mapper entries of a node: what its listings say together, and
//! whether there may be more.

use std::collections::{HashMap, HashSet};

use super::room::cost;
use super::{Reader, bounds};
use crate::model::device::Devices;
use crate::model::evidence::LISTINGS;
use crate::model::names::LvmName;
use crate::parse::dmsetup_info::DmInfo;
use crate::parse::lsblk::BlockDevice;
use crate::parse::{self, Parsed};

/// A parser of one of the listings of entries.
type Parser = fn(&str) -> Parsed<Vec<DmInfo<'_>>>;

/// What was listed of entries, each with the command that listed it.
type Listed<'a> = Vec<(&'static str, DmInfo<'a>)>;

/// The entries, and why there may be more of them, if so.
pub(super) fn devices(
    reader: &mut Reader<'_>,
    blocks: &[BlockDevice],
) -> (Devices, Option<String>) {
    let forms: [(&'static str, Parser); 3] = [
        ("dmsetup-info", parse::dmsetup_info::parse),
        (
            "dmsetup-info-columns",
            parse::dmsetup_columns::parse_separated,
        ),
        ("dmsetup-info-c", parse::dmsetup_columns::parse_aligned),
    ];
    let texts = forms.map(|(id, _)| reader.text(id).unwrap_or_default());
    let mut lists = Vec::new();
    for ((id, parser), text) in forms.into_iter().zip(&texts) {
        let infos = reader.parsed(id, text, parser);
        match infos.len() > bounds::ENTRIES {
            true => reader.refuse(
                id,
                bounds::too_many(infos.len(), "entries", bounds::ENTRIES),
            ),
            false => lists.push((id, infos)),
        }
    }
    // The longest first; of equals the one that says most.
    lists.sort_by_key(|(_, infos)| std::cmp::Reverse(infos.len()));
    let ls = reader.text("dmsetup-ls").unwrap_or_default();
    let is_empty = lists.iter().all(|(_, infos)| infos.is_empty());
    let listed = match is_empty {
        true => reader.parsed("dmsetup-ls", &ls, parse::dmsetup_deps::parse_ls),
        // Its lines are of use only where the others lack an entry.
        false => parse::dmsetup_deps::parse_ls(&ls).value,
    };
    lists.push(("dmsetup-ls", by_number(&listed)));
    let mut infos = together(reader, lists);

    let mut tree = Vec::new();
    if infos.is_empty() && reader.lacks_listings() {
        for block in parse::lsblk::device_mapper(blocks) {
            tree.push((block.name.as_str(), block.below.clone()));
            infos.push((
                "lsblk",
                DmInfo {
                    name: &block.name,
                    devno: Some(block.devno),
                    read_only: block.read_only,
                    by_lvm: Some(block.kind == "lvm"),
                    line: block.line,
                    ..Default::default()
                },
            ));
        }
    }
    if infos.len() > bounds::ENTRIES {
        let why = bounds::too_many(infos.len(), "entries", bounds::ENTRIES);
        reader.refuse("lsblk", why);
        infos.clear();
    }
    retain_legal(reader, &mut infos);
    within_room(reader, &mut infos);

    let texts = ["dmsetup-table", "dmsetup-deps"].map(|id| reader.text(id).unwrap_or_default());
    let [table, below] = &texts;
    let tables = reader.parsed("dmsetup-table", table, parse::dmsetup_table::parse);
    // What lies on what decides on verdicts: tables have no bound but their own.
    reader.room.spend(tables.len() * cost::SEGMENT);
    let mut deps = reader.parsed("dmsetup-deps", below, parse::dmsetup_deps::parse);
    let most = bounds::DEPENDENCIES;
    let pairs = deps.iter().map(|(_, below)| below.len()).sum();
    let refusal = match pairs > most {
        true => Some(bounds::too_many(pairs, "dependencies", most)),
        false => reader.room.take(pairs * cost::DEPENDENCY).err(),
    };
    if let Some(why) = refusal {
        reader.refuse("dmsetup-deps", why);
        deps.clear();
    }
    if deps.is_empty() {
        deps = tree;
    }
    let gap = gap(reader, &infos, tables.iter().map(|(name, _)| *name));
    (Devices::new(infos, tables, deps), gap)
}

/// Leaves all entries out if there is no room for them: then it is not known
/// which there are.
fn within_room(reader: &mut Reader<'_>, infos: &mut Listed<'_>) {
    let bytes = infos.iter().map(|(_, info)| cost::entry(info.name.len()));
    let Err(why) = reader.room.take(bytes.sum()) else {
        return;
    };
    infos.clear();
    for id in LISTINGS.iter().chain(&["lsblk"]) {
        if reader.evidence.has(id) {
            reader.refuse(id, why.clone());
        }
    }
}

/// Names and numbers alone: open counts stay unknown.
fn by_number<'a>(listed: &[(&'a str, parse::DevNo)]) -> Vec<DmInfo<'a>> {
    let names: HashSet<&str> = listed.iter().map(|(name, _)| *name).collect();
    listed
        .iter()
        .enumerate()
        .map(|(index, &(name, devno))| DmInfo {
            name,
            devno: Some(devno),
            by_lvm: is_lvms_layer(name, &names).then_some(true),
            line: index + 1,
            ..Default::default()
        })
        .collect()
}

/// All entries of all listings: one may have been cut off, or taken before an
/// entry came.
fn together<'a>(
    reader: &mut Reader<'_>,
    lists: Vec<(&'static str, Vec<DmInfo<'a>>)>,
) -> Listed<'a> {
    let mut lists = lists.into_iter();
    let Some((first, mut infos)) = lists.next() else {
        return Vec::new();
    };
    let others: Vec<_> = lists.collect();
    for (_, other) in &others {
        raise_open(&mut infos, other);
    }
    let mut names: HashSet<&str> = infos.iter().map(|info| info.name).collect();
    let mut listed: Listed<'a> = infos.into_iter().map(|info| (first, info)).collect();
    for (id, other) in others {
        let more: Vec<DmInfo<'a>> = other
            .into_iter()
            .filter(|info| names.insert(info.name))
            .collect();
        if listed.len() + more.len() > bounds::ENTRIES {
            let found = listed.len() + more.len();
            reader.refuse(id, bounds::too_many(found, "entries", bounds::ENTRIES));
            continue;
        }
        if let Some(one) = more.first()
            && !listed.is_empty()
        {
            let (count, one) = (more.len(), one.name);
            reader.note(|| format!("{id} has {count} that {first} does not list, such as {one}"));
        }
        listed.extend(more.into_iter().map(|info| (id, info)));
    }
    listed
}

/// The listings were made one after the other: an entry that any of them saw
/// open is open.
fn raise_open(infos: &mut [DmInfo<'_>], other: &[DmInfo<'_>]) {
    let mut by_name: Option<HashMap<&str, &DmInfo<'_>>> = None;
    for (index, info) in infos.iter_mut().enumerate() {
        // Most are at the same place of every listing.
        let same = other.get(index).filter(|other| other.name == info.name);
        let other = same.or_else(|| {
            let by_name = by_name
                .get_or_insert_with(|| other.iter().rev().map(|info| (info.name, info)).collect());
            by_name.get(info.name).copied()
        });
        let more = other.and_then(|other| other.open);
        info.open = info.open.map(|open| open.max(more.unwrap_or(open)));
    }
}

/// Leaves out what device-mapper itself would not have.
fn retain_legal(reader: &mut Reader<'_>, infos: &mut Listed<'_>) {
    let all = infos.len();
    let mut from = None;
    infos.retain(|(id, info)| {
        let legal = bounds::is_dm_text(info.name) && info.uuid.is_none_or(bounds::is_dm_text);
        if !legal {
            from = Some(*id);
        }
        legal
    });
    if let Some(from) = from {
        let out = all - infos.len();
        reader.note(|| {
            format!(
                "{from}: {out} entries are left out, since device-mapper allows no names or UUIDs as long as theirs"
            )
        });
    }
}

/// Why there may be entries that are not listed: no listing is whole, or a
/// table names more.
fn gap<'a>(
    reader: &Reader<'_>,
    infos: &Listed<'_>,
    tables: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let by_lsblk = !infos.is_empty() && reader.lacks_listings() && reader.evidence.has("lsblk");
    if !by_lsblk && !LISTINGS.iter().any(|id| reader.evidence.has(id)) {
        return Some(
            match infos.is_empty() {
                true => "no listing of the node's device-mapper entries is in the bundle",
                false => "no listing of the node's device-mapper entries ended well, so there may be more of them",
            }
            .to_owned(),
        );
    }
    let names: HashSet<&str> = infos.iter().map(|(_, info)| info.name).collect();
    let mut tables = tables.filter(|name| bounds::is_dm_text(name) && !names.contains(name));
    let one = tables.next()?;
    Some(format!(
        "dmsetup-table has entries that no listing has, such as {one}, so there may be more of them"
    ))
}

/// Whether a name alone tells that LVM made an entry: a layer of its own of a
/// volume that is listed, too.
fn is_lvms_layer(name: &str, names: &HashSet<&str>) -> bool {
    let Some(name) = LvmName::split(name) else {
        return false;
    };
    let own = matches!(name.layer.as_deref(), Some("real" | "cow" | "tpool"));
    own && names.contains(LvmName::join(&name.vg, &name.lv).as_str())
}
