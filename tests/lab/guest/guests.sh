# Running guests: processes that hold their disk open and work on it.
# shellcheck shell=sh
mkdir -p /run/qemu-server /run/lab

# start_vm VMID DEVICE: a process that writes to the disk and verifies what it wrote, for as long as it lives.
start_vm() {
    kvm -id "$1" -drive "$2" >/dev/null 2>&1 &
    echo $! >"/run/qemu-server/$1.pid"
    wait_for "VM $1 to write" test -s "/run/lab/vm-$1.count"
}
stop_vm() {
    kill "$(cat "/run/qemu-server/$1.pid")"
    wait "$(cat "/run/qemu-server/$1.pid")" || :
    rm -f "/run/qemu-server/$1.pid" "/run/lab/vm-$1.count"
}
# start_ct VMID DEVICE: a container as the host sees it: its mounted root and a process in it.
start_ct() {
    mkfs.ext4 -q "$2"
    mkdir -p "/var/lib/lxc/$1/rootfs"
    mount "$2" "/var/lib/lxc/$1/rootfs"
    (cd "/var/lib/lxc/$1/rootfs" && exec sleep 100000) &
    echo $! >"/run/lab/ct-$1.pid"
}
# hold DEVICE: a process that keeps a device open and is no guest. release DEVICE: ends it.
hold() {
    sh -c 'exec 9<"$1" && exec sleep 100000' hold "$1" &
    echo $! >"/run/lab/hold-${1##*/}.pid"
    wait_for "$1 to be open" fuser -s "$1"
}
release() {
    kill "$(cat "/run/lab/hold-${1##*/}.pid")"
    wait "$(cat "/run/lab/hold-${1##*/}.pid")" || :
}
# wait_for TEXT COMMAND…: tries the command for some seconds.
wait_for() {
    what=$1
    shift
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        "$@" && return
        sleep 0.5
    done
    echo "lab: waited in vain for $what"
    return 1
}

# writes VMID: how many blocks the guest has written and verified so far.
writes() { cat "/run/lab/vm-$1.count"; }
# wrote_on VMID COUNT: the guest has gone on since COUNT and never read back anything else than it wrote.
wrote_on() {
    sleep 1
    [ ! -e "/run/lab/vm-$1.bad" ] && [ "$(writes "$1")" -gt "$2" ] && kill -0 "$(cat "/run/qemu-server/$1.pid")"
}
