# SeaweedFS: master, volumes, filer and S3 in one process. It checks signatures. Sourced by servers.sh.
servers+=(seaweedfs)

# Ports of its own for each of its services, and for what they call each other by.
seaweedfs_ports=(
    master.port master.port.grpc volume.port volume.port.grpc filer.port filer.port.grpc s3.port s3.port.grpc
)

# One key may do everything, another only reads one bucket, a third reads all of them.
write_seaweedfs_identities() {
    cat > "$1" <<'JSON'
{
  "identities": [
    {
      "name": "reelpool",
      "credentials": [{"accessKey": "reelpool", "secretKey": "letmein-store"}],
      "actions": ["Admin", "Read", "Write", "List", "Tagging"]
    },
    {
      "name": "reader",
      "credentials": [{"accessKey": "reader", "secretKey": "letmein-reader"}],
      "actions": ["Read:public", "List:public"]
    },
    {
      "name": "viewer",
      "credentials": [{"accessKey": "viewer", "secretKey": "letmein-viewer"}],
      "actions": ["Read", "List"]
    }
  ]
}
JSON
}

# The S3 port opens before there is a volume to put anything on.
seaweedfs_answers() {
    curl -s -o /dev/null "http://127.0.0.1:$1/" && curl -s "http://127.0.0.1:$2/dir/assign" | grep -q '"fid"'
}

start_seaweedfs() {
    local data=$folder/seaweedfs weed options=() service s3
    weed=$(dirname "$("$scripts/venv.sh" stores "$scripts/../Fixtures/stores/requirements.txt")")/weed
    if [ -s "$folder/seaweedfs.pid" ] && is_alive "$(cat "$folder/seaweedfs.pid")"; then return 0; fi
    mkdir -p "$data"
    write_seaweedfs_identities "$data/identities.json"
    for service in "${seaweedfs_ports[@]}"; do options+=("-$service=$(port_of "seaweedfs.$service")"); done
    # A bucket has volumes of its own: one is enough, of seven.
    in_background "$folder/seaweedfs.log" env WEED_MASTER_VOLUME_GROWTH_COPY_1=1 "$weed" server -dir="$data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
        -filer -s3 "${options[@]}" -s3.port.iceberg=0 -s3.port.lance=0 -s3.config="$data/identities.json" \
        -s3.autoCreateBucket=false -s3.domainName=localhost -master.telemetry=false -master.electionTimeout=1s \
        -master.volumeSizeLimitMB=256 -volume.max=200 -volume.preStopSeconds=0
    echo $! > "$folder/seaweedfs.pid"
    s3=$(port_of seaweedfs.s3.port)
    wait_for 60 seaweedfs_answers "$s3" "$(port_of seaweedfs.master.port)" || { tail -50 "$folder/seaweedfs.log" >&2; return 1; }
    provide seaweedfs "REELPOOL_TEST_S3_SEAWEEDFS=http://127.0.0.1:$s3" \
        REELPOOL_TEST_S3_KEY=reelpool REELPOOL_TEST_S3_SECRET=letmein-store
}

stop_seaweedfs() {
    local file=$folder/seaweedfs.pid signal=TERM service name
    [ "${1:-}" != crash ] || signal=KILL
    [ -s "$file" ] || return 0
    stop_process "$(cat "$file")" "$signal"
    # It has a socket in the file system for each of them, too.
    for service in "${seaweedfs_ports[@]}"; do
        name=${service/.port/}
        rm -f "/tmp/seaweedfs-${name/./-}-$(port_of "seaweedfs.$service").sock"
    done
}
