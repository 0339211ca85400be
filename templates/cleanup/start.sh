# --- Starting and ending -----------------------------------------------------

NEWLINE='
'
ME=${0##*/}
mode=dry-run
ask=yes
only=
max_age=24
stop=
resumed=no
finished=no
TMP=
LOG=
UNDO=
asked=0
answer=
syslog=yes
would_go=
log_works=yes
far_paths_hang=no
would=0 removed=0 deactivated=0 already_gone=0 skipped=0 failed=0
skipped_list='' failed_list='' volumes_left=''

usage() {
    cat <<EOF
usage: sh $ME [--execute [--yes]] [--only NAME]... [--max-age HOURS]

Takes leftover device-mapper entries out of the kernel of $NODE, as the node's
snapshot of $COLLECTED showed them. Every check is made again, live.

Without options: a dry run, which changes nothing.

  --execute        do it, asking for each entry on the terminal:
                   y yes, n no, a yes to all the rest, q quit; Enter is no
  --yes            with --execute: do not ask
  --only NAME      only this entry; may be repeated
  --max-age HOURS  refuse a snapshot older than this (default: 24)
  --help           this text

Exit status: 0 all done or already gone; 1 something was skipped; 2 refused to
start; 3 a removal failed, or this script ended early.
EOF
}

start() {
    read_options "$@"
    [ "$(id -u)" = 0 ] || refuse 'only root may do this'
    needed_commands
    right_node
    fresh_snapshot
    if [ "$mode" = execute ] && [ "$ask" = yes ] && ! { true <"$TTY"; } 2>/dev/null; then
        refuse 'there is no terminal to ask on; --yes does not ask'
    fi
    alone
    TMP=$(mktemp -d "$RUN/dmaudit-cleanup.XXXXXXXXXX") || refuse "no temporary folder in $RUN"
    trap ended EXIT
    trap 'stop="interrupted"' INT TERM HUP PIPE QUIT
    trap 'resumed=yes' CONT
    true >"$TMP/undo-steps" || refuse "$TMP cannot be written"
    if [ "$mode" = execute ]; then
        open_files
        say "$ME on $NODE: log $LOG"
    else
        say "$ME on $NODE: dry run, nothing is changed"
    fi
}

read_options() {
    no_questions=no
    while [ $# -gt 0 ]; do
        case $1 in
        --execute) mode=execute ;;
        --yes) no_questions=yes ;;
        --only | --max-age)
            [ $# -ge 2 ] || refuse "$1 needs a value; see --help"
            option "$1" "$2"
            shift
            ;;
        --only=* | --max-age=*) option "${1%%=*}" "${1#*=}" ;;
        --help)
            usage
            exit 0
            ;;
        *) refuse "'$1' is not an option; see --help" ;;
        esac
        shift
    done
    if [ "$no_questions" = yes ]; then
        [ "$mode" = execute ] || refuse '--yes means nothing without --execute'
        ask=no
    fi
}

option() {
    case $1 in
    --only)
        case $2 in
        '' | *[!A-Za-z0-9+_.-]*) refuse "--only '$2': that is no name of an entry" ;;
        esac
        case $ITEMS in
        *"$NEWLINE$2$NEWLINE"*) only=${only:-$NEWLINE}$2$NEWLINE ;;
        *) refuse "--only '$2': this script has no such entry" ;;
        esac
        ;;
    --max-age)
        case $2 in
        '' | 0* | *[!0-9]* | ???????*) refuse "--max-age '$2': expected hours, from 1 to 999999" ;;
        esac
        max_age=$2
        ;;
    esac
}

needed_commands() {
    for command in awk cat cut date dmsetup find flock grep head logger ls lvchange lvs mktemp \
        mv pct qm rm sed sha256sum sleep stat timeout tr uname xargs; do
        command -v "$command" >/dev/null || refuse "the command $command is missing"
    done
}

right_node() {
    here=$(uname -n)
    [ "${here%%.*}" = "$NODE" ] || refuse "this is '$(shown "$here")', the snapshot is of $NODE"
    if [ -n "$MACHINE_ID_SHA256" ]; then
        sum=$(sha256sum <"$MACHINE_ID") || refuse "$MACHINE_ID cannot be read"
        [ "${sum%% *}" = "$MACHINE_ID_SHA256" ] ||
            refuse "this machine is called $NODE too, but it is another one (machine-id)"
    else
        echo "warning: the snapshot holds no machine-id; make sure that this is the right $NODE" >&2
    fi
}

fresh_snapshot() {
    now=$(date +%s)
    is_number "$now" || refuse 'the time is not known'
    age=$((now - COLLECTED_SECONDS))
    if [ "$COLLECTED_SECONDS" = 0 ] && [ "$age" -gt $((max_age * 3600)) ]; then
        refuse 'when the snapshot was taken is not recorded; if you know that it is recent, say --max-age 999999'
    fi
    [ "$age" -ge -600 ] || refuse "the snapshot of $COLLECTED is from the future: check the clocks"
    [ "$age" -le $((max_age * 3600)) ] ||
        refuse "the snapshot is $((age / 3600)) hours old, allowed are $max_age; collect and analyze again"
}

# One run at a time. The kernel drops the lock when this process ends, however
# it ends; no child that may hang keeps it, and the others end within the wait.
alone() {
    { true >>"$RUN/dmaudit-cleanup.lock"; } 2>/dev/null || refuse "$RUN/dmaudit-cleanup.lock cannot be written"
    exec 9>>"$RUN/dmaudit-cleanup.lock"
    flock -w 1 9 || refuse 'another cleanup is under way on this node'
}

open_files() {
    stamp=$(date -u +%Y%m%dT%H%M%SZ)
    LOG=$LOGDIR/dmaudit-cleanup-$NODE-$stamp.log
    UNDO=$LOGDIR/dmaudit-undo-$NODE-$stamp.sh
    for file in "$LOG" "$UNDO" "$UNDO.new"; do
        if [ -e "$file" ] || [ -L "$file" ]; then refuse "$file exists already; try again"; fi
    done
    { true >"$LOG"; } 2>/dev/null || refuse "the log file $LOG cannot be written"
}

# From here on a signal has nothing left to stop: it would only cut the summary
# short and make the exit status its own.
deaf() {
    trap '' INT TERM HUP PIPE QUIT
}

# Every way out. The shell itself may give up: where no process or file is to be
# had, which is why this takes neither.
# shellcheck disable=SC2317 # called by the trap
ended() {
    deaf
    trap - EXIT
    if [ "$finished" = no ]; then
        printf '%s: ENDED EARLY: removed %s, deactivated %s, failed %s\n' \
            "$ME" "$removed" "$deactivated" "$failed"
        [ -z "$LOG" ] || printf 'log:  %s\nundo: sh %s, if it is there\n' "$LOG" "$UNDO"
    fi
    rm -rf "${TMP:?}"
    [ "$finished" = yes ] || exit 3
}

finish() {
    deaf
    echo
    if [ "$mode" = execute ]; then
        say "removed $removed, deactivated $deactivated, already gone $already_gone, skipped $skipped, failed $failed"
    else
        say "dry run: would take out $would, already gone $already_gone, would skip $skipped"
    fi
    [ -z "$failed_list" ] || printf 'failed:\n%s' "$failed_list"
    [ -z "$skipped_list" ] || printf 'skipped:\n%s' "$skipped_list"
    if [ -n "$volumes_left" ]; then
        printf 'These volumes were deactivated; their data is still there. Whether to delete\n'
        printf 'them is for a person to decide, after a look at the backups:\n%s' "$volumes_left"
    fi
    if [ "$mode" = execute ]; then
        echo "log:  $LOG"
        [ ! -e "$UNDO" ] || echo "undo: sh $UNDO"
    fi
    finished=yes
    [ "$failed" = 0 ] || exit 3
    [ "$skipped" = 0 ] || exit 1
    exit 0
}
