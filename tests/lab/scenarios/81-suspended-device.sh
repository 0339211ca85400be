# title: suspended entries: reported while they are, skipped by the script, gone from the report and taken out once resumed
# nodes: pve1
# seconds: 420
# shellcheck shell=sh disable=SC2154
a_node
vm pve1 101 mail01 'scsi0: SSD-HA01:vm-101-disk-0,size=8M'
thick vm-101-disk-0 8m
thick vm-320-disk-0 8m
stale vm-320-disk-0
thin vm-321-disk-0 8m
thin vm-322-disk-0 8m
udevadm settle
guest=ssd--ha01-vm--101--disk--0
orphan=ssd--ha01-vm--320--disk--0
volume=pve-vm--321--disk--0
suspended() { dmsetup info "$1" | grep -q SUSPENDED; }

step "before"
report /tmp/before
for name in "$guest" "$orphan" "$volume"; do
    check "before: $name is not reported as suspended" [ -z "$(found /tmp/before suspended-device "$name")" ]
done
for name in "$orphan" "$volume" pve-vm--322--disk--0; do
    check "before: $name is planned" grep -qw -- "name='$name'" "$CLEANUP"
done
planned=$CLEANUP

step "suspended"
for name in "$guest" "$orphan" "$volume"; do
    dmsetup suspend "$name"
    check "the kernel has $name suspended" suspended "$name"
done
keep_state /tmp/suspended
report /tmp/while
check "collecting changed nothing in the kernel" unchanged_since /tmp/suspended
for name in "$guest" "$orphan" "$volume"; do
    check "$name is reported as suspended" [ "$(found /tmp/while suspended-device "$name")" = critical ]
done
check "a running guest's disk beside it is not" [ -z "$(found /tmp/while suspended-device pve-vm--100--disk--0)" ]
check "the guest's disk is still valid" [ "$(judged /tmp/while "$guest" verdict)" = valid ]
for name in "$orphan" "$volume"; do
    check "$name is still an orphan" [ "$(judged /tmp/while "$name" verdict)" = orphan ]
    check "$name is no longer planned" [ "$(judged /tmp/while "$name" action)" = none ]
    check "$name: because it is suspended" [ "$(judged /tmp/while "$name" action_reason)" = suspended ]
done

step "the earlier script, while they are suspended"
names >/tmp/names-before
count=$(writes 100)
attempt timeout -k 1 150 sh "$planned" --execute --yes
names | comm -23 /tmp/names-before - >/tmp/removed
echo pve-vm--322--disk--0 >/tmp/expected
check "only what is not suspended is gone" diff /tmp/expected /tmp/removed
check "it exits 1, as something was skipped" exited 1
for name in "$orphan" "$volume"; do
    check "$name is skipped, as it is suspended" skipped "$name" 'suspended'
    check "$name is suspended still" suspended "$name"
done
check "guest 100 wrote and verified throughout" wrote_on 100 "$count"

step "resumed"
for name in "$guest" "$orphan" "$volume"; do dmsetup resume "$name"; done
report /tmp/after
for name in "$guest" "$orphan" "$volume"; do
    check "after: $name is not reported as suspended" [ -z "$(found /tmp/after suspended-device "$name")" ]
done
attempt sh "$CLEANUP" --execute --yes
check "it exits 0" exited 0
for name in "$orphan" "$volume"; do check "$name is gone" gone "$name"; done
check "the guest's disk is there" there "$guest"
