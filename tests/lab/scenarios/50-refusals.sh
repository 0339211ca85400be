# title: wrong node, other machine, old snapshot, no root, second run, no terminal: refused, nothing changed
# nodes: pve1
# shellcheck shell=sh disable=SC2154
a_node
thick vm-320-disk-0 8m
stale vm-320-disk-0
thin vm-321-disk-0 8m
thin vm-322-disk-0 8m
audit_here /tmp/audit
cp "$CLEANUP" /tmp/cleanup.sh
chmod 644 /tmp/cleanup.sh
keep_state /tmp/before

# refused TEXT REASON: the last attempt was refused for this reason and changed nothing.
refused() {
    check "$1: refused" exited 2
    check "$1: says why" said "$2"
    check "$1: nothing changed" unchanged_since /tmp/before
}

step "refusals"
hostname pve2
attempt sh /tmp/cleanup.sh --execute --yes
hostname pve1
refused "another node" 'refused:.*pve2'

cp /etc/machine-id /tmp/machine-id
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
attempt sh /tmp/cleanup.sh --execute --yes
cp /tmp/machine-id /etc/machine-id
refused "another machine of the same name" 'refused:.*machine-id'

date -s "@$(($(date +%s) + 90000))"
attempt sh /tmp/cleanup.sh --execute --yes
refused "a snapshot of 25 hours ago" 'refused:.*hours'
attempt sh /tmp/cleanup.sh --max-age 48
check "--max-age 48 allows it" exited 0
date -s "@$(($(date +%s) - 90000))"

attempt setpriv --reuid=65534 --regid=65534 --clear-groups sh /tmp/cleanup.sh --execute --yes
refused "not root" 'refused:.*root'

attempt setsid sh /tmp/cleanup.sh --execute
refused "no terminal and no --yes" 'refused:.*terminal'

attempt sh /tmp/cleanup.sh --execute --yes --force
refused "an unknown option" 'refused:.*--force'

mv /usr/sbin/qm /tmp/qm
attempt sh /tmp/cleanup.sh --execute --yes
mv /tmp/qm /usr/sbin/qm
refused "a command is missing" 'refused:.*qm'

step "on a terminal"
one=pve-vm--321--disk--0
answering '\n' sh /tmp/cleanup.sh --execute --only "$one"
check "Enter is no" unchanged_since /tmp/before
answering 'q\n' sh /tmp/cleanup.sh --execute
check "q quits" unchanged_since /tmp/before
answering 'what\ny\n' sh /tmp/cleanup.sh --execute --only "$one"
check "y takes it out" gone "$one"
check "--only leaves the others" there pve-vm--322--disk--0

step "a second run at the same time"
# The first run waits inside a removal until it is told to go on.
mkdir -p /tmp/first
cat >/tmp/first/lvchange <<'EOT'
#!/bin/sh
: >/tmp/waiting
while [ ! -e /tmp/go ]; do sleep 0.2; done
exec /usr/sbin/lvchange "$@"
EOT
chmod 755 /tmp/first/lvchange
PATH="/tmp/first:$PATH" sh /tmp/cleanup.sh --execute --yes >"$RESULTS/first-run.txt" 2>&1 &
first=$!
for _ in $(seq 100); do [ -e /tmp/waiting ] && break; sleep 0.3; done
keep_state /tmp/before
attempt sh /tmp/cleanup.sh --execute --yes
refused "a second run" 'refused:.*under way'
: >/tmp/go
wait "$first" || :
check "the first run went on and finished" gone pve-vm--322--disk--0
check "with every entry" gone ssd--ha01-vm--320--disk--0
