# title: the laboratory itself: two nodes see one shared disk, guests write, removed LVs leave entries behind
# nodes: pve1 pve2
# shellcheck shell=sh
pve_root pve1 pve2
vm pve1 100 web01 'scsi0: local-lvm:vm-100-disk-0,size=64M'
vm pve2 170 old 'scsi0: SSD-HA01:vm-170-disk-0,size=32M'

step "volumes"
local_vg
if [ "$NODE" = pve1 ]; then
    shared_vg
    thick vm-169-disk-0 32m
    thick vm-170-disk-0 32m
fi
barrier "made"
see_shared
[ "$NODE" = pve1 ] || vgchange -ay ssd-ha01
barrier "active on both"
if [ "$NODE" = pve1 ]; then
    lvremove -q -y ssd-ha01/vm-170-disk-0
    check "the entry is gone where the LV was removed" gone ssd--ha01-vm--170--disk--0
fi
barrier "170 removed by pve1"
if [ "$NODE" = pve2 ]; then
    check "the entry stays on the other node" there ssd--ha01-vm--170--disk--0
    check "where LVM no longer knows the volume" sh -c '! lvs ssd-ha01/vm-170-disk-0'
fi

step "guests"
thin vm-100-disk-0 64m
start_vm 100 /dev/pve/vm-100-disk-0
before=$(writes 100)
check "a guest writes" wrote_on 100 "$before"
check "a running guest holds its disk" [ "$(open_count pve-vm--100--disk--0)" = 1 ]
qm list
pct list
pvesm status
[ "$NODE" = pve2 ] || check "qm tells that it runs" sh -c 'qm list | grep -q "100 web01  *running"'

step "one node plays the other"
if [ "$NODE" = pve1 ]; then
    thick vm-172-disk-0 32m
    stale vm-172-disk-0
    check "the entry stays" there ssd--ha01-vm--172--disk--0
    check "the LV is not known" sh -c '! lvs ssd-ha01/vm-172-disk-0'
    back vm-172-disk-0
    check "the LV is back" lvs ssd-ha01/vm-172-disk-0
fi
mkdir -p /tmp/mail
echo "from $NODE" >/tmp/mail/word
give /tmp/mail
barrier "mail"
take /tmp/got
check "mail from the other node" grep -qv "from $NODE" /tmp/got/word
