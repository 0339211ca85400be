# title: the purpose: creating a volume of the blocked name fails before and works after
# nodes: pve1
# shellcheck shell=sh disable=SC2154
a_node
thick vm-170-disk-0 32m
old=$(uuid_of ssd--ha01-vm--170--disk--0)
stale vm-170-disk-0
audit_here /tmp/audit

# As PVE creates a volume.
create() { lvcreate -aly -Wn --yes -L 32m -n vm-170-disk-0 --addtag pve-vm-170 --setautoactivation n ssd-ha01; }
step "before"
attempt create
check "creating the volume fails" exited 5
check "because the name is taken in the kernel" said 'Device or resource busy'
check "the old entry is still there" [ "$(uuid_of ssd--ha01-vm--170--disk--0)" = "$old" ]
# What the failed attempt may have left in the metadata.
lvremove -q -y ssd-ha01/vm-170-disk-0 || :

step "clean up"
attempt sh "$CLEANUP" --execute --yes
check "it exits 0" exited 0
check "the old entry is gone" gone ssd--ha01-vm--170--disk--0

step "after"
attempt create
check "creating the volume works" exited 0
check "the entry is a new one" [ "$(uuid_of ssd--ha01-vm--170--disk--0)" != "$old" ]
vm pve1 170 newcomer 'scsi0: SSD-HA01:vm-170-disk-0,size=32M'
start_vm 170 /dev/ssd-ha01/vm-170-disk-0
check "a guest runs on it" wrote_on 170 "$(writes 170)"
