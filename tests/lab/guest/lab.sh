# What every scenario has at hand: checks on the kernel's state, the program's runs, and keeping two nodes in step.
# shellcheck shell=sh
RESULTS=/lab/results
NODE=$(hostname)
BOOT=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^lab.boot=//p')
NODES=$(sed -n 's/^# nodes: //p' /lab/scenario.sh)
export RESULTS NODE BOOT

# shellcheck disable=SC2034 # world.sh uses them
# LOCAL, SHARED, SYNC: the virtio disks that the host gave these serial numbers: the node's own, the SAN's, the one to keep in step.
for disk in /sys/block/vd*; do
    case $(cat "$disk/serial") in
    local) LOCAL=/dev/${disk##*/} ;;
    shared) SHARED=/dev/${disk##*/} ;;
    sync) SYNC=/dev/${disk##*/} ;;
    esac
done

# step TEXT: what happens now; named when the scenario stops here.
step() {
    echo "$*" >"$RESULTS/step"
    echo "lab: [$(cut -d' ' -f1 /proc/uptime)] $*"
}

# check TEXT COMMAND…: one assertion. A failed one does not end the scenario: the others may tell why.
check() {
    what=$1
    shift
    if "$@"; then
        echo "ok $what" >>"$RESULTS/checks"
    else
        echo "FAILED $what" >>"$RESULTS/checks"
        echo "lab: FAILED $what: $*"
    fi
}

# there NAME / gone NAME: a device-mapper entry of this name exists in the kernel, or does not.
there() { dmsetup info -c --noheadings -o name "$1" >/dev/null 2>&1; }
gone() { ! there "$1"; }
uuid_of() { dmsetup info -c --noheadings -o uuid "$1"; }
open_count() { dmsetup info -c --noheadings -o open "$1"; }
names() { dmsetup info -c --noheadings -o name | sort; }

# kernel_state: every entry with its number, UUID, state and open count, every table, and LVM's own view with each VG's revision.
kernel_state() {
    dmsetup info -c --noheadings --separator '|' -o name,major,minor,uuid,attr,open | sort
    dmsetup table | sort
    vgs --noheadings -o vg_name,vg_seqno
    lvs --noheadings -o vg_name,lv_name,lv_uuid,lv_attr,seg_pe_ranges
}
keep_state() {
    udevadm settle
    kernel_state >"$1"
}
unchanged_since() {
    udevadm settle
    kernel_state >"$1.now"
    diff "$1" "$1.now"
}

# attempt COMMAND…: runs it, keeps its status and both its outputs, and never fails itself.
# answering TEXT COMMAND…: the same on a terminal where somebody types TEXT (as in printf).
# exited CODE…: the last attempt ended with one of these. said TEXT: and printed this (extended regular expression).
ATTEMPT=0
attempt() {
    ATTEMPT=$((ATTEMPT + 1))
    SAID=$RESULTS/attempt-$BOOT-$ATTEMPT.txt
    STATUS=0
    "$@" </dev/null >"$SAID" 2>&1 || STATUS=$?
    cat "$SAID"
    echo "lab: attempt $ATTEMPT exited $STATUS: $*"
}
answering() {
    # shellcheck disable=SC2059
    printf "$1" >/tmp/typed
    shift
    # shellcheck disable=SC2016
    attempt sh -c 'script -qec "$1" /dev/null </tmp/typed' answering "$*"
}
exited() {
    for code in "$@"; do [ "$STATUS" = "$code" ] && return; done
    return 1
}
# skipped NAME TEXT: it said that it skips this entry for this reason.
said() { grep -qE -- "$1" "$SAID"; }
skipped() { said "^skip +$1: .*($2)"; }

# collect FILE / analyze DIR BUNDLE…: the program's first two steps, as a support engineer takes them.
collect() { sh /lab/dmaudit-collect.sh -o "$1"; }
analyze() {
    out=$1
    shift
    /lab/bin/dmaudit analyze "$@" -o "$out"
}
# audit_here DIR: collects on this node alone and analyzes; leaves the script as CLEANUP.
audit_here() {
    mkdir -p "$1"
    collect "$1/$NODE.zip"
    analyze "$1/report" "$1/$NODE.zip" >"$1/report.txt"
    CLEANUP=$1/report/cleanup/cleanup-$NODE.sh
    cp "$CLEANUP" "$RESULTS/"
}

# report DIR: collects on this node alone and leaves the report for programs as DIR/report.json, and CLEANUP if there is a script.
# found DIR CHECK SUBJECT: the severity of each such finding in it. judged DIR NAME FIELD: what it says of an entry.
report() {
    mkdir -p "$1"
    collect "$1/$NODE.zip"
    analyze "$1/report" --format json "$1/$NODE.zip" >"$1/report.json"
    CLEANUP=$1/report/cleanup/cleanup-$NODE.sh
    mkdir -p "$RESULTS/${1##*/}"
    cp -r "$1/report.json" "$1/$NODE.zip" "$RESULTS/${1##*/}/"
}
found() { report_says "$1" findings check "$2" subject "$3" severity; }
judged() { report_says "$1" entries name "$2" name "$2" "$3"; }
# report_says DIR LIST KEY VALUE KEY VALUE FIELD: the field of each item that matches.
report_says() {
    perl -MJSON::PP -e '
        my ($dir, $list, $key, $value, $key2, $value2, $field) = @ARGV;
        local $/;
        open(my $in, "<", "$dir/report.json") or die "$dir: $!";
        my $node = decode_json(<$in>)->{nodes}[0] or die "$dir: no node in the report\n";
        print "$_->{$field}\n" for grep { $_->{$key} eq $value && $_->{$key2} eq $value2 } @{ $node->{$list} };' "$@"
}

# --- two nodes in step: each writes the number of the barrier it reached into its own block of the sync disk.
BARRIER=0
slot_of() { [ "$1" = "${NODES%% *}" ] && echo 0 || echo 1; }
sync_write() { printf '%-4096s' "$1" | dd of="$SYNC" bs=4096 count=1 iflag=fullblock oflag=direct seek="$(slot_of "$NODE")" conv=notrunc status=none; }
sync_read() { dd if="$SYNC" bs=4096 count=1 iflag=direct skip="$1" status=none | tr -d '\0 '; }
barrier_fail() { sync_write failed; }
# barrier TEXT: waits until the other node is here too; ends the scenario when the other one failed or doesn't come.
barrier() {
    step "barrier: $1"
    BARRIER=$((BARRIER + 1))
    sync_write "$BARRIER"
    set +x
    tries=0
    while :; do
        other=$(sync_read $((1 - $(slot_of "$NODE"))))
        [ "$other" = failed ] && echo "lab: the other node failed" && exit 1
        [ "${other:-0}" -ge "$BARRIER" ] && break
        tries=$((tries + 1))
        [ "$tries" -lt 900 ] || { echo "lab: the other node doesn't come"; exit 1; }
        sleep 0.2
    done
    set -x
}
# give DIR: puts a folder where the other node can take it. take DIR: unpacks what the other gave. A barrier goes between them.
give() { tar -cf - -C "$1" . | dd of="$SYNC" bs=1M oflag=seek_bytes seek=$((($(slot_of "$NODE") + 1) * 33554432)) conv=notrunc,fsync status=none; }
take() {
    mkdir -p "$1"
    dd if="$SYNC" bs=1M count=32 iflag=direct skip=$(((2 - $(slot_of "$NODE")) * 32)) status=none | tar -xf - -C "$1"
}

# boot_again: ends this boot; the scenario starts over with BOOT one higher, the same disks and the same RESULTS.
boot_again() {
    : >"$RESULTS/reboot"
    trap - EXIT
    exit 0
}

# note TEXT: a measurement to print beside the scenario's PASS.
note() { echo "$*" >>"$RESULTS/note"; }

# unpack ZIP DIR: with perl, as a node has no unzip.
unpack() {
    mkdir -p "$2"
    perl -MIO::Uncompress::Unzip -e '
        my ($zip, $dir) = @ARGV;
        my $in = IO::Uncompress::Unzip->new($zip) or die "$zip is no zip file\n";
        do {
            my $name = $in->getHeaderInfo->{Name};
            (my $folder = "$dir/$name") =~ s,/[^/]*$,,;
            system("mkdir", "-p", $folder);
            next if $name =~ m,/$,;
            open(my $out, ">", "$dir/$name") or die "$name: $!";
            print $out $_ while $in->read($_) > 0;
        } while $in->nextStream > 0;' "$1" "$2"
}
