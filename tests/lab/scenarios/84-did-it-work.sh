# title: after a cleanup, a comparison calls exactly what is gone resolved, and what came since new
# nodes: pve1
# shellcheck shell=sh disable=SC2154
a_node
vm pve1 310 guest310 'scsi0: local-lvm:vm-310-disk-0,size=8M'
step "what is taken out, and what the script leaves alone"
thin vm-310-disk-0 8m
thick vm-320-disk-0 8m
stale vm-320-disk-0
thin vm-322-disk-0 8m
thin vm-323-disk-0 8m
hold /dev/pve/vm-323-disk-0
udevadm settle
audit_here /tmp/before

step "execute, and a new leftover"
attempt sh "$CLEANUP" --execute --yes
check "the orphans that nothing holds are gone" gone pve-vm--322--disk--0
check "and the stale one" gone ssd--ha01-vm--320--disk--0
check "what is held open is still there" there pve-vm--323--disk--0
thin vm-324-disk-0 8m
udevadm settle
mkdir -p /tmp/after
collect "/tmp/after/pve1.zip"

step "compare"
/lab/bin/dmaudit diff /tmp/before/pve1.zip /tmp/after/pve1.zip >"$RESULTS/diff.txt"
/lab/bin/dmaudit diff /tmp/before/pve1.zip /tmp/after/pve1.zip --format json >"$RESULTS/diff.json"
cat "$RESULTS/diff.txt"
# under TITLE: the findings of that part of the text.
under() { sed -n "/^  $1 (/,/^  [A-Z]/p" "$RESULTS/diff.txt"; }
for part in Resolved 'Still there' New 'Unknown now'; do under "$part" >"/tmp/${part%% *}"; done
check "the orphan is resolved" grep -q 'pve-vm--322--disk--0' /tmp/Resolved
check "the stale entry is resolved" grep -q 'ssd--ha01-vm--320--disk--0' /tmp/Resolved
check "the held one is still there" grep -q 'pve-vm--323--disk--0' /tmp/Still
check "the new leftover is new" grep -q 'pve-vm--324--disk--0' /tmp/New
check "nothing is unknown" [ ! -s /tmp/Unknown ]
check "the entry is listed as gone" grep -q 'gone  *pve-vm--322--disk--0: was orphan' "$RESULTS/diff.txt"
code=0
/lab/bin/dmaudit diff /tmp/before/pve1.zip /tmp/after/pve1.zip --fail-on new >/tmp/out || code=$?
check "a program is told that something is new" [ "$code" = 1 ]
note "$(head -n 1 "$RESULTS/diff.txt")"
