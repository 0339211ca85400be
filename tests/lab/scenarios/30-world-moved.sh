# title: between snapshot and execution the world moved: everything that changed is skipped with its reason, the rest goes
# nodes: pve1
# shellcheck shell=sh disable=SC2154
a_node
step "orphans of every kind"
for vmid in 301 303 304 311 312 313 314 321; do thin "vm-$vmid-disk-0" 8m; done
for vmid in 302 307 308 320; do thick "vm-$vmid-disk-0" 8m; done
stale vm-320-disk-0
stale vm-307-disk-0
# Guests whose configuration dropped a disk, and one with a second mapping of its disk made by hand.
for vmid in 305 306 310; do thin "vm-$vmid-disk-0" 8m; done
for vmid in 305 306; do thin "vm-$vmid-disk-1" 8m; done
for vmid in 305 306 310; do vm pve1 "$vmid" "guest$vmid" "scsi0: local-lvm:vm-$vmid-disk-0,size=8M"; done
dmsetup table pve-vm--310--disk--0 | dmsetup create pve-vm--310--disk--0-old
udevadm settle

step "snapshot"
audit_here /tmp/audit
for name in $(names); do
    case $name in
    pve-vm--310--disk--0-old) plan=y ;;
    *--310--* | *--100--* | *--30[56]--disk--0) plan= ;;
    *-vm--*) plan=y ;;
    *) plan= ;;
    esac
    [ -z "$plan" ] || check "before anything moves, $name is planned" grep -qw -- "name='$name'" "$CLEANUP"
done

step "the world moves"
hold /dev/mapper/pve-vm--301--disk--0
lvremove -q -y ssd-ha01/vm-302-disk-0
thick vm-302-disk-0 8m
vm pve1 303 reused 'scsi0: local-lvm:vm-303-disk-0,size=8M'
vm pve2 304 reused-elsewhere 'scsi0: SSD-HA01:vm-304-disk-0,size=8M'
start_vm 305 /dev/pve/vm-305-disk-0
sed -i '1i lock: migrate' /etc/pve/nodes/pve1/qemu-server/306.conf
back vm-307-disk-0
stale vm-308-disk-0
dmsetup remove pve-vm--310--disk--0-old
echo "0 8192 linear $LOCAL 4096" | dmsetup create pve-vm--310--disk--0-old
printf '[before]\nscsi1: local-lvm:vm-311-disk-0,size=8M\n' >>/etc/pve/nodes/pve1/qemu-server/100.conf
mkfs.ext4 -q /dev/pve/vm-312-disk-0
mkdir -p /mnt/312
mount /dev/pve/vm-312-disk-0 /mnt/312
partition /dev/pve/vm-313-disk-0
mkswap -q /dev/pve/vm-314-disk-0
swapon /dev/pve/vm-314-disk-0
udevadm settle

step "execute"
names >/tmp/before
dmsetup table | sort >/tmp/table-before
count=$(writes 100)
attempt sh "$CLEANUP" --execute --yes
udevadm settle
names >/tmp/after
printf '%s\n' pve-vm--321--disk--0 ssd--ha01-vm--320--disk--0 >/tmp/unmoved
comm -23 /tmp/before /tmp/after >/tmp/removed
check "exactly the entries that nothing happened to are gone" diff /tmp/unmoved /tmp/removed
dmsetup table | sort | comm -13 /tmp/table-before - >/tmp/table-new
check "no other table changed" [ ! -s /tmp/table-new ]
check "it exits 1, as something was skipped" exited 1
check "guest 100 wrote and verified throughout" wrote_on 100 "$count"

check "opened: skipped with its reason" skipped pve-vm--301--disk--0 'open'
check "re-created with another UUID: skipped with its reason" skipped ssd--ha01-vm--302--disk--0 'another device'
check "VMID reused with this disk: skipped with its reason" skipped pve-vm--303--disk--0 'again|references'
check "VMID reused elsewhere: skipped with its reason" skipped pve-vm--304--disk--0 'again|references'
check "guest started: skipped with its reason" skipped pve-vm--305--disk--1 'not stopped|running'
check "locked for migration: skipped with its reason" skipped pve-vm--306--disk--1 'locked'
check "LV came back: skipped with its reason" skipped ssd--ha01-vm--307--disk--0 'LVM has'
check "LV vanished: skipped with its reason" skipped ssd--ha01-vm--308--disk--0 'LVM has no'
check "other table under a name without UUID: skipped with its reason" skipped pve-vm--310--disk--0-old 'table'
check "a snapshot references it now: skipped with its reason" skipped pve-vm--311--disk--0 'references'
check "mounted: skipped with its reason" skipped pve-vm--312--disk--0 'open|mounted'
check "partition mapped: skipped with its reason" skipped pve-vm--313--disk--0 'on top'
check "swapped on: skipped with its reason" skipped pve-vm--314--disk--0 'open|swap'
