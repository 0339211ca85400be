//! The cleanup script of one node, from its plan.
//!
//! A bundle may be forged, and what is written here is run as root. So nothing
//! of a bundle becomes shell syntax (see [`shell`]), an item that is not made
//! of plain names becomes a comment, and whatever an item says is checked on
//! the live node by the script itself.

use std::io;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use minijinja::value::Value;
use minijinja::{ErrorKind, context};
use serde::{Deserialize, Serialize};

use super::plan::{Item, Plan, Skipped};
use super::shell;
use crate::model::verdict::Action;
use crate::templates::not_written;

/// What a script says of itself and checks about the node it runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The node's name, as `uname -n` prints it there; a domain is ignored.
    pub node: String,
    /// The cluster's name, where there is one.
    pub cluster: Option<String>,
    /// SHA-256 (hexadecimal) of the node's `/etc/machine-id`. Without it the
    /// script knows the node by its host name only.
    pub machine_id_sha256: Option<String>,
    /// The kernel's boot id (`/proc/sys/kernel/random/boot_id`) in the
    /// snapshot. Without it a reboot since is not noticed as such.
    pub boot_id: Option<String>,
    /// When the snapshot was taken.
    pub collected_at: DateTime<Utc>,
    /// The bundle's file name.
    pub bundle: String,
    /// This program's version.
    pub dmaudit_version: String,
    /// When the bundle was analyzed.
    pub analyzed_at: DateTime<Utc>,
}

/// Why no script could be written.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A script that can't know its node must not exist.
    #[error(
        "no cleanup script: {0:?} cannot be a node's host name (letters, digits, '-' and '.'), \
         so a script could not check that it runs on the right node"
    )]
    NodeName(String),
    /// It could not be written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A value that the template could not take; a bug, never an input's fault.
    #[error("no cleanup script: {0}")]
    Template(#[from] minijinja::Error),
}

/// The parts of the script, in the order in which they are read.
const TEMPLATES: &[(&str, &str)] = &[
    ("cleanup.sh", include_str!("../../templates/cleanup.sh")),
    (
        "cleanup/asking.sh",
        include_str!("../../templates/cleanup/asking.sh"),
    ),
    (
        "cleanup/device.sh",
        include_str!("../../templates/cleanup/device.sh"),
    ),
    (
        "cleanup/guest.sh",
        include_str!("../../templates/cleanup/guest.sh"),
    ),
    (
        "cleanup/lvm.sh",
        include_str!("../../templates/cleanup/lvm.sh"),
    ),
    (
        "cleanup/removal.sh",
        include_str!("../../templates/cleanup/removal.sh"),
    ),
    (
        "cleanup/item.sh",
        include_str!("../../templates/cleanup/item.sh"),
    ),
    (
        "cleanup/start.sh",
        include_str!("../../templates/cleanup/start.sh"),
    ),
];

/// Whether a script can be written at all for a node.
///
/// # Errors
///
/// [`ScriptError::NodeName`] when the node's name can't be a host name.
pub fn check(about: &About) -> Result<(), ScriptError> {
    let node = about.node.split('.').next().unwrap_or_default();
    match is_host_name(node) {
        true => Ok(()),
        false => Err(ScriptError::NodeName(about.node.clone())),
    }
}

/// Writes the cleanup script of one node. The result is printable ASCII, and
/// the same input gives the same script.
///
/// # Errors
///
/// [`ScriptError::NodeName`] when the node's name can't be a host name. Items
/// that are not safe to name are no error: they become comments.
pub fn render(plan: &Plan, about: &About) -> Result<String, ScriptError> {
    let mut script = Vec::new();
    write(&Arc::new(plan.clone()), about, &mut script)?;
    String::from_utf8(script).map_err(|error| {
        ScriptError::Template(minijinja::Error::new(
            ErrorKind::WriteFailure,
            error.to_string(),
        ))
    })
}

/// As [`render`], to `out` as it is made: a script can be larger than its
/// plan.
///
/// # Errors
///
/// As [`render`], and those of `out`.
pub fn write(plan: &Arc<Plan>, about: &About, out: impl io::Write) -> Result<(), ScriptError> {
    check(about)?;
    let node = about.node.split('.').next().unwrap_or_default();
    let count = plan.items.iter().filter(|item| unfit(item).is_none());
    let count = count.count();
    // Each becomes the template engine's when its turn comes.
    let calls = Value::make_object_iterable(Arc::clone(plan), |plan| {
        let fit = plan.items.iter().filter(|item| unfit(item).is_none());
        Box::new(fit.map(call))
    });
    let left_alone = Value::make_object_iterable(Arc::clone(plan), |plan| {
        let unfit = plan.items.iter().filter_map(|item| {
            let (reason, why) = unfit(item)?;
            Some(mention(&item.name, reason, why))
        });
        let skipped = plan.skipped.iter();
        let skipped = skipped.map(|Skipped { name, reason, why }| mention(name, reason, why));
        Box::new(unfit.chain(skipped))
    });

    let mut engine = shell::environment()?;
    for (name, text) in TEMPLATES {
        engine.add_template(name, text)?;
    }
    let values = context! {
        node,
        cluster => about.cluster.as_deref().unwrap_or("(none recorded)"),
        machine_id_sha256 => about.machine_id_sha256.as_deref().map(shown_id).unwrap_or_default(),
        boot_id => about.boot_id.as_deref().map(shown_id).unwrap_or_default(),
        collected_at => about.collected_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        collected_seconds => about.collected_at.timestamp(),
        analyzed_at => about.analyzed_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        bundle => &about.bundle,
        version => &about.dmaudit_version,
        count,
        calls,
        left_alone,
    };
    engine
        .get_template("cleanup.sh")?
        .render_captured_to(values, out)
        .map(drop)
        .map_err(|error| not_written(&error).map_or_else(|| error.into(), ScriptError::Io))
}

/// An id to compare with a live one. A forged one matches nothing, which
/// refuses to start; it must only not break the script.
fn shown_id(id: &str) -> String {
    shell::one_line(id.trim())
}

/// What one call of the script's `item` says.
fn call(item: &Item) -> Value {
    let volume = item.vg_lv.as_ref().map(|(vg, lv)| format!("{vg}/{lv}"));
    let table: Vec<Value> = item
        .table
        .iter()
        .map(|line| Value::from(line.trim_end()))
        .collect();
    let why = match item.why.trim() {
        "" => "(no reason was recorded)",
        why => why,
    };
    context! {
        name => &item.name,
        uuid => item.uuid.as_deref().unwrap_or_default(),
        table,
        action => item.action.as_str(),
        lv_state => item.lv_state.as_str(),
        volume => volume.unwrap_or_default(),
        vmid => item.vmid.map(|vmid| vmid.to_string()).unwrap_or_default(),
        guest_gone => if item.guest_gone { "yes" } else { "no" },
        words => item.words.join(" "),
        verdict => item.verdict.as_str(),
        why,
    }
}

/// An entry that the script mentions and does not touch.
fn mention(name: &str, reason: &str, why: &str) -> Value {
    context! { name, reason, why }
}

/// Why a script can't safely take out an item, if it can't: the reason's name
/// and a sentence.
fn unfit(item: &Item) -> Option<(&'static str, &'static str)> {
    let plain_line = |line: &String| line.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    let unsafe_name = if !is_name(&item.name) {
        "its name is not made of letters, digits and + _ . - (or starts with a dash), \
         so no command may name it"
    } else if item.uuid.as_ref().is_some_and(|uuid| !is_uuid(uuid)) {
        "its UUID holds characters that no tool puts there"
    } else if item
        .vg_lv
        .as_ref()
        .is_some_and(|(vg, lv)| !is_name(vg) || !is_name(lv))
    {
        "its volume's name is not one that LVM allows"
    } else if item.words.is_empty() || !item.words.iter().all(|word| is_word(word)) {
        "the words to look for in the guests' configurations are not plain names"
    } else if !item.table.iter().all(plain_line) {
        "its table holds characters that the kernel never prints"
    } else if item.action == Action::None {
        return Some(("not-planned", "nothing is planned for it"));
    } else if item.action == Action::Deactivate && item.vg_lv.is_none() {
        return Some((
            "evidence-missing",
            "its logical volume is not known by name",
        ));
    } else if item.uuid.is_none() && item.table.is_empty() {
        return Some((
            "evidence-missing",
            "it has no UUID and its table was not recorded, so nothing tells it from another",
        ));
    } else {
        return None;
    };
    Some(("unsafe-name", unsafe_name))
}

/// Names that a command may be given: device-mapper's limit is 127
/// characters, a leading dash would be an option, `.` and `..` are folders.
fn is_name(name: &str) -> bool {
    is_word(name) && name.len() <= 127 && !name.starts_with('-') && name != "." && name != ".."
}

/// A word as the script cuts them out of a guest's configuration.
fn is_word(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+_.-".contains(c))
}

/// A device-mapper UUID as `dmsetup` prints it unescaped; the kernel's limit is
/// 128 characters.
fn is_uuid(uuid: &str) -> bool {
    !uuid.is_empty()
        && uuid.len() <= 128
        && uuid
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "#+-.:=@_".contains(c))
}

/// A short host name.
fn is_host_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 63
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
