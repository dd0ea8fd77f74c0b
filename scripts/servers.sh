#!/usr/bin/env bash
# The real servers that tests run against: each with its own data, on a free port of the loopback address.
# usage: servers.sh start [SERVER...]     starts what does not run yet; all of them without names
#        servers.sh stop [SERVER...]      stops, and forgets all data
#        servers.sh restart SERVER        stops as a failing machine does, starts again with data and port as they were
#        servers.sh halt SERVER           only stops it so; start brings it back
#        servers.sh env                   prints what to export for tests to find them
#        servers.sh run COMMAND...        starts all, runs a command that finds them, and stops them
# Everything lies in REELPOOL_SERVERS_FOLDER.
set -euo pipefail

scripts=$(dirname "$(realpath "$0")")
folder=${REELPOOL_SERVERS_FOLDER:-${TMPDIR:-/tmp}/reelpool-servers-$(id -u)}
# To add a server NAME: a file in servers.d with its name added here, functions start_NAME and stop_NAME, and what tests
# need through `provide`.
servers=()

say() { echo "$*" >&2; }

# A port of the loopback address that nothing listens on now; the same one after a restart. Below those that the kernel
# gives to whoever connects: one of these may be taken while a server is down.
port_of() {
    local file=$folder/$1.port
    [ -s "$file" ] || python3 -c '
import random, socket
while True:
    port = random.randrange(15000, 32000)
    with socket.socket() as s:
        if s.connect_ex(("127.0.0.1", port)) != 0:
            break
print(port)' > "$file"
    cat "$file"
}

# provide SERVER NAME=VALUE...: what tests look for; gone when the server is stopped.
provide() {
    local server=$1
    shift
    printf '%s\n' "$@" > "$folder/$server.env"
}

# Runs as a user who may run servers: most refuse root.
unprivileged() {
    local user=$1
    shift
    if [ "$(id -u)" = 0 ]; then setpriv --reuid="$user" --regid="$user" --clear-groups -- "$@"; else "$@"; fi
}

# in_background LOG COMMAND...: a server that stays when this script ends, and holds nothing open that its caller had.
in_background() {
    local log=$1
    shift
    (
        cd /
        for open in /proc/self/fd/*; do
            [ "${open##*/}" -le 2 ] || eval "exec ${open##*/}>&-"
        done
        # As this very process where it is a program, so that $! is its id.
        if [ "$(type -t "$1")" = function ]; then "$@"; else exec "$@"; fi
    ) >> "$log" 2>&1 < /dev/null &
    disown
}

# Waits until a command succeeds: wait_for SECONDS COMMAND...
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# One that has ended and that nobody has taken notice of yet is not alive. While it has threads that still end, it is: its
# ports are open.
is_alive() {
    kill -0 "$1" 2>/dev/null || return 1
    ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null || [ "$(ls "/proc/$1/task" 2>/dev/null | wc -l)" -gt 1 ]
}
is_dead() { ! is_alive "$1"; }

# stop_process PID SIGNAL: sends it, waits, and kills what does not go.
stop_process() {
    local pid=$1 signal=$2
    is_alive "$pid" || return 0
    kill -s "$signal" "$pid" 2>/dev/null || true
    wait_for 20 is_dead "$pid" || { kill -s KILL "$pid" 2>/dev/null || true; wait_for 5 is_dead "$pid"; }
}

# Each file adds one to the list.
for file in "$scripts"/servers.d/*.sh; do
    # shellcheck source=/dev/null
    . "$file"
done

# ------------------------------------------------------------------------------------------------------------------

command=${1:-}
shift || true
case $command in
    start)
        mkdir -p "$folder"
        chmod 755 "$folder"
        [ $# -gt 0 ] || set -- "${servers[@]}"
        # All at once: most of it is waiting.
        starting=()
        for server; do
            "start_$server" &
            starting+=($!)
        done
        failed=0
        for process in "${starting[@]}"; do wait "$process" || failed=1; done
        exit $failed
        ;;
    stop)
        [ $# -gt 0 ] || set -- "${servers[@]}"
        for server; do
            "stop_$server"
            rm -rf "${folder:?}/$server" "$folder/$server".*
        done
        rmdir "$folder" 2>/dev/null || true
        ;;
    halt)
        "stop_${1:?a server}" crash
        ;;
    restart)
        "stop_${1:?a server}" crash
        "start_$1"
        ;;
    env)
        for server in "${servers[@]}"; do
            [ ! -s "$folder/$server.env" ] || sed 's/^/export /' "$folder/$server.env"
        done
        ;;
    run)
        # Servers of its own, unless they run already.
        if [ -z "${REELPOOL_SERVERS_FOLDER:-}" ]; then
            REELPOOL_SERVERS_FOLDER=$(mktemp -d)
            export REELPOOL_SERVERS_FOLDER
            trap '"$0" stop; rm -rf "$REELPOOL_SERVERS_FOLDER"' EXIT
        fi
        "$0" start
        eval "$("$0" env)"
        "$@"
        ;;
    *)
        sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
        exit 64
        ;;
esac
