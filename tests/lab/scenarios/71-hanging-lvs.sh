# title: a suspended device hangs lvs; the collector ends all the same and records it, and the script skips everything
# nodes: pve1
# shellcheck shell=sh disable=SC2154
pve_root pve1
local_vg
thin vm-119-disk-0 16m
step "a VG on a device that gets suspended, as a multipath device without paths"
# Not from the disk's first sector, or LVM would see the same PV twice.
echo "0 $(($(blockdev --getsz "$SHARED") - 2048)) linear $SHARED 2048" | dmsetup create mpatha
pvcreate -q /dev/mapper/mpatha
vgcreate -q ssd-ha01 /dev/mapper/mpatha
thick vm-170-disk-0 16m
udevadm settle
dmsetup suspend mpatha
timeout 5 lvs >/dev/null 2>&1 &
hung=$!
sleep 4
check "lvs hangs" kill -0 "$hung"

step "collect"
attempt timeout -k 1 150 sh /lab/dmaudit-collect.sh --timeout 8 -o /tmp/hung.zip
check "the collector ended by itself and wrote a bundle" exited 0
check "the bundle is there" [ -s /tmp/hung.zip ]
cp /tmp/hung.zip "$RESULTS/"

unpack /tmp/hung.zip /tmp/hung
cd /tmp/hung/dmaudit-* || exit
check "it holds the entries" grep -q 'ssd--ha01-vm--170--disk--0' commands/dmsetup-info.out
check "it says that lvs was ended" grep -q '"id":"lvs",.*"timed_out":true' manifest.json
check "the device is still suspended" sh -c 'dmsetup info mpatha | grep -q SUSPENDED'

step "clean up while lvs hangs"
analyze /tmp/report /tmp/hung.zip
script=/tmp/report/cleanup/cleanup-pve1.sh
check "there is a script, for it asks LVM itself" [ -s "$script" ]
names >/tmp/before
# Shorter waits than a node would need: the answers never come.
sed 's/^ASK_SECONDS=[0-9]*/ASK_SECONDS=5/' "$script" >/tmp/cleanup.sh
attempt timeout -k 1 150 sh /tmp/cleanup.sh --execute --yes
check "it ended by itself and skipped something" exited 1
names >/tmp/after
check "no entry is gone" diff /tmp/before /tmp/after
check "what LVM would have to confirm is skipped, as it doesn't answer" skipped pve-vm--119--disk--0 'no answer'
