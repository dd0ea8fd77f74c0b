# PostgreSQL with one role, a password and TLS. Sourced by servers.sh.
servers+=(postgres)

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
        # Nothing here outlives the tests, so nothing need reach the disk; what is measured is to, REELPOOL_SERVERS_FSYNC=on.
        unprivileged postgres tee -a "$data/postgresql.conf" > /dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = ${REELPOOL_SERVERS_FSYNC:-off}
synchronous_commit = on
full_page_writes = ${REELPOOL_SERVERS_FSYNC:-off}
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
