//! The outputs of commands, format by format. What is not known is dropped; a
//! line that no format allows becomes one that no format allows either.

use super::names::Names;
use super::words;
use crate::parse::{self, DevNo, Parsed, guest_list, lines, lvm_json};

/// What replaces a line that is not understood.
pub(super) const NOT_UNDERSTOOD: &str = "?";

/// An output redacted; none where its format is not known and it is dropped.
pub(super) fn output(names: &mut Names, id: &str, text: &str) -> Option<String> {
    Some(match id {
        "dmsetup-info" => by_line(text, |line| info(names, line)),
        "dmsetup-info-columns" => by_line(text, |line| columns(names, line)),
        "dmsetup-info-c" => by_line(text, |line| aligned(names, line)),
        "dmsetup-table" | "dmsetup-status" => by_line(text, |line| table(names, line)),
        "dmsetup-deps" => by_line(text, |line| deps(names, line)),
        "dmsetup-ls" => by_line(text, |line| list(names, line)),
        "lvs-json" => lvm(names, text, "lv"),
        "lvs-segments-json" => lvm(names, text, "seg"),
        "vgs-json" => lvm(names, text, "vg"),
        "pvs-json" => lvm(names, text, "pv"),
        "qm-list" | "pct-list" => guests(names, text),
        "pvesm-status" => by_line(text, |line| storage(names, line)),
        "holders" => by_line(text, |line| holder(names, line)),
        "mountinfo" => by_line(text, |line| mount(names, line)),
        "swaps" => by_line(text, |line| swap(names, line)),
        "lsof" => by_line(text, |line| lsof(names, line)),
        "fuser" => numbers(text),
        "multipath" => by_line(text, |line| multipath(names, line)),
        "lvmconfig" => by_line(text, |line| lvmconfig(names, line)),
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
        "fuser" => by_line(text, |line| fuser(names, line)),
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

fn info(names: &mut Names, line: &str) -> Option<String> {
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

fn count(text: &str) -> String {
    match text.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.to_owned(),
        false => NOT_UNDERSTOOD.to_owned(),
    }
}

fn columns(names: &mut Names, line: &str) -> Option<String> {
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

fn aligned(names: &mut Names, line: &str) -> Option<String> {
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

fn table(names: &mut Names, line: &str) -> Option<String> {
    let (name, rest) = line
        .split_once(": ")
        .or_else(|| line.strip_suffix(':').map(|name| (name, "")))?;
    let mut out = names.dm_name(name);
    out.push(':');
    let crypt = rest.split_whitespace().nth(2) == Some("crypt");
    for (at, word) in rest.trim().split(' ').enumerate() {
        out.push(' ');
        let small_number = words::is_number(word) && names_nobody(word);
        // The key of a crypt device is zeroed by dmsetup; its length goes, too.
        let kept = word.is_empty()
            || small_number
            || is_table_word(word)
            || word.bytes().all(|byte| b"ADF-".contains(&byte)) && word.len() <= 64
            || word
                .bytes()
                .all(|byte| byte == b'A' || byte == b'a' || byte == b'D');
        out.push_str(&match (crypt && at == 4, kept) {
            (false, true) => word.to_owned(),
            _ => names.token(super::names::Kind::Id, word),
        });
    }
    Some(out)
}

/// Whether a number is no IP address.
fn names_nobody(word: &str) -> bool {
    word.parse::<std::net::IpAddr>().is_err()
}

fn deps(names: &mut Names, line: &str) -> Option<String> {
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

fn list(names: &mut Names, line: &str) -> Option<String> {
    let (name, devno) = line.rsplit_once('(')?;
    let devno: DevNo = devno.trim_end().strip_suffix(')')?.parse().ok()?;
    Some(format!(
        "{}\t({}:{})",
        names.dm_name(name.trim_end()),
        devno.major,
        devno.minor
    ))
}

/// LVM's report with the columns that are known; others are dropped. A report
/// that is cut off stays so.
fn lvm(names: &mut Names, text: &str, section: &str) -> String {
    if text.trim().is_empty() {
        return String::new();
    }
    let parsed = lvm_json::parse(text, section);
    if !parsed.problems.is_empty() {
        return format!("{{\"report\": [{{\"{section}\": [\n");
    }
    let mut rows = Vec::new();
    for row in &parsed.value {
        let cells: serde_json::Map<String, serde_json::Value> = row
            .iter()
            .filter_map(|(column, cell)| {
                Some((column.clone(), lvm_cell(names, column, cell)?.into()))
            })
            .collect();
        rows.push(serde_json::Value::Object(cells).to_string());
    }
    format!(
        "{{\"report\": [{{\"{section}\": [\n{}\n]}}]}}\n",
        rows.join(",\n")
    )
}

fn lvm_cell(names: &mut Names, column: &str, cell: &str) -> Option<String> {
    const PLAIN: [&str; 38] = [
        "lv_attr",
        "lv_size",
        "data_percent",
        "metadata_percent",
        "lv_active",
        "lv_time",
        "lv_autoactivation",
        "vg_size",
        "vg_free",
        "vg_extent_size",
        "vg_seqno",
        "lv_count",
        "pv_count",
        "vg_attr",
        "vg_autoactivation",
        "segtype",
        "seg_start",
        "seg_size",
        "pv_size",
        "pv_free",
        "pe_start",
        "pv_major",
        "pv_minor",
        "pv_attr",
        "lv_kernel_major",
        "lv_kernel_minor",
        "snap_percent",
        "copy_percent",
        "lv_layout",
        "lv_role",
        "thin_id",
        "transaction_id",
        "lv_device_open",
        "lv_suspended",
        "lv_permissions",
        "lv_active_locally",
        "pv_missing",
        "lv_health_status",
    ];
    let plain = |c: char| c.is_ascii_alphanumeric() || " .:-+,_<>%".contains(c);
    Some(match column {
        "vg_name" => names.store(cell.trim()),
        "vg_uuid" | "lv_uuid" | "pv_uuid" => match cell.trim() {
            "" => String::new(),
            uuid => names.lvm_uuid(uuid),
        },
        "lv_name" | "pool_lv" | "origin" => names.lv(cell.trim()),
        "lv_tags" | "vg_tags" => cell
            .split(',')
            .map(|tag| names.token(super::names::Kind::Word, tag.trim()))
            .collect::<Vec<_>>()
            .join(","),
        "pv_name" => pv(names, cell),
        "devices" | "seg_pe_ranges" => cell
            .split([' ', ','])
            .map(|range| {
                let at = range.rfind([':', '(']).unwrap_or(range.len());
                let (device, extents) = range.split_at(at);
                let legal = |c: char| c.is_ascii_digit() || ":()-".contains(c);
                let extents = if extents.chars().all(legal) {
                    extents
                } else {
                    ""
                };
                let device = match device.starts_with('/') {
                    true => names.path(device),
                    false => names.lv(device),
                };
                format!("{device}{extents}")
            })
            .collect::<Vec<_>>()
            .join(if cell.contains(',') { "," } else { " " }),
        _ if PLAIN.contains(&column) && cell.len() <= 80 && cell.chars().all(plain) => {
            cell.to_owned()
        }
        _ => return None,
    })
}

fn pv(names: &mut Names, cell: &str) -> String {
    match cell.trim() {
        "" | "[unknown]" | "unknown device" => cell.trim().to_owned(),
        path if path.starts_with('/') => names.path(path),
        other => names.lv(other),
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
    for guest in &parsed.value {
        let named = !guest.name.is_empty();
        if named {
            out.push_str("VMID STATUS LOCK PID NAME\n");
        } else {
            out.push_str("VMID STATUS LOCK PID\n");
        }
        let lock = match guest.lock.as_deref() {
            None | Some("") => "-".to_owned(),
            Some(lock) if words::is_setting(lock) => lock.to_owned(),
            Some(lock) => names.token(super::names::Kind::Word, lock),
        };
        let status = match words::is_setting(&guest.status) || is_state(&guest.status) {
            true => guest.status.clone(),
            false => names.token(super::names::Kind::Word, &guest.status),
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

fn holder(names: &mut Names, line: &str) -> Option<String> {
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

fn mount(names: &mut Names, line: &str) -> Option<String> {
    let fields: Vec<&str> = line.trim_start().split(' ').collect();
    let at = fields.iter().position(|field| *field == "-")?;
    let &[id, parent, devno, ref root, ref point, ..] = fields.as_slice() else {
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

fn swap(names: &mut Names, line: &str) -> Option<String> {
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
fn lsof(names: &mut Names, line: &str) -> Option<String> {
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
        false => names.token(super::names::Kind::Word, command),
    }
}

fn fuser(names: &mut Names, line: &str) -> Option<String> {
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

fn multipath(names: &mut Names, line: &str) -> Option<String> {
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
        Some(wwid) => format!(
            "{name} ({}) {minor} -",
            names.token(super::names::Kind::Id, wwid)
        ),
        None => format!("{name} {minor} -"),
    })
}

/// The patterns of filters, where they name a device, and `scan_lvs`.
fn lvmconfig(names: &mut Names, line: &str) -> Option<String> {
    let Some((key, value)) = line.trim().split_once('=') else {
        return Some(String::new());
    };
    let key = key.trim();
    match key.strip_prefix("devices/").unwrap_or(key) {
        "scan_lvs" => Some(format!("scan_lvs={}", count(value))),
        name @ ("filter" | "global_filter") => Some(format!("{name}={}", patterns(names, value))),
        _ => Some(String::new()),
    }
}

/// Each word of a pattern that is no folder or kernel name gets a stand-in;
/// what makes it a pattern stays.
fn patterns(names: &mut Names, value: &str) -> String {
    const STAY: [&str; 13] = [
        "a", "r", "dev", "zd", "mapper", "pve", "rbd", "drbd", "mpath", "sd", "vd", "nvme", "disk",
    ];
    let mut out = String::new();
    let mut word = String::new();
    for c in value.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            let stays = STAY.contains(&word.as_str())
                || words::is_folder(&word)
                || words::is_kernel_name(&word)
                || word.len() == 1
                || word.bytes().all(|byte| byte.is_ascii_digit()) && word.len() <= 3;
            match stays {
                true => out.push_str(&word),
                false => out.push_str(&names.store(&word)),
            }
            word.clear();
        }
        if c != '\n' {
            out.push(c);
        }
    }
    out
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
