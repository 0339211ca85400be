# One scenario on its virtual machines: disks, boots, results.
# shellcheck shell=bash

# vm_input WORK SCENARIO: the tar file that every machine of the scenario unpacks.
vm_input() {
    local work=$1 scenario=$2 tree=$1/tree lib
    mkdir -p "$tree/bin" "$tree/lib" "$tree/results"
    cp -r "$LAB/guest" "$tree/"
    cp "$LAB/scenarios/$scenario.sh" "$tree/scenario.sh"
    cp "$ROOT/collector/dmaudit-collect.sh" "$tree/"
    cp "$DMAUDIT" "$tree/lib/dmaudit"
    if ldd "$DMAUDIT" >/dev/null 2>&1; then
        # The host's C library travels with the program: the guest's may be older.
        ldd "$DMAUDIT" | grep -o '/[^ ]*' | while read -r lib; do cp -L "$lib" "$tree/lib/"; done
        printf '#!/bin/sh\nexec /lab/lib/ld-linux-x86-64.so.2 --library-path /lab/lib /lab/lib/dmaudit "$@"\n' >"$tree/bin/dmaudit"
        chmod 755 "$tree/bin/dmaudit"
    else
        ln -s ../lib/dmaudit "$tree/bin/dmaudit"
    fi
    tar -cf "$work/in.raw" -C "$tree" .
    rm -rf "$tree"
}

# vm_disks WORK NODE…: raw sparse disks. local: the node's own; shared: the SAN; sync: keeps the nodes in step; out: results.
vm_disks() {
    local work=$1 node
    shift
    truncate -s 2G "$work/shared.raw"
    truncate -s 96M "$work/sync.raw"
    for node in "$@"; do
        truncate -s 3G "$work/local-$node.raw"
        truncate -s 128M "$work/out-$node.raw"
    done
}

# vm_boot WORK NODE BOOT SECONDS: one boot of one machine, from power on to power off; fails when it doesn't end in time.
vm_boot() {
    local work=$1 node=$2 boot=$3 seconds=$4 drives=() name file
    for name in in "out-$node" sync "local-$node" shared; do
        file=$work/$name.raw
        # Two machines write one file: no lock, and nothing kept back in a cache of QEMU's own.
        drives+=(-drive "file=$file,format=raw,if=none,id=${name%%-*},cache=writethrough,file.locking=off,discard=unmap"
            -device "virtio-blk-pci,drive=${name%%-*},serial=${name%%-*}")
    done
    # no_timer_check: a busy host may delay the emulated timer so long that the kernel thinks it has none.
    # norandmaps: programs at the same addresses let the emulator reuse what it translated; starting one takes a quarter of the time.
    timeout -k 5 "$seconds" qemu-system-x86_64 -machine q35 -accel tcg -cpu max -m 1536 -nodefaults -no-user-config \
        -display none -no-reboot -serial stdio -kernel "$CACHE/vmlinuz" -initrd "$CACHE/initrd" \
        -append "console=ttyS0 quiet panic=-1 norandmaps no_timer_check mitigations=off lab.node=$node lab.boot=$boot" \
        "${drives[@]}" </dev/null >>"$work/console-$node.log" 2>&1
}

# vm_node WORK NODE SECONDS: boots a machine until its scenario no longer asks for another boot; its results land in WORK/NODE/.
vm_node() {
    local work=$1 node=$2 deadline=$((SECONDS + $3)) boot=1
    while :; do
        vm_boot "$work" "$node" "$boot" $((deadline > SECONDS ? deadline - SECONDS : 1))
        mkdir -p "$work/$node"
        rm -f "$work/$node"/{verdict,reboot}
        tar -xf "$work/out-$node.raw" -C "$work/$node" 2>/dev/null
        [ -e "$work/$node/reboot" ] || break
        boot=$((boot + 1))
    done
    [ -s "$work/$node/verdict" ] ||
        echo "FAIL the machine gave no verdict within $3 s or stopped early; see console-$node.log" >"$work/$node/verdict"
}

# scenario_value SCENARIO KEY: the value of a '# KEY: value' line at the top of a scenario's file.
scenario_value() {
    sed -n "s/^# $2: //p" "$LAB/scenarios/$1.sh" | head -n 1
}

# scenario_run SCENARIO: runs it on all its nodes; leaves WORK/verdict with 'PASS' or 'FAIL reason', and WORK/seconds.
scenario_run() {
    local scenario=$1 work=$LOGS/$1 node nodes pids=() start=$SECONDS seconds reason=''
    rm -rf "$work"
    mkdir -p "$work"
    read -ra nodes <<<"$(scenario_value "$scenario" nodes)"
    seconds=$(scenario_value "$scenario" seconds)
    vm_input "$work" "$scenario"
    vm_disks "$work" "${nodes[@]}"
    for node in "${nodes[@]}"; do
        vm_node "$work" "$node" "${seconds:-240}" &
        pids+=($!)
    done
    wait "${pids[@]}"
    rm -f "$work"/*.raw
    for node in "${nodes[@]}"; do
        read -r reason <"$work/$node/verdict"
        [ "${reason%% *}" = PASS ] || { reason="$node: ${reason#FAIL }"; break; }
    done
    cat "$work"/*/note >"$work/note" 2>/dev/null
    echo $((SECONDS - start)) >"$work/seconds"
    echo "$reason" >"$work/verdict"
}
