# --- One entry ---------------------------------------------------------------

# item KEY=VALUE...: everything about one entry, by the keys below. What is
# free text in it (why) is only ever shown.
#
#   name uuid table   as in the snapshot; table= once for each of its lines
#   action            remove or deactivate
#   lvm               backed: LVM knew the volume; stale: it did not; unknown
#   volume            VG/LV
#   vmid guest-gone   the guest, and whether no configuration of it was left
#   words             what no configuration of the cluster may mention
item() {
    name='' uuid='' table='' action='' lvm='' volume='' vmid='' guest_gone='' words='' why=''
    for part in "$@"; do
        value=${part#*=}
        case $part in
        name=*) name=$value ;;
        uuid=*) uuid=$value ;;
        table=*) table=${table:+$table$NEWLINE}$value ;;
        action=*) action=$value ;;
        lvm=*) lvm=$value ;;
        volume=*) volume=$value ;;
        vmid=*) vmid=$value ;;
        guest-gone=*) guest_gone=$value ;;
        words=*) words=$value ;;
        why=*) why=$value ;;
        esac
    done
    if [ -z "$name" ] || [ -z "$words" ] || [ -z "$why" ]; then
        stop='this script is damaged: an entry is incomplete'
    fi
    wanted || return 0
    if [ -n "$stop" ]; then
        skip "not done: $stop"
    elif ! every_guard; then
        leave
    elif [ "$mode" = dry-run ]; then
        would_go="$would_go dm-$live_minor"
        would=$((would + 1))
        say "would     $doing $(target)"
    elif ! person_agrees; then
        skip "${stop:-you said no}"
    elif [ "$asked_person" = yes ] && ! every_guard; then
        leave # it may have taken the person an hour to answer
    elif ! { say "now       $doing $(target)"; [ "$log_works" = yes ]; }; then
        skip "the log file $LOG cannot be written"
    elif ! write_way_back; then
        skip "the undo script $UNDO cannot be written"
    elif ! last_look; then
        drop_way_back
        leave
    else
        take_out
        judge
    fi
}

# Whether --only names it, or there is no --only.
wanted() {
    case $only in
    '' | *"$NEWLINE$name$NEWLINE"*) return 0 ;;
    esac
    return 1
}

# Every guard. Those about the device come first, for the plainest reason.
every_guard() {
    gone=no
    resumed=no
    reason='a check failed without saying why'
    same_boot &&
        same_device && not_in_use &&
        pve_answers && guest_is_idle && lvm_agrees && not_configured &&
        can_be_undone &&
        not_stopped
}

# What may have changed while the other questions were asked and the log was
# written, right before the removal. Looking for users may take a while, too, so
# the last question is whether it is still the same, and closed.
last_look() {
    gone=no
    reason='a check failed without saying why'
    same_device && not_in_use && same_device && not_held && not_stopped && not_resumed
}

not_stopped() {
    [ -z "$stop" ] || because "not done: $stop"
}

# Ctrl-Z and fg: hours may lie between an answer and what follows from it.
not_resumed() {
    [ "$resumed" = no ] ||
        because 'this script was halted meanwhile, and what it had seen may be old; run it again'
}

target() {
    case $doing in
    deactivate) echo "$name (volume $volume)" ;;
    *) echo "$name" ;;
    esac
}

# What a guard stopped: gone is as good as done, anything else is skipped.
leave() {
    if [ "$gone" = yes ]; then
        already_gone=$((already_gone + 1))
        say "gone      $name: already gone"
    else
        skip "$reason"
    fi
}

skip() {
    skipped=$((skipped + 1))
    skipped_list="$skipped_list    $name: $*$NEWLINE"
    say "skip      $name: $*"
}

fail() {
    failed=$((failed + 1))
    failed_list="$failed_list    $name: $*$NEWLINE"
    say "FAILED    $name: $*"
}

# Looks what became of it. A refusal that left the entry as it was is an answer
# (it was opened meanwhile, say), and the next entry has guards of its own.
# Anything else is not understood, and stops this run.
judge() {
    outcome=$status
    words_of_it=$(error_of_it)
    all_of_it=$(tr -cd '\012\040-\176' <"$answer.err" | head -n 100)
    look_up || found=unknown
    # Another device has its name now: the entry is gone.
    [ "$found" != yes ] || [ "$live_uuid" = "$uuid" ] || found=no
    # What was refused is still there, so there is nothing to bring back.
    case $outcome:$found in
    0:* | hung:* | lost:* | *:no | *:unknown) keep_way_back || stop="$TMP cannot be written" ;;
    *) drop_way_back ;;
    esac
    if [ "$found" = unknown ]; then
        fail "the command ended with '$outcome', and what became of it is not known: $reason"
        stop='an earlier removal ended in an unknown state'
    elif [ "$outcome" = 0 ] && [ "$found" = no ]; then
        case $doing in
        remove) removed=$((removed + 1)) ;;
        deactivate)
            deactivated=$((deactivated + 1))
            volumes_left="$volumes_left    $volume$NEWLINE"
            ;;
        esac
        say "done      $doing $(target)"
    elif [ "$outcome" = 0 ]; then
        fail 'the command reported success, but the entry is still there'
        stop='an earlier removal did not do what it reported'
    elif [ "$outcome" = hung ]; then
        fail "the command did not end within $CHANGE_SECONDS seconds; the entry is $([ "$found" = yes ] && echo still there || echo gone)"
        stop='an earlier removal did not end'
    elif [ "$outcome" = lost ]; then
        fail "how the command ended is not known, for $TMP cannot be written (is $RUN full?); the entry is $([ "$found" = yes ] && echo still there || echo gone)"
        stop='how an earlier removal ended is not known'
    elif [ "$found" = no ]; then
        fail "the command failed (exit status $outcome: $words_of_it), but the entry is gone"
        stop='an earlier removal failed and yet changed something'
    else
        fail "refused (exit status $outcome): $words_of_it"
    fi
    [ "$outcome" = 0 ] || [ -z "$all_of_it" ] || said_in_full
}

# All that the command said, for who reads the log later.
said_in_full() {
    printf '%s\n' "$all_of_it" | sed 's/^/    /' >>"$LOG" || log_works=no
}

# Asks on the terminal. Enter is no; what is not understood is asked again.
person_agrees() {
    asked_person=no
    [ "$ask" = yes ] || return 0
    asked_person=yes
    printf '\n%s\n    %s\n' "$(target)" "$why" >"$TTY"
    while [ -z "$stop" ]; do
        printf '%s it? [y/N/a/q] ' "$doing" >"$TTY"
        if ! IFS= read -r reply <"$TTY"; then
            stop=${stop:-the terminal gave no answer}
            return 1
        fi
        case $reply in
        y | Y)
            echo 'making sure that nothing has changed ...' >"$TTY"
            return 0
            ;;
        '' | n | N) return 1 ;;
        a | A)
            ask=no
            return 0
            ;;
        q | Q)
            stop='you quit'
            return 1
            ;;
        esac
        printf 'y yes, n no, a yes to all the rest, q quit; Enter is no\n' >"$TTY"
    done
    return 1
}
