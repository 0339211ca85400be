# --- Guards: LVM -------------------------------------------------------------

# From the disks and not from hints, and as lines, whatever lvm.conf says.
LVM_CONFIG='devices/hints="none" report/prefixes=0 report/columns_as_rows=0 report/compact_output=0 log/report_command_log=0'

# Asks LVM, from the disks and not from its hints, whether the volume exists,
# and settles what may be done: $doing is 'remove' for what LVM does not know,
# 'deactivate' for what it does.
lvm_agrees() {
    doing=
    split_uuid || return 1
    limited "$ASK_SECONDS" lvs -a --config "$LVM_CONFIG" --reportformat basic --noheadings --separator '|' \
        -o vg_uuid,lv_uuid,vg_name,lv_name,lv_kernel_major,lv_kernel_minor,lv_attr
    answered lvs || return 1
    # Per volume: UUID without dashes, VG/LV (hidden ones in brackets), number,
    # attributes. A line of another shape is no answer to rely on.
    if ! awk -F '|' '
        function is_uuid(text) { return text ~ /^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/ && split(text, part, "-") == 7 }
        {
            gsub(/ /, "")
            if (NF != 7 || !is_uuid($1) || !is_uuid($2) || $5 !~ /^-?[0-9]+$/ || $6 !~ /^-?[0-9]+$/) {
                print > "/dev/stderr"
                exit 1
            }
            id = $1 $2
            gsub(/-/, "", id)
            print id "|" $3 "/" $4 "|" $5 ":" $6 "|" $7
        }' "$answer.out" >"$TMP/volumes" 2>"$TMP/doubt"; then
        because "the answer of lvs could not be understood: $(shown "$(head -n 1 "$TMP/doubt")")"
        return 1
    fi
    if [ -n "$lvm_id" ] && [ ! -s "$TMP/volumes" ]; then
        because 'lvs lists no volume at all, although this device is one of LVM: are its disks there?'
        return 1
    fi
    known=
    known_number=
    known_attr=
    same_name=0
    while IFS='|' read -r its_id its_volume its_number its_attr; do
        if [ -n "$lvm_id" ] && [ "$its_id" = "$lvm_id" ]; then
            known=$its_volume
            known_number=$its_number
            known_attr=$its_attr
        elif [ "$its_number" = "$live_major:$live_minor" ]; then
            because "LVM uses this device as $(shown "$its_volume")"
            return 1
        fi
        [ "$its_volume" != "$volume" ] || same_name=$((same_name + 1))
    done <"$TMP/volumes" || {
        because "$TMP cannot be read"
        return 1
    }
    if [ -n "$known" ]; then
        may_deactivate
    else
        may_remove && group_is_seen
    fi
}

# A volume is gone only if LVM has read the metadata of its group: one behind a
# filter or on a lost disk has its volumes all the same. lvs shows a group by
# its volumes, and vgs one that has none left.
group_is_seen() {
    [ -n "$lvm_id" ] || return 0
    group=$(printf '%.32s' "$lvm_id")
    ! grep -q "^$group" "$TMP/volumes" || return 0
    limited "$ASK_SECONDS" vgs --config "$LVM_CONFIG" --reportformat basic --noheadings -o vg_uuid
    answered vgs || return 1
    tr -d ' -' <"$answer.out" | grep -Fqx "$group" ||
        because 'LVM does not see its volume group (a filter, or a lost disk?), so its volume may still be there'
}

# LVM's devices have the UUID 'LVM-', the volume group's and the volume's UUID
# (32 characters each) and perhaps '-layer'. Anything else LVM cannot know.
split_uuid() {
    lvm_id=
    layer=
    case $uuid in
    LVM-*) ;;
    *) return 0 ;;
    esac
    if ! echo "$uuid" | grep -Eq '^LVM-[A-Za-z0-9]{64}(-.+)?$'; then
        because 'its UUID starts as those of LVM do, but is not one'
        return 1
    fi
    lvm_id=$(printf '%.64s' "${uuid#LVM-}")
    layer=${uuid#"LVM-$lvm_id"}
}

may_deactivate() {
    if [ "$action" = remove ] && [ "$lvm" != unknown ]; then
        because "LVM has a volume with this UUID now: $(shown "$known")"
    elif [ -n "$layer" ]; then
        because "it is a layer ($layer) of $(shown "$known"), which LVM knows: deactivate that instead"
    elif [ "$known" != "$volume" ]; then
        because "LVM names this volume $(shown "$known") now"
    elif [ "$same_name" != 1 ]; then
        because "more than one volume is named $volume"
    elif [ "$known_number" != "$live_major:$live_minor" ]; then
        because "LVM has $volume active as $known_number, not as this device"
    else
        case $known_attr in
        [sSoO]*)
            because 'it is a snapshot or the origin of one, which LVM takes down together: that is for a person to decide'
            ;;
        *) doing=deactivate ;;
        esac
    fi
}

may_remove() {
    if [ "$action" != remove ]; then
        because 'LVM has no volume with this UUID any more; collect and analyze again'
        return 1
    fi
    doing=remove
}
