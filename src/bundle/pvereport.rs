//! `pvereport`: one text with what a Proxmox VE support ticket holds, taken
//! apart into commands and files.
//!
//! Sections `==== title ====` hold blocks: an empty line, `# COMMAND`, and
//! what it printed, standard error mixed in. `# cat FILE` is a file; the
//! guests' configurations are such blocks, newer releases with a line
//! `# output '/etc/pve/qemu-server/\d+\.conf' file(s)` before them. A command
//! that did not end within 10 seconds, or a folder that could not be read,
//! leaves a line `ERROR: …`. Exit statuses are not recorded. Source:
//! `PVE/Report.pm` of pve-manager, 5.3 to 9.2.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::OpenError;
use super::limits::Budget;
use super::snapshot::{Bundle, Stored, Unread};
use super::text::decode;

/// The title of the first section, in all releases.
const FIRST: &str = "==== general system info ====";

/// The text before the first section that is tolerated: messages of a
/// terminal, a mail's greeting.
pub(super) const HEAD_BYTES: usize = 4096;

/// Commands whose output the analysis reads, by the bundle's id. Of forms
/// with other options the command's first words count.
const COMMANDS: [(&str, &str); 12] = [
    ("hostname", "hostname"),
    ("date -R", "date"),
    ("pveversion", "pveversion"),
    ("pvesm status", "pvesm-status"),
    ("qm list", "qm-list"),
    ("pct list", "pct-list"),
    ("lscpu", "lscpu"),
    ("lsblk", "lsblk"),
    ("pvs", "pvs"),
    ("lvs", "lvs"),
    ("vgs", "vgs"),
    ("multipath -ll", "multipath"),
];

/// Other commands of the report, by their first word: they end a file's text,
/// in which an empty line and a comment may stand.
const OTHERS: [&str; 29] = [
    "apt-cache",
    "apt-mark",
    "cat",
    "ceph",
    "df",
    "dmidecode",
    "ethtool",
    "findmnt",
    "ha-manager",
    "head",
    "ip",
    "iptables-save",
    "iscsiadm",
    "ls",
    "lspci",
    "mount",
    "multipath",
    "output",
    "proxmox-boot-tool",
    "pveceph",
    "pvecm",
    "pvesh",
    "pvesubscription",
    "rbd",
    "top",
    "zarcstat",
    "arcstat",
    "zfs",
    "zpool",
];

/// Folders of configurations that the report writes out, and the listing that
/// stands before each.
const FOLDERS: [&str; 2] = ["/etc/pve/qemu-server", "/etc/pve/lxc"];

/// Whether a text that begins so is such a report.
pub(super) fn begins(head: &[u8]) -> bool {
    let head = head.get(..HEAD_BYTES).unwrap_or(head);
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let mut lines = head.split(|&byte| byte == b'\n');
    lines.any(|line| line.trim_ascii_end() == FIRST.as_bytes())
}

/// One block of the report.
struct Block<'a> {
    command: &'a str,
    text: &'a str,
    section: usize,
}

impl Block<'_> {
    /// The first line that says anything.
    fn said(&self) -> Option<&str> {
        self.text.lines().find(|line| !line.trim().is_empty())
    }

    /// What pvereport itself says of a block that did not end well.
    fn error(&self) -> Option<&str> {
        self.text.lines().find(|line| line.starts_with("ERROR: "))
    }

    /// Its text, without the empty lines before the next block.
    fn bytes(&self) -> Vec<u8> {
        let text = self.text.trim_end_matches(['\r', '\n']);
        match text.is_empty() {
            true => Vec::new(),
            false => format!("{text}\n").into_bytes(),
        }
    }
}

/// A bundle, with what can't be used of it.
#[derive(Default)]
struct Draft {
    bundle: Bundle,
    unread: BTreeMap<String, String>,
}

/// Bytes of a report, of which all parts are held beside it. A large node's has
/// a few MiB.
const MOST_BYTES: usize = 32 << 20;

/// Takes a report apart. `name` is the input as a person names it, `stem` its
/// file's name.
///
/// # Errors
/// Where it has more parts than the limits allow.
pub(super) fn bundle(
    name: &str,
    stem: &str,
    text: &[u8],
    budget: &mut Budget<'_>,
) -> Result<Bundle, OpenError> {
    if text.len() > MOST_BYTES {
        return Err(OpenError::Limit {
            what: "bytes in a pvereport",
            limit: MOST_BYTES as u64,
            option: None,
        });
    }
    let text = decode(text);
    let (blocks, sections) = blocks(&text, budget)?;
    let mut draft = Draft::default();
    for block in &blocks {
        match block.command.strip_prefix("cat ") {
            Some(path) => draft.file(path, block),
            None => draft.command(block),
        }
    }
    draft.guests(&blocks, sections);
    let known = |block: &Block<'_>| block.command.starts_with("cat /etc/pve/corosync.conf");
    if !blocks.iter().any(known) {
        draft.refuse("/etc/pve/corosync.conf", "the report does not reach it");
    }
    let mut bundle = draft.bundle;
    bundle.source = name.to_owned();
    bundle.top = stem.to_owned();
    bundle.notes.push(
        "this is a pvereport: it has no UUIDs, open counts and tables of device-mapper entries, \
         and no other node's guests, so no cleanup script is made of it; for one, collect a \
         bundle: sh dmaudit-collect.sh"
            .to_owned(),
    );
    bundle.unread = draft
        .unread
        .into_iter()
        .map(|(path, error)| Unread { path, error })
        .collect();
    Ok(bundle)
}

/// The blocks of a report, and how many sections it has.
fn blocks<'a>(
    text: &'a str,
    budget: &mut Budget<'_>,
) -> Result<(Vec<Block<'a>>, usize), OpenError> {
    let mut blocks: Vec<Block<'a>> = Vec::new();
    let (mut sections, mut at, mut begin) = (0, 0, 0);
    let mut after_blank = true;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end_matches(['\r', '\n']);
        let title = line.len() > 10 && line.starts_with("==== ") && line.ends_with(" ====");
        let command = line
            .strip_prefix("# ")
            .filter(|command| after_blank && sections > 0 && begins_block(command, blocks.last()));
        // What stands between a title and the first command is nobody's.
        if let Some(command) = command.or(title.then_some("")) {
            if let Some(last) = blocks.last_mut() {
                last.text = text.get(begin..at).unwrap_or_default();
            }
            sections += usize::from(title);
            budget.entry()?;
            budget.kept(command.len())?;
            blocks.push(Block {
                command,
                text: "",
                section: sections,
            });
            begin = at + whole.len();
        }
        after_blank = line.is_empty();
        at += whole.len();
    }
    if let Some(last) = blocks.last_mut() {
        last.text = text.get(begin..).unwrap_or_default();
    }
    Ok((blocks, sections))
}

/// Whether a line behind an empty one is a command's. Outputs have no such
/// lines, files do.
fn begins_block(command: &str, within: Option<&Block<'_>>) -> bool {
    let in_file = within.is_some_and(|block| block.command.starts_with("cat "));
    let first = command.split(' ').next().unwrap_or_default();
    !in_file
        || known(command).is_some()
        || (OTHERS.contains(&first) && (first != "cat" || command.starts_with("cat /")))
}

/// The bundle's id of a command whose output is read.
fn known(command: &str) -> Option<&'static str> {
    COMMANDS
        .iter()
        .find(|(line, _)| {
            command
                .strip_prefix(line)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
        .map(|(_, id)| *id)
}

/// What a shell says of a command that is not there.
fn is_missing(said: &str) -> bool {
    let shell = said.starts_with("sh: ") || said.starts_with("/bin/sh: ");
    shell && said.ends_with("not found")
}

fn is_guests(path: &str) -> bool {
    FOLDERS.iter().any(|folder| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    })
}

impl Draft {
    fn command(&mut self, block: &Block<'_>) {
        let Some(id) = known(block.command) else {
            return;
        };
        if id == "hostname" {
            // A bundle has it as a file.
            if let Some(name) = block.said() {
                let bytes = format!("{}\n", name.trim()).into_bytes();
                let path = "/etc/hostname".to_owned();
                let file = Arc::new(bytes.into());
                self.bundle.files.entry(path).or_insert(file);
            }
            return;
        }
        let mut stored = Stored {
            line: Some(block.command.to_owned()),
            out: Some(block.bytes()),
            ..Stored::default()
        };
        if let Some(why) = block.error() {
            stored.timed_out = why.contains("got timeout");
            stored.status = Some(1);
            stored.err = Some(why.as_bytes().to_vec());
        } else if block.said().is_some_and(is_missing) {
            stored.status = Some(127);
        }
        // Each stands once; which of two is the node's can't be told.
        match self.bundle.commands.get_mut(id) {
            None => drop(self.bundle.commands.insert(id.to_owned(), stored)),
            Some(first) => {
                first.damage = Some("the report holds its output more than once".to_owned());
            }
        }
    }

    fn file(&mut self, path: &str, block: &Block<'_>) {
        let path = path.trim_end().trim_end_matches(" 2>/dev/null");
        if !path.starts_with("/etc/pve/") {
            return;
        }
        let failed = block.error().filter(|_| !is_guests(path));
        let said = block.said();
        match (failed, said) {
            (Some(why), _) => self.refuse(path, why),
            (None, None) if is_guests(path) => self.refuse(path, "it is empty in the report"),
            (None, None) => {}
            (None, Some(said)) if said.starts_with("cat: ") => {
                if !said.contains("No such file or directory") {
                    self.refuse(path, said);
                }
            }
            _ if self.bundle.files.contains_key(path) => {
                self.refuse(path, "the report holds it more than once");
            }
            _ if self.unread.contains_key(path) => {}
            _ => {
                let file = Arc::new(block.bytes().into());
                self.bundle.files.insert(path.to_owned(), file);
            }
        }
    }

    /// Configurations prove by their absence only where their section was
    /// written to its end, without an error.
    fn guests(&mut self, blocks: &[Block<'_>], sections: usize) {
        let at = |wanted: &str| blocks.iter().find(|block| block.command == wanted);
        let why = match (at("qm list"), at("pct list")) {
            (Some(vms), Some(containers)) if vms.section == containers.section => {
                let failed = blocks
                    .iter()
                    .filter(|block| block.section == vms.section)
                    .find_map(Block::error);
                match failed {
                    Some(why) => Some(format!("the report says {why}")),
                    None => (vms.section == sections)
                        .then(|| "the report ends among the guests".to_owned()),
                }
            }
            _ => Some("the report has no section of guests".to_owned()),
        };
        for folder in FOLDERS {
            if let Some(why) = &why {
                self.refuse(folder, why);
            }
        }
    }

    fn refuse(&mut self, path: &str, why: &str) {
        self.bundle.files.remove(path);
        let entry = self.unread.entry(path.to_owned());
        entry.or_insert_with(|| why.to_owned());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::bundle::Limits;
    use proptest::prelude::*;

    fn read(text: &str) -> Bundle {
        let limits = Limits::default();
        let text = format!("\n{FIRST}\n{text}");
        bundle("x", "x", text.as_bytes(), &mut Budget::new(&limits, None)).unwrap()
    }

    #[test]
    fn comments_and_descriptions_are_no_commands() {
        let bundle = read(
            "\n# hostname\npve1\n\n==== info about storage ====\n\n# cat /etc/pve/storage.cfg\n\
             lvm: a\n\tvgname a\n\n# a comment\nlvm: b\n\tvgname b\n\n# pvesm status\nName\n\
             \n==== info about virtual guests ====\n\n# qm list\nVMID\n\
             \n# cat /etc/pve/qemu-server/100.conf\n# qm list\n# cat /etc/pve/lxc/5.conf\nname: x\n\n\n# pct list\n\
             \n==== info about network ====\n\n# cat /etc/pve/corosync.conf 2>/dev/null\n",
        );
        let storage = bundle.file("/etc/pve/storage.cfg").unwrap();
        assert!(storage.ends_with("\tvgname b\n"), "{storage}");
        assert_eq!(
            bundle.file("/etc/pve/qemu-server/100.conf").unwrap(),
            "# qm list\n# cat /etc/pve/lxc/5.conf\nname: x\n"
        );
        assert_eq!(bundle.command("qm-list").unwrap().text, "VMID\n");
        assert_eq!(bundle.file("/etc/hostname").unwrap(), "pve1\n");
        assert_eq!(bundle.unread(), []);
        assert_eq!(bundle.file("/etc/pve/lxc/5.conf"), None);
    }

    #[test]
    fn a_report_that_stops_or_failed_proves_nothing_by_what_it_lacks() {
        let whole = "\n==== info about virtual guests ====\n\n# qm list\n\n# pct list\n\n==== x ====\n\
                     \n# cat /etc/pve/corosync.conf 2>/dev/null\n";
        assert_eq!(read(whole).unread(), []);
        let folders = |text: &str| {
            let unread: Vec<String> = read(text).unread().iter().map(|u| u.path.clone()).collect();
            unread.contains(&"/etc/pve/lxc".to_owned())
                && unread.contains(&"/etc/pve/qemu-server".to_owned())
        };
        assert!(folders(&whole.replace("\n==== x ====\n", "\n")));
        assert!(folders(&whole.replace("# pct list\n", "")));
        assert!(folders(&whole.replace(
            "# pct list\n",
            "\nERROR: got timeout\n\n# pct list\n"
        )));
        let cut = read("\n# hostname\n");
        assert!(
            cut.unread()
                .iter()
                .any(|u| u.path == "/etc/pve/corosync.conf")
        );
        let late = read("\n# lvs\n  LV VG\n\nERROR: command 'lvs' failed: got timeout\n\n");
        assert!(late.command("lvs").unwrap().timed_out);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(\\PC|\\n|\\n# |\\n==== a b ====\\n|qm list|cat /etc/pve/lxc/1.conf|ERROR: |hostname){0,80}") {
            read(&text);
            begins(text.as_bytes());
        }
    }
}
