//! Which processes hold a block device open: `lsof` and `fuser -v`.
//!
//! Both only see processes (and `fuser` also mounts and swap); a device held
//! by another device is in [`super::holders`].

use super::{DevNo, Parsed, holders::dm_minor, lines};
use std::collections::HashSet;

/// Somebody who has a block device open.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Opener {
    /// The device's number (`lsof` only).
    pub devno: Option<DevNo>,
    /// The `N` of `dm-N` where the path names the device so.
    pub minor_hint: Option<u32>,
    /// The path as printed: `/dev/mapper/../dm-7`, `/dev/dm-7`.
    pub path: String,
    /// The process id; none for the kernel (a mount, swap), and none where
    /// `fuser`'s ids could not be matched to its rows.
    pub pid: Option<u32>,
    /// The command's name (`lsof` cuts it at 9 characters unless told
    /// otherwise), or what the kernel does with it: `mount /srv`, `swap`.
    pub command: String,
    /// The kernel itself, not a process (`fuser` only).
    pub kernel: bool,
}

/// Reads `lsof` output: the rows of type `BLK` and those whose name is a
/// `/dev/…/dm-N`, once per process and device. Other rows (files, sockets)
/// say nothing of devices and are passed over.
///
/// Columns are `COMMAND PID [TID [TASKCMD]] USER FD TYPE DEVICE SIZE/OFF NODE
/// NAME`. Any of the middle ones may be blank, so the row is read from the
/// words that can't be mistaken: the type with the device number behind it.
pub fn parse_lsof(text: &str) -> Parsed<Vec<Opener>> {
    let mut parsed = Parsed::new(Vec::new());
    let mut seen = HashSet::with_hasher(foldhash::fast::RandomState::default());
    let mut words: Vec<&str> = Vec::new();
    for (number, line) in lines(text) {
        words.clear();
        words.extend(line.split_ascii_whitespace());
        if words.is_empty() || is_lsof_header(&words) {
            continue;
        }
        let Some((pid_at, pid)) = lsof_pid(&words) else {
            parsed.problem(number, "expected an lsof row: COMMAND PID USER FD TYPE …");
            continue;
        };
        let device = lsof_block_device(&words, pid_at);
        let named = words
            .iter()
            .skip(pid_at + 1)
            .find_map(|word| device_path_minor(word).map(|minor| (*word, minor)));
        if device.is_none() && named.is_none() {
            if words.get(3..).is_some_and(|words| words.contains(&"BLK")) {
                parsed.problem(number, "expected a device number (253,7) behind BLK");
            }
            continue;
        }
        let path = match named {
            Some((path, _)) => path,
            None => words
                .iter()
                .find(|word| word.starts_with('/'))
                .copied()
                .unwrap_or_default(),
        };
        let opener = Opener {
            devno: device,
            minor_hint: named.map(|(_, minor)| minor),
            path: path.to_owned(),
            pid: Some(pid),
            command: words.get(..pid_at).unwrap_or_default().join(" "),
            kernel: false,
        };
        if seen.insert((opener.devno, opener.minor_hint, pid)) {
            parsed.value.push(opener);
        }
    }
    parsed
}

fn is_lsof_header(words: &[&str]) -> bool {
    words.first() == Some(&"COMMAND") && words.get(1) == Some(&"PID")
}

/// The first number behind the command is the process id; a command's own
/// blanks are printed as `\x20`.
fn lsof_pid(words: &[&str]) -> Option<(usize, u32)> {
    words
        .iter()
        .enumerate()
        .skip(1)
        .find_map(|(index, word)| word.parse().ok().map(|pid| (index, pid)))
}

fn lsof_block_device(words: &[&str], pid_at: usize) -> Option<DevNo> {
    words
        .iter()
        .zip(words.iter().skip(1))
        .skip(pid_at + 1)
        .find_map(|(kind, device)| (*kind == "BLK").then(|| device.parse().ok())?)
}

/// The minor number that a path under `/dev` names: `/dev/mapper/../dm-7`.
fn device_path_minor(path: &str) -> Option<u32> {
    path.strip_prefix("/dev/")?
        .rsplit('/')
        .next()
        .and_then(dm_minor)
}

/// Reads `fuser -v` output. It prints the process ids alone to standard
/// output (`ids`) and everything else to standard error (`text`):
///
/// ```text
///                      USER        PID ACCESS COMMAND
/// /dev/dm-7:           root      f.... sleep
///                      root      f.... kvm
/// /dev/dm-9:           root     kernel mount /srv
/// ```
///
/// Rows with their ids in them (both streams in one file) are read as well.
/// Ids are given to rows in order, and only if there are as many of them as
/// rows that lack one.
pub fn parse_fuser(text: &str, ids: &str) -> Parsed<Vec<Opener>> {
    let mut parsed = Parsed::new(Vec::new());
    let mut path = "";
    for (number, line) in lines(text) {
        if line.trim().is_empty() || line.contains(" ACCESS ") {
            continue;
        }
        let mut row = line;
        if !line.starts_with(char::is_whitespace) {
            let Some((name, rest)) = split_path(line) else {
                parsed.problem(
                    number,
                    "expected a fuser row: /path: USER PID ACCESS COMMAND",
                );
                path = "";
                continue;
            };
            path = name;
            row = rest;
        }
        let words: Vec<&str> = row.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        match fuser_row(&words) {
            Some(user) if !path.is_empty() => parsed.value.push(Opener {
                minor_hint: device_path_minor(path),
                path: path.to_owned(),
                ..user
            }),
            _ => parsed.problem(number, "expected a fuser row: USER PID ACCESS COMMAND"),
        }
    }
    give_ids(&mut parsed.value, ids);
    parsed
        .value
        .retain(|opener| opener.path != "/dev/mapper/control");
    parsed
}

/// `/dev/dm-7:   rest` without the colon.
fn split_path(line: &str) -> Option<(&str, &str)> {
    if !line.starts_with('/') {
        return None;
    }
    match line.find(": ") {
        Some(at) => Some((line.get(..at)?, line.get(at + 1..)?)),
        None => Some((line.trim_end().strip_suffix(':')?, "")),
    }
}

/// A row behind the path: everything but the path.
fn fuser_row(words: &[&str]) -> Option<Opener> {
    let (_user, rest) = words.split_first()?;
    let (first, rest) = rest.split_first()?;
    let opener = |pid, words: &[&str], kernel| Opener {
        devno: None,
        minor_hint: None,
        path: String::new(),
        pid,
        command: words.join(" "),
        kernel,
    };
    if *first == "kernel" {
        return (!rest.is_empty()).then(|| opener(None, rest, true));
    }
    if is_access(first) {
        return Some(opener(None, rest, false));
    }
    let pid = first.parse().ok()?;
    let (access, rest) = rest.split_first()?;
    is_access(access).then(|| opener(Some(pid), rest, false))
}

/// `F....`: how a process uses the file, a letter or a dot per kind of use.
fn is_access(word: &str) -> bool {
    word.len() == 5 && word.chars().all(|c| "cefFrm.".contains(c))
}

fn give_ids(openers: &mut [Opener], ids: &str) {
    let lacks_id = |opener: &&mut Opener| opener.pid.is_none() && !opener.kernel;
    let ids: Vec<Option<u32>> = ids.split_whitespace().map(|id| id.parse().ok()).collect();
    if openers.iter_mut().filter(lacks_id).count() == ids.len() {
        for (opener, id) in openers.iter_mut().filter(lacks_id).zip(ids) {
            opener.pid = id;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const LSOF: &str = "\
COMMAND  PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME
dmeventd 182 root    6u   CHR 10,236      0t0   95 /dev/mapper/control
sleep    394 root    0r   BLK  254,7      0t0  344 /dev/mapper/../dm-7
sleep    395 root    0r   BLK  254,3      0t0  290 /dev/mapper/../dm-3
";

    fn short(openers: &[Opener]) -> Vec<(Option<u32>, Option<u32>, &str)> {
        openers
            .iter()
            .map(|o| (o.minor_hint, o.pid, o.command.as_str()))
            .collect()
    }

    #[test]
    fn lsof_block_devices_by_number() {
        let parsed = parse_lsof(LSOF);
        assert_eq!(parsed.problems, []);
        assert_eq!(
            short(&parsed.value),
            [(Some(7), Some(394), "sleep"), (Some(3), Some(395), "sleep")]
        );
        assert_eq!(parsed.value[0].devno, "254:7".parse().ok());
        assert_eq!(parsed.value[0].path, "/dev/mapper/../dm-7");
    }

    #[test]
    fn lsof_thread_rows_count_once() {
        let parsed = parse_lsof(
            "COMMAND     PID   TID TASKCMD              USER   FD      TYPE             DEVICE SIZE/OFF       NODE NAME\r\n\
             kvm        1432                            root   14u      BLK              253,9      0t0        680 /dev/dm-9\r\n\
             kvm        1432  1455 CPU\\x200/KVM         root   14u      BLK              253,9      0t0        680 /dev/dm-9\r\n\
             kvm        1432  1455 CPU\\x200/KVM         root   15u      BLK              253,12               681 /dev/dm-12\r\n",
        );
        assert_eq!(parsed.problems, []);
        assert_eq!(
            short(&parsed.value),
            [(Some(9), Some(1432), "kvm"), (Some(12), Some(1432), "kvm")]
        );
    }

    #[test]
    fn lsof_device_without_dm_path_and_path_without_device() {
        let parsed = parse_lsof(
            "qemu-nbd 77 root 5u BLK 253,4 0t0 99 /dev/pve/vm-100-disk-0 (deleted)\n\
             python3 78 root 5u unknown /dev/dm-5 (stat: Permission denied)\n\
             bash 79 root cwd DIR 253,1 4096 2 /root\n\
             not a row\n\
             kvm 80 root 5u BLK 0t0 99 /dev/pve/vm-100-disk-0\n",
        );
        assert_eq!(parsed.value[0].devno, "253:4".parse().ok());
        assert_eq!(parsed.value[0].path, "/dev/pve/vm-100-disk-0");
        assert_eq!(
            short(&parsed.value),
            [(None, Some(77), "qemu-nbd"), (Some(5), Some(78), "python3")]
        );
        let at: Vec<usize> = parsed.problems.iter().map(|p| p.line).collect();
        assert_eq!(at, [4, 5]);
    }

    #[test]
    fn lsof_does_not_mistake_the_root_file_system_for_an_open_device() {
        let parsed = parse_lsof("bash 79 root txt REG 253,1 1265648 1441 /usr/bin/BLK 253,7\n");
        assert_eq!(parsed.value, []);
    }

    const FUSER: &str = "                     USER        PID ACCESS COMMAND
/dev/mapper/control: root      F.... dmeventd
/dev/dm-3:           root      f.... sleep
/dev/dm-9:           root      f.... sleep
/dev/dm-5:           root      f.... sleep
";

    #[test]
    fn fuser_rows_get_the_ids_of_standard_output() {
        let parsed = parse_fuser(FUSER, "   181   591   590   592");
        assert_eq!(parsed.problems, []);
        assert_eq!(
            short(&parsed.value),
            [
                (Some(3), Some(591), "sleep"),
                (Some(9), Some(590), "sleep"),
                (Some(5), Some(592), "sleep")
            ]
        );
    }

    #[test]
    fn fuser_ids_that_do_not_add_up_are_not_guessed() {
        let parsed = parse_fuser(FUSER, " 181 591 590");
        assert_eq!(parsed.value.len(), 3);
        assert!(parsed.value.iter().all(|opener| opener.pid.is_none()));
    }

    #[test]
    fn fuser_several_per_device_kernel_and_inline_ids() {
        let parsed = parse_fuser(
            "                     USER        PID ACCESS COMMAND\n\
             /dev/dm-7:           root       1432 F.... kvm\n                     \
             root       1433 f.... dd copy\n\
             /dev/mapper/pve-swap:\n                     root     kernel swap  /dev/dm-0\n\
             /dev/dm-18:          root     kernel mount /mnt/ct200\n\
             Cannot stat /dev/dm-99: No such file or directory\n",
            "",
        );
        assert_eq!(
            short(&parsed.value),
            [
                (Some(7), Some(1432), "kvm"),
                (Some(7), Some(1433), "dd copy"),
                (None, None, "swap /dev/dm-0"),
                (Some(18), None, "mount /mnt/ct200"),
            ]
        );
        assert_eq!(parsed.value[2].path, "/dev/mapper/pve-swap");
        assert!(parsed.value[3].kernel && !parsed.value[0].kernel);
        assert_eq!(parsed.problems.len(), 1);
        assert_eq!(parsed.problems[0].line, 7);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>(), ids in "[0-9 x]{0,20}") {
            parse_lsof(&text);
            parse_fuser(&text, &ids);
        }

        #[test]
        fn words_in_any_order_are_survived(words in prop::collection::vec(
            prop::sample::select(vec!["BLK", "254,7", "/dev/dm-7", "12", "root", "f....", "kernel", "/dev/dm-7:", ":", "\n", " "]), 0..40)) {
            let text = words.join(" ");
            parse_lsof(&text);
            parse_fuser(&text, "1 2 3");
        }

        #[test]
        fn every_row_is_found(rows in prop::collection::btree_map(0u32..4096, 1u32..4_194_304, 0..20), pad in 1usize..9) {
            let pad = " ".repeat(pad);
            let text: String = rows
                .iter()
                .map(|(minor, pid)| format!("kvm{pad}{pid} root{pad}4u BLK 253,{minor}{pad}0t0 9 /dev/dm-{minor}\n"))
                .collect();
            let parsed = parse_lsof(&text);
            prop_assert_eq!(parsed.problems, vec![]);
            let found: Vec<_> = parsed.value.iter().map(|o| (o.devno.unwrap().minor, o.pid.unwrap())).collect();
            prop_assert_eq!(found, rows.into_iter().collect::<Vec<_>>());
        }
    }
}
