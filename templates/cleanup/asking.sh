# --- Saying and asking -------------------------------------------------------

# Says a line on the terminal; with --execute also to the log file and syslog.
say() {
    printf '%s\n' "$*"
    [ "$mode" = execute ] || return 0
    printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >>"$LOG" || log_works=no
    # The log file has it all; a syslog that hangs is asked once.
    [ "$syslog" = yes ] || return 0
    limited "$SAY_SECONDS" logger -t dmaudit-cleanup -- "$*"
    [ "$status" != hung ] || syslog=no
}

# Ends the script before it did anything.
refuse() {
    finished=yes
    printf '%s: refused: %s\n' "$ME" "$*" >&2
    exit 2
}

# Notes why the entry at hand is not touched, and fails, as a guard does.
because() {
    reason=$*
    return 1
}

# limited SECONDS COMMAND...: runs a command that may hang, as all do that meet
# a suspended device or a stuck /etc/pve. Then $answer.out and $answer.err hold
# its output, and $status its exit status, 'hung' if there is no answer, or
# 'lost' if there was no room for it. A command that not even SIGKILL ends is
# left behind; it does not hold the lock. The answer is kept until the next
# question.
limited() {
    seconds=$1
    shift
    [ -z "$answer" ] || rm -f "$answer.out" "$answer.err" "$answer.status" "$answer.lost"
    asked=$((asked + 1))
    answer=$TMP/$asked
    (
        # A signal to the whole group must not lose the answer.
        trap : HUP INT TERM PIPE QUIT
        timeout -k 2 "$seconds" "$@" >"$answer.out" 2>"$answer.err" </dev/null
        # An empty file fits where nothing else does.
        echo "$?" >"$answer.status" || true >"$answer.lost"
    ) >/dev/null 2>&1 9>&- &
    naps=0
    until [ -s "$answer.status" ]; do
        if [ -e "$answer.lost" ]; then
            status=lost
            return 0
        fi
        if [ "$naps" -ge $(((seconds + 4) * 50)) ]; then
            status=hung
            return 0
        fi
        sleep 0.02 9>&-
        naps=$((naps + 1))
    done
    wait "$!"
    read -r status <"$answer.status" || status=lost
    case $status in
    124 | 137) status=hung ;;
    esac
}

# answered WHAT: whether the last limited command succeeded; if not, why not.
answered() {
    [ "$status" = 0 ] && return 0
    if [ "$status" = hung ]; then
        because "$1 gave no answer in $seconds seconds"
    elif [ "$status" = lost ]; then
        because "$1: $TMP cannot be written (is $RUN full?)"
    else
        because "$1 failed (exit status $status): $(error_of_it)"
    fi
}

# Why the last limited command failed, in its words: LVM warns of other devices
# before it says that.
error_of_it() {
    shown "$(awk '
        NR == 1 { line = $0 }
        !/^ *(WARNING: |File descriptor )/ && NF { line = $0; exit }
        END { print line }' "$answer.err")"
}

# searched GREP-ARGUMENT...: $matches says whether grep finds something. A grep
# that fails has not said that there is nothing.
searched() {
    grep -q "$@"
    case $? in
    0) matches=yes ;;
    1) matches=no ;;
    *) because 'grep failed, so what it was to look through is not known' ;;
    esac
}

# keep_answer NAME: keeps what the last limited command printed as $TMP/NAME,
# which the next question would remove.
keep_answer() {
    mv -f "$answer.out" "$TMP/$1" || because "$TMP cannot be written"
}

# What was found, as one line of printable ASCII: nothing else belongs on a
# terminal or in a log.
shown() {
    printf '%s' "$1" | tr '\n' ' ' | tr -cd '\040-\176' | cut -c 1-200
}

is_number() {
    case $1 in
    '' | *[!0-9]*) return 1 ;;
    esac
}
