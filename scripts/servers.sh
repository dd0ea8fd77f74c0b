#!/usr/bin/env bash
# The real servers that tests run against: each with its own data, on a free port of the loopback address.
# usage: servers.sh start [SERVER...]     starts what does not run yet; all of them without names
#        servers.sh stop [SERVER...]      stops, and forgets all data
#        servers.sh restart SERVER        stops as a failing machine does, starts again with data and port as they were
#        servers.sh env                   prints what to export for tests to find them
#        servers.sh run COMMAND...        starts all, runs a command that finds them, and stops them
# Everything lies in REELPOOL_SERVERS_FOLDER.
set -euo pipefail

folder=${REELPOOL_SERVERS_FOLDER:-${TMPDIR:-/tmp}/reelpool-servers-$(id -u)}
# To add a server NAME: functions start_NAME and stop_NAME, its name here, and what tests need through `provide`.
servers=(postgres)

say() { echo "$*" >&2; }

# A port of the loopback address that nothing listens on now; the same one after a restart.
port_of() {
    local file=$folder/$1.port
    [ -s "$file" ] || python3 -c '
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])' > "$file"
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
        "$@"
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

is_alive() { kill -0 "$1" 2>/dev/null; }
is_dead() { ! is_alive "$1"; }

# stop_process PID SIGNAL: sends it, waits, and kills what does not go.
stop_process() {
    local pid=$1 signal=$2
    is_alive "$pid" || return 0
    kill -s "$signal" "$pid" 2>/dev/null || true
    wait_for 20 is_dead "$pid" || { kill -s KILL "$pid" 2>/dev/null || true; wait_for 5 is_dead "$pid"; }
}

# --- PostgreSQL ---------------------------------------------------------------------------------------------------

start_postgres() {
    local data=$folder/postgres port password=letmein bin pid
    bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
    [ -n "$bin" ] || bin=$(dirname "$(command -v initdb)") || { say "PostgreSQL is not installed"; return 1; }
    if [ -s "$data/postmaster.pid" ] && is_alive "$(head -1 "$data/postmaster.pid")"; then return 0; fi
    port=$(port_of postgres)
    if [ ! -d "$data" ]; then
        mkdir -p "$data"
        [ "$(id -u)" != 0 ] || chown postgres:postgres "$data"
        echo "$password" > "$folder/postgres.password"
        chmod 644 "$folder/postgres.password"
        (cd / && unprivileged postgres "$bin/initdb" --pgdata="$data" --username=reelpool --encoding=UTF8 \
            --locale=C --auth=scram-sha-256 --pwfile="$folder/postgres.password" --no-sync) \
            > "$folder/postgres.log" 2>&1 || { cat "$folder/postgres.log" >&2; return 1; }
        (cd / && unprivileged postgres openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
            -keyout "$data/server.key" -out "$data/server.crt") >> "$folder/postgres.log" 2>&1
        # Nothing here outlives the tests, so nothing need reach the disk.
        unprivileged postgres tee -a "$data/postgresql.conf" > /dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
synchronous_commit = on
full_page_writes = off
max_connections = 600
shared_buffers = 64MB
ssl = on
logging_collector = off
CONF
    fi
    rm -f "$data/postmaster.pid"
    in_background "$folder/postgres.log" unprivileged postgres "$bin/postgres" -D "$data" -p "$port"
    local url="postgresql://reelpool:$password@127.0.0.1:$port/postgres"
    wait_for 30 "$bin/pg_isready" --quiet --host=127.0.0.1 --port="$port" || {
        cat "$folder/postgres.log" >&2
        return 1
    }
    provide postgres "REELPOOL_TEST_POSTGRES=$url"
}

# A clean stop closes connections and writes everything; `crash` does neither.
stop_postgres() {
    local file=$folder/postgres/postmaster.pid signal=INT
    [ "${1:-}" != crash ] || signal=QUIT
    [ -s "$file" ] || return 0
    stop_process "$(head -1 "$file")" "$signal"
}

# ------------------------------------------------------------------------------------------------------------------

command=${1:-}
shift || true
case $command in
    start)
        mkdir -p "$folder"
        chmod 755 "$folder"
        [ $# -gt 0 ] || set -- "${servers[@]}"
        for server; do "start_$server"; done
        ;;
    stop)
        [ $# -gt 0 ] || set -- "${servers[@]}"
        for server; do
            "stop_$server"
            rm -rf "${folder:?}/$server" "$folder/$server".*
        done
        rmdir "$folder" 2>/dev/null || true
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
        sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
        exit 64
        ;;
esac
