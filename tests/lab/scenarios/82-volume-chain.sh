# title: volume chains (.qcow2): disks and their snapshots stay, also those that no configuration has; a deleted guest's chain is all that goes
# nodes: pve1
# seconds: 420
# shellcheck shell=sh disable=SC2154
a_node
sed -i '/^lvm: SSD-HA01/a\	snapshot-as-volume-chain 1' /etc/pve/storage.cfg
step "two guests, each with a snapshot 'before' as a volume of its own"
for vmid in 101 102; do
    vm pve1 "$vmid" "chain$vmid" 'parent: before' "scsi0: SSD-HA01:vm-$vmid-disk-0.qcow2,size=8M" '' \
        '[before]' '#before the upgrade' "scsi0: SSD-HA01:vm-$vmid-disk-0.qcow2,size=8M" 'snaptime: 1763892000'
    thick "vm-$vmid-disk-0.qcow2" 8m
    thick "snap_vm-$vmid-disk-0_before.qcow2" 8m
done
# Guest 102 runs: it holds both volumes of its chain.
start_vm 102 /dev/ssd-ha01/vm-102-disk-0.qcow2
hold /dev/mapper/ssd--ha01-snap_vm--102--disk--0_before.qcow2
step "snapshots that are gone from the configuration, of a stopped and of a running guest; a deleted guest's chain"
thick snap_vm-101-disk-0_dropped.qcow2 8m
thick snap_vm-102-disk-0_dropped.qcow2 8m
thick vm-103-disk-0.qcow2 8m
thick snap_vm-103-disk-0_before.qcow2 8m
udevadm settle
valid='ssd--ha01-vm--101--disk--0.qcow2 ssd--ha01-snap_vm--101--disk--0_before.qcow2
    ssd--ha01-vm--102--disk--0.qcow2 ssd--ha01-snap_vm--102--disk--0_before.qcow2'
orphans='ssd--ha01-snap_vm--103--disk--0_before.qcow2 ssd--ha01-vm--103--disk--0.qcow2'

step "analyze"
keep_state /tmp/state
report /tmp/audit
check "collecting changed nothing in the kernel" unchanged_since /tmp/state
for name in $valid; do
    check "$name is valid" [ "$(judged /tmp/audit "$name" verdict)" = valid ]
    check "$name is left alone" [ "$(judged /tmp/audit "$name" action)" = none ]
done
for vmid in 101 102; do
    dropped=ssd--ha01-snap_vm--$vmid--disk--0_dropped.qcow2
    check "whether the disk of $vmid reads from the dropped snapshot is unknown" [ "$(judged /tmp/audit "$dropped" verdict)" = unknown ]
    check "so it is left alone" [ "$(judged /tmp/audit "$dropped" action)" = none ]
done
for name in $orphans; do
    check "$name is an orphan" [ "$(judged /tmp/audit "$name" verdict)" = orphan ]
    check "of guest 103" [ "$(judged /tmp/audit "$name" vmid)" = 103 ]
    check "found as one whose guest is gone" [ "$(found /tmp/audit orphan-guest-gone "$name")" = warning ]
    check "and planned to be deactivated" [ "$(judged /tmp/audit "$name" action)" = deactivate ]
done

step "execute"
names >/tmp/names-before
dmsetup table | sort >/tmp/table-before
lvs --noheadings -o vg_name,lv_name,lv_uuid | sort >/tmp/lvs-before
count=$(writes 102)
attempt sh "$CLEANUP" --execute --yes
udevadm settle
check "it exits 0" exited 0
names | comm -23 /tmp/names-before - >/tmp/removed
for name in $orphans; do echo "$name"; done >/tmp/expected
check "exactly the deleted guest's chain is gone from the kernel" diff /tmp/expected /tmp/removed
dmsetup table | sort | comm -13 /tmp/table-before - >/tmp/table-new
check "no other table changed" [ ! -s /tmp/table-new ]
lvs --noheadings -o vg_name,lv_name,lv_uuid | sort >/tmp/lvs-after
check "it was deactivated, not deleted" diff /tmp/lvs-before /tmp/lvs-after
check "guest 102 wrote and verified throughout" wrote_on 102 "$count"

step "the configuration drops 'before', too, after the snapshot was analyzed: a new one says so"
vm pve1 101 chain101 'scsi0: SSD-HA01:vm-101-disk-0.qcow2,size=8M'
report /tmp/again
check "what was valid by the snapshot's section alone is unknown" \
    [ "$(judged /tmp/again ssd--ha01-snap_vm--101--disk--0_before.qcow2 verdict)" = unknown ]
check "the disk itself stays valid" [ "$(judged /tmp/again ssd--ha01-vm--101--disk--0.qcow2 verdict)" = valid ]
