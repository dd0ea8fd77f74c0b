# JuiceFS's gateway: MinIO's server code over a file system of its own. It checks signatures. Sourced by servers.sh.
# REELPOOL_SERVERS_DOMAIN is the host below which buckets have names: localhost unless it is given.
servers+=(juicefs)

juicefs_answers() { curl -sf -o /dev/null "http://127.0.0.1:$1/minio/health/live"; }

start_juicefs() {
    local data=$folder/juicefs juicefs port
    juicefs=$(dirname "$("$scripts/venv.sh" stores "$scripts/../Fixtures/stores/requirements.txt")")/juicefs
    if [ -s "$folder/juicefs.pid" ] && is_alive "$(cat "$folder/juicefs.pid")"; then return 0; fi
    port=$(port_of juicefs)
    if [ ! -d "$data" ]; then
        mkdir -p "$data"
        HOME=$data "$juicefs" format --storage file --bucket "$data/objects/" --trash-days 0 \
            "sqlite3://$data/meta.db" reelpool > "$folder/juicefs.log" 2>&1 || { cat "$folder/juicefs.log" >&2; return 1; }
    fi
    # Without --keep-etag an object's ETag is not that of its bytes.
    in_background "$folder/juicefs.log" env HOME="$data" MINIO_ROOT_USER=reelpool MINIO_ROOT_PASSWORD=letmein-store \
        MINIO_BROWSER=off "$juicefs" gateway --multi-buckets --keep-etag --domain "${REELPOOL_SERVERS_DOMAIN:-localhost}" --no-banner \
        --no-usage-report --backup-meta 0 --cache-size 0 --cache-dir "$data/cache" --log "$folder/juicefs.gateway.log" \
        --metrics 127.0.0.1:0 "sqlite3://$data/meta.db" "127.0.0.1:$port"
    echo $! > "$folder/juicefs.pid"
    wait_for 60 juicefs_answers "$port" || { tail -50 "$folder/juicefs.log" >&2; return 1; }
    provide juicefs "REELPOOL_TEST_S3_JUICEFS=http://127.0.0.1:$port" \
        REELPOOL_TEST_S3_KEY=reelpool REELPOOL_TEST_S3_SECRET=letmein-store
}

stop_juicefs() {
    local file=$folder/juicefs.pid signal=TERM
    [ "${1:-}" != crash ] || signal=KILL
    [ -s "$file" ] || return 0
    stop_process "$(cat "$file")" "$signal"
}
