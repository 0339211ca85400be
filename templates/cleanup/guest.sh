# --- Guards: the guest -------------------------------------------------------

# /etc/pve answers, and it is the cluster's file system: when that is down, the
# folder is empty, and nothing can be said about any guest.
pve_answers() {
    limited "$ASK_SECONDS" ls "$PVE/nodes/$NODE"
    answered "$PVE/nodes/$NODE" || return 1
    # Without quorum this node may be looking at an old copy.
    limited "$ASK_SECONDS" cat "$PVE/.members"
    if [ "$status" = 0 ]; then
        searched -E '"quorate": *0' "$answer.out" || return 1
        if [ "$matches" = yes ]; then
            because 'the cluster has no quorum, so the configurations seen here may be old'
        elif [ ! -s "$answer.out" ]; then
            because "$PVE/.members is empty, so whether the cluster has quorum is not known"
        fi
    else
        # Not there is an answer. Any other failure is a file system that went away.
        searched ': No such file or directory$' "$answer.err" || return 1
        [ "$status:$matches" = 1:yes ] || answered "reading $PVE/.members"
    fi
}

# Sets $guests: the guest by the entry's name, and the one by the volume's. They
# are two where the volume was renamed, on another node; $owned_by is the latter.
whose_it_is() {
    guests=$vmid
    owned_by=$vmid
    owner=${volume#*/}
    owner=${owner#del-}
    owner=${owner#snap_}
    case $owner in
    vm-*-* | base-*-*)
        owner=${owner#*-}
        owner=${owner%%-*}
        if is_number "$owner" && [ "$owner" != "$vmid" ]; then
            guests="$guests $owner"
            owned_by=$owner
        fi
        ;;
    esac
}

# The guest does not run on this node and is not locked in a listing.
guest_is_idle() {
    whose_it_is
    guests_listed=no
    limited "$ASK_SECONDS" qm list
    answered 'qm list' || return 1
    guest_in_list 'qm list' || return 1
    limited "$ASK_SECONDS" pct list
    answered 'pct list' || return 1
    guest_in_list 'pct list' || return 1
    for guest in $guests; do
        [ ! -e "$RUN/qemu-server/$guest.pid" ] || no_process_of "$guest" || return 1
    done
}

no_process_of() {
    if ! read -r pid <"$RUN/qemu-server/$1.pid" || ! is_number "$pid"; then
        because "$RUN/qemu-server/$1.pid cannot be read, so guest $1 may be running"
    elif [ -e "$PROC/$pid" ]; then
        because "guest $1 is running (process $pid)"
    fi
}

# Finds the guest in a listing by the listing's own header. Only NAME may hold
# blanks or be empty: columns before it are counted from the left, columns
# behind it from the right.
guest_in_list() {
    [ -s "$answer.out" ] || return 0 # both print nothing when there is no guest
    if ! state=$(awk -v guests="$guests" '
        BEGIN { count = split(guests, list, " "); for (i = 1; i <= count; i++) own[list[i]] = 1 }
        NR == 1 {
            width = NF
            for (i = 1; i <= NF; i++) column[toupper($i)] = i
            if (!("VMID" in column) || !("STATUS" in column)) { print "unreadable"; exit }
            next
        }
        NF == 0 { next }
        function value(title,   at) {
            at = column[title]
            if ("NAME" in column && at > column["NAME"]) at = NF < width ? 0 : NF - (width - at)
            return at > 0 && at <= NF ? $at : "unreadable"
        }
        {
            id = value("VMID")
            if (id !~ /^[0-9]+$/) { print "unreadable"; exit }
            print "listed"
            if (!(id in own)) next
            print "guest", id
            print "status", value("STATUS")
            if ("LOCK" in column && NF >= width) print "lock", value("LOCK")
        }' "$answer.out"); then
        because "the answer of $1 could not be read"
        return 1
    fi
    while read -r what value; do
        case $what in
        listed) guests_listed=yes ;;
        guest) guest=$value ;;
        status)
            if [ "$value" != stopped ]; then
                because "guest $guest is not stopped on this node: its status is '$(shown "$value")'"
                return 1
            fi
            ;;
        lock)
            because "guest $guest is locked ($(shown "$value"))"
            return 1
            ;;
        unreadable)
            because "the answer of $1 could not be understood"
            return 1
            ;;
        esac
    done <<EOF
$state
EOF
}

# configurations ACTION...: find's action on the configurations of all guests of
# the cluster.
configurations() {
    limited "$ASK_SECONDS" find "$PVE/nodes" -mindepth 3 -maxdepth 3 \
        \( -path '*/qemu-server/*.conf' -o -path '*/lxc/*.conf' \) "$@"
}

# No configuration of any guest of the cluster names it, and its own guest is
# not locked, wherever it is.
not_configured() {
    configurations -print
    answered 'listing the configurations of the guests' || return 1
    if [ ! -s "$answer.out" ] && [ "$guests_listed" = yes ]; then
        because "qm or pct list guests, but $PVE holds no configuration of any"
        return 1
    fi
    if [ "$guest_gone" = yes ]; then
        searched "/$owned_by\.conf\$" "$answer.out" || return 1
        if [ "$matches" = yes ]; then
            because "guest $owned_by has a configuration now: the VMID was given out again since the snapshot, or it lives elsewhere"
            return 1
        fi
    fi
    unwanted="$words dm-$live_minor"
    # A volume that LVM knows may be named by LVM's name, whatever was recorded;
    # one of LINSTOR's by the part before its number.
    if [ "$doing" = deactivate ]; then
        unwanted="$unwanted ${volume#*/}"
        case $volume in
        *_[0-9][0-9][0-9][0-9][0-9]) unwanted="$unwanted $(printf '%s' "${volume#*/}" | sed 's/_[0-9]*$//')" ;;
        esac
    fi
    configurations -exec awk -v words="$unwanted" -v guests="$guests" -v lv="${volume#*/}" \
        "$REFERENCES" '{}' +
    answered 'reading the configurations of the guests' || return 1
    if [ -s "$answer.out" ]; then
        because "$(shown "$(head -n 1 "$answer.out")")"
        return 1
    fi
    not_configured_by_path
}

# No path in any configuration leads to it: a name of udev's or of a person's
# says nothing, so its device number is compared. A path that leads nowhere on
# this node leads to no device of it.
not_configured_by_path() {
    no_path_leads_to_it "$PATHS" || return 1
    # One outside of /dev may be a file on a server that is gone.
    if [ "$far_paths_hang" = yes ]; then
        because 'a path in a configuration gave no answer before, so where it leads is not known'
        return 1
    fi
    no_path_leads_to_it "$FAR_PATHS" && return 0
    [ "$status" != hung ] || far_paths_hang=yes
    return 1
}

# no_path_leads_to_it PROGRAM: of those that this awk program finds.
no_path_leads_to_it() {
    configurations -exec awk -v folder="$DEV" "$1" '{}' +
    answered 'reading the paths in the configurations of the guests' || return 1
    [ -s "$answer.out" ] || return 0
    keep_answer paths || return 1
    limited "$ASK_SECONDS" xargs -r -d '\n' -a "$TMP/paths" stat -L -c '%t:%T %n'
    case $status in
    0 | 123) ;;
    *) answered 'finding the devices of the paths in the configurations' || return 1 ;;
    esac
    # What root is not let to lead nowhere either: no program on this node gets there.
    its_end=': (No such file or directory|Not a directory|File name too long|Too many levels of symbolic links|Permission denied)$'
    searched -Ev "$its_end" "$answer.err" || return 1
    if [ "$matches" = yes ]; then
        because "where a path in a configuration leads is not known: $(shown "$(grep -Ev "$its_end" "$answer.err" | head -n 1)")"
        return 1
    fi
    number=$(printf '%x:%x' "$live_major" "$live_minor")
    while read -r its_number path; do
        if [ "$its_number" = "$number" ]; then
            because "a configuration references it as $(shown "$path")"
            return 1
        fi
    done <"$answer.out"
}

# The awk programs of not_configured_by_path: every path below /dev once. It may
# end at a colon, an equals sign or a backslash (of quoted JSON), or go on behind
# it.
PATHS='
function path(text) {
    if (text !~ /^\/dev\/./ || length(text) > 4096 || text in seen) return
    seen[text] = 1
    print folder substr(text, 5)
}
/^#/ { next }
{
    count = split($0, run, /[ \t\r\f\v,;\"\047)}\]]+/)
    for (i = 1; i <= count; i++) {
        at = index(run[i], "/dev/")
        if (!at) continue
        found = substr(run[i], at)
        path(found)
        end = match(found, /[:=\\]/)
        if (end) path(substr(found, 1, end - 1))
    }
}'

# And those outside of it that a virtual machine has as a drive: a link to a
# device, or the file that it is in.
FAR_PATHS='
function path(text,   end) {
    if (text !~ /^\/./ || text ~ /^\/dev\// || length(text) > 4096 || text in seen) return
    seen[text] = 1
    print text
    end = index(text, "\\")
    if (end) path(substr(text, 1, end - 1))
}
FILENAME !~ /\/qemu-server\// { next }
/^(ide|sata|scsi|virtio|efidisk|tpmstate|unused)[0-9]+[ \t]*:/ && !/media=cdrom/ {
    sub(/[ \t\r\f\v]+$/, "")
    sub(/^[^:]*:[ \t]*/, "")
    count = split($0, part, ",")
    for (i = 1; i <= count; i++) {
        sub(/^(file|volume)=/, "", part[i])
        path(part[i])
    }
}
/^args[ \t]*:/ {
    count = split($0, run, /[ \t\r\f\v,;\"\047)}\]]+/)
    for (i = 1; i <= count; i++) {
        at = match(run[i], /(^|[:=])\//)
        if (at) path(substr(run[i], at + RLENGTH - 1))
    }
}'

# The awk program of not_configured. It reads every line but comments, in every
# section: a snapshot or a pending change needs its volumes too. A word is a
# longest run of letters, digits and + _ . - (udev's dm-name-, dm-uuid- aside).
# LVM snapshots of a disk, snap_DISK_SNAPSHOT, are named nowhere; there the
# guest's section [SNAPSHOT] counts, and such a section of any guest that has DISK.
REFERENCES='
BEGIN {
    count = split(words, list, " ")
    for (i = 1; i <= count; i++) wanted[list[i]] = 1
    disk = lv
    sub(/[.]qcow2$/, "", disk)
}
FNR == 1 {
    section = ""
    own = 0
    count = split(guests, list, " ")
    for (i = 1; i <= count; i++) if (FILENAME ~ ("/" list[i] "[.]conf$")) own = list[i]
}
/^#/ { next }
/^\[/ {
    section = $0
    sub(/^\[/, "", section)
    sub(/\].*$/, "", section)
    ending = "_" section
    if (own && disk ~ /^snap_/ && length(disk) > length(ending) &&
        substr(disk, length(disk) - length(ending) + 1) "" == ending "")
        print "the snapshot " section " in " FILENAME " needs it"
}
own && section == "" && /^lock[ \t]*:/ {
    state = $0
    sub(/^lock[ \t]*:[ \t]*/, "", state)
    print "guest " own " is locked (" state ") in " FILENAME
}
{
    count = split($0, run, /[^A-Za-z0-9+_.-]+/)
    for (i = 1; i <= count; i++) {
        word = run[i]
        sub(/^dm-(name|uuid)-/, "", word)
        if (run[i] in wanted || word in wanted) print FILENAME " references it (" run[i] "), or a volume of that name on another storage"
        sub(/[.]qcow2$/, "", word)
        if (section != "" && "snap_" word "_" section == disk "")
            print "the snapshot " section " of " run[i] " in " FILENAME " needs it"
    }
}'
