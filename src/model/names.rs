//! Names and UUIDs: what LVM and PVE put into them, taken apart by their own
//! rules.

use std::borrow::Cow;

use crate::parse::lvm_json::dashless;

/// A device-mapper name, taken apart as libdevmapper's
/// `dm_split_lvm_name` does: `<vg>-<lv>[-<layer>]`, every `-` inside a part
/// doubled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LvmName {
    /// Volume group.
    pub vg: String,
    /// Logical volume.
    pub lv: String,
    /// Layer (`tpool`, `real`, `cow`, …), or what a person appended.
    pub layer: Option<String>,
}

impl LvmName {
    /// Splits a name; none when it has no joint, or an empty part.
    pub fn split(name: &str) -> Option<Self> {
        let (vg, rest) = part(name);
        let (lv, layer) = part(rest?);
        (!vg.is_empty() && !lv.is_empty()).then(|| Self {
            vg,
            lv,
            layer: layer.map(str::to_owned),
        })
    }

    /// Whether a device-mapper name is that of a logical volume without layer,
    /// as [`LvmName::join`] makes it.
    pub fn is_of(name: &str, vg: &str, lv: &str) -> bool {
        fn escaped(part: &str) -> impl Iterator<Item = u8> {
            part.bytes()
                .flat_map(|byte| std::iter::repeat_n(byte, if byte == b'-' { 2 } else { 1 }))
        }
        let joint = std::iter::once(b'-');
        escaped(vg).chain(joint).chain(escaped(lv)).eq(name.bytes())
    }

    /// The device-mapper name of a logical volume without layer.
    pub fn join(vg: &str, lv: &str) -> String {
        // PVE's names have some dashes.
        let mut name = String::with_capacity(vg.len() + lv.len() + 9);
        push_doubled(&mut name, vg);
        name.push('-');
        push_doubled(&mut name, lv);
        name
    }
}

/// Adds a part of a name, every `-` of it twice.
fn push_doubled(name: &mut String, part: &str) {
    let mut rest = part;
    while let Some(at) = dash(rest) {
        let (before, from) = rest.split_at(at);
        name.push_str(before);
        name.push_str("--");
        rest = from.strip_prefix('-').unwrap_or_default();
    }
    name.push_str(rest);
}

/// Where the first `-` is. Most parts are short.
fn dash(text: &str) -> Option<usize> {
    text.bytes().position(|byte| byte == b'-')
}

/// The text up to the first single `-`, undoubled, and what follows it.
fn part(text: &str) -> (String, Option<&str>) {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = dash(rest) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = from.strip_prefix("--") {
            out.push('-');
            rest = after;
        } else if from.len() == 1 {
            // libdevmapper keeps a single dash at the very end.
            out.push('-');
            return (out, None);
        } else {
            return (out, from.strip_prefix('-'));
        }
    }
    out.push_str(rest);
    (out, None)
}

/// Whether a name needs no quoting in any shell and is one that LVM or PVE
/// could have made: `[A-Za-z0-9+_.-]`, not empty, no leading dash, at most
/// device-mapper's 127 characters.
pub fn is_safe(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 127
        && !name.starts_with('-')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+_.-".contains(&byte))
}

/// The UUIDs in an LVM device's device-mapper UUID: `LVM-`, 32 characters of
/// the VG's, 32 of the LV's, and a layer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LvmUuid {
    /// The VG's UUID without dashes.
    pub vg: String,
    /// The LV's UUID without dashes.
    pub lv: String,
    /// The layer, where the device is not the volume itself.
    pub layer: Option<String>,
}

impl LvmUuid {
    /// Takes a device-mapper UUID apart; none when it is not LVM's.
    pub fn parse(uuid: &str) -> Option<Self> {
        let rest = uuid.strip_prefix("LVM-")?;
        let (vg, rest) = (rest.get(..32)?, rest.get(32..)?);
        let (lv, rest) = (rest.get(..32)?, rest.get(32..)?);
        let alphanumeric = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let layer = match rest {
            "" => None,
            rest => Some(rest.strip_prefix('-')?.to_owned()),
        };
        (alphanumeric(vg) && alphanumeric(lv)).then(|| Self {
            vg: vg.to_owned(),
            lv: lv.to_owned(),
            layer,
        })
    }

    /// Whether it is the UUID of the volume with these UUIDs (with or without
    /// dashes).
    pub fn is(&self, vg: &str, lv: &str) -> bool {
        let same = |plain: &str, uuid: &str| plain == uuid || plain == dashless(uuid);
        same(&self.vg, vg) && same(&self.lv, lv)
    }
}

/// What only the names of LVM's own hidden volumes hold: LVM refuses it in
/// any other (its `lib/misc/lvm-string.c`).
const RESERVED: [&str; 18] = [
    "_rimage", "_rmeta", "_mimage", "_mlog", "_corig", "_wcorig", "_iorig", "_imeta", "_vorigin",
    // A pool's: what stands before them is the pool's name.
    "_tdata", "_tmeta", "_cdata", "_cmeta", "_cpool", "_cvol", "_vdata", "_vpool", "_pmspare",
];

/// How many of [`RESERVED`] name parts of a volume, rather than a pool's.
const OF_VOLUMES: usize = 9;

/// A hidden logical volume, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HiddenVolume<'a> {
    /// The volume or pool that it is a part of: `vm-1-disk-0` of
    /// `vm-1-disk-0_rimage_0`.
    pub whole: &'a str,
    /// Whether that is a pool (thin, cache, VDO), whose name is no guest's
    /// volume whatever it looks like.
    pub of_pool: bool,
}

impl<'a> HiddenVolume<'a> {
    /// Reads a logical volume's name; none when LVM does not hide it.
    pub fn parse(lv: &'a str) -> Option<Self> {
        // Few names have an underscore.
        memchr::memchr(b'_', lv.as_bytes())?;
        let (at, number) = RESERVED
            .iter()
            .enumerate()
            .filter_map(|(number, text)| Some((lv.find(text)?, number)))
            .min()?;
        let whole = lv.get(..at).filter(|whole| !whole.is_empty())?;
        Some(Self {
            whole,
            of_pool: number >= OF_VOLUMES,
        })
    }
}

/// The parent's UUID in a partition's: `part1-<UUID>`, as kpartx and
/// multipath-tools make it.
pub fn partition_parent(uuid: &str) -> Option<&str> {
    let rest = uuid.strip_prefix("part")?;
    let (number, parent) = rest.split_once('-')?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) && !parent.is_empty())
        .then_some(parent)
}

/// What a guest's volume is for, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VolumeKind {
    /// `vm-N-…`: a disk, or what a person named so.
    Disk,
    /// `base-N-…`: a template's disk.
    Base,
    /// `vm-N-cloudinit`.
    CloudInit,
    /// `vm-N-state-…`: saved memory.
    State,
    /// `vm-N-fleece-…`: a backup's fleecing image.
    Fleece,
    /// `snap_vm-N-…_…`: a snapshot of a disk.
    Snapshot,
    /// `del-vm-N-…`, `del-snap_vm-N-…`: being wiped before it goes.
    Deleting,
}

/// A logical volume that is a guest's, by PVE's rule for names
/// (`^vm-(\d+)-\S+$`, `base-…`, and the prefixes PVE adds).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestVolume {
    /// The guest's VMID.
    pub vmid: u64,
    /// What it is for.
    pub kind: VolumeKind,
    /// Whether PVE always gives it this very name, so that a leftover blocks
    /// a new guest (`cloudinit`, `state`), or takes the next free number.
    pub fixed_name: bool,
}

impl GuestVolume {
    /// Reads a logical volume's name; none when it is no guest's.
    pub fn parse(lv: &str) -> Option<Self> {
        match lv.bytes().next()? {
            b's' => {
                let (vmid, _) = owner(lv.strip_prefix("snap_")?)?;
                return Some(Self::of(vmid, VolumeKind::Snapshot));
            }
            b'd' => {
                let rest = lv.strip_prefix("del-")?;
                let (vmid, _) = owner(rest.strip_prefix("snap_").unwrap_or(rest))?;
                return Some(Self::of(vmid, VolumeKind::Deleting));
            }
            _ => {}
        }
        let (vmid, rest) = owner(lv)?;
        let kind = match rest {
            _ if lv.starts_with("base-") => VolumeKind::Base,
            // Also where its storage has volume chains.
            "cloudinit" | "cloudinit.qcow2" => VolumeKind::CloudInit,
            _ if rest.starts_with("state-") => VolumeKind::State,
            _ if rest.starts_with("fleece-") => VolumeKind::Fleece,
            _ => VolumeKind::Disk,
        };
        Some(Self::of(vmid, kind))
    }

    fn of(vmid: u64, kind: VolumeKind) -> Self {
        Self {
            vmid,
            kind,
            fixed_name: matches!(kind, VolumeKind::CloudInit | VolumeKind::State),
        }
    }
}

/// `vm-N-rest` or `base-N-rest`. No VMID begins with a zero.
fn owner(name: &str) -> Option<(u64, &str)> {
    let rest = name
        .strip_prefix("vm-")
        .or_else(|| name.strip_prefix("base-"))?;
    if rest.starts_with('0') {
        return None;
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (vmid, rest) = rest.split_at_checked(digits)?;
    let rest = rest.strip_prefix('-').filter(|rest| !rest.is_empty())?;
    let plain = rest.bytes().all(|byte| byte.is_ascii_graphic());
    (plain || !rest.contains(char::is_whitespace)).then(|| Some((vmid.parse().ok()?, rest)))?
}

/// The names that a snapshot of a volume has: `snap_<volume>_<snapshot>`,
/// and with volume chains the format's ending moved to the end.
/// Source: PVE's LVM plugins (`snap_vm-100-disk-0_before`,
/// `snap_vm-100-disk-0_before.qcow2`).
pub fn snapshot_volume(volume: &str, snapshot: &str) -> String {
    match volume.strip_suffix(".qcow2") {
        Some(stem) => format!("snap_{stem}_{snapshot}.qcow2"),
        None => format!("snap_{volume}_{snapshot}"),
    }
}

/// The volume that an LV holds data of: `vm-1-disk-0` for LVM's hidden
/// `vm-1-disk-0_rimage_0`, and for LINSTOR's `vm-1-disk-0_00000`.
pub fn whole_volume(lv: &str) -> &str {
    match HiddenVolume::parse(lv) {
        Some(hidden) => hidden.whole,
        None => replica_of(lv).unwrap_or(lv),
    }
}

/// The volume of which LINSTOR keeps a replica in this LV, or a snapshot of one:
/// `vm-1-disk-0` for `vm-1-disk-0_00000`. A snapshot's name in PVE begins with
/// a letter.
pub fn replica_of(lv: &str) -> Option<&str> {
    memchr::memchr_iter(b'_', lv.as_bytes()).find_map(|at| {
        let (volume, rest) = lv.split_at_checked(at)?;
        let digits = rest.get(1..6)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let ends = matches!(rest.as_bytes().get(6), None | Some(b'_'));
        (is_number && ends && !volume.is_empty()).then_some(volume)
    })
}

/// Places at which a snapshot's name is parted from its disk's.
const PARTINGS: usize = 4;

/// The disks in whose chain of snapshots an LV may be: `vm-1-disk-0.qcow2` for
/// `snap_vm-1-disk-0_before.qcow2`. PVE goes by the names and by what the disk's
/// image says, not by the snapshots of the configuration (its `LVMPlugin.pm`,
/// `get_activate_volume_target_opts`). Where the snapshot's name begins can't be
/// told if it has more underscores than one.
fn chain_heads(lv: &str) -> impl Iterator<Item = String> {
    let names = lv
        .strip_prefix("snap_")
        .and_then(|rest| rest.strip_suffix(".qcow2"));
    names.into_iter().flat_map(|names| {
        let partings = memchr::memchr_iter(b'_', names.as_bytes()).take(PARTINGS);
        let disks = partings.filter_map(|at| names.get(..at));
        let disks = disks.filter(|disk| owner(disk).is_some());
        disks.map(|disk| format!("{disk}.qcow2"))
    })
}

/// The names by which a configuration keeps an LV in use: its own, that of the
/// volume it holds data of, and those of the disks whose chain it may be in.
pub fn meant_by(lv: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let whole = Some(whole_volume(lv)).filter(|whole| *whole != lv);
    let own = std::iter::once(lv).chain(whole).map(Cow::from);
    own.chain(chain_heads(whole.unwrap_or(lv)).map(Cow::from))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn split(name: &str) -> Option<(String, String, Option<String>)> {
        LvmName::split(name).map(|n| (n.vg, n.lv, n.layer))
    }

    fn parts(vg: &str, lv: &str, layer: Option<&str>) -> Option<(String, String, Option<String>)> {
        Some((vg.into(), lv.into(), layer.map(Into::into)))
    }

    #[test]
    fn names_split_at_single_dashes() {
        assert_eq!(
            split("ssd--ha01-vm--169--disk--0"),
            parts("ssd-ha01", "vm-169-disk-0", None)
        );
        assert_eq!(
            split("vg--cluster01--storage01-vm--199--disk--1"),
            parts("vg-cluster01-storage01", "vm-199-disk-1", None)
        );
        assert_eq!(split("pve-data-tpool"), parts("pve", "data", Some("tpool")));
        assert_eq!(
            split("pve-vm--101--disk--0-old"),
            parts("pve", "vm-101-disk-0", Some("old"))
        );
        // Three dashes: a doubled one, then the joint.
        assert_eq!(split("a---b"), parts("a-", "b", None));
        assert_eq!(split("plain"), None);
        assert_eq!(split("-x"), None);
        assert_eq!(split(""), None);
    }

    #[test]
    fn uuids_are_taken_apart() {
        let uuid = "LVM-qI2XpXd8NIWOZXTC892vFjhskE9CCRM71xouecr4m1DfiBiMyn1guCu38bVg3PdI-tpool";
        let parsed = LvmUuid::parse(uuid).unwrap();
        assert!(parsed.is(
            "qI2XpX-d8NI-WOZX-TC89-2vFj-hskE-9CCRM7",
            "1xouec-r4m1-DfiB-iMyn-1guC-u38b-Vg3PdI"
        ));
        assert_eq!(parsed.layer.as_deref(), Some("tpool"));
        assert_eq!(LvmUuid::parse("LVM-short"), None);
        assert_eq!(partition_parent("part12-LVM-x"), Some("LVM-x"));
        assert_eq!(partition_parent("partition-x"), None);
    }

    #[test]
    fn hidden_volumes_belong_to_a_volume_or_a_pool() {
        let read = |lv| HiddenVolume::parse(lv).map(|hidden| (hidden.whole, hidden.of_pool));
        assert_eq!(read("vm-1-disk-0_rimage_0"), Some(("vm-1-disk-0", false)));
        assert_eq!(read("vm-1-disk-0_rmeta_12"), Some(("vm-1-disk-0", false)));
        assert_eq!(
            read("vm-1-disk-0_rimage_0_imeta"),
            Some(("vm-1-disk-0", false))
        );
        assert_eq!(read("vm-1-disk-0_corig"), Some(("vm-1-disk-0", false)));
        assert_eq!(read("vm-1-disk-0_wcorig"), Some(("vm-1-disk-0", false)));
        assert_eq!(read("vm-1-pool_tdata_rimage_1"), Some(("vm-1-pool", true)));
        assert_eq!(read("vm-1-cache_cpool_cmeta"), Some(("vm-1-cache", true)));
        assert_eq!(read("vm-1-cache_cvol"), Some(("vm-1-cache", true)));
        for plain in ["vm-1-disk-0", "snap_vm-1-disk-0_1", "_rimage", ""] {
            assert_eq!(read(plain), None, "{plain}");
        }
    }

    #[test]
    fn guest_volumes_by_pves_rule() {
        let read = |lv: &str| GuestVolume::parse(lv).map(|v| (v.vmid, v.kind, v.fixed_name));
        assert_eq!(read("vm-100-disk-0"), Some((100, VolumeKind::Disk, false)));
        assert_eq!(
            read("vm-100-disk-0.qcow2"),
            Some((100, VolumeKind::Disk, false))
        );
        for name in ["vm-100-cloudinit", "vm-100-cloudinit.qcow2"] {
            assert_eq!(read(name), Some((100, VolumeKind::CloudInit, true)));
        }
        assert_eq!(read("vm-100-state-a"), Some((100, VolumeKind::State, true)));
        assert_eq!(
            read("vm-100-fleece-0"),
            Some((100, VolumeKind::Fleece, false))
        );
        assert_eq!(
            read("base-900-disk-0"),
            Some((900, VolumeKind::Base, false))
        );
        assert_eq!(read("vm-7-data.x+y"), Some((7, VolumeKind::Disk, false)));
        assert_eq!(
            read("snap_vm-100-disk-0_before").map(|v| v.1),
            Some(VolumeKind::Snapshot)
        );
        for name in ["del-vm-5-disk-0", "del-snap_vm-5-disk-0_a.qcow2"] {
            assert_eq!(read(name), Some((5, VolumeKind::Deleting, false)));
        }
        for other in [
            "data",
            "vm-100",
            "vm--disk-0",
            "vm-x-disk-0",
            "root",
            "xvm-1-disk-0",
            "vm-1-",
            "vm-01-images",
            "vm-0-disk-0",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn snapshots_keep_the_format_at_the_end() {
        assert_eq!(snapshot_volume("vm-1-disk-0", "a"), "snap_vm-1-disk-0_a");
        assert_eq!(
            snapshot_volume("vm-1-disk-0.qcow2", "a"),
            "snap_vm-1-disk-0_a.qcow2"
        );
    }

    #[test]
    fn a_volume_is_meant_by_its_disks_name() {
        let meant = |lv: &str| meant_by(lv).map(Cow::into_owned).collect::<Vec<_>>();
        assert_eq!(meant("vm-1-disk-0"), ["vm-1-disk-0"]);
        assert_eq!(meant("snap_vm-1-disk-0_a"), ["snap_vm-1-disk-0_a"]);
        assert_eq!(
            meant("snap_vm-1-my_disk_a.qcow2"),
            [
                "snap_vm-1-my_disk_a.qcow2",
                "vm-1-my.qcow2",
                "vm-1-my_disk.qcow2"
            ]
        );
        for part in ["_rimage_0", "_corig", "_00000", "_00001_snap_vm-1-disk-0_a"] {
            let lv = format!("vm-1-disk-0{part}");
            assert_eq!(meant(&lv), [lv.as_str(), "vm-1-disk-0"]);
        }
        assert_eq!(meant("vm-1-disk_123456"), ["vm-1-disk_123456"]);
        let many = format!("snap_vm-1-d{}.qcow2", "_".repeat(100));
        assert_eq!(meant(&many).len(), 1 + PARTINGS);
    }

    #[test]
    fn safe_names() {
        assert!(is_safe("pve-vm--1--a+b_c.d"));
        for name in [
            "",
            "-x",
            "a b",
            "a'b",
            "$(x)",
            "a\nb",
            "ä",
            "a/b",
            &"x".repeat(128),
        ] {
            assert!(!is_safe(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_joined_is_split(vg in "[a-zA-Z0-9+_.][a-zA-Z0-9+_.-]{0,20}", lv in "[a-zA-Z0-9+_.][a-zA-Z0-9+_.-]{0,20}") {
            // LVM forbids a VG name that ends in a dash nowhere, but its own
            // split can't tell it from a doubled one: same limit here.
            prop_assume!(!vg.ends_with('-'));
            let name = LvmName::join(&vg, &lv);
            prop_assert_eq!(split(&name), parts(&vg, &lv, None));
            prop_assert!(LvmName::is_of(&name, &vg, &lv));
            let longer = name + "x";
            prop_assert!(!LvmName::is_of(&longer, &vg, &lv));
        }

        #[test]
        fn no_name_panics(name in "(\\PC|-|vm-|snap_|LVM-|part1-){0,40}") {
            LvmName::split(&name);
            LvmUuid::parse(&name);
            GuestVolume::parse(&name);
            HiddenVolume::parse(&name);
            let _ = meant_by(&name).count();
            partition_parent(&name);
        }
    }
}
