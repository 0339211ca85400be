# title: a thin pool runs out of metadata: reported as filling, then as failed; the healthy pool beside it never
# nodes: pve1
# seconds: 420
# shellcheck shell=sh disable=SC2154
a_node
step "a pool with hardly any metadata, a template and its linked clones"
cat >>/etc/pve/storage.cfg <<'CFG'

lvmthin: tiny-lvm
	thinpool tiny
	vgname pve
	content rootdir,images
CFG
lvcreate -q -y -Wn -Zn -L 1200m --chunksize 64k --poolmetadatasize 2m -T pve/tiny
vm pve1 910 template 'scsi0: tiny-lvm:base-910-disk-0,size=800M' 'template: 1'
lvcreate -q -y -Wn -V 800m -n base-910-disk-0 --thinpool tiny pve
pool=pve-tiny
there pve-tiny-tpool && pool=pve-tiny-tpool

# touch_every BYTES DEVICE: writes 4 KiB every so many bytes; stops where the kernel refuses.
touch_every() {
    perl -MIO::Handle -e '
        my ($step, $device) = @ARGV;
        open(my $out, "+<", $device) or die "$device: $!\n";
        my $end = sysseek($out, 0, 2);
        for (my $at = 0; $at < $end; $at += $step) {
            sysseek($out, $at, 0);
            syswrite($out, "x" x 4096) or exit;
        }
        $out->sync;' "$@"
}
touch_every 65536 /dev/pve/base-910-disk-0
clones=$(seq 111 128)
for vmid in $clones; do
    vm pve1 "$vmid" "clone$vmid" "scsi0: tiny-lvm:vm-$vmid-disk-0,size=800M"
    lvcreate -q -y -kn -s -n "vm-$vmid-disk-0" pve/base-910-disk-0
done
udevadm settle
# How the kernel says the pool is: 'rw ' or 'ro ', with 'needs_check ' behind it if so. How full its metadata is, in per cent.
mode() { dmsetup status "$pool" | grep -owE 'rw|ro|out_of_data_space|Fail|needs_check' | tr '\n' ' '; }
metadata_percent() { dmsetup status "$pool" | awk '{ split($5, of, "/"); print int(100 * of[1] / of[2]) }'; }

step "while there is room"
mode
check "the kernel has room for metadata" [ "$(metadata_percent)" -lt 80 ]
check "the kernel writes to the pool" [ "$(mode)" = 'rw ' ]
report /tmp/before
check "before: the pool is not reported as failed" [ -z "$(found /tmp/before thin-pool-failed pve/tiny)" ]
check "before: nor as filling" [ "$(found /tmp/before thin-pool-full pve/tiny)" != critical ]
check "before: but as overcommitted" [ "$(found /tmp/before thin-pool-full pve/tiny)" = info ]

step "the clones are written to, and each gets mappings of its own"
filling=
for vmid in $clones; do
    touch_every 8388608 "/dev/pve/vm-$vmid-disk-0"
    dmsetup status "$pool"
    if [ -z "$filling" ] && [ "$(mode)" = 'rw ' ] && [ "$(metadata_percent)" -ge 80 ]; then
        filling=warning
        [ "$(metadata_percent)" -lt 90 ] || filling=critical
        report /tmp/filling
    fi
    [ "$(mode)" = 'rw ' ] || break
done
count=$(writes 100)
state=$(mode)
note "the kernel says: $state"
check "the kernel has the pool read-only" [ "${state%% *}" = ro ]
check "the kernel's log says that it ran out of metadata" sh -c 'dmesg | grep -qiE "metadata (operation|device|space)"'
if [ -n "$filling" ]; then
    check "filling: $filling" [ "$(found /tmp/filling thin-pool-full pve/tiny)" = "$filling" ]
    check "filling: not failed yet" [ -z "$(found /tmp/filling thin-pool-failed pve/tiny)" ]
fi

step "out of metadata"
report /tmp/after
check "the pool is reported as failed" [ "$(found /tmp/after thin-pool-failed pve/tiny)" = critical ]
check "once, not as full besides" [ -z "$(found /tmp/after thin-pool-full pve/tiny)" ]
check "nothing of the healthy pool" [ -z "$(found /tmp/after thin-pool-failed pve/data)" ]
for vmid in $clones; do
    check "the disk of $vmid is still its guest's" [ "$(judged /tmp/after "pve-vm--$vmid--disk--0" verdict)" = valid ]
done
check "collecting left the pool as it was" [ "$(mode)" = "$state" ]
check "guest 100 on the other pool goes on" wrote_on 100 "$count"
