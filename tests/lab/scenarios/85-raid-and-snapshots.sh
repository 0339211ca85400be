# title: the parts of a RAID go with their volume; a thick snapshot and its origin are left to a person
# nodes: pve1
# seconds: 420
# shellcheck shell=sh disable=SC2154
a_node
step "a second disk in the VG, and a RAID 1 of a guest that stays and of one that is deleted"
truncate -s 256m /tmp/second
vgextend -q pve "$(losetup -f --show /tmp/second)"
for vmid in 101 102; do
    vm pve1 "$vmid" "raid$vmid" "scsi0: local-lvm:vm-$vmid-disk-0,size=16M"
    lvcreate -q -y -Wn --nosync --type raid1 -m 1 -L 16m -n "vm-$vmid-disk-0" pve
done
forget 102
step "a deleted guest's disk with a snapshot that somebody made by hand, and a clone's origin of a guest that stays"
thick vm-103-disk-0 16m
lvcreate -q -y -s -L 8m -n vm-103-disk-1 ssd-ha01/vm-103-disk-0
vm pve1 104 origin "scsi0: SSD-HA01:vm-104-disk-0,size=16M"
thick vm-104-disk-0 16m
lvcreate -q -y -s -L 8m -n vm-104-before ssd-ha01/vm-104-disk-0
udevadm settle
dmsetup info -c --noheadings -o name,uuid,open >"$RESULTS/entries.txt"
lvs -a -o vg_name,lv_name,lv_attr,lv_uuid >"$RESULTS/lvs.txt"

step "analyze"
keep_state /tmp/state
report /tmp/audit
check "collecting changed nothing in the kernel" unchanged_since /tmp/state
check "the RAID of the guest that stays is valid" [ "$(judged /tmp/audit pve-vm--101--disk--0 verdict)" = valid ]
check "that of the deleted one is an orphan" [ "$(judged /tmp/audit pve-vm--102--disk--0 verdict)" = orphan ]
check "which is to be deactivated" [ "$(judged /tmp/audit pve-vm--102--disk--0 action)" = deactivate ]
for vmid in 101 102; do
    for part in rimage_0 rimage_1 rmeta_0 rmeta_1; do
        name=pve-vm--$vmid--disk--0_$part
        check "$name follows its volume" [ "$(judged /tmp/audit "$name" verdict)" = dependent ]
        check "$name is not taken out by itself" [ "$(judged /tmp/audit "$name" action)" = none ]
    done
done
check "the origin in use is valid" [ "$(judged /tmp/audit ssd--ha01-vm--104--disk--0 verdict)" = valid ]
for name in ssd--ha01-vm--103--disk--0 ssd--ha01-vm--103--disk--1 ssd--ha01-vm--104--before; do
    check "$name is an orphan" [ "$(judged /tmp/audit "$name" verdict)" = orphan ]
    check "$name is left to a person" [ "$(judged /tmp/audit "$name" action_reason)" = snapshot ]
done

step "execute"
names >/tmp/names-before
dmsetup table | sort >/tmp/table-before
lvs -a --noheadings -o vg_name,lv_name,lv_uuid | sort >/tmp/lvs-before
count=$(writes 100)
attempt sh "$CLEANUP" --execute --yes
udevadm settle
check "it exits 0" exited 0
names | comm -23 /tmp/names-before - | sort >/tmp/removed
printf 'pve-vm--102--disk--0%s\n' '' _rimage_0 _rimage_1 _rmeta_0 _rmeta_1 | sort >/tmp/expected
check "exactly that RAID and its parts are gone from the kernel" diff /tmp/expected /tmp/removed
dmsetup table | sort | comm -13 /tmp/table-before - >/tmp/table-new
check "no other table changed" [ ! -s /tmp/table-new ]
lvs -a --noheadings -o vg_name,lv_name,lv_uuid | sort >/tmp/lvs-after
check "it was deactivated, not deleted" diff /tmp/lvs-before /tmp/lvs-after
check "guest 100 wrote and verified throughout" wrote_on 100 "$count"

step "undo"
undo=$(ls /var/log/dmaudit-undo-pve1-*.sh)
attempt sh "$undo"
udevadm settle
names | diff /tmp/names-before - >/tmp/difference
check "all is back" [ ! -s /tmp/difference ]

step "a guest that is deleted leaves a snapshot made since the bundle: the script sees it live"
thick vm-105-disk-0 16m
report /tmp/again
check "the disk alone is to be deactivated" [ "$(judged /tmp/again ssd--ha01-vm--105--disk--0 action)" = deactivate ]
lvcreate -q -y -s -L 8m -n vm-105-late ssd-ha01/vm-105-disk-0
udevadm settle
names >/tmp/names-before
attempt sh "$CLEANUP" --execute --yes --only ssd--ha01-vm--105--disk--0
check "it is skipped" exited 1
names >/tmp/names-after
check "and nothing went" diff /tmp/names-before /tmp/names-after

step "what LVM itself does with a snapshot: the reason for all this"
lvchange -an -y ssd-ha01/vm-105-late >"$RESULTS/lvchange-snapshot.txt" 2>&1 || :
names | comm -23 /tmp/names-before - >"$RESULTS/lvchange-snapshot-took.txt"
check "it takes the origin down with it" grep -qx 'ssd--ha01-vm--105--disk--0' "$RESULTS/lvchange-snapshot-took.txt"
