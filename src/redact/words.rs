//! Words that identify nobody and stay as they are.

use std::collections::HashSet;
use std::sync::LazyLock;

use foldhash::quality::RandomState;

/// Names that every installation has.
const DEFAULTS: [&str; 7] = [
    "pve",
    "local",
    "local-lvm",
    "data",
    "root",
    "swap",
    "localhost",
];

/// Whether a name is one that every installation has.
pub(super) fn is_default(name: &str) -> bool {
    DEFAULTS.contains(&name)
}

/// Folders and file names of every system.
const FOLDERS: &str = " dev mapper control disk by-id by-uuid by-path by-label by-partuuid proc sys run \
    tmp var lib vz etc usr bin sbin mnt media home srv opt boot efi shm pts hugepages mqueue \
    kernel debug tracing security config fs fuse cgroup lock user log cache images iso template \
    snippets dump private rootdir qemu-server lxc openvz nodes corosync storage.cfg corosync.conf \
    datacenter.cfg user.cfg vzdump.cron jobs.cfg ha firewall sdn mapping priv authkey.pub \
    pve-root-ca.pem pve-www.key .members .vmlist .version .rrd .clusterlog .debug hostname \
    credentials systemd machine-id lvm lvm.conf zvol block holders virtual devices vfio net ";

/// Words of settings: keys, options and their values.
const SETTINGS: &str = " acpi affinity agent allow-ksm amd-sev arch args audio autostart balloon \
    bios boot bootdisk cdrom cicustom cipassword citype ciupgrade ciuser cmode console cores cpu \
    cpulimit cpuunits description digest efidisk entrypoint env features force freeze fstype host \
    hookscript hostname hostpci hotplug hugepages ide import-working-storage ipconfig ivshmem \
    keephugepages keyboard kvm localtime lock machine memory meta migrate_downtime migrate_speed \
    migrated mp name nameserver net nested numa nodename onboot ostype parallel parent protection \
    reboot rng rootfs runningcpu running-nets-host-mtu runningmachine sata scsi scsihw searchdomain \
    serial shares smbios smp snapstate snaptime sockets spice_enhancements sshkeys startdate \
    startup swap tablet tags tdf template timezone tpmstate tty unprivileged unused usb vcpus vga \
    virtio virtiofs vmgenid vmstate vmstatestorage watchdog nvme mpath xvd dev delete \
    file volume size format cache discard iothread ssd backup replicate aio ro media disk snapshot \
    shared acl quota mountoptions efitype pre-enrolled-keys order on off yes no none raw qcow2 vmdk \
    subvol writeback writethrough unsafe directsync ignore io_uring native threads version bridge \
    firewall tag rate link_down queues trunks mtu model e1000 e1000e rtl8139 vmxnet3 ip ip6 gw gw6 \
    dhcp auto manual type veth hwaddr virtio-scsi-single virtio-scsi-pci lsi lsi53c810 megasas \
    pvscsi kvm64 x86-64-v2-aes x86-64-v3 x86-64-v4 l24 l26 win7 win8 win10 win11 wxp w2k w2k3 w2k8 \
    wvista solaris other debian ubuntu centos fedora opensuse archlinux alpine gentoo nixos \
    unmanaged devuan q35 i440fx pc amd64 i386 arm64 armhf riscv64 seabios ovmf 4m 2m qemu-xhci std \
    cirrus qxl up down enabled disabled creating create prepare migrate rollback snapshot-delete \
    suspending suspended clone mounted en-us de us en-gb fr es \
    lvm lvmthin dir nfs cifs zfspool zfs rbd cephfs btrfs glusterfs iscsi iscsidirect pbs esxi \
    content path vgname thinpool nodes disable saferemove saferemove_throughput tagged_only base \
    server export options pool monhost username krbd prune-backups maxfiles preallocation portal \
    target datastore fingerprint namespace encryption-key subdir mkdir is_mountpoint create-base-path \
    create-subdirs snapshot-as-volume-chain iso vztmpl rootdir images snippets keep-all keep-last \
    keep-daily keep-weekly keep-monthly keep-yearly keep-hourly sparse blocksize mountpoint \
    metadata share domain bwlimit max-protected-backups import \
    partition part layer active inactive running stopped paused unknown available ";

/// Words of the kernel's messages about devices, and of the tools' errors.
const MESSAGES: &str = " device-mapper device devices table ioctl thin thin-pool pool linear striped \
    snapshot snapshots raid crypt multipath kernel dmeventd ext4 ext4-fs ext3-fs ext2-fs xfs btrfs \
    buffer i/o io error errors corrupt corrupted corruption remounting filesystem read-only \
    read-write shutting down fail fails failed failing failure unable busy cannot couldn't can't \
    couldnt invalid too small not found doesn't appear appears reached low water mark out of data \
    space out-of-data-space no free mode needs_check needs to be checked aborting abort aborted \
    lookup open remove removal create load reload suspend resume on in for from by with at and or \
    the a an is are was it its this that have has had been mapped non-existent existing existent \
    switching metadata space operation sector sectors block blocks logical physical async page \
    write read lost due dev inode mounted mount mounting unmounting unmount filesystem ordered \
    quota mode opts option options message target version initialised initialized registered \
    unregistered core uevent core: queue queued timeout timed limit size set path paths adding \
    reinstating failing failover ready active inactive journal recovery complete superblock \
    discard passdown disabled enabled supported unsupported unknown argument number start length \
    area exists already name uuid dependency holder in-use use used status exit permission denied \
    such file or directory command directory. device. resource temporarily unavailable input/output \
    volume group logical physical could warning: warning jan feb mar apr may jun jul aug sep oct \
    nov dec mon tue wed thu fri sat sun utc access user pid only full mapping transaction commit \
    would another process exit after seconds killed terminated usage syntax while reading writing \
    activation deactivation activated deactivated lvm vg lv pv dm sd scsi nvme \
    cluster pmxcfs system empty did answer within does match manifest bundle collector its bytes ";

/// The words of a list.
type List = LazyLock<HashSet<&'static str, RandomState>>;

static FOLDER_LIST: List = LazyLock::new(|| FOLDERS.split_ascii_whitespace().collect());
static SETTING_LIST: List = LazyLock::new(|| SETTINGS.split_ascii_whitespace().collect());
static MESSAGE_LIST: List = LazyLock::new(|| MESSAGES.split_ascii_whitespace().collect());

/// Whether it is a folder or file of every system.
pub(super) fn is_folder(name: &str) -> bool {
    FOLDER_LIST.contains(name)
}

/// Whether it is a word of settings.
pub(super) fn is_setting(word: &str) -> bool {
    SETTING_LIST.contains(word.to_ascii_lowercase().as_str())
}

/// Whether it is a word of messages.
pub(super) fn is_message(word: &str) -> bool {
    MESSAGE_LIST.contains(word.to_lowercase().as_str())
}

/// Whether it is the kernel's own name of a device: `sda3`, `dm-7`,
/// `nvme0n1p2`.
pub(super) fn is_kernel_name(name: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let numbered = [
        "dm-", "loop", "md", "sr", "ram", "zram", "zd", "nbd", "rbd", "bcache", "drbd",
    ];
    let lettered = ["sd", "vd", "xvd", "hd"];
    let after = |prefix: &&str| name.strip_prefix(*prefix);
    numbered.iter().filter_map(after).any(|rest| {
        let (number, part) = rest.split_once('p').unwrap_or((rest, "0"));
        !number.is_empty() && digits(number) && !part.is_empty() && digits(part)
    }) || lettered.iter().filter_map(after).any(|rest| {
        let letters = rest.trim_end_matches(|c: char| c.is_ascii_digit());
        (1..=3).contains(&letters.len()) && letters.bytes().all(|byte| byte.is_ascii_lowercase())
    }) || name.strip_prefix("nvme").is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"npc".contains(&byte))
    })
}

/// Whether it is a number that identifies nobody: a count, a size, a time, a
/// device number.
pub(super) fn is_number(word: &str) -> bool {
    let body = word
        .strip_suffix(['K', 'M', 'G', 'T', 'P', 'B', '%', 's'])
        .unwrap_or(word);
    let digits = body.bytes().filter(u8::is_ascii_digit).count();
    (1..=15).contains(&digits)
        && word.len() <= 30
        && body
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".:/+-".contains(&byte))
}
