//! Paths that configurations name: which entry or volume one leads to, and
//! whether that can be told.

use std::borrow::Cow;

use crate::model::device::Index;
use crate::model::names::{LvmName, LvmUuid, partition_parent};
use crate::model::node::Node;
use crate::parse::DevNo;

/// A path without empty parts, `.` and `..`.
pub(super) fn plain(path: &str) -> Cow<'_, str> {
    if !path.contains("//") && !path.contains("/.") {
        return path.into();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/")).into()
}

/// Whether a path may lead to a logical volume, though its name does not say to
/// which and the node shows no entry of that name: a link, or what lies on
/// volumes by other means than device-mapper. A disk of its own is none.
/// `is_disk` says that the guest is given it as a disk: other settings name
/// character devices and folders.
pub(super) fn is_vague(path: &str, is_disk: bool, has_vg: impl FnOnce(&str) -> bool) -> bool {
    let Some(name) = path.strip_prefix("/dev/") else {
        let ending = path.rsplit('.').next().unwrap_or_default();
        let is_file = matches!(
            ending,
            "raw" | "qcow2" | "vmdk" | "img" | "iso" | "fd" | "bin" | "rom" | "efi"
        );
        let folders = ["/mnt/pve/", "/var/lib/vz/", "/usr/"];
        return !is_file && !folders.iter().any(|folder| path.starts_with(folder));
    };
    if let Some(disk) = name.strip_prefix("disk/") {
        return !is_link_to_a_disk(path) && !disk.starts_with("by-id/dm-");
    }
    let stacked = ["drbd", "md", "bcache"];
    if stacked.iter().any(|kind| name.starts_with(kind)) {
        return true;
    }
    let others = [
        "sd", "nvme", "vd", "hd", "xvd", "sr", "cdrom", "dm-", "mapper/", "block/", "loop", "nbd",
        "rbd", "zd", "zvol/",
    ];
    let is_known = others.iter().any(|kind| name.starts_with(kind));
    let vg = name.split_once('/').map(|(vg, _)| vg);
    is_disk && !is_known && !vg.is_some_and(has_vg)
}

/// Whether it is udev's link to a disk by what the disk says of itself, or where
/// it is: that of a logical volume begins with `dm-` or `lvm-`.
pub(super) fn is_link_to_a_disk(path: &str) -> bool {
    let link = path.strip_prefix("/dev/disk/by-");
    link.is_some_and(|link| {
        let by_id = link.strip_prefix("id/");
        by_id.is_some_and(|id| !id.starts_with("dm-") && !id.starts_with("lvm-"))
            || link.starts_with("path/")
    })
}

/// The link that udev makes for a LUN of an `iscsi` storage, whose volumes are
/// called `CHANNEL.ID.LUN.LINK` (PVE's `ISCSIPlugin.pm`).
pub(super) fn iscsi_link(volume: &str) -> Option<String> {
    let mut parts = volume.splitn(4, '.');
    let mut number = || {
        let part = parts.next()?;
        let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(())
    };
    number().and_then(|()| number()).and_then(|()| number())?;
    Some(format!("/dev/disk/by-id/{}", parts.next()?))
}

/// The UUID that multipath-tools give the map of a disk that udev calls so by
/// its SCSI identification: `mpath-3600a…` for `scsi-3600a…` and `wwn-0x600a…`,
/// of a partition that of the map's partition.
fn multipath_uuid(id: &str) -> Option<String> {
    let (disk, part) = match id.rsplit_once("-part") {
        Some((disk, number)) => (disk, format!("part{number}-")),
        None => (id, String::new()),
    };
    let wwid = match disk.strip_prefix("wwn-0x") {
        Some(wwn) => format!("3{wwn}"),
        None => disk.strip_prefix("scsi-")?.to_owned(),
    };
    Some(format!("{part}mpath-{wwid}"))
}

/// The entry at a path below `/dev`; of a partition that is not mapped the
/// entry that it would lie on.
pub(super) fn device_at(node: &Node, path: &str) -> Option<Index> {
    let devices = &node.devices;
    if let Some(number) = path.strip_prefix("/dev/block/") {
        return devices.by_devno(number.parse().ok()?);
    }
    if let Some(name) = path.strip_prefix("/dev/mapper/") {
        return devices.by_name(name);
    }
    if let Some(id) = path.strip_prefix("/dev/disk/by-id/") {
        if let Some(uuid) = id.strip_prefix("dm-uuid-") {
            let parent = || devices.by_uuid(partition_parent(uuid)?);
            return devices.by_uuid(uuid).or_else(parent);
        }
        if let Some(uuid) = multipath_uuid(id) {
            let parent = || devices.by_uuid(partition_parent(&uuid)?);
            return devices.by_uuid(&uuid).or_else(parent);
        }
        return devices.by_name(id.strip_prefix("dm-name-")?);
    }
    if let Some(minor) = path.strip_prefix("/dev/dm-") {
        return devices.by_devno(DevNo {
            major: devices.major()?,
            minor: minor.parse().ok()?,
        });
    }
    let (vg, lv) = named_volume(path)?;
    devices.by_name(&LvmName::join(&vg, &lv))
}

/// VG and LV of a path below `/dev`.
pub(super) fn volume_at<'a>(node: &'a Node, path: &'a str) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    if let Some(uuid) = path.strip_prefix("/dev/disk/by-id/dm-uuid-") {
        let uuid = LvmUuid::parse(partition_parent(uuid).unwrap_or(uuid))?;
        let lv = node.lvm.by_uuid(&uuid.vg, &uuid.lv)?;
        return Some((Cow::from(&*lv.vg), Cow::from(&lv.name)));
    }
    named_volume(path)
}

/// VG and LV of `/dev/VG/LV`, `/dev/mapper/VG-LV` and
/// `/dev/disk/by-id/dm-name-VG-LV`.
fn named_volume(path: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let rest = path.strip_prefix("/dev/")?;
    let mapped = rest.strip_prefix("disk/by-id/dm-name-");
    if let Some(name) = mapped.or_else(|| rest.strip_prefix("mapper/")) {
        return LvmName::split(name).map(|name| (name.vg.into(), name.lv.into()));
    }
    let (vg, lv) = rest.split_once('/')?;
    (vg != "disk" && !lv.is_empty() && !lv.contains('/')).then(|| (vg.into(), lv.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_plain() {
        for (path, expected) in [
            ("/dev/pve/vm-1-disk-0", "/dev/pve/vm-1-disk-0"),
            ("/dev//pve//vm-1-disk-0", "/dev/pve/vm-1-disk-0"),
            ("/dev/mapper/../dm-3", "/dev/dm-3"),
            ("/dev/./pve/.hidden", "/dev/pve/.hidden"),
            ("/dev/../../x", "/x"),
        ] {
            assert_eq!(plain(path), expected, "{path}");
        }
    }

    #[test]
    fn paths_name_volumes() {
        let volume = |vg: &'static str, lv: &'static str| Some((vg.into(), lv.into()));
        for path in [
            "/dev/ssd-ha01/vm-5-disk-0",
            "/dev/mapper/ssd--ha01-vm--5--disk--0",
            "/dev/disk/by-id/dm-name-ssd--ha01-vm--5--disk--0",
        ] {
            assert_eq!(
                named_volume(path),
                volume("ssd-ha01", "vm-5-disk-0"),
                "{path}"
            );
        }
        assert_eq!(named_volume("/dev/disk/by-id/x"), None);
        assert_eq!(named_volume("/dev/sda"), None);
    }

    #[test]
    fn a_lun_is_known_by_its_link() {
        assert_eq!(
            iscsi_link("0.0.2.scsi-3600a.b").as_deref(),
            Some("/dev/disk/by-id/scsi-3600a.b")
        );
        for other in ["0.0.scsi-3600a", "a.0.0.x", "vm-1-disk-0", ""] {
            assert_eq!(iscsi_link(other), None, "{other}");
        }
        for (id, uuid) in [
            ("scsi-3600a", Some("mpath-3600a")),
            ("wwn-0x600a", Some("mpath-3600a")),
            ("scsi-3600a-part2", Some("part2-mpath-3600a")),
            ("ata-X", None),
        ] {
            assert_eq!(multipath_uuid(id).as_deref(), uuid, "{id}");
        }
    }

    #[test]
    fn what_a_path_leads_to_is_not_always_told() {
        let vague = |path: &str, disk| is_vague(path, disk, |vg| vg == "pve");
        for path in [
            "/dev/drbd0",
            "/dev/drbd/by-res/r/0",
            "/dev/md127",
            "/dev/bcache0",
            "/dev/disk/by-uuid/x",
            "/dev/disk/by-id/lvm-pv-uuid-x",
            "/srv/disks/one",
        ] {
            assert!(vague(path, true) && vague(path, false), "{path}");
        }
        for path in ["/dev/oracle/data1", "/dev/fast"] {
            assert!(vague(path, true) && !vague(path, false), "{path}");
        }
        for path in [
            "/dev/sdb",
            "/dev/nvme0n1p1",
            "/dev/pve/gone",
            "/dev/mapper/gone",
            "/dev/dm-99",
            "/dev/disk/by-id/ata-X",
            "/dev/disk/by-id/dm-uuid-LVM-gone",
            "/dev/disk/by-path/pci-0",
            "/dev/zvol/tank/vm-1-disk-0",
            "/var/lib/vz/images/1/x",
            "/usr/share/kvm/OVMF_CODE.fd",
        ] {
            assert!(!vague(path, true) && !vague(path, false), "{path}");
        }
    }
}
