# --- Guards: the device ------------------------------------------------------
#
# A guard succeeds, or says why not and fails. What cannot be found out fails.

# Device numbers are handed out anew at each boot, and so much else changed.
same_boot() {
    [ -n "$BOOT_ID" ] || return 0
    boot_now=$(cat "$PROC/sys/kernel/random/boot_id" 2>/dev/null)
    [ "$boot_now" = "$BOOT_ID" ] ||
        because 'the node was rebooted since the snapshot; collect and analyze again'
}

# Reads what the kernel has under this name now. Fails only if it does not
# answer; $found says whether there is such an entry.
look_up() {
    found=no
    renamed=
    limited "$ASK_SECONDS" dmsetup info -c --noheadings --separator '|' \
        -o name,uuid,major,minor,open,attr
    answered 'dmsetup info' || return 1
    # An answer of another shape is none: what it lacks is not gone.
    if ! grep -Fqx 'No devices found' "$answer.out" &&
        ! awk -F '|' 'NF != 6 || $1 == "" { exit 1 } END { if (NR == 0) exit 1 }' "$answer.out"; then
        because 'the answer of dmsetup info could not be understood'
        return 1
    fi
    keep_answer devices || return 1
    while IFS='|' read -r its_name its_uuid its_major its_minor its_open its_attr; do
        if [ "$its_name" = "$name" ]; then
            found=yes
            live_uuid=$its_uuid
            live_major=$its_major
            live_minor=$its_minor
            live_open=$its_open
            live_attr=$its_attr
        elif [ -n "$uuid" ] && [ "$its_uuid" = "$uuid" ]; then
            renamed=$its_name
        fi
    done <"$TMP/devices"
}

# The entry is the one of the snapshot: by its UUID, which no two entries of a
# kernel share, or, without one, by its table. With a UUID a changed table is no
# other entry, but no longer what was judged either.
same_device() {
    look_up || return 1
    if [ "$found" = no ]; then
        if [ -n "$renamed" ]; then
            because "the device with its UUID has another name now: $(shown "$renamed")"
        else
            gone=yes
            because 'already gone'
        fi
        return 1
    fi
    if [ "$live_uuid" != "$uuid" ]; then
        because "another device has this name now (UUID '$(shown "$live_uuid")')"
        return 1
    fi
    if ! is_number "$live_major" || ! is_number "$live_minor"; then
        because 'its device number is not known'
        return 1
    fi
    limited "$ASK_SECONDS" dmsetup table "$name"
    answered 'dmsetup table' || return 1
    if ! live_table=$(sed 's/ *$//' "$answer.out"); then
        because 'its table could not be read'
        return 1
    fi
    if [ -z "$uuid$table" ]; then
        because 'it has neither a UUID nor a recorded table to know it by'
        return 1
    elif [ -n "$table" ] && [ "$live_table" != "$table" ]; then
        because 'its table is not the one of the snapshot'
        return 1
    fi
    case $live_attr in
    L--w | L--r) ;;
    ??s*) because 'it is suspended' ;;
    ?I*) because 'a new table is loaded for it: something is changing it right now' ;;
    *) because "it has no live table (attributes '$(shown "$live_attr")')" ;;
    esac
}

# Nothing uses it, as far as the kernel and every process can tell.
not_in_use() {
    not_held && not_mounted && not_swapped_on && no_process_has_it
}

# Nothing is on top of it, and its open count is 0. A dry run does not count
# the entries on top that it has just said it would take out.
not_held() {
    if ! is_number "$live_open"; then
        because 'its open count is not known'
        return 1
    fi
    limited "$ASK_SECONDS" ls "$SYS/block/dm-$live_minor/holders"
    answered "reading $SYS/block/dm-$live_minor/holders" || return 1
    going=0
    while read -r holder; do
        case " $would_go " in
        *" $holder "*) going=$((going + 1)) ;;
        *)
            because "open count is $live_open: the device $(shown "$holder") is on top of it"
            return 1
            ;;
        esac
    done <"$answer.out" || {
        because "$TMP cannot be read"
        return 1
    }
    [ "$live_open" = "$going" ] ||
        because "open count is $live_open (something uses it)"
}

# No process sees it mounted, in whatever mount namespace (containers).
not_mounted() {
    limited "$ASK_SECONDS" cat "$PROC/1/mountinfo"
    answered "reading $PROC/1/mountinfo" || return 1
    limited "$ASK_SECONDS" find "$PROC" -mindepth 1 -maxdepth 2 \
        ! -path "$PROC/[0-9]*" -prune -o -path "$PROC/[0-9]*/mountinfo" \
        -exec grep -ahF -e " $live_major:$live_minor " -e "$DEV/mapper/$name" -e "$DEV/dm-$live_minor" '{}' +
    # grep finds nothing, as a rule, which find calls a failure. A process may
    # end while this runs, and one that has ended has no mounts.
    case $status in
    0 | 1) ;;
    *) answered 'reading the mounts of all processes' || return 1 ;;
    esac
    its_end=': (No such file or directory|No such process|Invalid argument)$'
    searched -Ev "$its_end" "$answer.err" || return 1
    if [ "$matches" = yes ]; then
        because "the mounts of all processes could not be read: $(shown "$(grep -Ev "$its_end" "$answer.err" | head -n 1)")"
        return 1
    fi
    if ! mounted=$(awk -v number="$live_major:$live_minor" \
        -v path="$DEV/mapper/$name" -v node="$DEV/dm-$live_minor" '
        {
            source = ""
            for (i = 7; i < NF; i++) if ($i == "-") { source = $(i + 2); break }
            if ($3 == number || source == path || source == node) { print $5; exit }
        }' "$answer.out"); then
        because 'the mounts could not be read'
        return 1
    fi
    [ -z "$mounted" ] || because "it is mounted on $(shown "$mounted")"
}

# Swap is listed by path; a path says nothing, so its device number is compared.
not_swapped_on() {
    number=$(printf '%x:%x' "$live_major" "$live_minor")
    limited "$ASK_SECONDS" cat "$PROC/swaps"
    answered "reading $PROC/swaps" || return 1
    keep_answer swaps || return 1
    while read -r swap_path swap_type _; do
        [ "$swap_type" = partition ] || continue
        limited "$ASK_SECONDS" stat -L -c '%t:%T' "$swap_path"
        answered 'finding the device of a swap area' || return 1
        if ! read -r swap_number <"$answer.out"; then
            because "$TMP cannot be read"
            return 1
        fi
        if [ "$swap_number" = "$number" ]; then
            because 'the node swaps on it'
            return 1
        fi
    done <"$TMP/swaps"
}

# The kernel's open count is the authority; this finds a liar, and who it is.
no_process_has_it() {
    if command -v fuser >/dev/null; then
        limited "$ASK_SECONDS" fuser "$DEV/dm-$live_minor"
    elif command -v lsof >/dev/null; then
        limited "$ASK_SECONDS" lsof -w -n -P "$DEV/dm-$live_minor"
    else
        return 0
    fi
    if [ "$status" = 0 ] || [ -s "$answer.out" ]; then
        because "a process has it open: $(shown "$(cat "$answer.out")")"
        return 1
    fi
    # Both say 'nothing found' with exit status 1 and no word. A file of some
    # process that fuser may not look at (FUSE in a container) is no device.
    searched -v '^Cannot stat file ' "$answer.err" || return 1
    if [ "$status" != 1 ] || [ "$matches" = yes ]; then
        answered 'looking for processes that have it open'
        return 1
    fi
}
