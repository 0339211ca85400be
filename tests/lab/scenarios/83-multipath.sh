# title: a disk by two paths: a volume on one of them and a failed path are reported, and neither before they happen
# nodes: pve1
# seconds: 420
# shellcheck shell=sh disable=SC2154
a_multipath_device() {
    # Two loop devices over one disk are two paths to it. multipath knows no loop devices unless it is told, nor can it ask them SCSI questions.
    one=$(losetup -f --show "$SHARED")
    two=$(losetup -f --show "$SHARED")
    one_number=$(cat "/sys/block/${one##*/}/dev")
    two_number=$(cat "/sys/block/${two##*/}/dev")
    cat >/etc/multipath.conf <<CONF
defaults {
	find_multipaths no
	detect_checker no
	path_checker directio
}
blacklist {
	devnode ".*"
}
blacklist_exceptions {
	devnode "^(${one##*/}|${two##*/})\$"
	property ".*"
}
CONF
    dmsetup create mpatha --uuid mpath-360000000000000000e00000000010001 \
        --table "0 $(blockdev --getsz "$SHARED") multipath 0 0 1 1 round-robin 0 2 1 $one_number 1 $two_number 1"
    udevadm settle
    # As a node with multipath is set up: LVM sees the disk by its multipath device only.
    cat >/etc/lvm/lvm.conf <<CONF
devices {
	global_filter=["a|^/dev/mapper/mpatha\$|", "a|^$LOCAL\$|", "r|.*|"]
}
CONF
    rm -f /run/lvm/hints
    vgcreate -q ssd-ha01 /dev/mapper/mpatha
}
# path_state NUMBER: A or F, as the kernel has it.
path_state() { dmsetup status mpatha | grep -o "$1 [AF]" | cut -d' ' -f2; }

pve_root pve1 pve2
local_vg
vm pve1 100 web01 'scsi0: local-lvm:vm-100-disk-0,size=64M'
thin vm-100-disk-0 64m
start_vm 100 /dev/pve/vm-100-disk-0
step "two paths"
a_multipath_device
for vmid in 101 102; do
    vm pve1 "$vmid" "guest$vmid" "scsi0: SSD-HA01:vm-$vmid-disk-0,size=8M"
    thick "vm-$vmid-disk-0" 8m
done
udevadm settle
start_vm 102 /dev/ssd-ha01/vm-102-disk-0
past=ssd--ha01-vm--101--disk--0
through=ssd--ha01-vm--102--disk--0
multipath -ll
dmsetup table

step "healthy"
report /tmp/healthy
check "the kernel uses both paths" [ "$(path_state "$one_number")$(path_state "$two_number")" = AA ]
check "healthy: no failed path" [ -z "$(found /tmp/healthy failed-path mpatha)" ]
for name in "$past" "$through" mpatha; do
    check "healthy: $name goes past nothing" [ -z "$(found /tmp/healthy single-path-under-multipath "$name")" ]
done
for name in "$past" "$through"; do
    check "healthy: $name is valid" [ "$(judged /tmp/healthy "$name" verdict)" = valid ]
done

step "101's volume is mapped onto one path"
uuid=$(uuid_of "$past")
table=$(dmsetup table "$past" | awk -v path="$one_number" '{ $4 = path; print }')
dmsetup remove "$past"
# As LVM does when it takes a path for the disk.
dmsetup create "$past" --uuid "$uuid" --table "$table"
udevadm settle
check "the kernel has it on the path" [ "$(dmsetup table "$past" | cut -d' ' -f4)" = "$one_number" ]
report /tmp/past
check "101's volume goes past the multipath device" [ "$(found /tmp/past single-path-under-multipath "$past")" = warning ]
check "102's does not" [ -z "$(found /tmp/past single-path-under-multipath "$through")" ]
check "no path has failed" [ -z "$(found /tmp/past failed-path mpatha)" ]
check "101's volume is still its guest's" [ "$(judged /tmp/past "$past" verdict)" = valid ]

step "one path fails"
count=$(writes 102)
dmsetup message mpatha 0 "fail_path $one_number"
check "the kernel has that path as failed, the other not" [ "$(path_state "$one_number")$(path_state "$two_number")" = FA ]
hold "/dev/mapper/$past"
keep_state /tmp/state
report /tmp/failed
check "collecting changed nothing in the kernel" unchanged_since /tmp/state
check "the failed path is reported" [ "$(found /tmp/failed failed-path mpatha)" = warning ]
check "an open volume on the failed path is critical" [ "$(found /tmp/failed single-path-under-multipath "$past")" = critical ]
check "the guest on the multipath device goes on by the other path" wrote_on 102 "$count"

step "the path is back"
dmsetup message mpatha 0 "reinstate_path $one_number"
report /tmp/back
check "no failed path any more" [ -z "$(found /tmp/back failed-path mpatha)" ]
check "101's volume is on one path still" [ "$(found /tmp/back single-path-under-multipath "$past")" = warning ]
