//! Which node a bundle is of, and when it was taken.

use chrono::{DateTime, NaiveDateTime, Utc};
use sha2::{Digest, Sha256};

use super::Reader;
use super::bounds::{NAME, brief};
use crate::bundle::Bundle;
use crate::parse::system::parse_uname;

pub(super) struct Identity {
    pub name: String,
    pub collected_at: Option<DateTime<Utc>>,
    pub machine_id_sha256: Option<String>,
    pub boot_id: Option<String>,
    pub kernel: Option<String>,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Identity {
    let uname = reader.optional("uname", parse_uname).unwrap_or_default();
    let bundle = reader.bundle;
    let name = name(bundle, uname.host);
    let collected_at = collected_at(bundle);
    if collected_at.is_none() {
        reader.notes.push(
            "when the snapshot was taken is not recorded; the cleanup script treats it as too old"
                .to_owned(),
        );
    }
    Identity {
        name,
        collected_at,
        machine_id_sha256: machine_id(bundle),
        boot_id: bundle
            .command("boot-id")
            .map(|output| output.text.trim().to_owned())
            .filter(|id| is_boot_id(id)),
        kernel: uname.kernel.map(|kernel| brief(&kernel, NAME)),
    }
}

/// The node's name, from whatever tells it: the manifest, `uname`, the link
/// `/etc/pve/local`, `/etc/hostname`, the only folder below
/// `/etc/pve/nodes`, the bundle's folder.
fn name(bundle: &Bundle, uname: Option<String>) -> String {
    let first_word = |text: &str| text.split_whitespace().next().map(str::to_owned);
    let link = || {
        let target = bundle.link("/etc/pve/local")?;
        target
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .map(str::to_owned)
    };
    bundle
        .manifest()
        .and_then(|manifest| manifest.node.clone())
        .or(uname)
        .or_else(link)
        .or_else(|| first_word(&bundle.file("/etc/hostname")?))
        .or_else(|| only_node(bundle))
        .or_else(|| top_name(bundle.top()).map(|(node, _)| node.to_owned()))
        .map(|name| short(&name).to_owned())
        .filter(|name| !name.is_empty())
        .map_or_else(|| brief(bundle.top(), NAME), |name| brief(&name, NAME))
}

/// A PVE node's name has no domain.
fn short(name: &str) -> &str {
    name.trim().split('.').next().unwrap_or_default()
}

fn only_node(bundle: &Bundle) -> Option<String> {
    let mut nodes: Vec<&str> = bundle
        .directories_below("/etc/pve/nodes")
        .filter_map(|path| path.strip_prefix("/etc/pve/nodes/")?.split('/').next())
        .collect();
    nodes.dedup();
    match nodes[..] {
        [node] => Some(node.to_owned()),
        _ => None,
    }
}

fn collected_at(bundle: &Bundle) -> Option<DateTime<Utc>> {
    let read = |text: &str| {
        let text = text.trim();
        let time = DateTime::parse_from_rfc3339(text)
            .or_else(|_| DateTime::parse_from_rfc2822(text))
            .map(|time| time.with_timezone(&Utc));
        time.ok().or_else(|| date_utc(text))
    };
    let started = bundle
        .manifest()
        .and_then(|manifest| manifest.started_at.as_deref());
    started
        .and_then(read)
        .or_else(|| read(&bundle.command("date")?.text))
        .or_else(|| top_name(bundle.top()).map(|(_, time)| time))
}

/// `date --utc` without a format: `Mon Nov 23 18:36:45 UTC 2026`, in newer
/// releases `Mon Nov 23 06:36:45 PM UTC 2026`.
fn date_utc(text: &str) -> Option<DateTime<Utc>> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    ["%a %b %d %H:%M:%S UTC %Y", "%a %b %d %I:%M:%S %p UTC %Y"]
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())
        .map(|time| time.and_utc())
}

/// Node and time of a top folder named
/// `dmaudit-<node>-<YYYYMMDDTHHMMSSZ>`.
fn top_name(top: &str) -> Option<(&str, DateTime<Utc>)> {
    let (node, time) = top.strip_prefix("dmaudit-")?.rsplit_once('-')?;
    let time = NaiveDateTime::parse_from_str(time, "%Y%m%dT%H%M%SZ").ok()?;
    Some((node, time.and_utc()))
}

/// SHA-256 of `/etc/machine-id`: from the manifest, else the recorded command
/// (the hash itself, or the id it is made of).
fn machine_id(bundle: &Bundle) -> Option<String> {
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if let Some(hash) = bundle.manifest().and_then(|m| m.machine_id_sha256.clone()) {
        return is_hex(&hash, 64).then(|| hash.to_ascii_lowercase());
    }
    let output = bundle.command("machine-id")?;
    let word = output.text.split_whitespace().next()?;
    if is_hex(word, 64) {
        return Some(word.to_ascii_lowercase());
    }
    is_hex(word, 32).then(|| {
        Sha256::digest(output.text.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    })
}

fn is_boot_id(id: &str) -> bool {
    id.len() == 36
        && id
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}
