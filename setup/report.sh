# Says what is being done and why; keeps the tools' own words in build/setup.log until they are needed.

readonly STEPS=3
readonly LOG=build/setup.log

say() { printf '      %s\n' "$*"; }
step() { printf '[%s/%s] %s: %s\n' "$1" "$STEPS" "$2" "$3"; }
die() {
    printf '%s\n' "$@" >&2
    exit 1
}

# run WHAT COMMAND...: run COMMAND with its output in the log; show that it lives; on failure show the end of the log.
run() {
    local what=$1 began=$SECONDS status=0
    shift
    say "$what …"
    mkdir -p "$(dirname "$LOG")"
    printf '\n=== %s: %s\n' "$(date '+%F %T')" "$*" >>"$LOG"
    show_life $$ &
    local watcher=$!
    "$@" >>"$LOG" 2>&1 </dev/null || status=$?
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
    if [ -t 1 ]; then printf '\r\033[K'; fi
    if [ "$status" -ne 0 ]; then
        say "$what: failed; the last lines of $LOG:"
        tail -n 20 "$LOG" | sed 's/^/        /' >&2
        return "$status"
    fi
    say "$what: done in $((SECONDS - began)) s"
}

# show_life PID: on a terminal a line that changes each second, elsewhere a new line each 20 seconds.
show_life() {
    local began=$SECONDS pause=20 before='' after='\n' last
    if [ -t 1 ]; then pause=1 before='\r\033[K' after=''; fi
    trap 'kill $! 2>/dev/null; exit' TERM
    while kill -0 "$1" 2>/dev/null; do
        sleep "$pause" & wait $!
        last=$(tail -n 1 "$LOG" 2>/dev/null | tr -cd ' -~' | cut -c 1-70)
        printf "$before      %4s s  %s$after" $((SECONDS - began)) "$last"
    done
}
