//! Outputs about device-mapper: dmsetup's, multipath's and the kernel's
//! holders.

use super::{NOT_UNDERSTOOD, count};
use crate::parse::DevNo;
use crate::parse::dmsetup_table::holds_key;
use crate::redact::names::{Kind, Names};
use crate::redact::words;

pub(super) fn info(names: &mut Names, line: &str) -> Option<String> {
    let (key, value) = line.split_once(':')?;
    let value = value.trim();
    let plain = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || " ,()-&".contains(c))
    };
    let value = match key.trim() {
        "Name" => names.dm_name(value),
        "UUID" => names.dm_uuid(value),
        "State" | "Tables present" | "Open count" | "Event number" | "Major, minor"
        | "Number of targets" | "Read Ahead"
            if plain(value) =>
        {
            value.to_owned()
        }
        "Read Ahead" => "256".to_owned(),
        _ => return None,
    };
    Some(format!("{key}: {value}"))
}

fn is_attr(text: &str) -> bool {
    text.len() <= 12 && text.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
}

pub(super) fn columns(names: &mut Names, line: &str) -> Option<String> {
    let mut out = Vec::new();
    for (at, cell) in line.trim_start().split('|').enumerate() {
        out.push(match at {
            0 => names.dm_name(cell.trim()),
            1 => names.dm_uuid(cell.trim()),
            2..=6 => count(cell),
            7 if is_attr(cell.trim()) => cell.to_owned(),
            8.. => cell
                .split(',')
                .map(|name| names.dm_name(name.trim()))
                .collect::<Vec<_>>()
                .join(","),
            _ => NOT_UNDERSTOOD.to_owned(),
        });
    }
    Some(out.join("|"))
}

pub(super) fn aligned(names: &mut Names, line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["Name", "Maj", "Min", ..] => Some("Name Maj Min Stat Open Targ Event UUID".to_owned()),
        [
            name,
            major,
            minor,
            stat,
            open,
            targets,
            event,
            ref rest @ ..,
        ] if rest.len() <= 1 && is_attr(stat) => {
            let uuid = names.dm_uuid(rest.first().copied().unwrap_or_default());
            let name = names.dm_name(name);
            let numbers = [major, minor, open, targets, event].map(count);
            let [major, minor, open, targets, event] = numbers;
            Some(format!(
                "{name} {major} {minor} {stat} {open} {targets} {event} {uuid}"
            ))
        }
        _ => None,
    }
}

/// Words of tables that stay: targets, their options and states.
fn is_table_word(word: &str) -> bool {
    const WORDS: &str = " linear striped thin thin-pool snapshot snapshot-origin snapshot-merge \
        multipath crypt raid mirror cache writecache zero error delay flakey verity integrity \
        era clone vdo service-time round-robin queue-length io-affinity queue_if_no_path \
        retain_attached_hw_handler pg_init_retries alua rdac emc hp_sw skip_block_zeroing \
        ignore_discard no_discard_passdown discard_passdown read_only error_if_no_space \
        queue_if_no_space rw ro out_of_data_space needs_check no_discards Fail Error - P N PO A D E F \
        disk core sync nosync block_on_error raid1 raid4 raid5 raid5_la raid5_ls raid5_ra raid5_rs \
        raid6 raid6_zr raid6_nr raid6_nc raid10 raid0 region_size rebuild idle frozen resync \
        recover check repair reshape allow_discards same_cpu_crypt submit_from_crypt_cpus \
        no_read_workqueue no_write_workqueue sector_size:4096 sector_size:512 mq smq cleaner \
        writethrough writeback passthrough metadata2 ";
    word.len() > 1 && WORDS.split_ascii_whitespace().any(|known| known == word)
        || word.len() == 1 && !word.starts_with(|c: char| c.is_ascii_control())
}

/// What stands for a key, its kind or its place. None is in the mapping.
const NO_KEY: &str = "0";

/// Options of an `integrity` table that have a key behind their second colon.
const KEYS_OF_INTEGRITY: [&str; 3] = ["internal_hash:", "journal_crypt:", "journal_mac:"];

pub(super) fn table(names: &mut Names, line: &str) -> Option<String> {
    let (name, rest) = line
        .split_once(": ")
        .or_else(|| line.strip_suffix(':').map(|name| (name, "")))?;
    let mut out = names.dm_name(name);
    out.push(':');
    let keyed = rest.split_whitespace().nth(2).is_some_and(holds_key);
    for (at, word) in rest.split_whitespace().enumerate() {
        out.push(' ');
        if keyed && (at == 4 || KEYS_OF_INTEGRITY.iter().any(|key| word.starts_with(key))) {
            out.push_str(NO_KEY);
            continue;
        }
        let small_number = words::is_number(word) && names_nobody(word);
        let kept = small_number
            || is_table_word(word)
            || word.bytes().all(|byte| b"ADF-".contains(&byte)) && word.len() <= 64
            || word
                .bytes()
                .all(|byte| byte == b'A' || byte == b'a' || byte == b'D');
        out.push_str(&match kept {
            true => word.to_owned(),
            false => names.token(Kind::Id, word),
        });
    }
    Some(out)
}

/// Whether a number is no IP address.
fn names_nobody(word: &str) -> bool {
    word.parse::<std::net::IpAddr>().is_err()
}

pub(super) fn deps(names: &mut Names, line: &str) -> Option<String> {
    let (name, rest) = line.split_once(": ")?;
    let (count, devices) = rest.split_once(':')?;
    let devices = devices
        .split(')')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| {
            let devno: DevNo = part.strip_prefix('(')?.parse().ok()?;
            Some(format!(" ({}, {})", devno.major, devno.minor))
        })
        .collect::<Option<String>>()?;
    let count: u32 = count.split_whitespace().next()?.parse().ok()?;
    Some(format!(
        "{}: {count} dependencies\t:{devices}",
        names.dm_name(name)
    ))
}

pub(super) fn list(names: &mut Names, line: &str) -> Option<String> {
    let (name, devno) = line.rsplit_once('(')?;
    let devno: DevNo = devno.trim_end().strip_suffix(')')?.parse().ok()?;
    Some(format!(
        "{}\t({}:{})",
        names.dm_name(name.trim_end()),
        devno.major,
        devno.minor
    ))
}

pub(super) fn holder(names: &mut Names, line: &str) -> Option<String> {
    if line.contains('*') {
        return Some("/sys/block/*/holders/*".to_owned());
    }
    let (device, holder) = line.trim().split_once("/holders/")?;
    let device = device.rsplit('/').next()?;
    Some(format!(
        "/sys/block/{}/holders/{}",
        names.dm_name(device),
        names.dm_name(holder)
    ))
}

pub(super) fn multipath(names: &mut Names, line: &str) -> Option<String> {
    let in_tree = line.starts_with(['|', '`', '\\', '[', ' ']);
    if in_tree {
        let row = line.trim_start_matches(['|', '`', '\\', '_', '-', '+', ' ']);
        if !row.starts_with(|c: char| c.is_ascii_digit() || c == '#') {
            return Some("|-+- policy".to_owned());
        }
        let row = row.replace(['[', ']'], " ");
        let words: Vec<String> = row
            .split_whitespace()
            .map(|word| {
                let known = [
                    "active",
                    "failed",
                    "undef",
                    "ready",
                    "ghost",
                    "faulty",
                    "shaky",
                    "i/o",
                    "pending",
                    "timeout",
                    "running",
                    "offline",
                    "delayed",
                    "unknown",
                    "blocked",
                    "transport-offline",
                    "created",
                    "quiesce",
                    "-",
                    "#:#:#:#",
                ];
                match known.contains(&word) || words::is_number(word) {
                    true => word.to_owned(),
                    false => names.dm_name(word),
                }
            })
            .collect();
        return Some(format!("| `- {}", words.join(" ")));
    }
    if line.starts_with("size=") || line.contains(" | ") {
        return Some("size=0".to_owned());
    }
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if words.first()?.ends_with(':') {
        words.remove(0);
    }
    let at = words
        .iter()
        .skip(1)
        .position(|word| words::is_kernel_name(word))?
        + 1;
    let name = names.dm_name(words.first()?);
    let minor = words.get(at)?;
    let wwid = words.get(1..at)?.join(" ");
    let wwid = wwid
        .strip_prefix('(')
        .and_then(|wwid| wwid.strip_suffix(')'));
    Some(match wwid {
        Some(wwid) => format!("{name} ({}) {minor} -", names.token(Kind::Id, wwid)),
        None => format!("{name} {minor} -"),
    })
}
