# title: killed half way: a new run finishes cleanly, and what both took out can be undone
# nodes: pve1
# shellcheck shell=sh disable=SC2154
a_node
thick vm-320-disk-0 8m
stale vm-320-disk-0
for vmid in 321 322 323; do thin "vm-$vmid-disk-0" 8m; done
orphans='ssd--ha01-vm--320--disk--0 pve-vm--321--disk--0 pve-vm--322--disk--0 pve-vm--323--disk--0'
audit_here /tmp/audit
left() { for name in $orphans; do there "$name" && echo "$name"; done | wc -l; }
for name in $orphans; do uuid_of "$name"; done >/tmp/uuids-before

step "kill -9 right after the second deactivation"
mkdir -p /tmp/first
cat >/tmp/first/lvchange <<'EOT'
#!/bin/sh
/usr/sbin/lvchange "$@" || exit
echo "$*" >>/tmp/taken-out
[ "$(wc -l </tmp/taken-out)" -lt 2 ] || kill -9 "$(cat /tmp/cleanup.pid)"
EOT
chmod 755 /tmp/first/lvchange
# shellcheck disable=SC2016
attempt env PATH="/tmp/first:$PATH" sh -c 'echo $$ >/tmp/cleanup.pid; exec sh "$1" --execute --yes' start "$CLEANUP"
check "it was killed" exited 137
sleep 1
remaining=$(left)
check "some are gone" [ "$remaining" -le 2 ]
check "some are left" [ "$remaining" -ge 1 ]

step "a new run"
attempt sh "$CLEANUP" --execute --yes
check "it exits 0" exited 0
for name in $orphans; do check "$name is gone" gone "$name"; done
check "guest 100 never noticed" wrote_on 100 "$(writes 100)"

step "undo both"
for undo in /var/log/dmaudit-undo-*.sh; do
    attempt sh "$undo"
    check "$undo exits 0" exited 0
done
for name in $orphans; do uuid_of "$name"; done >/tmp/uuids-after
check "all are back under their UUIDs" diff /tmp/uuids-before /tmp/uuids-after
