#!/bin/sh
# dmaudit-collect.sh: a snapshot of one Proxmox VE node's device-mapper state, for `dmaudit analyze`.
#
# Reads   what dmsetup, LVM, lsof, fuser, qm, pct, pvesm, lsblk and a few others report (function collect_commands),
#         and from /etc/pve: storage.cfg, datacenter.cfg, corosync.conf, .vmlist, .members and the guests' configurations.
# Never   anything named priv, *.key or *.pw; never the content of a disk. Values of cipassword, sshkeys, passwords in
#         args and descriptions, and the like are replaced by *** before they touch a disk (mask.awk, below), those in
#         what commands print in the private directory, before they are in the bundle (mask-output.awk).
# Writes  one bundle (-o), and a private directory below ${TMPDIR:-/tmp} that it removes. Changes nothing else, but
#         for what `pvesm status` does: it activates the storages that are not active, as pvestatd does all the time.
#
# A bundle is a zip of plain text: read it before you hand it on. Its format: docs/bundle.md.
#
# shellcheck disable=SC2016 # what stands in single quotes behind `sh -c` is for that sh to expand
set -u
set +m # a command's process is the one that is waited for
umask 077
LC_ALL=C
TZ=UTC0
LVM_SUPPRESS_FD_WARNINGS=1
export LC_ALL TZ LVM_SUPPRESS_FD_WARNINGS
unset GREP_OPTIONS TAR_OPTIONS GZIP

VERSION=0.1.0
SHORT=5           # seconds for a command of a family that has hung before
MAX_BLOCKS=131072 # a command's output is cut at 64 MiB, so that none can fill the disk

TAB=$(printf '\t')

root='' target='' timeout=30 stdout=false
work='' part='' beside='' job='' jobs=0
lvm_hangs=false pve_hangs=false absent=''

say() { # a command's own words are among it: what is not printable would act on the terminal
    case $* in
    *[![:print:]]*) printf 'dmaudit-collect: %s\n' "$(printf '%s' "$*" | tr -c '[:print:]' '?')" >&2 ;;
    *) printf 'dmaudit-collect: %s\n' "$*" >&2 ;;
    esac
}

die() { # STATUS MESSAGE
    code=$1
    shift
    say "$*"
    exit "$code"
}

no_space() { die 1 "cannot write below $work (is there space?)"; }

usage() {
    cat <<'TEXT'
Usage: sh dmaudit-collect.sh [-o FILE|-] [--sysroot DIR] [--timeout SECONDS]

Takes a read-only snapshot of this Proxmox VE node's device-mapper state for `dmaudit analyze`. Run it as root.

  -o FILE             the bundle's name (default: ./dmaudit-<node>-<UTC time>.zip); - writes it to standard output
  --timeout SECONDS   how long one command may take before it is left behind (default: 30)
  --sysroot DIR       read /etc, /proc, /sys and /dev below DIR; commands still come from PATH (for tests)
  --help, --version

From another machine:  ssh root@pve1 sh -s -- -o - <dmaudit-collect.sh >pve1.zip

Exit status: 0 a bundle was written (commands that failed are named on standard error); 1 no bundle; 2 usage.
TEXT
}

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --help | -h) usage && exit 0 ;;
        --version) echo "dmaudit-collect $VERSION" && exit 0 ;;
        -o | --sysroot | --timeout) [ $# -ge 2 ] || die 2 "$1 needs a value; see --help" ;;
        *) die 2 "unknown argument '$1'; see --help" ;;
        esac
        case $1 in
        -o) target=$2 ;;
        --sysroot)
            [ -d "$2" ] || die 2 "--sysroot: '$2' is no directory"
            root=${2%/}
            ;;
        --timeout) timeout=$2 ;;
        esac
        shift 2
    done
    case $timeout in
    '' | 0* | *[!0-9]* | ?????*) die 2 "--timeout: '$timeout' is not a number of seconds from 1 to 9999" ;;
    esac
    case $target in - | /dev/stdout | /dev/fd/1 | /proc/self/fd/1) target=- stdout=true ;; esac
    [ ! -d "$target" ] || die 2 "-o: '$target' is a directory; name a file"
    check_target
    if "$stdout" && [ -t 1 ]; then die 2 "-o -: standard output is a terminal; send it to a file or a pipe"; fi
}

# A file takes the name; a pipe and /dev/null are written into. To replace those would break them for all of the node. A
# link is replaced, too, for another user may have put it there.
is_replaced() {
    [ ! -e "$target" ] || [ -f "$target" ]
}

# Disks are data, and opening another device can do anything: /dev/watchdog resets the node.
check_target() {
    case $target in
    - | /dev/null | /dev/tty) return ;;
    /dev/stdout | /dev/stderr | /dev/fd/* | /proc/*/fd/*) die 2 "-o: '$target' is a stream; -o - writes to standard output" ;;
    esac
    if [ -b "$target" ]; then die 2 "-o: '$target' is a disk, and is never written to; name a file"; fi
    if [ -c "$target" ]; then die 2 "-o: '$target' is a device; name a file"; fi
    if [ -p "$target" ]; then
        case $target in /*) file=$target ;; *) file=./$target ;; esac
        { user=$(id -u) && [ -n "$(find -L "$file" -maxdepth 0 \( -user 0 -o -user "$user" \))" ]; } ||
            die 2 "-o: '$target' is another user's pipe; name a file"
    fi
}

# ---- work directory and cleaning up -------------------------------------------------------------------------------

prepare() {
    if [ -z "$root" ]; then
        [ "$(id -u)" = 0 ] || die 2 "must run as root: dmsetup, LVM and /etc/pve answer nobody else"
        PATH=${PATH:+$PATH:}/usr/sbin:/usr/bin:/sbin:/bin # cron and ssh may leave out sbin
    fi
    for tool in awk cat cp cut find grep mkdir mktemp mv rm sed sha256sum sleep sort tr xargs; do
        command -v "$tool" >/dev/null || die 1 "$tool is not installed here, and nothing can be collected without it"
    done
    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 131' QUIT
    trap 'exit 141' PIPE # who reads what is said here is gone: a connection that was lost
    trap 'exit 143' TERM
    work=$(mktemp -d "${TMPDIR:-/tmp}/dmaudit.XXXXXX") || die 1 "no temporary directory: set TMPDIR to one with space"
    case $work in /*) ;; *) work=$(pwd)/$work ;; esac
    bundle=$work/bundle
    mkdir -p "$bundle/commands" "$bundle/files/etc/pve" || die 1 "cannot write below $work"
    : >"$work/unread" && : >"$work/directories" && : >"$work/files" && : >"$work/wanted"
    case $stdout:$target in
    true:*) dir=$work ;;
    *:*/*) dir=${target%/*}/ ;;
    *) dir=. ;;
    esac
    is_replaced || dir=$work
    # Only tried here: under a name that others can write to, another file may lie by the time that there is a bundle.
    beside=$(mktemp "$dir/.dmaudit.XXXXXX") || die 1 "cannot write to directory '$dir': choose another place with -o"
    rm -f -- "$beside"
    part=$work/archive
    setsid=$(command -v setsid) || setsid=
    write_programs
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
    trap '' HUP INT QUIT PIPE TERM
    [ -z "$job" ] || signal_job KILL
    [ -z "$beside" ] || rm -f -- "$beside"
    case $work in */dmaudit.??????) rm -rf -- "$work" ;; esac
}

# ---- running a command that may hang ------------------------------------------------------------------------------

uptime_of() { # FILE: sets now to its uptime in hundredths of a second
    now=
    [ ! -r "$1" ] || read -r now _ <"$1"
    case $now in
    *[!0-9.]* | *.*.* | .*) now= ;;
    *.??) now=$((${now%.*} * 100 + 1${now#*.} - 100)) ;;
    *) now= ;;
    esac
    [ -n "$now" ] || now=$(($(date -u +%s) * 100))
}

nap() { sleep "$1" 2>/dev/null || sleep 1; } # a sleep without fractions costs a second

signal_job() { # SIGNAL: to the command's whole session, or at least to it
    kill -s "$1" -- "-$job" 2>/dev/null || kill -s "$1" "$job" 2>/dev/null
}

# Runs a command in a session of its own and waits for it no longer than the limit. One in uninterruptible sleep cannot
# be killed: it is left behind, holding none of our descriptors. Sets status (124: too late, 127: no such command), late.
run_limited() { # SECONDS STDIN STDOUT STDERR COMMAND [ARGUMENT...]
    limit=$1 input=$2 out=$3 err=$4 late=false jobs=$((jobs + 1))
    shift 4
    if ! command -v "$1" >/dev/null 2>&1; then
        : >"$out"
        printf '%s: not installed\n' "$1" >"$err"
        status=127
        return
    fi
    answer=$work/status.$jobs
    # pvesm activates storages: a program that serves one outlives it, and keeps its limits and its umask.
    # shellcheck disable=SC2086 # setsid or nothing
    $setsid sh -c 'case $3 in pvesm) umask 022 ;; *) ulimit -f "$1" ;; esac; file=$2; shift 2; "$@"; echo "$?" >"$file"' \
        sh "$MAX_BLOCKS" "$answer" "$@" <"$input" >"$out" 2>"$err" &
    job=$!
    uptime_of /proc/uptime
    start=$now
    until [ -s "$answer" ]; do
        if ! kill -0 "$job" 2>/dev/null && [ ! -s "$answer" ]; then # it ended, and could not write down how
            wait "$job" 2>/dev/null
            job='' status=125
            [ ! -e "$answer" ] || no_space
            return
        fi
        uptime_of /proc/uptime
        elapsed=$((now - start))
        if [ "$elapsed" -ge $((limit * 100)) ]; then
            status=124 late=true
            signal_job TERM
            nap 0.2
            signal_job KILL
            job=
            return
        elif [ "$elapsed" -lt 20 ]; then nap 0.01
        elif [ "$elapsed" -lt 200 ]; then nap 0.05
        else nap 0.2; fi
    done
    read -r status <"$answer"
    job=
}

allow_seconds() { # COMMAND: sets allowed; what hung once will hang again
    allowed=$timeout
    case $1:$lvm_hangs:$pve_hangs in
    lvs:true:* | vgs:true:* | pvs:true:* | lvmconfig:true:* | pvesm:true:* | pvesm:*:true | qm:*:true | pct:*:true)
        [ "$allowed" -lt "$SHORT" ] || allowed=$SHORT
        ;;
    esac
}

describe() { # COMMAND [ARGUMENT...]: sets shown to the line that the manifest names
    shown=
    for word; do
        word=${word#"$root"}
        case $word in *[!A-Za-z0-9_./,:=+%-]*) word="'$word'" ;; esac
        shown="$shown${shown:+ }$word"
    done
}

first_line() { # FILE: sets line
    line=
    [ ! -r "$1" ] || read -r line <"$1"
}

attempt() { # ID COMMAND [ARGUMENT...]: leaves its output in the bundle; sets status, late and spent (seconds)
    id=$1
    shift
    allow_seconds "$1"
    uptime_of "$root/proc/uptime"
    began=$now
    run_limited "$allowed" /dev/null "$work/out.$jobs" "$work/err.$jobs" "$@"
    uptime_of "$root/proc/uptime"
    spent=$((now - began)) # the clock of --sysroot stands still
    if "$late"; then spent=$elapsed; fi
    # What was left behind may still write to its file, so the bundle gets a copy.
    keep='mv -f'
    if "$late"; then keep='cp'; fi
    $keep "$out" "$bundle/commands/$id.out" || no_space
    $keep "$err" "$bundle/commands/$id.err" || no_space
    case $id in
    dmsetup-table | mountinfo | kernel-dm) mask_output "$id" "$bundle/commands/$id.out" ;;
    esac
    mask_output "$id.err" "$bundle/commands/$id.err"
    case $1:$late in lvs:true | vgs:true | pvs:true) lvm_hangs=true ;; esac
}

mask_output() { # KIND FILE: one without a secret stays as it is, byte for byte
    [ -s "$2" ] || return 0
    awk -v kind="$1" -v out="$work/masked" -f "$work/mask-output.awk" "$2"
    case $? in
    0) ;;
    3) mv -f "$work/masked" "$2" || no_space ;;
    *) no_space ;;
    esac
}

note() { # writes the last attempt down, and says what went wrong
    hundredths=$((spent % 100 + 100))
    printf '%s\t%s\t%s\t%s\t%s\n' "$id" "$status" "$late" "$((spent / 100)).${hundredths#1}" "$shown" >>"$work/commands"
    case $id:$late:$status in
    *:true:*) say "$id: did not end within $limit s, left behind ($shown)" ;;
    *:127) absent="$absent $id" ;;
    *:0 | lsof:*:1 | fuser:*:1) ;; # 1: nobody has one of the devices open
    *)
        first_line "$bundle/commands/$id.err"
        say "$id: exit status $status${line:+: $line}"
        ;;
    esac
}

collect() { # ID COMMAND [ARGUMENT...]
    id=$1
    shift
    describe "$@"
    attempt "$id" "$@"
    note
}

collect_as() { # LINE-TO-SHOW ID COMMAND [ARGUMENT...]
    shown=$1
    shift
    attempt "$@"
    note
}

# An LVM that does not know a column says so and prints nothing: it is asked again without it, at last for the oldest set.
collect_lvm() { # ID COLUMNS OLDEST-COLUMNS COMMAND [ARGUMENT...]
    lvm_id=$1 columns=$2 oldest=$3
    shift 3
    while :; do
        describe "$@" -o "$columns"
        attempt "$lvm_id" "$@" -o "$columns"
        if "$late" || [ "$status" = 0 ] || [ "$columns" = "$oldest" ]; then break; fi
        rejected=$(sed -n '/Unrecogni[sz]ed field/{s/.*field[^a-z]*\([a-z_]*\).*/\1/p;q;}' "$bundle/commands/$lvm_id.err")
        [ -n "$rejected" ] || break
        case ,$columns, in
        *",$rejected,"*) columns=$(printf ',%s,' "$columns" | sed "s/,$rejected,/,/;s/^,//;s/,\$//") ;;
        *) columns=$oldest ;;
        esac
    done
    note
}

# ---- what is asked --------------------------------------------------------------------------------------------------

DM_COLUMNS=name,uuid,major,minor,open,segments,events,attr,blkdevname,blkdevs_used,names_using_dev
LV_OLD=vg_name,vg_uuid,lv_name,lv_uuid,lv_attr,lv_size,pool_lv,origin,data_percent,metadata_percent,lv_tags
LV_COLUMNS=$LV_OLD,lv_active,lv_device_open,lv_kernel_major,lv_kernel_minor,lv_dm_path,lv_time,lv_autoactivation
SEGMENT_OLD=vg_uuid,lv_uuid,lv_name,segtype,seg_start,seg_size
SEGMENT_COLUMNS=$SEGMENT_OLD,seg_pe_ranges,devices
VG_OLD=vg_name,vg_uuid,vg_size,vg_free,vg_extent_size,vg_seqno,lv_count,pv_count,vg_attr
PV_OLD=pv_name,pv_uuid,vg_name,vg_uuid,pv_size,pv_free,pe_start
LSBLK_COLUMNS=name,kname,pkname,maj:min,type,size,ro,fstype,mountpoint,uuid,model,wwn

# Device-mapper first: what a configuration or LVM gains or loses while this runs must not look like an entry without
# its guest. LVM comes late, for it is what hangs on a suspended device.
collect_commands() {
    collect dmsetup-info dmsetup info
    collect dmsetup-info-c dmsetup info -c
    collect dmsetup-info-columns dmsetup info -c --noheadings --separator '|' -o "$DM_COLUMNS"
    collect dmsetup-ls dmsetup ls
    collect dmsetup-ls-tree dmsetup ls --tree
    collect dmsetup-table dmsetup table
    collect dmsetup-status dmsetup status
    collect dmsetup-deps dmsetup deps
    collect_holders
    read_pve
    collect qm-list qm list
    collect pct-list pct list
    collect_machine
    collect_lvm lvs-json "$LV_COLUMNS" "$LV_OLD" lvs -a --reportformat json --units b --nosuffix
    collect_lvm lvs-segments-json "$SEGMENT_COLUMNS" "$SEGMENT_OLD" lvs -a --segments --reportformat json --units b --nosuffix
    collect_lvm vgs-json "$VG_OLD,vg_autoactivation" "$VG_OLD" vgs --reportformat json --units b --nosuffix
    collect_lvm pvs-json "$PV_OLD,pv_major,pv_minor" "$PV_OLD" pvs --reportformat json --units b --nosuffix
    collect lvs lvs
    collect vgs vgs
    collect pvs pvs
    collect lvmconfig lvmconfig --type full devices/global_filter devices/filter devices/scan_lvs
    collect pvesm-status pvesm status
}

collect_holders() {
    nodes=
    for node in "$root"/dev/dm-*; do
        [ ! -e "$node" ] || nodes="$nodes ${node#"$root"}"
    done
    # -f: a mounted device as such, not every file open on its file system. The control node keeps the list from being
    # empty, which lsof would take for everything.
    # shellcheck disable=SC2086 # one word per device
    collect_as 'lsof -n -P -f -- /dev/mapper/control /dev/dm-*' lsof lsof -n -P -f -- /dev/mapper/control $nodes
    # shellcheck disable=SC2086
    collect_as 'fuser -v /dev/mapper/control /dev/dm-*' fuser fuser -v /dev/mapper/control $nodes
    collect_as 'ls -d /sys/block/dm-*/holders/*' holders \
        sh -c '[ -d "$1/sys/block" ] || exit 1; for h in "$1"/sys/block/dm-*/holders/*; do [ ! -e "$h" ] || echo "${h#"$1"}"; done' sh "$root"
    mounts=/proc/1/mountinfo
    [ -r "$root$mounts" ] || mounts=/proc/self/mountinfo
    collect mountinfo cat "$root$mounts"
    collect swaps cat "$root/proc/swaps"
}

collect_machine() {
    collect uname uname -a
    collect pveversion pveversion --verbose
    collect boot-id cat "$root/proc/sys/kernel/random/boot_id"
    collect_as 'sha256sum < /etc/machine-id' machine-id \
        sh -c 'sum=$(sha256sum <"$1") && echo "${sum%% *}"' sh "$root/etc/machine-id"
    collect uptime cat "$root/proc/uptime"
    collect loadavg cat "$root/proc/loadavg"
    collect meminfo cat "$root/proc/meminfo"
    collect lscpu lscpu
    collect_as 'dmesg | grep device-mapper' kernel-dm \
        sh -c 'log=$(dmesg || journalctl -k -b --no-pager) && printf "%s\n" "$log" | { grep device-mapper || :; }'
    collect lsblk-json lsblk --json --bytes -o "$LSBLK_COLUMNS"
    describe lsblk --ascii -M -o +HOTPLUG,ROTA,PHY-SEC,FSTYPE,MODEL,TRAN,WWN
    attempt lsblk lsblk --ascii -M -o +HOTPLUG,ROTA,PHY-SEC,FSTYPE,MODEL,TRAN,WWN
    case $status:$late in # util-linux before 2.34 has no -M
    1:false)
        describe lsblk --ascii -o +HOTPLUG,ROTA,PHY-SEC,FSTYPE,MODEL,TRAN,WWN
        attempt lsblk lsblk --ascii -o +HOTPLUG,ROTA,PHY-SEC,FSTYPE,MODEL,TRAN,WWN
        ;;
    esac
    note
    collect df df -P -T -k -l
    collect multipath multipath -ll
}

# ---- /etc/pve -------------------------------------------------------------------------------------------------------

# /etc/pve is a FUSE file system and can hang like any command. Half of it is worse than nothing, for a configuration
# that is missing looks like a guest that is gone: so either all of it is read, or "/etc/pve" is named as unread.
read_pve() {
    run_limited "$timeout" /dev/null "$work/listing" "$work/listing.err" sh -c 'cd "$1/" &&
        exec find etc/hostname etc/pve -maxdepth 4 -name priv -prune -o -printf "%y %p\t%l\n"' sh "$root"
    if "$late"; then
        pve_unread "did not answer within $limit s"
        say "/etc/pve: did not answer within $limit s"
        return
    fi
    # 1: find named what it could not read. After anything else something is missing that nothing names.
    if [ "$status" != 0 ] && { [ "$status" != 1 ] || [ ! -s "$work/listing.err" ] ||
        grep -qv "^find: 'etc/[^']*': " "$work/listing.err"; }; then
        first_line "$work/listing.err"
        pve_unread "could not be listed: ${line:-exit status $status}"
        say "/etc/pve: could not be listed: ${line:-exit status $status}"
        return
    fi
    sed -n "s|^find: .\\(etc/pve[^']*\\)': |/\\1$TAB|p" "$work/listing.err" >>"$work/unread"
    sort "$work/listing" >"$work/sorted" || no_space
    awk -v work="$work" -v dest="$bundle/files" -f "$work/plan.awk" "$work/sorted" || no_space
    (cd "$bundle/files" && sed 's|^/||' "$work/directories" | xargs -r mkdir -p) || no_space
    copy_pve
    while IFS=$TAB read -r path why; do say "$path: $why"; done <"$work/unread"
}

copy_pve() { # grep names the file on every line, goes on after one that cannot be read, and says why
    run_limited "$timeout" "$work/wanted" "$work/copied" "$work/copied.err" \
        sh -c 'cd "$1/" && { xargs -r grep -aH ""; echo "$?" >"$5.grep"; } | { tr -d "\000"; echo "$?" >"$5.tr"; } |
            awk -v dest="$2" -v list="$3" -f "$4"' \
        sh "$root" "$bundle/files" "$work/wanted" "$work/mask.awk" "$work/ends"
    if "$late"; then
        pve_unread "did not answer within $limit s"
    elif ! is_copied; then
        first_line "$work/copied.err"
        pve_unread "could not be copied${line:+: $line}"
    else
        cat "$work/copied" >>"$work/files"
        # What failed, perhaps halfway, must not pass for a whole file.
        sed -n "s|^grep: \\(etc/[A-Za-z0-9._+/-]*\\): |/\\1$TAB|p" "$work/copied.err" >"$work/failed"
        (cd "$bundle/files" && cut -f 1 "$work/failed" | sed 's|^/||' | xargs -r rm -f --) || no_space
        cat "$work/failed" >>"$work/unread"
    fi
}

# Whether all of what grep, tr and awk were given came through, but for what grep named: where one of them ends early, a
# file is cut short and those after it look empty. xargs says 123 of a grep that failed, or that met empty files only.
is_copied() {
    first_line "$work/ends.grep"
    ends=$status:$line
    first_line "$work/ends.tr"
    case $ends:$line in
    0:0:0) ;;
    0:123:0) ! grep -qv '^grep: etc/[A-Za-z0-9._+/-]*: ' "$work/copied.err" ;;
    *) false ;;
    esac
}

pve_unread() { # REASON
    case $1 in 'did not answer'*) pve_hangs=true ;; esac
    rm -rf "$bundle/files/etc"
    : >"$work/files" && : >"$work/directories"
    printf '/etc/pve\t%s\n' "$1" >"$work/unread"
}

# ---- the bundle -----------------------------------------------------------------------------------------------------

# Nothing here should hold the raw machine-id; should some output name it (a journal's path), it is blanked.
blank_machine_id() {
    first_line "$root/etc/machine-id"
    id=$line
    [ ${#id} -ge 32 ] || return 0
    case $id in *[!0-9a-f]*) return 0 ;; esac
    grep -rlF -e "$id" "$bundle" >"$work/named" || return 0
    while read -r file; do
        sed "s/$id/********************************/g" "$file" >"$work/blanked" || no_space
        mv -f "$work/blanked" "$file" || no_space
    done <"$work/named"
}

node_name() { # sets node: as PVE's own link says, else the kernel, else /etc/hostname
    for source in "$bundle/files/etc/pve/local" "$root/proc/sys/kernel/hostname" "$root/etc/hostname"; do
        first_line "$source"
        node=${line##*/}
        node=${node%%.*}
        case $node in '' | -* | *[!A-Za-z0-9-]*) ;; *) return ;; esac
    done
    node=unknown
}

write_manifest() {
    machine=
    read -r machine <"$bundle/commands/machine-id.out"
    (cd "$bundle" && find commands files -type f -printf '%s\t%p\n') >"$work/sizes" || no_space
    (cd "$bundle" && find commands files -type f -print0 | xargs -0 sha256sum) >"$work/sums" || no_space
    awk -v version="$VERSION" -v node="$node" -v started="$started" -v finished="$1" -v machine="$machine" \
        -v work="$work" -f "$work/manifest.awk" >"$bundle/manifest.json" || no_space
}

has_zip() { perl -MIO::Compress::Zip -MTime::Local -e 1 </dev/null >/dev/null 2>&1; }

write_archive() { # TOP: fills $part and sets suffix
    mv "$bundle" "$work/$1" || no_space
    # The manifest goes first: what reads an archive as it comes knows at once what to expect.
    if has_zip; then
        suffix=.zip
        (cd "$work/$1" && {
            echo manifest.json
            find commands files -type f | sort
        } | perl "$work/zip.pl" "$1") >"$part"
    else
        suffix=.tar.gz
        say "perl's IO::Compress::Zip is missing: writing a tar.gz instead of a zip"
        tar -C "$work" -cf "$work/bundle.tar" "$1/manifest.json" "$1/commands" "$1/files" && gzip -nc "$work/bundle.tar" >"$part"
    fi || die 1 "the archive could not be written (is there space?)"
}

deliver() { # TOP
    if "$stdout"; then
        cat "$part" || die 1 "standard output was closed before the bundle was written"
        say "wrote the bundle $1$suffix to standard output"
        return
    fi
    [ -n "$target" ] || target=./$1$suffix
    [ "$suffix" = .zip ] || case $target in *.zip) target=${target%.zip}$suffix ;; esac
    check_target
    if is_replaced; then
        # Across file systems mv makes the file anew, so nothing is ever written through a link that appeared.
        { mv -fT -- "$part" "$beside" && mv -fT -- "$beside" "$target"; } ||
            die 1 "the bundle could not be moved to $target"
    else
        cat "$part" >>"$target" || die 1 "the bundle could not be written to $target"
    fi
    say "wrote $target"
}

main() {
    exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- # nothing that a command left behind could hold open
    parse_arguments "$@"
    prepare
    collect date date -u +%Y-%m-%dT%H:%M:%SZ
    started=
    read -r started <"$bundle/commands/date.out"
    case $started in
    20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z) ;;
    *) die 1 "date printed '$started' where a time as 2026-01-31T12:00:00Z was expected" ;;
    esac
    collect_commands
    blank_machine_id
    node_name
    write_manifest "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    top=dmaudit-$node-$(echo "$started" | tr -d ':-')
    write_archive "$top"
    [ -z "$absent" ] || say "not installed here, so their evidence is missing:$absent"
    deliver "$top"
    exit 0
}

# ---- programs for awk and perl ---------------------------------------------------------------------------------------

write_programs() {
    cat >"$work/plan.awk" <<'AWK'
# Sorts find's listing ("type path<TAB>link target") into what is read, what is only named and what is left alone.
BEGIN {
    FS = "\t"
    while ((getline < (work "/unread")) > 0) told[$1] = 1
}
{
    type = substr($1, 1, 1)
    path = substr($1, 3)
    if (path ~ /^etc\/pve\/./) mounted = 1
    guests = path ~ /^etc\/pve\/nodes\/[^\/]+\/(qemu-server|lxc)(\/[^\/]+\.conf)?$/
    if (guests && path !~ /^[A-Za-z0-9._+\/-]+$/) {
        gsub(/[^A-Za-z0-9._+\/-]/, "?", path)
        print "/" path "\tits name has characters that PVE does not use" >>(work "/unread")
    } else if (type == "d" && (path ~ /^etc\/pve\/nodes\/[A-Za-z0-9._-]+$/ || guests))
        print "/" path >>(work "/directories")
    else if (type == "f" && (guests || path == "etc/hostname" ||
            path ~ /^etc\/pve\/(storage\.cfg|datacenter\.cfg|corosync\.conf|\.vmlist|\.members)$/))
        print path >>(work "/wanted")
    else if (type == "l" && path ~ /^etc\/pve\/(local|qemu-server|lxc)$/) {
        printf "%s", $2 >(dest "/" path)
        print "/" path "\t" length($2) "\tfalse" >>(work "/files")
    } else if (guests && path ~ /\.conf$/)
        print "/" path "\tit is no file" >>(work "/unread")
}
END { if (!mounted && !("/etc/pve" in told)) print "/etc/pve\tempty: the cluster file system (pmxcfs) is not mounted" >>(work "/unread") }
AWK
    cat >"$work/mask.awk" <<'AWK'
# Copies grep's "path:line" to DEST/path, every secret replaced by ***, and prints "/path<TAB>bytes<TAB>masked".
# Too much is blanked rather than too little, but never a volume: lines of disks and device paths are left as they are.
BEGIN {
    SECRET = "(pass|pwd|secret|token|key|cred|kennwort|psk|auth|(^|[^a-z])pw)"
    REST = "[a-z0-9_.:-]*"
    ASSIGNED = SECRET REST "([\\\\\"']*[ \t]*=|[\\\\\"']+[ \t]*:)[ \t]*"
    OPTION = "(^|[ \t\"'])--?([a-z0-9-]*" SECRET "[a-z0-9-]*|pw)[ \t]+"
    ARGS_DATA = "(^|[ \t,{\\\\\"'])(data|string)(=|[\\\\\"']+[ \t]*:[ \t]*)"
    COMMAND = "^[ \t]*(entrypoint|lxc\\.(init|execute|hook|net\\.[0-9]+\\.script)[a-z.-]*)[ \t]*[:=][ \t]*[^ \t]+"
    DISK = "^(ide|sata|scsi|virtio|nvme|mpath|efidisk|tpmstate|unused|mp)[0-9]+:|^(rootfs|vmstate|fleecing-images):"
    NOTE = "(pass|pwd|pw|secret|token|key|cred|kennwort|psk|login)[a-z]*[]*_`\"') \t]*(%3a|[:=])?"
    while ((getline name < list) > 0) wanted[++count] = name
}
{
    colon = index($0, ":")
    if (substr($0, 1, colon - 1) != path) turn_to(substr($0, 1, colon - 1))
    line = substr($0, colon + 1)
    text = clean(line, tolower(line))
    if (text != line) masked = "true"
    bytes += length(text) + 1
    print text >(dest "/" path)
}
END {
    turn_to("")
    for (i = 1; i <= count; i++) if (!(wanted[i] in seen)) turn_to(wanted[i])
    turn_to("")
    exit failed
}
function turn_to(next_path) {
    if (path != "") {
        if (close(dest "/" path) != 0) failed = 1
        print "/" path "\t" bytes "\t" masked
    }
    path = next_path; bytes = 0; masked = "false"; noted = 0
    if (path == "") return
    seen[path] = 1
    printf "" >(dest "/" path)
}
function clean(line, low) {
    if (low ~ /^[ \t]*(#|description:)/) return clean_note(line)
    noted = 0
    if (low ~ /^[ \t]*(cipassword|sshkeys|env|lxc\.environment[a-z.]*)[ \t]*[:=]/) {
        match(line, /[:=]/)
        return substr(line, 1, RSTART) " ***"
    }
    if (path ~ /storage\.cfg$/ && match(low, "^[ \t]+([^ \t]*" SECRET "|pw)[^ \t]*[ \t]+")) return substr(line, 1, RLENGTH) "***"
    if (path ~ /corosync\.conf$/ && match(low, /^[ \t]*key[ \t]*:/)) return substr(line, 1, RLENGTH) " ***"
    if (path ~ /(storage|datacenter)\.cfg$/ && match(line, /:\/\/.*@/))
        line = substr(line, 1, RSTART + 2) "***" substr(line, RSTART + RLENGTH - 1)
    if (match(low, COMMAND)) return substr(line, 1, RLENGTH) clean_words(substr(line, RLENGTH + 1))
    if (low ~ DISK) return clean_addresses(line)
    if (path !~ /corosync\.conf$|\/\./) line = blank(line, ASSIGNED)
    if (path ~ /\/nodes\//) line = blank(line, OPTION)
    if (low ~ /^args:/) line = blank(line, ARGS_DATA)
    if (low ~ /user(name)?=[^ \t,]*%/) line = blank(line, "user(name)?=") # name%password, as mount.cifs has it
    return clean_addresses(line)
}
# What a container's program is given: of its words only devices stay.
function clean_words(words,   n, i, word, kept) {
    n = split(words, word, /[ \t]+/)
    kept = ""
    for (i = 1; i <= n; i++) {
        if (word[i] == "") continue
        if (word[i] !~ /^\/dev\/[A-Za-z0-9_.+\/-]+$/) word[i] = "***"
        if (word[i] != "***" || kept !~ /\*\*\*$/) kept = kept " " word[i]
    }
    return kept
}
# A description is free text: from the first word that announces a secret on, the rest of it is blanked.
function clean_note(line) {
    if (noted) return "# ***"
    line = clean_addresses(line)
    if (!match(tolower(line), NOTE)) return line
    noted = 1
    return substr(line, 1, RSTART + RLENGTH - 1) " ***"
}
# scheme://user:password@host
function clean_addresses(line,   kept) {
    kept = ""
    while (match(tolower(line), "(:|%3a)//[^/ \t,\"']*@")) {
        kept = kept substr(line, 1, RSTART + index(substr(line, RSTART), "//")) "***@"
        line = substr(line, RSTART + RLENGTH)
    }
    return kept line
}
function blank(line, pattern,   kept, value, size) {
    kept = ""
    while (match(tolower(line), pattern)) {
        kept = kept substr(line, 1, RSTART + RLENGTH - 1)
        line = substr(line, RSTART + RLENGTH)
        size = value_size(line, kept)
        value = substr(line, 1, size)
        kept = kept ((value == "" || value ~ /^["']?(\/dev\/|-)/) ? value : "***")
        line = substr(line, size + 1)
    }
    return kept line
}
# How long the value at the start of text is: to a single comma (two are one of its characters), a brace, the end of a
# quotation that began before it, or outside of one a blank.
function value_size(text, before,   i, c, n, shut, quoted) {
    n = length(text)
    quoted = gsub(/'/, "'", before) % 2 || gsub(/"/, "\"", before) % 2
    for (i = 1; i <= n; i++) {
        c = substr(text, i, 1)
        if (c == "\\") i++
        else if (c == "\"" || c == "'") {
            if (gsub(c, c, before) % 2) return i - 1
            shut = index(substr(text, i + 1), c)
            if (!shut) return n
            i += shut
        } else if (c == "," && substr(text, i + 1, 1) == ",") i++
        else if (c ~ /[,}]/ || (c ~ /[ \t]/ && !quoted)) return i - 1
    }
    return n
}
AWK
    cat >"$work/mask-output.awk" <<'AWK'
# Writes what a command printed to OUT without its secrets; exit status 3 if there were some. KIND: the command's id.
# A key in a table becomes zeros, as dmsetup does it for the targets that it knows.
{
    text = kind == "dmsetup-table" ? clean_table($0) : clean_text($0)
    if (text != $0) masked = 3
    print text >out
}
END { exit close(out) != 0 ? 1 : masked }
function clean_table(row,   head, words, n, i) {
    if (!match(row, /: [0-9]+ [0-9]+ /)) return row
    head = substr(row, 1, RSTART + RLENGTH - 1)
    n = split(substr(row, RSTART + RLENGTH), words, " ")
    if (tolower(words[1]) ~ /crypt|default-key/) {
        if (n > 2 && words[3] !~ /^(-|:.*)$/) words[3] = zeros(words[3])
    } else if (tolower(words[1]) == "integrity") {
        for (i = 2; i <= n; i++)
            if (match(words[i], /^(internal_hash|journal_crypt|journal_mac):[^:]*:/))
                words[i] = substr(words[i], 1, RLENGTH) zeros(substr(words[i], RLENGTH + 1))
    } else return row
    for (i = 1; i <= n; i++) head = head (i > 1 ? " " : "") words[i]
    return head
}
function zeros(key) {
    gsub(/./, "0", key)
    return key
}
function clean_text(text,   kept, from, size) {
    if (kind == "kernel-dm" && match(tolower(text), /command line:?/))
        return substr(text, 1, RSTART + RLENGTH - 1) " ***"
    kept = ""
    while (match(tolower(text), ADDRESS "|" ASSIGNED)) {
        from = RSTART
        size = RLENGTH
        if (substr(text, from, 1) == ":") kept = kept substr(text, 1, from + 2) "***@"
        else {
            match(substr(text, from, size), /%|[=:][ \t]*|[ \t]+/)
            kept = kept substr(text, 1, from + RSTART + RLENGTH - 2) "***"
        }
        text = substr(text, from + size)
    }
    return kept text
}
BEGIN {
    ADDRESS = "://[^ \t,\"']*@"
    VALUE = "(\"[^\"]*\"|'[^']*'|[^ \t,\"']+)"
    WORD = "(pass|pwd|secret|token|key|auth|cred|psk|[^a-z]pw)[a-z0-9_-]*"
    ASSIGNED = WORD "=" VALUE "|user(name)?=[^ \t,%]*%[^ \t,]+"
    if (kind ~ /\.err$/) # elsewhere these are devices and paths: /dev/mapper/pve-ssh--keys
        ASSIGNED = ASSIGNED "|" WORD "[\"']+:[ \t]*" VALUE "|(password|passphrase|token|secret):[ \t]*" VALUE \
            "|authorization:[ \t]*.+|--[a-z0-9-]*" WORD "[ \t]+" VALUE
}
AWK
    cat >"$work/manifest.awk" <<'AWK'
# Prints manifest.json from the notes below WORK.
BEGIN {
    FS = "\t"
    while ((getline < (work "/sizes")) > 0) size[$2] = $1
    while ((getline line < (work "/sums")) > 0) sum[substr(line, 67)] = substr(line, 1, 64)
    printf "{\"format\":1,\"collector\":%s,\"node\":%s,\n", json(version), json(node)
    printf "\"started_at\":%s,\"finished_at\":%s,\n", json(started), json(finished)
    printf "\"machine_id_sha256\":%s,\n", (machine == "" ? "null" : json(machine))
    list("commands")
    while ((getline < (work "/commands")) > 0)
        item("{\"id\":" json($1) ",\"command\":" json($5) ",\"status\":" $2 ",\"timed_out\":" $3 ",\"seconds\":" $4 \
            "," digest("commands/" $1 ".out") "}")
    list("files")
    while ((getline < (work "/unread")) > 0) unread[$1] = 1
    close(work "/unread")
    while ((getline < (work "/files")) > 0) {
        if ($1 in unread) continue
        if (size["files" $1] != $2) failed = 1 # a short write: the file system below WORK is full
        item("{\"path\":" json($1) "," digest("files" $1) ",\"masked\":" $3 "}")
    }
    list("unread")
    while ((getline < (work "/unread")) > 0) item("{\"path\":" json($1) ",\"error\":" json($2) "}")
    list("directories")
    while ((getline < (work "/directories")) > 0) if (!($1 in unread)) item(json($1))
    print "\n]}"
    exit failed
}
function list(name) { printf "%s\"%s\":[", (lists++ ? "\n],\n" : ""), name; items = 0 }
function item(text) { printf "%s\n%s", (items++ ? "," : ""), text }
function digest(name) { return "\"bytes\":" (size[name] + 0) ",\"sha256\":" json(sum[name]) }
function json(text,   i, c, out) {
    out = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "\\" || c == "\"") c = "\\" c
        else if (c < " " || c > "~") c = "?"
        out = out c
    }
    return "\"" out "\""
}
AWK
    cat >"$work/zip.pl" <<'PERL'
# Writes the files named on standard input, below the folder TOP, as a zip to standard output; all carry TOP's time.
use strict;
use warnings;
use IO::Compress::Zip qw(:constants $ZipError);
use Time::Local;
my ($top) = @ARGV;
my @time = $top =~ /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/ or die "no time in $top\n";
my $time = timegm(@time[5, 4, 3, 2], $time[1] - 1, $time[0]);
my $zip;
while (my $name = <STDIN>) {
    chomp $name;
    my @entry = (Name => "$top/$name", Time => $time, Method => ZIP_CM_DEFLATE, ExtAttr => 0100600 << 16);
    if ($zip) { $zip->newStream(@entry) or die "$name: $ZipError\n" }
    else { $zip = IO::Compress::Zip->new('-', @entry) or die "$name: $ZipError\n" }
    open my $file, '<:raw', $name or die "$name: $!\n";
    my $count;
    while ($count = read $file, my $bytes, 65536) { $zip->print($bytes) or die "$name: $ZipError\n" }
    defined $count or die "$name: $!\n";
}
$zip->close or die "$ZipError\n";
PERL
}

main "$@"
