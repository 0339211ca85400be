//! Guests, and the volumes that their configurations keep in use.

use std::collections::HashSet;

use crate::model::names::{GuestVolume, snapshot_volume};
use crate::parse::guest_config::{GuestConfig, Section, Setting};

/// Virtual machine or container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GuestKind {
    /// A virtual machine (`qemu-server/`).
    Vm,
    /// A container (`lxc/`).
    Ct,
}

impl GuestKind {
    /// The kind as JSON writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vm => "vm",
            Self::Ct => "ct",
        }
    }
}

/// A guest, by its configuration or by a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Its VMID.
    pub vmid: u64,
    /// Its kind.
    pub kind: GuestKind,
    /// The node whose folder its configuration lies in.
    pub node: String,
    /// Its configuration's path.
    pub path: String,
    /// Whether its configuration was read: what a guest without references
    /// is then known not to have.
    pub readable: bool,
    /// Its name.
    pub name: String,
    /// Its lock, by configuration or listing.
    pub lock: Option<String>,
    /// `running`, `stopped`, …; none where no listing has it.
    pub status: Option<String>,
    /// Whether it is a template.
    pub template: bool,
    /// What its configuration references.
    pub references: Vec<Reference>,
    /// Names of its snapshots.
    pub snapshots: Vec<String>,
}

impl Guest {
    /// Whether it has a live process: any state but stopped. None when its
    /// state is not known.
    pub fn running(&self) -> Option<bool> {
        self.status.as_deref().map(|status| status != "stopped")
    }
}

/// A configuration's reference to a volume or device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What is referenced.
    pub target: Target,
    /// Whether it stands there itself, or follows from it (a snapshot's
    /// volume from the disk and the snapshot's name).
    pub derived: bool,
    /// Where: `scsi0`, `scsi0 in [before]`.
    pub place: String,
    /// The line of the configuration, from 1.
    pub line: usize,
}

impl Reference {
    /// Whether the guest is given it as a disk.
    pub fn is_disk(&self) -> bool {
        let key = self.place.split(' ').next();
        !self.derived && key.is_some_and(is_disk_key)
    }
}

/// A guest's reference, with the guest.
#[derive(Debug, Clone, Copy)]
pub struct Mention<'a> {
    /// The guest.
    pub guest: &'a Guest,
    /// One of its references.
    pub reference: &'a Reference,
}

/// What a reference names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A volume id: `storage:volume`.
    Volume {
        /// Storage id.
        storage: String,
        /// Volume name, without the folders that some storages put before
        /// it.
        volume: String,
    },
    /// An absolute path below `/dev`.
    Path(String),
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Volume { storage, volume } => write!(f, "{storage}:{volume}"),
            Self::Path(path) => f.write_str(path),
        }
    }
}

/// Bytes of the longest name that LVM or PVE gives a volume, a storage or a
/// snapshot. A longer one in a forged configuration names nothing.
const NAME: usize = 128;

/// Bytes of the longest path that Linux opens.
const PATH: usize = 4096;

/// The beginning of a name, for a place that is told with every reference.
fn brief(name: &str) -> &str {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => name.get(..end).unwrap_or_default(),
        None => name,
    }
}

/// All that a configuration references. Every section counts: snapshots,
/// pending changes and special sections keep a volume in use, too.
pub fn references(config: &GuestConfig<'_>) -> Vec<Reference> {
    let mut found = Vec::new();
    for (name, section) in config.sections() {
        for setting in &section.settings {
            let targets = targets(setting);
            if targets.is_empty() {
                continue;
            }
            let key = match setting.key {
                "" => "a line that was not understood",
                key => brief(key),
            };
            let place = match name {
                None => key.to_owned(),
                Some(name) => format!("{key} in [{}]", brief(name)),
            };
            found.extend(targets.into_iter().map(|target| Reference {
                target,
                derived: false,
                place: place.clone(),
                line: setting.line,
            }));
        }
    }
    for (snapshot, section) in &config.snapshots {
        snapshot_references(snapshot, section, &mut found);
    }
    found
}

/// The volumes that a snapshot's disks have under names of their own.
fn snapshot_references(snapshot: &str, section: &Section<'_>, found: &mut Vec<Reference>) {
    if snapshot.len() > NAME {
        return;
    }
    let disks = section
        .settings
        .iter()
        .filter(|setting| is_disk_key(setting.key) && setting.key != "vmstate");
    for setting in disks {
        for target in targets(setting) {
            if let Target::Volume { storage, volume } = target {
                found.push(Reference {
                    target: Target::Volume {
                        storage,
                        volume: snapshot_volume(&volume, snapshot),
                    },
                    derived: true,
                    place: format!("snapshot {snapshot} of {}", brief(setting.key)),
                    line: setting.line,
                });
            }
        }
    }
}

/// Keys whose value is a disk, for virtual machines and containers, with the
/// older and foreign ones.
fn is_disk_key(key: &str) -> bool {
    let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = stem.len() < key.len();
    match stem {
        "rootfs" | "vmstate" => !numbered,
        "ide" | "sata" | "scsi" | "virtio" | "nvme" | "mpath" | "efidisk" | "tpmstate"
        | "unused" | "mp" | "xvd" => numbered,
        _ => false,
    }
}

/// Settings that are a person's text and reference nothing.
fn is_prose(key: &str) -> bool {
    matches!(
        key,
        "description" | "name" | "hostname" | "tags" | "parent" | "searchdomain"
    )
}

/// What one setting references.
///
/// A disk's value is a property string: its volume is the first part, or
/// `file=` or `volume=` in any place. In every other setting, a part counts
/// if it names a guest's volume or a device: better one reference too many
/// than one volume without.
fn targets(setting: &Setting<'_>) -> Vec<Target> {
    let mut found = Vec::new();
    let value = setting.value;
    let disk = is_disk_key(setting.key);
    // A volume id has a colon, and a guest's volume a dash; a device's path
    // has slashes. Most settings have neither.
    let has = |byte| memchr::memchr(byte, value.as_bytes()).is_some();
    let volume = has(b':') && (disk || has(b'-'));
    let path = has(b'/');
    if let Some(path) = allowed_device(setting) {
        found.push(Target::Path(path));
    }
    if !(volume || path) || is_prose(setting.key) {
        return found;
    }
    if volume {
        let apart = |c| matches!(c, ',' | ';' | ' ' | '\t' | '"' | '\'');
        let parts = value.split(apart).filter(|part| !part.is_empty());
        for (index, part) in parts.enumerate() {
            let (key, value) = part.split_once('=').unwrap_or(("", part));
            let main = disk && ((index == 0 && key.is_empty()) || matches!(key, "file" | "volume"));
            found.extend(volumes(value, main, disk));
            if !key.is_empty() {
                found.extend(volumes(part, false, false));
            }
        }
    }
    if path {
        found.extend(paths(value));
        let images = image(setting).into_iter().chain(images(setting));
        found.extend(images.map(|path| Target::Path(path.to_owned())));
    }
    if found.len() > 1 {
        let mut seen = HashSet::with_capacity(found.len());
        let first: Vec<bool> = found.iter().map(|target| seen.insert(target)).collect();
        let mut first = first.into_iter();
        found.retain(|_| first.next() == Some(true));
    }
    found
}

/// `storage:volume`, where folders and a linked clone's base may stand before
/// the volume (`base-900-disk-0/vm-101-disk-0`). Where the text is not surely
/// a volume id (`main`), only a guest's volume counts. A disk's line counts
/// though its storage is none that PVE accepts: it is damaged, and its volume
/// may be in any VG.
fn volumes(text: &str, main: bool, disk: bool) -> impl Iterator<Item = Target> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let id = text.split_once(':').filter(|(storage, _)| {
        let damaged = || disk && !storage.contains('/');
        !storage.is_empty() && storage.len() <= NAME && (storage.bytes().all(legal) || damaged())
    });
    id.into_iter().flat_map(move |(storage, path)| {
        let last = path.rsplit('/').next();
        path.split('/')
            .filter(|part| !part.is_empty() && part.len() <= PATH)
            .filter(move |part| (main && Some(*part) == last) || GuestVolume::parse(part).is_some())
            .map(|part| Target::Volume {
                storage: storage.to_owned(),
                volume: part.to_owned(),
            })
    })
}

/// The path outside of `/dev` that a virtual machine is given as a disk: a file,
/// as a rule, or a link to a device. A container's is a folder.
fn image<'a>(setting: &Setting<'a>) -> Option<&'a str> {
    let stem = setting.key.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_machines = matches!(
        stem,
        "ide" | "sata" | "scsi" | "virtio" | "efidisk" | "tpmstate" | "unused"
    );
    if !is_machines || setting.value.contains("media=cdrom") {
        return None;
    }
    let mut parts = setting.value.split(',');
    let main = parts.find_map(|part| {
        let file = part.strip_prefix("file=");
        file.or_else(|| part.strip_prefix("volume="))
            .or(Some(part).filter(|part| part.starts_with('/')))
    })?;
    let is_path = main.starts_with('/') && main.len() <= PATH;
    (is_path && !main.starts_with("/dev/")).then_some(main)
}

/// Such paths of the drives that QEMU is given by `args`.
fn images<'a>(setting: &Setting<'a>) -> impl Iterator<Item = &'a str> {
    let text = Some(setting.value).filter(|_| setting.key == "args");
    let words = text.into_iter().flat_map(str::split_whitespace);
    let drives = words.filter(|word| !word.contains("media=cdrom"));
    let parts = drives.flat_map(|word| word.split([',', '"', '\'']));
    parts.filter_map(|part| {
        let (key, path) = part.split_once('=')?;
        let is_file = matches!(key, "file" | "filename" | "file.filename");
        let is_path = path.starts_with('/') && path.len() <= PATH;
        (is_file && is_path && !path.starts_with("/dev/")).then_some(path)
    })
}

/// The block device that a container may open, by its number.
fn allowed_device(setting: &Setting<'_>) -> Option<String> {
    let is_rule = setting.key.starts_with("lxc.cgroup") && setting.key.ends_with("devices.allow");
    let mut words = setting.value.split_whitespace().filter(|_| is_rule);
    let number = words.next().filter(|kind| *kind == "b").and(words.next())?;
    Some(format!("/dev/block/{number}")).filter(|path| path.len() <= NAME)
}

/// Paths that are taken of one word.
const PATHS: usize = 4;

/// Every `/dev/…` path within a value. A path may go on behind a colon, an equals
/// sign or a backslash (of quoted JSON), or end there: both are taken.
fn paths(value: &str) -> impl Iterator<Item = Target> {
    let end = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | ')' | '}' | ']');
    value.split(end).flat_map(|word| {
        // What stands in the middle of a path is a part of it.
        let first = word.find("/dev/");
        let begins = move |at: &usize| {
            let before = at.checked_sub(1).and_then(|at| word.as_bytes().get(at));
            Some(*at) == first || matches!(before, Some(b':' | b'='))
        };
        let starts = word.match_indices("/dev/").map(|(at, _)| at);
        let whole = starts.filter(begins).take(PATHS);
        whole.flat_map(move |at| {
            let path = word.get(at..).unwrap_or_default();
            let cut = path
                .split([':', '=', '\\'])
                .next()
                .filter(|cut| *cut != path);
            let short = |path: &&str| path.len() > "/dev/".len() && path.len() <= PATH;
            let both = [Some(path), cut].into_iter().flatten().filter(short);
            both.map(|path| Target::Path(path.to_owned()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::guest_config::parse;

    fn named(text: &str) -> Vec<String> {
        references(&parse(text).value)
            .iter()
            .map(|reference| reference.target.to_string())
            .collect()
    }

    #[test]
    fn every_form_of_disk_is_a_reference() {
        assert_eq!(
            named(
                "scsi0: local-lvm:vm-100-disk-0,size=32G\nvirtio0: cache=none,file=local-lvm:vm-103-disk-0\nrootfs: volume=a:vm-1-disk-0\nefidisk0: a:vm-1-disk-1,size=4M\ntpmstate0: a:vm-1-disk-2\nunused3: a:vm-1-disk-3\nmp255: a:vm-1-disk-4,mp=/x\nnvme0: a:vm-1-disk-5\nide2: none,media=cdrom\nide1: cdrom\nscsi9: /dev/ssd-ha01/vm-5-disk-0,backup=0\nscsi1: nfs:100/vm-100-disk-1.qcow2\nscsi2: t:base-900-disk-0/vm-1-disk-7\n"
            ),
            [
                "local-lvm:vm-100-disk-0",
                "local-lvm:vm-103-disk-0",
                "a:vm-1-disk-0",
                "a:vm-1-disk-1",
                "a:vm-1-disk-2",
                "a:vm-1-disk-3",
                "a:vm-1-disk-4",
                "a:vm-1-disk-5",
                "/dev/ssd-ha01/vm-5-disk-0",
                "nfs:vm-100-disk-1.qcow2",
                "t:base-900-disk-0",
                "t:vm-1-disk-7",
            ]
        );
    }

    #[test]
    fn a_disk_of_no_legal_storage_is_a_reference() {
        assert_eq!(
            named(
                "scsi0: loïc:vm-1-disk-0,size=4M\nscsi1: lo'<a>:vm-1-disk-1\nscsi2: /dev/a:vm-1-disk-2\nnet0: loïc:vm-1-disk-3\n"
            ),
            [
                "loïc:vm-1-disk-0",
                "<a>:vm-1-disk-1",
                "/dev/a:vm-1-disk-2",
                "/dev/a"
            ]
        );
    }

    #[test]
    fn a_word_of_many_paths_is_not_many_words() {
        for word in [
            "/dev/".repeat(100_000),
            "=/dev/a".repeat(100_000),
            ":/dev/a".repeat(500),
        ] {
            let found = named(&format!("args: {word}\n"));
            assert!(found.len() <= 2 * PATHS, "{}", found.len());
        }
        assert_eq!(
            named("args: a=/dev/x:/dev/y\n"),
            ["/dev/x:/dev/y", "/dev/x", "/dev/y"]
        );
    }

    #[test]
    fn paths_end_where_they_may() {
        assert_eq!(
            named("args: -drive file=/dev/pve/vm-1-disk-9:x -d=/dev/block/253:1 a;/dev/sdb\n"),
            [
                "/dev/pve/vm-1-disk-9:x",
                "/dev/pve/vm-1-disk-9",
                "/dev/block/253:1",
                "/dev/block/253",
                "/dev/sdb",
            ]
        );
    }

    #[test]
    fn what_lies_outside_of_dev_may_be_a_device() {
        assert_eq!(
            named(
                "args: -drive file=/srv/a,format=raw -blockdev 'driver=x,filename=/srv/b' -drive file=/x.iso,media=cdrom\nlxc.cgroup2.devices.allow: b 253:7 rwm\nlxc.cgroup2.devices.allow: c 10:200 rwm\n"
            ),
            ["/srv/a", "/srv/b", "/dev/block/253:7"]
        );
    }

    #[test]
    fn every_section_keeps_its_volumes() {
        assert_eq!(
            named(
                "memory: 1\n[PENDING]\nscsi1: a:vm-1-disk-1\n[before]\nscsi0: a:vm-1-disk-0\nvmstate: a:vm-1-state-before\n[special:fleecing]\nfleecing-images: a:vm-1-fleece-0;a:vm-1-fleece-1\n"
            ),
            [
                "a:vm-1-disk-0",
                "a:vm-1-state-before",
                "a:vm-1-disk-1",
                "a:vm-1-fleece-0",
                "a:vm-1-fleece-1",
                "a:snap_vm-1-disk-0_before",
            ]
        );
    }

    #[test]
    fn devices_in_arguments_count_and_prose_does_not() {
        assert_eq!(
            named(
                "args: -drive file=/dev/pve/vm-1-disk-9,if=none -x '/dev/mapper/pve-vm--1--disk--8'\nhookscript: local:snippets/hook.pl\ndescription: local-lvm:vm-9-disk-0\nname: a:vm-9-disk-1\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr0\nhostpci0: 0000:01:00.0\n#a:vm-9-disk-2\n"
            ),
            ["/dev/pve/vm-1-disk-9", "/dev/mapper/pve-vm--1--disk--8"]
        );
    }
}
