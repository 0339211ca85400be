# title: a device opened between the last check and the removal stays: the kernel refuses, and so it is reported
# nodes: pve1
# shellcheck shell=sh disable=SC2154
a_node
thick vm-320-disk-0 8m
stale vm-320-disk-0
thin vm-321-disk-0 8m
audit_here /tmp/audit

# These have the device opened right before they do what they are told. By another process: LVM closes what it inherits.
mkdir -p /tmp/first
cat >/tmp/first/hold <<'EOT'
#!/bin/sh
sh -c 'exec 9<"$1" && exec sleep 100000' hold "$1" &
echo $! >>/tmp/holders
until fuser -s "$1"; do sleep 0.2; done
EOT
cat >/tmp/first/lvchange <<'EOT'
#!/bin/sh
/tmp/first/hold /dev/mapper/pve-vm--321--disk--0
exec /usr/sbin/lvchange "$@"
EOT
cat >/tmp/first/dmsetup <<'EOT'
#!/bin/sh
[ "$1" != remove ] || /tmp/first/hold /dev/mapper/ssd--ha01-vm--320--disk--0
exec /usr/sbin/dmsetup "$@"
EOT
chmod 755 /tmp/first/*
names >/tmp/before
attempt env PATH="/tmp/first:$PATH" sh "$CLEANUP" --execute --yes
names >/tmp/after
check "both are still there" diff /tmp/before /tmp/after
check "it exits 3, as removals failed" exited 3
check "it says so of the stale entry" said '^FAILED +ssd--ha01-vm--320--disk--0: .*busy'
check "it says so of the volume" said '^FAILED +pve-vm--321--disk--0: .*in use'

step "once nobody has them open"
xargs kill </tmp/holders
attempt sh "$CLEANUP" --execute --yes
check "it exits 0" exited 0
check "the stale entry is gone" gone ssd--ha01-vm--320--disk--0
check "the volume is not active any more" gone pve-vm--321--disk--0
