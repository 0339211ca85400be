# title: the undo script brings every removed entry back with the same table and UUID
# nodes: pve1
# shellcheck shell=sh disable=SC2154
a_node
vm pve1 310 guest310 'scsi0: local-lvm:vm-310-disk-0,size=8M'
step "one entry of each kind that is taken out"
# stale, in one segment and in two; known to LVM, linear and thin; with a partition; made by hand without a UUID; read-only
thick vm-320-disk-0 8m
thick vm-321-disk-0 8m
thick vm-323-disk-0 8m
lvextend -q -L 16m ssd-ha01/vm-321-disk-0
thick vm-325-disk-0 8m
dmsetup table ssd--ha01-vm--325--disk--0 >/tmp/table-325
uuid_of ssd--ha01-vm--325--disk--0 >/tmp/uuid-325
dmsetup remove ssd--ha01-vm--325--disk--0
dmsetup create ssd--ha01-vm--325--disk--0 --readonly --uuid "$(cat /tmp/uuid-325)" --table "$(cat /tmp/table-325)"
for lv in vm-320-disk-0 vm-321-disk-0 vm-325-disk-0; do stale "$lv"; done
thin vm-322-disk-0 8m
thin vm-324-disk-0 64m
partition /dev/pve/vm-324-disk-0
thin vm-310-disk-0 8m
dmsetup table pve-vm--310--disk--0 | dmsetup create pve-vm--310--disk--0-old
udevadm settle
audit_here /tmp/audit

# by_name: every entry with UUID, mode and table, other entries in the table by their names: their numbers may differ.
by_name() {
    dmsetup info -c --noheadings --separator '|' -o major,minor,name >/tmp/numbers
    dmsetup table | awk -F '|' 'FNR == NR { name[$1 ":" $2] = $3; next }
        { count = split($0, word, " "); for (i = 1; i <= count; i++) printf "%s ", word[i] in name ? name[word[i]] : word[i]; print "" }' /tmp/numbers - | sort
    dmsetup info -c --noheadings --separator '|' -o name,uuid,attr | sort
}
by_name >/tmp/before
names >/tmp/names-before

step "execute"
count=$(writes 100)
attempt sh "$CLEANUP" --execute --yes
check "it exits 0" exited 0
for name in pve-vm--310--disk--0-old pve-vm--322--disk--0 pve-vm--324--disk--0 pve-vm--324--disk--0p1 \
    ssd--ha01-vm--320--disk--0 ssd--ha01-vm--321--disk--0 ssd--ha01-vm--323--disk--0 ssd--ha01-vm--325--disk--0; do
    check "$name is gone" gone "$name"
done

step "undo"
undo=$(ls /var/log/dmaudit-undo-*.sh)
check "the undo script is root's alone" [ "$(stat -c %a:%U "$undo")" = 600:root ]
cp "$undo" "$RESULTS/"
attempt sh "$undo"
check "the undo script exits 0" exited 0
udevadm settle
by_name >/tmp/after
check "every entry is back with the same table, UUID and mode" diff /tmp/before /tmp/after
check "guest 100 wrote and verified throughout" wrote_on 100 "$count"
attempt sh "$undo"
check "a second undo finds all there" exited 0
by_name >/tmp/after
check "and changes nothing" diff /tmp/before /tmp/after
