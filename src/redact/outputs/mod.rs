//! The outputs of commands, format by format. What is not known is dropped; a
//! line that no format allows becomes one that no format allows either.

mod dm;
mod lvm;
mod openers;

use super::names::{Kind, Names};
use super::words;
use crate::parse::{Parsed, guest_list, lines};

/// What replaces a line that is not understood.
pub(in crate::redact) const NOT_UNDERSTOOD: &str = "?";

/// An output redacted; none where its format is not known and it is dropped.
pub(super) fn output(names: &mut Names, id: &str, text: &str) -> Option<String> {
    Some(match id {
        "dmsetup-info" => by_line(text, |line| dm::info(names, line)),
        "dmsetup-info-columns" => by_line(text, |line| dm::columns(names, line)),
        "dmsetup-info-c" => by_line(text, |line| dm::aligned(names, line)),
        "dmsetup-table" | "dmsetup-status" => by_line(text, |line| dm::table(names, line)),
        "dmsetup-deps" => by_line(text, |line| dm::deps(names, line)),
        "dmsetup-ls" => by_line(text, |line| dm::list(names, line)),
        "lvs-json" => lvm::report(names, text, "lv"),
        "lvs-segments-json" => lvm::report(names, text, "seg"),
        "vgs-json" => lvm::report(names, text, "vg"),
        "pvs-json" => lvm::report(names, text, "pv"),
        "qm-list" | "pct-list" => guests(names, text),
        "pvesm-status" => by_line(text, |line| storage(names, line)),
        "holders" => by_line(text, |line| dm::holder(names, line)),
        "mountinfo" => by_line(text, |line| openers::mount(names, line)),
        "swaps" => by_line(text, |line| openers::swap(names, line)),
        "lsof" => by_line(text, |line| openers::lsof(names, line)),
        "fuser" => numbers(text),
        "multipath" => by_line(text, |line| dm::multipath(names, line)),
        "lvmconfig" => by_line(text, |line| lvm::lvmconfig(names, line)),
        "kernel-dm" => by_line(text, |line| Some(names.text(line))),
        "uname" => by_line(text, |line| uname(names, line)),
        "date" => text
            .chars()
            .filter(|c| c.is_ascii_digit() || " -:+TZ\n".contains(*c))
            .collect(),
        "boot-id" => match text.trim() {
            "" => String::new(),
            id if id.len() == 36 => format!("{}\n", names.uuid(id)),
            _ => format!("{NOT_UNDERSTOOD}\n"),
        },
        "meminfo" => chosen(text, &["MemTotal", "MemAvailable"]),
        "lscpu" => chosen(text, &["CPU(s)", "Model name"]),
        "loadavg" | "uptime" => numbers(text),
        "pveversion" => by_line(text, version),
        _ => return None,
    })
}

/// The messages of a command.
pub(super) fn messages(names: &mut Names, id: &str, text: &str) -> String {
    match id {
        "fuser" => by_line(text, |line| openers::fuser(names, line)),
        _ => by_line(text, |line| Some(names.text(line))),
    }
}

fn by_line(text: &str, mut change: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    for (_, line) in lines(text) {
        match line.trim() {
            "" | "No devices found" => out.push_str(line.trim()),
            _ => out.push_str(change(line).as_deref().unwrap_or(NOT_UNDERSTOOD)),
        }
        out.push('\n');
    }
    out
}

/// Numbers alone; all else goes.
fn numbers(text: &str) -> String {
    by_line(text, |line| {
        let words: Vec<&str> = line
            .split_whitespace()
            .filter(|word| words::is_number(word))
            .collect();
        Some(words.join(" "))
    })
}

/// The lines with these keys; the others become empty.
fn chosen(text: &str, keys: &[&str]) -> String {
    by_line(text, |line| {
        let key = line.split(':').next().unwrap_or_default().trim();
        Some(match keys.contains(&key) {
            true => line.to_owned(),
            false => String::new(),
        })
    })
}

fn version(line: &str) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || " .:+-_~()/".contains(c);
    line.chars().all(legal).then(|| line.to_owned())
}

fn count(text: &str) -> String {
    match text.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.to_owned(),
        false => NOT_UNDERSTOOD.to_owned(),
    }
}

/// A listing is written anew, with the columns that are read.
fn guests(names: &mut Names, text: &str) -> String {
    let parsed: Parsed<Vec<guest_list::ListedGuest>> = guest_list::parse(text);
    let mut out = String::new();
    for _ in &parsed.problems {
        out.push_str("?\n");
    }
    let has_header = lines(text).any(|(_, line)| !line.trim().is_empty());
    if has_header && (parsed.problems.is_empty() || !parsed.value.is_empty()) {
        out.push_str("VMID STATUS LOCK PID\n");
    }
    let mut head = "VMID STATUS LOCK PID\n";
    for guest in &parsed.value {
        let its_head = match guest.name.is_empty() {
            true => "VMID STATUS LOCK PID\n",
            false => "VMID STATUS LOCK PID NAME\n",
        };
        if its_head != head {
            out.push_str(its_head);
            head = its_head;
        }
        let lock = match guest.lock.as_deref() {
            None | Some("") => "-".to_owned(),
            Some(lock) if words::is_setting(lock) => lock.to_owned(),
            Some(lock) => names.token(Kind::Word, lock),
        };
        let status = match words::is_setting(&guest.status) || is_state(&guest.status) {
            true => guest.status.clone(),
            false => names.token(Kind::Word, &guest.status),
        };
        let pid = guest.pid.unwrap_or(0);
        let name = match guest.name.strip_prefix("VM ") {
            Some(number) if number.parse() == Ok(guest.vmid) => guest.name.clone(),
            _ => names.guest(&guest.name),
        };
        out.push_str(format!("{} {status} {lock} {pid} {name}", guest.vmid).trim_end());
        out.push('\n');
    }
    out
}

/// QEMU's words for a machine's state.
fn is_state(word: &str) -> bool {
    [
        "inmigrate",
        "internal-error",
        "io-error",
        "postmigrate",
        "prelaunch",
        "finish-migrate",
        "restore-vm",
        "save-vm",
        "shutdown",
        "guest-panicked",
        "colo",
    ]
    .contains(&word)
}

fn storage(names: &mut Names, line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if let ["Name", "Type", "Status", ..] = words.as_slice() {
        return Some("Name Type Status Total Used Available %".to_owned());
    }
    let (name, rest) = words.split_first()?;
    let known = |word: &&str| {
        words::is_setting(word) || words::is_number(word) || ["N/A", "-", "0"].contains(word)
    };
    let rest: Vec<&str> = rest
        .iter()
        .map(|word| if known(word) { *word } else { NOT_UNDERSTOOD })
        .collect();
    Some(format!("{} {}", names.store(name), rest.join(" ")))
}

fn uname(names: &mut Names, line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["Linux", host, kernel, ..] = words.as_slice() else {
        return None;
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || "._+~-".contains(c);
    kernel
        .chars()
        .all(legal)
        .then(|| format!("Linux {} {kernel}", names.node(host)))
}
