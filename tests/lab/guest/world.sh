# A PVE-shaped node: /etc/pve with its guests' configurations, and volumes as PVE makes them.
# shellcheck shell=sh
PVE=/etc/pve

# pve_root NODE…: an /etc/pve of these nodes with three storages. More than one node makes it a cluster's.
pve_root() {
    for n in "$@"; do mkdir -p "$PVE/nodes/$n/qemu-server" "$PVE/nodes/$n/lxc"; done
    ln -sfn "nodes/$NODE" "$PVE/local"
    ln -sfn "nodes/$NODE/qemu-server" "$PVE/qemu-server"
    ln -sfn "nodes/$NODE/lxc" "$PVE/lxc"
    printf 'keyboard: en-us\nnext-id: lower=100,upper=999999\n' >"$PVE/datacenter.cfg"
    cat >"$PVE/storage.cfg" <<'CFG'
dir: local
	path /var/lib/vz
	content iso,vztmpl,backup

lvmthin: local-lvm
	thinpool data
	vgname pve
	content rootdir,images

lvm: SSD-HA01
	vgname ssd-ha01
	content images
	shared 1
CFG
    [ $# = 1 ] || corosync "$@" >"$PVE/corosync.conf"
    vmlist
}

corosync() {
    printf 'logging {\n  debug: off\n  to_syslog: yes\n}\n\nnodelist {\n'
    id=0
    for n in "$@"; do
        id=$((id + 1))
        printf '  node {\n    name: %s\n    nodeid: %s\n    quorum_votes: 1\n    ring0_addr: 192.0.2.1%s\n  }\n' "$n" "$id" "$id"
    done
    printf '}\n\nquorum {\n  provider: corosync_votequorum\n}\n\n'
    printf 'totem {\n  cluster_name: alpha\n  config_version: 2\n  interface {\n    linknumber: 0\n  }\n'
    printf '  ip_version: ipv4-6\n  link_mode: passive\n  secauth: on\n  version: 2\n}\n'
}

# vmlist: rewrites pmxcfs's own list of the cluster's guests.
vmlist() {
    {
        printf '{\n"version": 1,\n"ids": {'
        comma=''
        for f in "$PVE"/nodes/*/qemu-server/*.conf "$PVE"/nodes/*/lxc/*.conf; do
            [ -e "$f" ] || continue
            kind=qemu
            case $f in */lxc/*) kind=lxc ;; esac
            n=${f#"$PVE"/nodes/}
            printf '%s\n"%s": { "node": "%s", "type": "%s", "version": 1 }' "$comma" "$(basename "$f" .conf)" "${n%%/*}" "$kind"
            comma=,
        done
        printf '}\n}\n'
    } >"$PVE/.vmlist"
}

# vm NODE VMID NAME [LINE…] / ct NODE VMID NAME [LINE…]: writes a guest's configuration.
vm() {
    conf=$PVE/nodes/$1/qemu-server/$2.conf
    printf 'memory: 512\nname: %s\n' "$3" >"$conf"
    shift 3
    [ $# = 0 ] || printf '%s\n' "$@" >>"$conf"
    vmlist
}
ct() {
    conf=$PVE/nodes/$1/lxc/$2.conf
    printf 'arch: amd64\nhostname: %s\nmemory: 512\n' "$3" >"$conf"
    shift 3
    [ $# = 0 ] || printf '%s\n' "$@" >>"$conf"
    vmlist
}
forget() {
    rm -f "$PVE"/nodes/*/qemu-server/"$1".conf "$PVE"/nodes/*/lxc/"$1".conf
    vmlist
}

# local_vg: the VG 'pve' with the thin pool 'data' on this node's own disk, as the installer leaves it.
local_vg() {
    vgcreate -q pve "$LOCAL"
    lvcreate -q -y -Wn -L 1g -T pve/data
}
# shared_vg: the VG of the shared storage; only one node makes it.
shared_vg() { vgcreate -q ssd-ha01 "$SHARED"; }
# see_shared: makes this node look for what another node created.
see_shared() {
    rm -f /run/lvm/hints
    vgs ssd-ha01
}

# thin NAME SIZE / thick NAME SIZE: an active volume on local-lvm, or on the shared storage. The name is the LV's.
thin() { lvcreate -q -y -Wn -V "$2" -n "$1" --thinpool data pve; }
thick() { lvcreate -q -y -Wn -L "$2" -n "$1" ssd-ha01; }
# dm VG LV: the entry's name in device-mapper.
dm() { printf '%s-%s' "$(echo "$1" | sed 's/-/--/g')" "$(echo "$2" | sed 's/-/--/g')"; }

# stale LV: plays 'another node removed the LV': it is removed from the VG's metadata behind this kernel's back, so the entry
# stays with nothing behind it. Works for a volume of the shared VG.
stale() {
    vgcfgbackup -q -f "/tmp/with-$1" ssd-ha01
    sed "/^\t\t$1 {/,/^\t\t}/d" "/tmp/with-$1" >"/tmp/without-$1"
    vgcfgrestore -q -y -f "/tmp/without-$1" ssd-ha01
}
# back LV: the opposite of stale.
back() { vgcfgrestore -q -y -f "/tmp/with-$1" ssd-ha01; }

# a_node: node pve1 of a cluster of two, with both storages and the running guest 100; a scenario adds what it is about.
a_node() {
    pve_root pve1 pve2
    local_vg
    shared_vg
    vm pve1 100 web01 'scsi0: local-lvm:vm-100-disk-0,size=64M'
    thin vm-100-disk-0 64m
    start_vm 100 /dev/pve/vm-100-disk-0
}
