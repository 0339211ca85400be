# title: an empty /etc/pve and a reboot since the snapshot: everything is skipped with its reason
# nodes: pve1
# shellcheck shell=sh disable=SC2154
if [ "$BOOT" = 1 ]; then
    a_node
    thick vm-320-disk-0 8m
    stale vm-320-disk-0
    thick vm-321-disk-0 8m
    thin vm-322-disk-0 8m
    audit_here /tmp/audit
    orphans='ssd--ha01-vm--320--disk--0 ssd--ha01-vm--321--disk--0 pve-vm--322--disk--0'
    for name in $orphans; do
        check "$name is planned" grep -qw -- "name='$name'" "$CLEANUP"
    done

    step "pmxcfs is down"
    keep_state /tmp/before
    mv /etc/pve /etc/pve.away
    mkdir /etc/pve
    attempt sh "$CLEANUP" --execute --yes
    check "with an empty /etc/pve nothing changed" unchanged_since /tmp/before
    check "it exits 1, or 2 where it refuses to start" exited 1 2
    for name in $orphans; do
        check "$name is skipped because of /etc/pve" skipped "$name" '/etc/pve'
    done

    step "qm knows guests, but their configurations are missing"
    rm -r /etc/pve
    cp -a /etc/pve.away /etc/pve
    rm /etc/pve/nodes/pve1/qemu-server/*.conf
    mkdir -p /tmp/first
    printf '#!/bin/sh\ncat /tmp/qm-list\n' >/tmp/first/qm
    chmod 755 /tmp/first/qm
    printf '%10s %-20s %-10s %-10s %12s %-10s\n' VMID NAME STATUS 'MEM(MB)' 'BOOTDISK(GB)' PID 100 web01 running 512 0.06 "$$" >/tmp/qm-list
    attempt env PATH="/tmp/first:$PATH" sh "$CLEANUP" --execute --yes
    check "with guests but no configuration nothing changed" unchanged_since /tmp/before

    step "reboot"
    cp -a /etc/pve.away "$RESULTS/pve"
    boot_again
fi

cp -a "$RESULTS/pve" /etc/pve
CLEANUP=$RESULTS/cleanup-pve1.sh
# As a boot with autoactivation does: the LVs are back, under new numbers; what LVM doesn't know is gone.
vgchange -q -ay ssd-ha01 pve
udevadm settle
check "the volume without metadata did not survive the reboot" gone ssd--ha01-vm--320--disk--0
keep_state /tmp/rebooted
attempt sh "$CLEANUP" --execute --yes
check "after a reboot nothing changed" unchanged_since /tmp/rebooted
for name in ssd--ha01-vm--321--disk--0 pve-vm--322--disk--0; do
    check "$name is skipped because of the reboot" skipped "$name" 'reboot'
done
