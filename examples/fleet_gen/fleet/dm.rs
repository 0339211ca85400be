//! What dmsetup and those who look at devices print.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::world::*;

type Files = Vec<(&'static str, String)>;

pub fn print(node: &Node, files: &mut Files) {
    let mut devs: Vec<&Dev> = node.devs.iter().collect();
    devs.sort_by(|a, b| a.name.cmp(&b.name));
    let mut above: BTreeMap<u32, Vec<&Dev>> = BTreeMap::new();
    for dev in &devs {
        for (_, minor) in dev.table.iter().flat_map(|t| &t.on).filter(|on| on.0 == DM) {
            let users = above.entry(*minor).or_default();
            if users.last().is_none_or(|last| last.minor != dev.minor) {
                users.push(dev);
            }
        }
    }
    let by_minor: BTreeMap<u32, &Dev> = devs.iter().map(|dev| (dev.minor, *dev)).collect();
    let below = |dev: &Dev| {
        let mut on: Vec<(u32, u32)> = dev.table.iter().flat_map(|t| t.on.clone()).collect();
        on.sort_unstable_by(|a, b| b.cmp(a));
        on.dedup();
        on
    };
    let width = devs.iter().map(|dev| dev.name.len()).max().unwrap_or(4);
    let (mut info, mut columns, mut ls) = (String::new(), String::new(), String::new());
    let (mut tree, mut table, mut status) = (String::new(), String::new(), String::new());
    let (mut deps, mut holders) = (String::new(), String::new());
    let mut short = format!("{:width$} Maj Min Stat Open Targ Event  UUID\n", "Name");
    for dev in devs {
        let users = above.get(&dev.minor).map_or(&[][..], |users| &users[..]);
        let open = dev.open.max(users.len() as u32);
        let (name, minor, uuid, targets) = (&dev.name, dev.minor, &dev.uuid, dev.table.len());
        let state = match (dev.suspended, dev.read_only) {
            (true, _) => "SUSPENDED",
            (_, true) => "ACTIVE (READ-ONLY)",
            _ => "ACTIVE",
        };
        let live = if dev.no_table { "None" } else { "LIVE" };
        let attr = format!(
            "{}-{}{}",
            if dev.no_table { '-' } else { 'L' },
            if dev.suspended { 's' } else { '-' },
            if dev.read_only { 'r' } else { 'w' }
        );
        let _ = write!(
            info,
            "Name:              {name}\nState:             {state}\nRead Ahead:        256\nTables present:    {live}\nOpen count:        {open}\nEvent number:      0\nMajor, minor:      {DM}, {minor}\nNumber of targets: {targets}\n"
        );
        if !uuid.is_empty() {
            let _ = writeln!(info, "UUID: {uuid}");
        }
        info.push('\n');
        let _ = writeln!(
            short,
            "{name:width$} {DM:3} {minor:3} {attr} {open:4} {targets:4}      0 {uuid}"
        );
        let on = below(dev);
        let names: Vec<String> = on
            .iter()
            .map(|(major, minor)| block_name(*major, *minor))
            .collect();
        let using: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let _ = writeln!(
            columns,
            "{name}|{uuid}|{DM}|{minor}|{open}|{targets}|0|{attr}|dm-{minor}|{}|{}",
            names.join(","),
            using.join(",")
        );
        let _ = writeln!(ls, "{name}\t({DM}:{minor})");
        let _ = writeln!(tree, "{name} ({DM}:{minor})");
        branches(&mut tree, &by_minor, &below, dev, " ");
        let on_text: Vec<String> = on
            .iter()
            .map(|(major, minor)| format!("({major}, {minor})"))
            .collect();
        let _ = writeln!(
            deps,
            "{name}: {} dependencies\t: {}",
            on.len(),
            on_text.join(" ")
        );
        for user in users {
            let _ = writeln!(holders, "/sys/block/dm-{minor}/holders/dm-{}", user.minor);
        }
        if dev.table.is_empty() {
            let _ = writeln!(table, "{name}: ");
            let _ = writeln!(status, "{name}: ");
        }
        for target in &dev.table {
            let Target {
                start,
                length,
                text,
                ..
            } = target;
            let _ = writeln!(table, "{name}: {start} {length} {text}");
            let kind = text.split(' ').next().unwrap_or_default();
            let rest = match kind {
                "thin" => "0 -".to_owned(),
                "thin-pool" => {
                    let (data, metadata, mode, check) = node.pool;
                    let check = if check { "needs_check " } else { "- " };
                    format!(
                        "1 {metadata}/10000 {data}/10000 - {mode} discard_passdown queue_if_no_space {check}1024 "
                    )
                }
                _ => String::new(),
            };
            let _ = writeln!(status, "{name}: {start} {length} {kind} {rest}");
        }
    }
    openers(node, files);
    for (id, text) in [
        ("dmsetup-info", info),
        ("dmsetup-info-c", short),
        ("dmsetup-info-columns", columns),
        ("dmsetup-ls", ls),
        ("dmsetup-ls-tree", tree),
        ("dmsetup-table", table),
        ("dmsetup-status", status),
        ("dmsetup-deps", deps),
        ("holders", holders),
    ] {
        files.push((id, text));
    }
}

fn block_name(major: u32, minor: u32) -> String {
    match (major, minor) {
        (DM, minor) => format!("dm-{minor}"),
        (_, 3) => "sda3".into(),
        (_, 32) => "sdc".into(),
        _ => "sdd".into(),
    }
}

fn branches(
    tree: &mut String,
    by_minor: &BTreeMap<u32, &Dev>,
    below: &impl Fn(&Dev) -> Vec<(u32, u32)>,
    dev: &Dev,
    indent: &str,
) {
    let on = below(dev);
    for (at, (major, minor)) in on.iter().enumerate() {
        let last = at + 1 == on.len();
        let lower = by_minor.get(minor).filter(|_| *major == DM);
        let name = lower.map_or_else(String::new, |lower| format!("{} ", lower.name));
        let _ = writeln!(
            tree,
            "{indent}{}- {name}({major}:{minor})",
            if last { '`' } else { '|' }
        );
        if let Some(lower) = lower {
            branches(
                tree,
                by_minor,
                below,
                lower,
                &format!("{indent}{}  ", if last { ' ' } else { '|' }),
            );
        }
    }
}

fn openers(node: &Node, files: &mut Files) {
    let mut lsof = "COMMAND  PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\n".to_owned();
    let mut fuser = String::new();
    for dev in &node.devs {
        if let Some((pid, command)) = dev.process {
            let minor = dev.minor;
            let _ = writeln!(
                lsof,
                "{command:8} {pid} root   20u   BLK  {DM},{minor}      0t0  {} /dev/mapper/../dm-{minor}",
                300 + minor
            );
            let _ = write!(fuser, "  {pid}");
        }
    }
    let _ = writeln!(
        lsof,
        "dmeventd 782 root    6u   CHR 10,236      0t0   95 /dev/mapper/control"
    );
    files.push(("lsof", lsof));
    files.push(("fuser", fuser));
}
