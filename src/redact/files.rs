//! The node's files that are read: the cluster's configuration below
//! `/etc/pve`, and corosync's.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::names::{Kind, Names};
use super::outputs::NOT_UNDERSTOOD;
use super::rules::NO_SECRET;
use super::words;
use crate::model::guest::{Target, references};
use crate::parse::{guest_config, lines};

/// A file redacted; none where nothing in it is read, so that its place alone
/// is kept or it is dropped.
pub(super) fn file(names: &mut Names, path: &str, text: &str) -> Option<String> {
    match path {
        "/etc/pve/storage.cfg" => return Some(storage_cfg(names, text)),
        "/etc/pve/corosync.conf" | "/etc/corosync/corosync.conf" => {
            return Some(corosync(names, text));
        }
        "/etc/pve/datacenter.cfg" => return Some(datacenter(text)),
        "/etc/pve/.vmlist" => return Some(json(text, |root| vmlist(names, root))),
        "/etc/pve/.members" => return Some(json(text, |root| members(names, root))),
        "/etc/hostname" => {
            return Some(format!("{}\n", names.node(text.split_whitespace().next()?)));
        }
        _ => {}
    }
    guest_of(path).map(|_| guest_text(names, text))
}

/// Whether a guest's configuration names volumes or devices that its redacted
/// text does not name, by their stand-ins and in the same line: then an entry
/// would pass for one that nobody references.
pub(super) fn loses_a_volume(names: &mut Names, path: &str, text: &str, redacted: &str) -> bool {
    if guest_of(path).is_none() {
        return false;
    }
    let there = references(&guest_config::parse(redacted).value);
    let there: HashSet<(usize, String)> = there
        .into_iter()
        .map(|one| (one.line, one.target.to_string()))
        .collect();
    let wanted = references(&guest_config::parse(text).value);
    wanted.into_iter().any(|one| {
        let target = match one.target {
            Target::Volume { storage, volume } => {
                format!("{}:{}", names.store(&storage), names.lv(&volume))
            }
            Target::Path(path) => names.path(&path),
        };
        !there.contains(&(one.line, target))
    })
}

/// The guest whose configuration lies at a path.
fn guest_of(path: &str) -> Option<u64> {
    let rest = path.strip_prefix("/etc/pve/")?.strip_suffix(".conf")?;
    let (folder, vmid) = rest.rsplit_once('/')?;
    let kind = folder.rsplit('/').next()?;
    let vmid = vmid.parse().ok()?;
    matches!(kind, "qemu-server" | "lxc").then_some(vmid)
}

/// A guest's configuration. Lines keep their numbers, since evidence cites
/// them.
fn guest_text(names: &mut Names, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (_, line) in lines(text) {
        let line = line.trim_end();
        let section = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if line.starts_with('#') {
            out.push('#');
        } else if let Some(section) = section {
            out.push_str(&format!("[{}]", section_name(names, section.trim())));
        } else if !line.is_empty() {
            let apart = guest_config::setting(line);
            let setting = apart.map(|(key, sign, value)| setting(names, key, sign, value));
            // The analysis looks for volumes in a line that it does not understand.
            out.push_str(
                &setting
                    .unwrap_or_else(|| format!("{NOT_UNDERSTOOD} {}", names.volumes_alone(line))),
            );
        }
        out.push('\n');
    }
    out
}

fn section_name(names: &mut Names, section: &str) -> String {
    if section.eq_ignore_ascii_case("PENDING") {
        return section.to_owned();
    }
    match section.split_once(':') {
        Some((kind, rest)) => {
            let kind = match kind {
                "special" | "cloudinit" | "fleecing" => kind.to_owned(),
                other => names.token(Kind::Word, other),
            };
            let rest = match rest {
                "cloudinit" | "fleecing" => rest.to_owned(),
                other => names.token(Kind::Word, other),
            };
            format!("{kind}:{rest}")
        }
        None => names.snapshot(section),
    }
}

fn setting(names: &mut Names, key: &str, sign: char, value: &str) -> String {
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    let small = stem.to_ascii_lowercase();
    let known = words::is_setting(key) || words::is_setting(stem) || is_lxc(key);
    let value = match key {
        "name" | "hostname" => names.guest(value),
        "parent" => names.snapshot(value),
        "tags" => value
            .split([';', ',', ' '])
            .map(|tag| names.token(Kind::Word, tag))
            .collect::<Vec<_>>()
            .join(";"),
        "smbios1" => smbios(names, value),
        _ => match small.as_str() {
            "description" | "searchdomain" | "ciuser" | "cipassword" | "sshkeys" => match value {
                "" => String::new(),
                _ => NO_SECRET.to_owned(),
            },
            // A command line, an environment, or who knows: passwords stand there.
            "args" | "entrypoint" | "env" => names.volumes_alone(value),
            _ if small.starts_with("lxc.") || !known => names.volumes_alone(value),
            _ => names.value(value),
        },
    };
    let key = match (known, key.starts_with("lxc.")) {
        (true, _) => key.to_owned(),
        (false, false) => names.token(Kind::Word, key),
        // What is written with an equals sign is a setting only by its beginning.
        (false, true) => format!("lxc.{}", names.token(Kind::Word, key)),
    };
    match sign {
        '=' => format!("{key} = {value}"),
        _ => format!("{key}: {value}"),
    }
}

/// Raw keys of LXC.
fn is_lxc(key: &str) -> bool {
    [
        "lxc.mount.entry",
        "lxc.mount.auto",
        "lxc.rootfs.path",
        "lxc.cgroup2.devices.allow",
        "lxc.cgroup.devices.allow",
        "lxc.idmap",
        "lxc.apparmor.profile",
        "lxc.cap.drop",
        "lxc.hook.pre-start",
    ]
    .contains(&key)
}

/// The UUID of a machine; all else in it names makers and serials.
fn smbios(names: &mut Names, value: &str) -> String {
    let parts = value.split(',').map(|part| match part.split_once('=') {
        Some(("uuid", uuid)) => format!("uuid={}", names.uuid(uuid)),
        _ => "base64=1".to_owned(),
    });
    parts.collect::<Vec<_>>().join(",")
}

fn storage_cfg(names: &mut Names, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (_, line) in lines(text) {
        if line.trim_start().starts_with('#') {
            out.push('#');
        } else if line.trim().is_empty() {
        } else if line.starts_with([' ', '\t']) {
            let (key, value) = line
                .trim()
                .split_once([' ', '\t'])
                .unwrap_or((line.trim(), ""));
            out.push_str(&property(names, key, value.trim()));
        } else {
            match line.split_once(':') {
                Some((kind, id)) if !kind.trim().is_empty() && !id.trim().is_empty() => {
                    let kind = match words::is_setting(kind.trim()) {
                        true => kind.trim().to_owned(),
                        false => names.token(Kind::Word, kind.trim()),
                    };
                    out.push_str(&format!("{kind}: {}", names.store(id.trim())));
                }
                _ => out.push_str(NOT_UNDERSTOOD),
            }
        }
        out.push('\n');
    }
    out
}

fn property(names: &mut Names, key: &str, value: &str) -> String {
    let value = match key {
        "vgname" => names.store(value),
        "thinpool" => names.lv(value),
        "nodes" => value
            .split([',', ' '])
            .map(|node| names.node(node))
            .collect::<Vec<_>>()
            .join(","),
        "shared" | "disable" | "content" | "prune-backups" | "sparse" => names.value(value),
        "path" | "base" | "mountpoint" => names.value(value),
        _ if value.is_empty() => String::new(),
        _ => NO_SECRET.to_owned(),
    };
    match words::is_setting(key) {
        true => format!("\t{key} {value}"),
        false => format!("\t{} {value}", names.token(Kind::Word, key)),
    }
}

fn corosync(names: &mut Names, text: &str) -> String {
    let mut path: Vec<String> = Vec::new();
    let mut out = String::new();
    for (_, line) in lines(text) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
        } else if let Some(section) = line.strip_suffix('{') {
            let section = section.trim();
            let known = [
                "totem",
                "nodelist",
                "node",
                "logging",
                "quorum",
                "interface",
            ];
            let section = known.iter().find(|name| **name == section).copied();
            let section = section.unwrap_or("other");
            path.push(section.to_owned());
            out.push_str(&format!("{section} {{"));
        } else if line == "}" {
            path.pop();
            out.push('}');
        } else if let Some((key, value)) = line.split_once(':') {
            let (key, value) = (key.trim(), value.trim());
            match (path.last().map(String::as_str), key) {
                (_, "cluster_name") => {
                    let cluster = names.token(Kind::Cluster, value);
                    out.push_str(&format!("cluster_name: {cluster}"));
                }
                (Some("node"), "name") => out.push_str(&format!("name: {}", names.node(value))),
                (Some("node"), "ring0_addr" | "ring1_addr") => {
                    let address = match value.parse::<std::net::IpAddr>() {
                        Ok(_) => names.address(value),
                        Err(_) => names.node(value),
                    };
                    out.push_str(&format!("{key}: {address}"));
                }
                (Some("node"), "nodeid" | "quorum_votes") if words::is_number(value) => {
                    out.push_str(&format!("{key}: {value}"));
                }
                // Nothing is read from the others.
                _ => {}
            }
        } else {
            out.push_str(NOT_UNDERSTOOD);
        }
        out.push('\n');
    }
    out
}

/// The range of VMIDs alone.
fn datacenter(text: &str) -> String {
    let mut out = String::new();
    for (_, line) in lines(text) {
        if let Some(value) = line.trim().strip_prefix("next-id:") {
            let legal = value
                .chars()
                .all(|c| c.is_ascii_digit() || c.is_whitespace() || "loweruppr=,".contains(c));
            out.push_str("next-id:");
            out.push_str(if legal { value } else { NOT_UNDERSTOOD });
        }
        out.push('\n');
    }
    out
}

/// A JSON text rewritten; one that is none stays none.
fn json(text: &str, change: impl FnOnce(&Map<String, Value>) -> Value) -> String {
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(root) => format!("{}\n", change(&root)),
        Err(_) => format!("{NOT_UNDERSTOOD}\n"),
    }
}

fn vmlist(names: &mut Names, root: &Map<String, Value>) -> Value {
    let Some(ids) = root.get("ids").and_then(Value::as_object) else {
        return Value::Object(Map::new());
    };
    let mut out = Map::new();
    for (id, entry) in ids {
        let id = match id.parse::<u32>() {
            Ok(_) => id.clone(),
            Err(_) => NOT_UNDERSTOOD.to_owned(),
        };
        let mut guest = Map::new();
        if let Some(node) = entry.get("node").and_then(Value::as_str) {
            guest.insert("node".into(), names.node(node).into());
        }
        if let Some(kind @ ("qemu" | "lxc")) = entry.get("type").and_then(Value::as_str) {
            guest.insert("type".into(), kind.into());
        }
        out.insert(id, guest.into());
    }
    serde_json::json!({ "ids": out })
}

fn members(names: &mut Names, root: &Map<String, Value>) -> Value {
    let mut out = Map::new();
    if let Some(node) = root.get("nodename").and_then(Value::as_str) {
        out.insert("nodename".into(), names.node(node).into());
    }
    if let Some(cluster) = root.get("cluster") {
        let mut state = Map::new();
        if let Some(name) = cluster.get("name").and_then(Value::as_str) {
            state.insert("name".into(), names.token(Kind::Cluster, name).into());
        }
        for key in ["nodes", "quorate", "version"] {
            if let Some(value) = cluster.get(key).filter(|value| is_plain(value)) {
                state.insert(key.into(), value.clone());
            }
        }
        out.insert("cluster".into(), state.into());
    }
    let mut list = Map::new();
    for (name, member) in root
        .get("nodelist")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let mut state = Map::new();
        for key in ["id", "online"] {
            if let Some(value) = member.get(key).filter(|value| is_plain(value)) {
                state.insert(key.into(), value.clone());
            }
        }
        if let Some(address) = member.get("ip").and_then(Value::as_str) {
            state.insert("ip".into(), names.address(address).into());
        }
        list.insert(names.node(name), state.into());
    }
    if root.contains_key("nodelist") {
        out.insert("nodelist".into(), list.into());
    }
    out.into()
}

fn is_plain(value: &Value) -> bool {
    value.is_number() || value.is_boolean()
}
