//! What holds devices open: mounts, swap areas and processes.

use super::{NOT_UNDERSTOOD, count};
use crate::parse::{self, DevNo};
use crate::redact::names::{Kind, Names};
use crate::redact::words;

pub(super) fn mount(names: &mut Names, line: &str) -> Option<String> {
    let fields: Vec<&str> = line.trim_start().split(' ').collect();
    let at = fields.iter().position(|field| *field == "-")?;
    let &[id, parent, devno, root, point, ..] = fields.as_slice() else {
        return None;
    };
    let devno: DevNo = devno.parse().ok()?;
    let (fs, source) = (fields.get(at + 1)?, fields.get(at + 2)?);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let fs = match fs.chars().all(plain) && fs.len() <= 20 {
        true => (*fs).to_owned(),
        false => NOT_UNDERSTOOD.to_owned(),
    };
    let source = match *source {
        "" => String::new(),
        word if word == fs || words::is_folder(word) || word == "none" => word.to_owned(),
        path if path.starts_with('/') => names.path(&parse::mountinfo::unescape_octal(path)),
        other => names.store(&parse::mountinfo::unescape_octal(other)),
    };
    // A blank would be escaped; stand-ins have none.
    let place = |names: &mut Names, path: &str| names.path(&parse::mountinfo::unescape_octal(path));
    let (root, point) = (place(names, root), place(names, point));
    Some(format!(
        "{} {} {}:{} {root} {point} rw - {fs} {source} rw",
        count(id),
        count(parent),
        devno.major,
        devno.minor
    ))
}

pub(super) fn swap(names: &mut Names, line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["Filename", "Type", ..] => Some("Filename Type Size Used Priority".to_owned()),
        [path, kind @ ("partition" | "file"), rest @ ..]
            if rest.iter().all(|word| words::is_number(word)) =>
        {
            let path = names.path(&parse::mountinfo::unescape_octal(path));
            Some(format!("{path} {kind} {}", rest.join(" ")))
        }
        _ => None,
    }
}

/// A row about a block device or a device-mapper path; others become empty,
/// since nothing is read from them.
pub(super) fn lsof(names: &mut Names, line: &str) -> Option<String> {
    let parsed = parse::openers::parse_lsof(line);
    let Some(opener) = parsed.value.first() else {
        return match parsed.problems.is_empty() {
            true => Some(String::new()),
            false => None,
        };
    };
    let path = match opener.path.as_str() {
        "" => String::new(),
        path => names.path(path),
    };
    let device = opener.devno.map_or_else(String::new, |devno| {
        format!("BLK {},{} ", devno.major, devno.minor)
    });
    Some(format!(
        "{} {} root 0u {device}0t0 1 {path}",
        process(names, &opener.command),
        opener.pid.unwrap_or(0)
    ))
}

fn process(names: &mut Names, command: &str) -> String {
    const KNOWN: [&str; 18] = [
        "kvm",
        "qemu-system-x86",
        "qemu-system-x86_64",
        "dmeventd",
        "lvm",
        "sleep",
        "mount",
        "swap",
        "lxc-start",
        "systemd",
        "multipathd",
        "dd",
        "vgs",
        "lvs",
        "pvs",
        "bash",
        "sh",
        "qemu-img",
    ];
    match KNOWN.contains(&command) {
        true => command.to_owned(),
        false => names.token(Kind::Word, command),
    }
}

pub(super) fn fuser(names: &mut Names, line: &str) -> Option<String> {
    if line.contains(" ACCESS ") {
        return Some("                     USER        PID ACCESS COMMAND".to_owned());
    }
    let continued = line.starts_with(char::is_whitespace);
    let (mut out, row) = match continued {
        true => (" ".to_owned(), line),
        false => {
            let at = line
                .find(": ")
                .or_else(|| line.trim_end().strip_suffix(':').map(str::len))?;
            let (path, rest) = line.split_at(at);
            if !path.starts_with('/') {
                return Some(names.text(line));
            }
            (
                format!("{}: ", names.path(path)),
                rest.get(1..).unwrap_or_default(),
            )
        }
    };
    let words: Vec<&str> = row.split_whitespace().collect();
    let is_access = |word: &str| word.len() == 5 && word.chars().all(|c| "cefFrm.".contains(c));
    match words.split_first() {
        None => {}
        Some((_user, rest)) => {
            out.push_str("root");
            let mut command = Vec::new();
            for word in rest {
                if command.is_empty()
                    && (is_access(word) || words::is_number(word) || *word == "kernel")
                {
                    out.push(' ');
                    out.push_str(word);
                } else {
                    command.push(*word);
                }
            }
            if !command.is_empty() {
                out.push(' ');
                let command = command.join(" ");
                match command.starts_with('/') {
                    true => out.push_str(&names.path(&command)),
                    false => out.push_str(&process(names, &command)),
                }
            }
        }
    }
    Some(out)
}
