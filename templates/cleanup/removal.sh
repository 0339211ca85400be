# --- The way back, and the removal -------------------------------------------

# Whether the way back can be written down: a table must look like one, and one
# with keys is shown without them.
can_be_undone() {
    [ "$doing" = remove ] || return 0
    if ! printf '%s\n' "$live_table" >"$TMP/table"; then
        because "$TMP cannot be written"
        return 1
    fi
    searched -Ev '^[0-9]+ [0-9]+ [a-z][a-z0-9-]*( .*)?$' "$TMP/table" || return 1
    if [ "$matches" = yes ]; then
        because 'its table cannot be read, so it could not be brought back'
        return 1
    fi
    searched -E '^[0-9]+ [0-9]+ (crypt|integrity|inlinecrypt|default-key)( |$)' "$TMP/table" || return 1
    [ "$matches" = no ] ||
        because 'it is encrypted: without its keys it could not be brought back'
}

# Puts the way back in front of those already in the undo script, so that what
# went last comes back first: parents before their children. The file is whole
# at every moment.
write_way_back() {
    way_back >"$TMP/way-back" &&
        cat "$TMP/way-back" "$TMP/undo-steps" >"$TMP/undo-steps.new" &&
        write_undo "$TMP/undo-steps.new"
}

# What was to be taken out stayed, or is to stay: its way back is not kept.
drop_way_back() {
    write_undo "$TMP/undo-steps" || say "warning: the undo script $UNDO may bring back $name, too; it was not taken out"
}

# What was to be taken out is gone, or may be: its way back is kept.
keep_way_back() {
    mv -f "$TMP/undo-steps.new" "$TMP/undo-steps"
}

write_undo() {
    if [ ! -s "$1" ]; then
        rm -f "$UNDO"
        return
    fi
    undo_head >"$UNDO.new" &&
        cat "$1" >>"$UNDO.new" &&
        undo_tail >>"$UNDO.new" &&
        mv -f "$UNDO.new" "$UNDO" &&
        return 0
    rm -f "$UNDO.new"
    return 1
}

# One step of the undo script. Every name in it is of letters, digits and
# + _ . - # : = @ / only, and the table's lines start with a number.
way_back() {
    printf '\n# taken out %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    case $doing in
    deactivate) printf "activate '%s' '%s'\n" "$volume" "$uuid" ;;
    remove)
        case $live_attr in
        *r) write_mode=--readonly ;;
        *) write_mode=--readwrite ;;
        esac
        beside=
        [ "$(is_a_volumes "$name")" != yes ] || beside=beside
        table_by_names >"$TMP/named-table" &&
            cat "$TMP/parents" &&
            printf "create '%s' '%s' %s '%s' <<'TABLE'\n" "$name" "$uuid" "$write_mode" "$beside" &&
            cat "$TMP/named-table" &&
            echo TABLE
        ;;
    esac
}

# Prints yes if LVM has a volume that a device of this name is for, which was in
# the way of that one already; or no.
is_a_volumes() {
    awk -F '|' -v name="$1" "$NAMES_OF_VOLUMES" "$TMP/volumes"
}

NAMES_OF_VOLUMES='
split($2, part, "/") == 2 {
    gsub(/-/, "--", part[1])
    gsub(/-/, "--", part[2])
    if (part[1] "-" part[2] "" == name "") found = 1
}
END { print found ? "yes" : "no" }'

# The live table with the device-mapper devices in it by name: a parent that is
# brought back may get another number. $TMP/parents has the steps that make sure
# of them.
table_by_names() {
    printf '%s\n' "$live_table" >"$TMP/table" &&
        true >"$TMP/parents" &&
        awk -v folder="$DEV/mapper" -v parents="$TMP/parents" '
            FNR == NR {
                split($0, column, "|")
                if (column[1] !~ /^[A-Za-z0-9+_.-]+$/ || column[2] ~ /[^A-Za-z0-9+_.:@=\/#-]/) next
                number = column[3] ":" column[4]
                path[number] = folder "/" column[1]
                step[number] = "on \047" column[1] "\047 \047" column[2] "\047"
                next
            }
            {
                for (i = 1; i <= NF; i++) if ($i in path) {
                    if (step[$i] != "") print step[$i] >parents
                    step[$i] = ""
                    $i = path[$i]
                }
                print
            }' "$TMP/devices" "$TMP/table"
}

undo_tail() {
    printf '}\n\n# One line, so that a script that was cut off anywhere does nothing.\n'
    printf '{ steps; ended=yes; exit "$failed"; }\n'
}

undo_head() {
    boot_now=$(tr -cd 'a-f0-9-' <"$PROC/sys/kernel/random/boot_id") && [ -n "$boot_now" ] || return 1
    cat <<EOF || return 1
#!/bin/sh
# Brings back what a cleanup script took out of the kernel of $NODE, the last
# first. Run it as root on that node. What is there already is left alone.

ended=no
trap '[ "\$ended" = yes ] || { echo "not finished: this script ended early; run it again" >&2; exit 1; }' EXIT
LC_ALL=C
PATH=\${PATH:+\$PATH:}/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 077
NODE='$NODE'
MACHINE_ID='$MACHINE_ID'
MACHINE_ID_SHA256='$MACHINE_ID_SHA256'
LOCK='$RUN/dmaudit-cleanup.lock'
BOOT_ID_FILE='$PROC/sys/kernel/random/boot_id'
LVM_CONFIG='$LVM_CONFIG'
# shellcheck disable=SC2016 # an awk program
NAMES_OF_VOLUMES='$NAMES_OF_VOLUMES'
BOOT_ID='$boot_now'
EOF
    cat <<'EOF'
failed=0
parents=

refuse() {
    echo "refused: $*" >&2
    ended=yes
    exit 2
}

# Sets $volumes: what LVM has now, a line for each, UUID|VG/LV.
ask_lvm() {
    volumes=$(lvs -a --config "$LVM_CONFIG" --reportformat basic --noheadings --separator '|' \
        -o vg_uuid,lv_uuid,vg_name,lv_name,lv_kernel_major,lv_kernel_minor,lv_attr) || return 1
    volumes=$(printf '%s\n' "$volumes" | awk -F '|' '
        NF > 3 { gsub(/ /, ""); id = $1 $2; gsub(/-/, "", id); print "LVM-" id "|" $3 "/" $4 }')
}

not_back() {
    echo "$*" >&2
    failed=1
}

# activate VG/LV UUID
activate() {
    if ! ask_lvm; then
        not_back "$1: not activated: lvs failed"
    elif ! printf '%s\n' "$volumes" | grep -Fqx -- "$2|$1"; then
        not_back "$1: not activated: it is gone, or another volume has its name now"
    else
        lvchange -ay -K "$1" || failed=1
    fi
}

# Prints yes if LVM has a volume that this device name is for, or no.
is_a_volumes() {
    printf '%s\n' "$volumes" | awk -F '|' -v name="$1" "$NAMES_OF_VOLUMES"
}

# on NAME UUID: a device that the next mapping lies on.
on() {
    parents="$parents$1|$2
"
}

listing() {
    dmsetup info -c --noheadings --separator '|' -o name,uuid,major,minor,open,attr
}

# Prints what the kernel has, a line for each, NAME|UUID.
devices() {
    listing | cut -d '|' -f 1,2
}

# Whether it has this device, NAME|UUID. Another one of that name may be another
# guest's disk.
has() {
    devices | grep -Fqx -- "$1"
}

# Whether it has a table, too: a device that was made halfway has none.
is_whole() {
    listing | sed 's/^/|/' | grep -F -- "|$1|" | grep -q '|L[^|]*$'
}

# Sets $absent: a device that the mapping lay on, and that is not there.
parents_are_there() {
    absent=
    while read -r parent; do
        [ -z "$parent" ] || has "$parent" || absent=${parent%%|*}
    done <<PARENTS
$parents
PARENTS
    parents=
    [ -z "$absent" ]
}

# create NAME UUID MODE [beside] <TABLE. What LVM has gets no other mapping under
# its name, unless it had one before.
create() {
    table=$(cat) || {
        not_back "$1: not brought back: its table could not be read"
        return
    }
    parents_are_there
    if [ "$(cat "$BOOT_ID_FILE")" != "$BOOT_ID" ]; then
        not_back "$1: not brought back: the node was rebooted, its table may name other disks"
    elif ! ask_lvm; then
        not_back "$1: not brought back: lvs failed"
    elif [ "$4" != beside ] && [ "$(is_a_volumes "$1")" != no ]; then
        not_back "$1: not brought back: LVM has a volume of that name now, which could not be activated"
    elif has "$1|$2" && ! is_whole "$1|$2"; then
        not_back "$1: is there without its table, as an undo that was cut short leaves it; take it out by hand, then run this again"
    elif has "$1|$2"; then
        echo "$1: is there already"
    elif devices | cut -d '|' -f 1 | grep -Fqx -- "$1"; then
        not_back "$1: not brought back: another device has its name now"
    elif [ -n "$absent" ]; then
        not_back "$1: not brought back: $absent, which it lay on, is not there, or is another device now"
    elif [ "$3" = --readonly ]; then
        printf '%s\n' "$table" | dmsetup create "$1" ${2:+--uuid "$2"} --readonly || failed=1
    else
        printf '%s\n' "$table" | dmsetup create "$1" ${2:+--uuid "$2"} || failed=1
    fi
}

name=$(uname -n)
if [ "${name%%.*}" != "$NODE" ] || [ "$(id -u)" != 0 ]; then
    refuse "this undoes a cleanup of $NODE, and must run there, as root"
fi
if [ -n "$MACHINE_ID_SHA256" ] &&
    [ "$(sha256sum <"$MACHINE_ID" | cut -d ' ' -f 1)" != "$MACHINE_ID_SHA256" ]; then
    refuse "this machine is called $NODE, too, but it is another one (machine-id)"
fi
{ true >>"$LOCK"; } 2>/dev/null || refuse "$LOCK cannot be written"
exec 9>>"$LOCK"
flock -w 1 9 || refuse 'a cleanup is under way on this node'

steps() {
EOF
}

# THE ONLY FUNCTION THAT REMOVES. Nothing else in this script holds a command
# that changes a device, and only 'item' calls it, after every guard.
take_out() {
    case $doing in
    remove) limited "$CHANGE_SECONDS" dmsetup remove "$name" ;;
    deactivate) limited "$CHANGE_SECONDS" lvchange -an "$volume" ;;
    esac
}
