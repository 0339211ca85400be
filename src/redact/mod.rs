//! Bundles that a customer may send: every name replaced by a stand-in, and
//! what the analysis does not read left out.
//!
//! Nothing is searched and replaced. Each format is read field by field; a
//! field that is not known is dropped. The mapping of stand-ins to originals
//! stays with the customer; [`restore`] puts the originals back into a report.

mod files;
mod names;
mod outputs;
pub mod restore;
mod rules;
mod words;
mod write;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use names::{MAPPING_FORMAT, Names};

use crate::bundle::{Bundle, Manifest, Output, decode};
use crate::model::read;
use names::{Kind, hex};
use write::Archive;

/// What reading a bundle puts before the collector's own words.
const COLLECTOR_SAID: &str = "the collector could not read it: ";

/// A redacted bundle.
#[derive(Debug)]
pub struct Redacted {
    /// The name of its top folder, and of its file without `.zip`.
    pub top: String,
    /// The zip archive.
    pub archive: Vec<u8>,
    /// What was left out, as it is called in the original bundle.
    pub dropped: Vec<String>,
}

/// Redacts one bundle. What of it is larger than any node's, and so not
/// analyzed, is left out.
///
/// # Errors
/// One line: the bundle has its facts in a form that can't be redacted, or
/// more names than any cluster, or the archive could not be written. Then
/// none of its names is in the mapping.
pub fn redact(bundle: &Bundle, names: &mut Names) -> Result<Redacted, String> {
    refuse_tables(bundle)?;
    names.begin();
    let done = redacted(bundle, names);
    if done.is_err() {
        names.undo();
    }
    done
}

fn redacted(bundle: &Bundle, names: &mut Names) -> Result<Redacted, String> {
    let none = Manifest::default();
    let manifest = bundle.manifest().unwrap_or(&none);
    let mut draft = Draft::new(top(bundle, manifest, names));
    let machine = machine_id(bundle, manifest, names, &mut draft);
    for id in bundle.commands() {
        if let Some(output) = bundle.command(id) {
            draft.command(id, &output, names);
            draft.within_bounds(names)?;
        }
    }
    for (path, bytes) in bundle.files_below("/") {
        if bundle.link(path).is_none() {
            draft.file(path, &decode(bytes), names);
            draft.within_bounds(names)?;
        }
    }
    for path in ["/etc/pve/local", "/etc/pve/qemu-server", "/etc/pve/lxc"] {
        if let Some(target) = bundle.link(path) {
            let target = names.path(target);
            draft.put_file(path, target);
        }
    }
    let directories: Vec<String> = directories(bundle, manifest)
        .iter()
        .map(|path| names.path(path))
        .collect();
    let unread: Vec<Value> = bundle
        .unread()
        .iter()
        .filter(|unread| unread.path.starts_with('/'))
        .map(|unread| {
            let error = unread.error.as_str();
            let error = error.strip_prefix(COLLECTOR_SAID).unwrap_or(error);
            json!({"path": names.path(&unread.path), "error": names.text(error)})
        })
        .chain(std::mem::take(&mut draft.unread))
        .collect();
    let plain = |text: &Option<String>| -> Value {
        let legal = |c: char| c.is_ascii_digit() || "TZ:.+- ".contains(c);
        text.as_ref()
            .filter(|text| text.chars().all(legal))
            .map_or(Value::Null, |text| text.as_str().into())
    };
    let mut document = json!({
        "format": 1,
        "redacted": true,
        "redacted_by": env!("CARGO_PKG_VERSION"),
        "collector": plain(&manifest.collector),
        "started_at": plain(&manifest.started_at),
        "finished_at": plain(&manifest.finished_at),
        "commands": draft.commands,
        "files": draft.files,
        "unread": unread,
        "directories": directories,
    });
    if let Some(fields) = document.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
        if let Some(node) = &manifest.node {
            fields.insert("node".into(), names.node(node).into());
        }
        if let (Some(hash), true) = (machine, manifest.machine_id_sha256.is_some()) {
            fields.insert("machine_id_sha256".into(), hash.into());
        }
    }
    let text = format!("{document:#}\n");
    draft.archive.add("manifest.json", text.as_bytes());
    let (top, archive) = draft
        .archive
        .finish()
        .map_err(|error| format!("the redacted archive could not be made: {error}"))?;
    Ok(Redacted {
        top,
        archive,
        dropped: draft.dropped,
    })
}

/// The folders of `/etc/pve`. Of a bundle that does not say which were
/// listed, those of guests count as listed: its redacted copy says so.
fn directories(bundle: &Bundle, manifest: &Manifest) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = bundle
        .directories_below("/")
        .filter(|path| *path == "/etc/pve" || path.starts_with("/etc/pve/"))
        .map(str::to_owned)
        .collect();
    if manifest.directories.is_none() {
        let of_nodes = bundle.directories_below("/etc/pve/nodes");
        let nodes = of_nodes.filter_map(|path| path.strip_prefix("/etc/pve/nodes/"));
        for node in nodes.filter(|rest| !rest.contains('/')) {
            found
                .extend(["qemu-server", "lxc"].map(|kind| format!("/etc/pve/nodes/{node}/{kind}")));
        }
    }
    found
}

/// Tables for people (of a pvereport or sosreport) are read by their columns'
/// places, which stand-ins would shift.
fn refuse_tables(bundle: &Bundle) -> Result<(), String> {
    let has = |id: &str| bundle.command(id).is_some();
    let entries = [
        "dmsetup-info",
        "dmsetup-info-columns",
        "dmsetup-info-c",
        "dmsetup-ls",
    ];
    if entries.iter().any(|id| has(id)) && (has("lvs-json") || !has("lvs")) {
        return Ok(());
    }
    Err(
        "its facts are in tables for people (as in a pvereport, a sosreport or a recording by \
         hand), which are not redacted; collect a bundle with dmaudit-collect.sh"
            .to_owned(),
    )
}

/// The stand-in of the machine id's SHA-256; the output with the id itself is
/// put into the draft.
fn machine_id(
    bundle: &Bundle,
    manifest: &Manifest,
    names: &mut Names,
    draft: &mut Draft,
) -> Option<String> {
    let output = bundle.command("machine-id");
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let word = output
        .as_ref()
        .map(|output| output.text.trim().to_owned())
        .unwrap_or_default();
    let listed = manifest
        .machine_id_sha256
        .clone()
        .filter(|hash| is_hex(hash, 64));
    let own = output
        .as_ref()
        .filter(|_| is_hex(&word, 32))
        .map(|output| hex(&Sha256::digest(output.text.as_bytes())));
    let hash = listed
        .or(own)
        .or_else(|| is_hex(&word, 64).then(|| word.clone()))
        .map(|hash| hash.to_lowercase());
    let pair = hash.map(|hash| {
        let id = is_hex(&word, 32).then_some(word.as_str());
        names.machine_id(id, &hash)
    });
    if let Some(output) = output {
        let text = match (&pair, word.len()) {
            (Some((id, _)), 32) => format!("{id}\n"),
            (Some((_, hash)), 64) => format!("{hash}\n"),
            (_, 0) => String::new(),
            _ => format!("{}\n", outputs::NOT_UNDERSTOOD),
        };
        draft.put_command("machine-id", &output, Some(text), String::new());
    }
    pair.map(|(_, hash)| hash)
}

/// `dmaudit-<node>-<time>`; where the original is not called so, its name as
/// a node's, since it is one where nothing else names the node.
fn top(bundle: &Bundle, manifest: &Manifest, names: &mut Names) -> String {
    let named = bundle.top().strip_prefix("dmaudit-").and_then(|rest| {
        let (node, time) = rest.rsplit_once('-')?;
        let legal = |c: char| c.is_ascii_digit() || "TZ".contains(c);
        time.chars().all(legal).then_some((node, time))
    });
    match (named, &manifest.node) {
        (Some((node, time)), _) => format!("dmaudit-{}-{time}", names.node(node)),
        (None, _) => names.node(bundle.top().split('.').next().unwrap_or("bundle")),
    }
}

/// Bytes of a redacted bundle, unpacked: half of what is read of one.
const MOST_BYTES: usize = 64 << 20;

/// The new bundle.
struct Draft {
    archive: Archive,
    commands: Vec<Value>,
    files: Vec<Value>,
    /// What was there and is not in the new bundle.
    unread: Vec<Value>,
    dropped: Vec<String>,
    /// Bytes of all that was redacted, in vain or not.
    bytes: usize,
}

impl Draft {
    fn new(top: String) -> Self {
        Self {
            archive: Archive::new(top),
            commands: Vec::new(),
            files: Vec::new(),
            unread: Vec::new(),
            dropped: Vec::new(),
            bytes: 0,
        }
    }

    fn command(&mut self, id: &str, output: &Output<'_>, names: &mut Names) {
        if id == "machine-id" {
            return;
        }
        let text = match id {
            "kernel-dm" => read::last_lines(&output.text),
            _ => &output.text,
        };
        let is_larger = read::is_larger(id, text) || read::is_larger(id, &output.error);
        let damaged = output.damaged || is_larger;
        if is_larger {
            self.dropped.push(format!("commands/{id}.out"));
        }
        let text = if is_larger { "" } else { text };
        let Some(text) = outputs::output(names, id, text) else {
            self.dropped.push(format!("commands/{id}.out"));
            return;
        };
        self.bytes += text.len();
        // Stand-ins can be longer than names.
        let has_grown = !is_larger && read::is_larger(id, &text);
        if has_grown {
            self.dropped.push(format!("commands/{id}.out"));
        }
        let damaged = damaged || has_grown;
        let messages = match damaged {
            true => String::new(),
            false => outputs::messages(names, id, &output.error),
        };
        self.bytes += messages.len();
        let text = (!damaged).then_some(text);
        self.put_command(id, output, text, messages);
    }

    /// An output without a text is one that can't be used: it is listed and
    /// not there.
    fn put_command(&mut self, id: &str, output: &Output<'_>, text: Option<String>, error: String) {
        let mut record = json!({"id": id, "timed_out": output.timed_out});
        if let Some(status) = output.status.filter(|_| !output.damaged) {
            record["status"] = status.into();
        }
        if let Some(text) = text {
            record["bytes"] = text.len().into();
            record["sha256"] = hex(&Sha256::digest(&text)).into();
            let path = format!("commands/{id}.out");
            self.archive.add(&path, text.as_bytes());
        }
        if !error.is_empty() {
            let path = format!("commands/{id}.err");
            self.archive.add(&path, error.as_bytes());
        }
        self.commands.push(record);
    }

    fn file(&mut self, path: &str, text: &str, names: &mut Names) {
        if read::is_larger(path, text) {
            return self.refuse(
                path,
                "not redacted, since it is larger than any node's",
                names,
            );
        }
        let redacted = files::file(names, path, text);
        self.bytes += redacted.as_ref().map_or(0, String::len);
        match redacted {
            Some(text) if read::is_larger(path, &text) => {
                self.refuse(path, "redacted it is larger than any node's", names);
            }
            Some(redacted) if files::loses_a_volume(names, path, text, &redacted) => {
                self.refuse(
                    path,
                    "it names a volume in a form that is not redacted",
                    names,
                );
            }
            Some(text) => self.put_file(&names.path(path), text),
            None => {
                self.dropped.push(format!("files{path}"));
                let top = path.strip_prefix("/etc/pve/");
                // That there is a file shows that the folder was collected.
                if let Some(name) = top.filter(|rest| !rest.contains('/')) {
                    let name = match words::is_folder(name) {
                        true => name.to_owned(),
                        false => names.token(Kind::Word, name),
                    };
                    self.put_file(&format!("/etc/pve/{name}"), String::new());
                }
            }
        }
    }

    /// Leaves a file out. Not there at all, a guest's configuration would say that
    /// the guest is gone.
    fn refuse(&mut self, path: &str, error: &str, names: &mut Names) {
        self.dropped.push(format!("files{path}"));
        let path = names.path(path);
        self.unread.push(json!({"path": path, "error": error}));
    }

    /// Whether it is what a bundle can become, so far: asked after every
    /// member.
    fn within_bounds(&self, names: &Names) -> Result<(), String> {
        if names.are_too_many() {
            return Err("it has more names than any cluster; collect it again".to_owned());
        }
        match self.bytes > MOST_BYTES {
            true => Err(format!(
                "redacted it has more than {MOST_BYTES} bytes, as no bundle has; collect it again"
            )),
            false => Ok(()),
        }
    }

    fn put_file(&mut self, path: &str, text: String) {
        self.files.push(json!({
            "path": path,
            "bytes": text.len(),
            "sha256": hex(&Sha256::digest(&text)),
        }));
        self.archive.add(&format!("files{path}"), text.as_bytes());
    }
}
