# title: execute removes exactly what was planned, on both nodes; guests' I/O goes on throughout
# nodes: pve1 pve2
# seconds: 300
# shellcheck shell=sh disable=SC2154
alpha
alpha_audit /tmp/audit

case $NODE in
pve1) running='100 169' ;;
pve2) running='171 172' ;;
esac
for vmid in $running; do writes "$vmid" >"/tmp/writes-$vmid"; done
names >/tmp/names-before
dmsetup table | sort >/tmp/table-before
lvs --noheadings -o vg_name,lv_name,lv_uuid | sort >/tmp/lvs-before

step "execute"
attempt sh "$CLEANUP" --execute --yes
udevadm settle
names >/tmp/names-after

alpha_removable | sort >/tmp/planned
comm -23 /tmp/names-before /tmp/names-after >/tmp/removed
check "exactly the planned entries are gone" diff /tmp/planned /tmp/removed
check "no entry is new" [ -z "$(comm -13 /tmp/names-before /tmp/names-after)" ]
dmsetup table | sort >/tmp/table-after
comm -13 /tmp/table-before /tmp/table-after >/tmp/table-new
check "no table of another entry changed" [ ! -s /tmp/table-new ]
lvs --noheadings -o vg_name,lv_name,lv_uuid | sort >/tmp/lvs-after
check "no LV was deleted" diff /tmp/lvs-before /tmp/lvs-after
for vmid in $running; do
    check "guest $vmid wrote and verified throughout" wrote_on "$vmid" "$(cat "/tmp/writes-$vmid")"
done
if [ "$NODE" = pve1 ]; then
    check "the container's root is still mounted" mountpoint -q /var/lib/lxc/200/rootfs
    check "the mounted partition of a deleted guest is still mounted" mountpoint -q /mnt/rescue
fi

step "a second time"
keep_state /tmp/after
attempt sh "$CLEANUP" --execute --yes
check "a second run finds nothing left to do" unchanged_since /tmp/after
check "and does not call it a failure" exited 0 1
barrier "done"
