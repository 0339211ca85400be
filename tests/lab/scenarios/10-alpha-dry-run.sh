# title: a cluster's two nodes collected and analyzed; the dry run changes nothing and says what execute would do
# nodes: pve1 pve2
# seconds: 300
# shellcheck shell=sh disable=SC2154
alpha
keep_state /tmp/before
alpha_audit /tmp/audit

step "the collector"
check "collecting changed nothing in the kernel" unchanged_since /tmp/before

step "dry run"
attempt sh "$CLEANUP"
check "the dry run changed nothing in the kernel" unchanged_since /tmp/before
sed -n 's/^would *[a-z]* \([^ ]*\).*/\1/p' "$SAID" | sort >/tmp/would
alpha_removable | sort >/tmp/planned
check "it says what execute would take out, and nothing else" diff /tmp/planned /tmp/would
check "it exits 0, as nothing would be skipped" exited 0
keep_state /tmp/again
attempt sh "$CLEANUP" --help
check "--help ends well" exited 0
check "--help changed nothing in the kernel" unchanged_since /tmp/again
barrier "done"
