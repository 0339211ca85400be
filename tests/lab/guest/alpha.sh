# The cluster 'alpha': two nodes, a local and a shared storage, and one of each thing that is healthy or goes wrong.
# shellcheck shell=sh disable=SC2034 # CLEANUP is for the scenarios

alpha_configs() {
    pve_root pve1 pve2
    vm pve1 100 web01 'ide2: local-lvm:vm-100-cloudinit,media=cdrom' 'scsi0: local-lvm:vm-100-disk-0,discard=on,size=64M' \
        'parent: before' '' '[before]' '#before the upgrade' 'scsi0: local-lvm:vm-100-disk-0,discard=on,size=64M' \
        'snaptime: 1763892000' 'vmstate: local-lvm:vm-100-state-before'
    vm pve1 101 mail01 'efidisk0: local-lvm:vm-101-disk-1,efitype=4m,size=4M' 'scsi0: local-lvm:vm-101-disk-0,size=64M'
    vm pve1 103 ubuntu-guest-with-lvm-inside 'virtio0: file=local-lvm:vm-103-disk-0,size=128M'
    vm pve1 104 files01 'scsi0: local-lvm:vm-104-disk-0,size=64M' 'unused0: local-lvm:vm-104-disk-2'
    vm pve1 105 locked01 'lock: backup' 'scsi0: local-lvm:vm-105-disk-0,size=64M'
    vm pve1 169 Production-Database 'scsi0: SSD-HA01:vm-169-disk-0,size=48M'
    vm pve1 900 debian-template 'scsi0: local-lvm:base-900-disk-0,size=64M' 'template: 1'
    ct pve1 200 ct-dns 'mp0: local-lvm:vm-200-disk-1,mp=/srv,size=32M' 'rootfs: local-lvm:vm-200-disk-0,size=32M'
    vm pve2 171 backup-server 'scsi0: SSD-HA01:vm-171-disk-0,size=32M'
    vm pve2 172 moving 'lock: migrate' 'scsi0: SSD-HA01:vm-172-disk-0,size=32M'
}

# pve1's own volumes. Guests 119, 150, 151 and 152 were deleted, 104 and 105 dropped a disk: their LVs stayed active.
alpha_pve1() {
    local_vg
    thin vm-100-disk-0 64m
    thin vm-100-cloudinit 4m
    thin vm-100-state-before 8m
    thin vm-101-disk-0 64m
    thin vm-101-disk-1 4m
    thin vm-103-disk-0 128m
    thin vm-104-disk-0 64m
    thin vm-104-disk-1 64m
    thin vm-104-disk-2 64m
    thin vm-105-disk-0 64m
    thin vm-105-disk-1 64m
    thin vm-119-disk-0 64m
    thin vm-119-cloudinit 4m
    thin vm-150-disk-0 64m
    thin vm-151-disk-0 64m
    thin vm-152-disk-0 64m
    thin vm-200-disk-0 32m
    thin vm-200-disk-1 32m
    lvcreate -q -y -Wn -an -V 64m -n base-900-disk-0 --thinpool data pve
    lvcreate -q -y -kn -s -n snap_vm-100-disk-0_before pve/vm-100-disk-0
    lvchange -an pve/snap_vm-100-disk-0_before
    start_vm 100 /dev/pve/vm-100-disk-0
    start_ct 200 /dev/pve/vm-200-disk-0
    # The host activated the VG inside 103's disk.
    guest_vg /dev/pve/vm-103-disk-0
    # 150's partition is mapped and nobody uses it; 151's is mounted; a process holds 152's disk.
    partition /dev/pve/vm-150-disk-0
    partition /dev/pve/vm-151-disk-0
    mkfs.ext4 -q /dev/mapper/pve-vm--151--disk--0p1
    mkdir -p /mnt/rescue
    mount /dev/mapper/pve-vm--151--disk--0p1 /mnt/rescue
    hold /dev/mapper/pve-vm--152--disk--0
    # Somebody made a second mapping of 101's disk by hand.
    dmsetup table pve-vm--101--disk--0 | dmsetup create pve-vm--101--disk--0-old
}
guest_vg() {
    pvcreate -q --config devices/scan_lvs=1 "$1"
    vgcreate -q --config devices/scan_lvs=1 ubuntu-vg "$1"
    lvcreate -q -y -Wn -L 40m -n ubuntu-lv --config devices/scan_lvs=1 ubuntu-vg
}
partition() {
    echo 'start=2048, type=83' | sfdisk -q --no-reread --no-tell-kernel "$1"
    udevadm settle
    kpartx -a -s "/dev/mapper/$(dmsetup info -c --noheadings -o name "$1")"
}

alpha_pve2() {
    local_vg
    thin vm-119-disk-0 16m
    thin vm-180-disk-0 64m
}

# alpha: builds it; both nodes call this. Afterwards pve2 maps 170, which is gone, over the extents of 171, maps a 169 that has
# grown since, and holds it open although it runs on pve1.
alpha() {
    step "alpha: configurations"
    alpha_configs
    if [ "$NODE" = pve1 ]; then
        step "alpha: shared volumes"
        shared_vg
        thick vm-169-disk-0 32m
        thick vm-170-disk-0 32m
        thick vm-172-disk-0 32m
    fi
    barrier "pve1 made the shared volumes"
    if [ "$NODE" = pve2 ]; then
        see_shared
        vgchange -q -ay ssd-ha01
    fi
    barrier "pve2 activated all of them, as a boot does"
    if [ "$NODE" = pve1 ]; then
        lvremove -q -y ssd-ha01/vm-170-disk-0
        thick vm-171-disk-0 32m
        lvextend -q -L 48m ssd-ha01/vm-169-disk-0
        lvchange -q -an ssd-ha01/vm-171-disk-0 ssd-ha01/vm-172-disk-0
        start_vm 169 /dev/ssd-ha01/vm-169-disk-0
    fi
    barrier "pve1 gave 170's extents to 171 and grew 169"
    step "alpha: $NODE's own volumes"
    "alpha_$NODE"
    if [ "$NODE" = pve2 ]; then
        lvchange -q -ay ssd-ha01/vm-171-disk-0
        start_vm 171 /dev/ssd-ha01/vm-171-disk-0
        start_vm 172 /dev/ssd-ha01/vm-172-disk-0
        hold /dev/mapper/ssd--ha01-vm--169--disk--0
    fi
    udevadm settle
    barrier "alpha stands"
}

# alpha_audit DIR: both nodes collect, pve1 analyzes the two bundles as one cluster and gives pve2 its script. CLEANUP is this node's.
alpha_audit() {
    step "collect"
    mkdir -p /tmp/give "$1"
    collect "/tmp/give/$NODE.zip"
    give /tmp/give
    barrier "bundles given"
    if [ "$NODE" = pve1 ]; then
        take "$1/bundles"
        cp "/tmp/give/$NODE.zip" "$1/bundles/"
        step "analyze"
        analyze "$1/report" "$1"/bundles/*.zip >"$1/report.txt"
        give "$1"
        cp -r "$1" "$RESULTS/"
    fi
    barrier "analyzed"
    [ "$NODE" = pve1 ] || take "$1"
    CLEANUP=$1/report/cleanup/cleanup-$NODE.sh
}

# What the plan must be: these go, everything else stays.
alpha_removable() {
    case $NODE in
    pve1) printf '%s\n' pve-vm--101--disk--0-old pve-vm--104--disk--1 pve-vm--119--cloudinit pve-vm--119--disk--0 \
        pve-vm--150--disk--0 pve-vm--150--disk--0p1 ;;
    pve2) printf '%s\n' pve-vm--119--disk--0 pve-vm--180--disk--0 ssd--ha01-vm--170--disk--0 ;;
    esac
}
