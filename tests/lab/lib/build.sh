# The laboratory's kernel and root file system: Debian's cloud kernel and a minimal Debian root, packed as an initramfs.
# Sourced by run. Built once and kept in the cache under a hash of this file and of init.
# shellcheck shell=bash

LAB_SUITE=bookworm
# What a PVE node has that matters here: LVM with thin pools, kpartx, multipath, udev, perl, and the tools that tell who holds a device.
LAB_PACKAGES=lvm2,thin-provisioning-tools,dmsetup,kpartx,multipath-tools,udev,kmod,fdisk,e2fsprogs,perl,psmisc,lsof,procps,util-linux,bsdutils,hostname
LAB_KERNEL=linux-image-cloud-amd64
# Only these modules and what they depend on go into the image: a small image boots quickly under emulation.
LAB_MODULES=(dm-mod dm-thin-pool dm-snapshot dm-multipath dm-round-robin dm-mirror dm-raid raid1 loop virtio_blk virtio_pci ext4)

lab_cache() {
    local key
    key=$(cat "$LAB/lib/build.sh" "$LAB/guest/init" | sha256sum | cut -c1-16)
    echo "${DMAUDIT_LAB_CACHE:-$HOME/.cache/dmaudit-lab}/$key"
}

# lab_mirror: the mirror the machine itself uses for this suite; empty where its package sources name another distribution,
# and then debootstrap takes its own default.
lab_mirror() {
    [ -n "${DMAUDIT_LAB_MIRROR:-}" ] && { echo "$DMAUDIT_LAB_MIRROR"; return; }
    # shellcheck disable=SC2016 # the $(...) are apt's own
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        awk -v suite="$LAB_SUITE" '$1 == suite { print $2; exit }'
}

lab_root() {
    local root=$1 mirror
    mirror=$(lab_mirror)
    # No second suite, no recommended packages; the kernel's package is unpacked by hand, so no initramfs is built inside.
    debootstrap --variant=minbase --include="$LAB_PACKAGES" "$LAB_SUITE" "$root" ${mirror:+"$mirror"} || return 1
    chroot "$root" sh -ec "
        cd /root
        apt-get -qq update
        apt-get -qq download \$(apt-cache depends --important $LAB_KERNEL | sed -n 's/^ *Depends: *//p')
        dpkg-deb -x linux-image-*.deb kernel
    "
}

# lab_trim ROOT: keeps the wanted modules and drops what no scenario reads. The tools that know modules are those of the root.
lab_trim() {
    local root=$1 version module path
    version=$(basename "$root"/root/kernel/lib/modules/*)
    chroot "$root" depmod -b /root/kernel "$version"
    for module in "${LAB_MODULES[@]}"; do
        chroot "$root" modprobe -S "$version" -d /root/kernel --show-depends "$module"
    done | awk '$1 == "insmod" { print $2 }' | sort -u | while read -r path; do
        path=${path#/root/kernel}
        mkdir -p "$root$(dirname "$path")"
        cp "$root/root/kernel$path" "$root$path"
    done
    cp "$root/root/kernel/lib/modules/$version"/modules.{order,builtin,builtin.modinfo} "$root/lib/modules/$version/"
    chroot "$root" depmod "$version"
    rm -rf "$root"/usr/share/{doc,man,locale,i18n,zoneinfo,info,lintian,bash-completion,common-licenses} \
        "$root"/var/lib/{apt,dpkg} "$root"/var/cache/* "$root"/var/log/* "$root"/root/* "${root:?}"/dev/* \
        "$root"/usr/lib/x86_64-linux-gnu/gconv
}

lab_build() {
    local cache=$1 work
    [ "$(id -u)" = 0 ] || { echo "lab: building the image needs root (debootstrap); run once as root" >&2; return 1; }
    mkdir -p "$(dirname "$cache")"
    work=$(mktemp -d "$cache.XXXXXX")
    echo "lab: building the image in $cache (a few minutes, once)" >&2
    if ! lab_root "$work/root" >"$work/build.log" 2>&1; then
        tail -n 20 "$work/build.log" >&2
        echo "lab: building the root failed; the whole log: $work/build.log" >&2
        return 1
    fi
    cp "$work"/root/root/kernel/boot/vmlinuz-* "$work/vmlinuz"
    lab_trim "$work/root" || return 1
    install -m 755 "$LAB/guest/init" "$work/root/init"
    # Not compressed: unpacking under emulation takes longer than reading.
    (cd "$work/root" && find . -xdev -print0 | cpio --null --quiet -o -H newc) >"$work/initrd"
    rm -rf "$work/root"
    chmod 755 "$work"
    # Another run may have built the same meanwhile: the first one stays.
    mv -T "$work" "$cache" 2>/dev/null || rm -rf "$work"
    [ -s "$cache/initrd" ]
}
