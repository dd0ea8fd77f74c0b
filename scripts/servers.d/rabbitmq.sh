# RabbitMQ: a node with a name, ports, folders, cookie and port mapper of its own. Sourced by servers.sh.
servers+=(rabbitmq)

# A test authority, a certificate for localhost by it, and another authority that signed nothing.
make_rabbitmq_certificates() {
    local tls=$1
    mkdir -p "$tls"
    (
        cd "$tls"
        openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=Reelpool test authority" \
            -keyout ca.key -out ca.pem
        openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=Another authority" \
            -keyout other.key -out other-ca.pem
        openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
        printf 'subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n' > server.ext
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile server.ext \
            -out server.pem
    ) > /dev/null 2>&1
}

# Writes a command like rabbitmqctl that talks to this node, and starts it, too.
write_rabbitmq_command() {
    local data=$1 port=$2 dist=$3 epmd=$4 file=$data/command
    cat > "$file" <<SCRIPT
#!/usr/bin/env bash
# usage: command rabbitmqctl ARGUMENTS | command rabbitmq-server
set -euo pipefail
cd $data
program=\$1
shift
as=()
[ "\$(id -u)" != 0 ] || as=(setpriv --reuid=rabbitmq --regid=rabbitmq --clear-groups --)
exec "\${as[@]}" env -i PATH="\$PATH" HOME="$data" LANG=C.UTF-8 \\
    RABBITMQ_NODENAME=reelpool-$port@localhost RABBITMQ_DIST_PORT=$dist \\
    RABBITMQ_MNESIA_BASE="$data/mnesia" RABBITMQ_LOG_BASE="$data/log" RABBITMQ_CONFIG_FILE="$data/rabbitmq.conf" \\
    RABBITMQ_ADVANCED_CONFIG_FILE="$data/advanced.config" \\
    RABBITMQ_ENABLED_PLUGINS_FILE="$data/plugins" RABBITMQ_CONF_ENV_FILE=/dev/null \\
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}" \\
    ERL_EPMD_PORT=$epmd ERL_EPMD_ADDRESS=127.0.0.1 \\
    "/usr/lib/rabbitmq/bin/\$program" "\$@"
SCRIPT
    chmod 755 "$file"
}

# A node opens its ports last, and says who it is before that. Also true when it has ended, so that nobody waits for it.
rabbitmq_answers() {
    local tls=$1 script=$2 pid_file=$3
    is_dead "$script" || { [ -s "$pid_file" ] && (exec 3<> "/dev/tcp/127.0.0.1/$tls") 2> /dev/null; }
}

# usage: boot_rabbitmq DATA TLS-PORT PID-FILE
boot_rabbitmq() {
    local script
    # Of a node that was killed.
    rm -f "$3"
    in_background "$folder/rabbitmq.log" "$1/command" rabbitmq-server
    script=$!
    wait_for 180 rabbitmq_answers "$2" "$script" "$3" && is_alive "$script"
}

start_rabbitmq() {
    local data=$folder/rabbitmq port tls dist epmd pid_file
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || { say "rabbitmq-server is not installed"; return 1; }
    if [ -s "$folder/rabbitmq.pid" ] && is_alive "$(cat "$folder/rabbitmq.pid")"; then return 0; fi
    port=$(port_of rabbitmq) tls=$(port_of rabbitmq.tls) dist=$(port_of rabbitmq.dist) epmd=$(port_of rabbitmq.epmd)
    if [ ! -d "$data" ]; then
        mkdir -p "$data"
        make_rabbitmq_certificates "$data/tls"
        echo "[]." > "$data/plugins"
        head -c 30 /dev/urandom | base64 | tr -d '+/=\n' > "$data/.erlang.cookie"
        # The channels' tick is what finds deliveries that are not acknowledged in time; a minute is long for a test.
        echo "[{rabbit, [{channel_tick_interval, 1000}]}]." > "$data/advanced.config"
        cat > "$data/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$port
listeners.ssl.1 = 127.0.0.1:$tls
ssl_options.cacertfile = $data/tls/ca.pem
ssl_options.certfile = $data/tls/server.pem
ssl_options.keyfile = $data/tls/server.key
ssl_options.verify = verify_none
default_user = reelpool
default_pass = letmein
disk_free_limit.absolute = 50MB
log.file.level = info
CONF
        write_rabbitmq_command "$data" "$port" "$dist" "$epmd"
        chmod 400 "$data/.erlang.cookie"
        [ "$(id -u)" != 0 ] || chown -R rabbitmq:rabbitmq "$data"
    fi
    if ! [ -s "$folder/rabbitmq.epmd.pid" ] || ! is_alive "$(cat "$folder/rabbitmq.epmd.pid")"; then
        in_background /dev/null epmd -port "$epmd" -address 127.0.0.1
        echo $! > "$folder/rabbitmq.epmd.pid"
    fi
    pid_file=$data/mnesia/reelpool-$port@localhost.pid
    # The port mapper may know the one that was killed for a moment longer, and refuse another of its name.
    boot_rabbitmq "$data" "$tls" "$pid_file" || { sleep 3 && boot_rabbitmq "$data" "$tls" "$pid_file"; } || {
        tail -30 "$folder/rabbitmq.log" >&2
        return 1
    }
    cat "$pid_file" > "$folder/rabbitmq.pid"
    provide rabbitmq "REELPOOL_TEST_RABBITMQ=amqp://reelpool:letmein@127.0.0.1:$port/%2F" \
        "REELPOOL_TEST_RABBITMQ_TLS=amqps://reelpool:letmein@localhost:$tls/%2F" \
        "REELPOOL_TEST_RABBITMQ_CERTIFICATES=$data/tls" "REELPOOL_TEST_RABBITMQ_COMMAND=$data/command"
}

# The node first, unless it is to stay known: its port mapper goes with a real stop only.
stop_rabbitmq() {
    local signal=TERM
    [ "${1:-}" != crash ] || signal=KILL
    [ ! -s "$folder/rabbitmq.pid" ] || stop_process "$(cat "$folder/rabbitmq.pid")" "$signal"
    [ "${1:-}" = crash ] || [ ! -s "$folder/rabbitmq.epmd.pid" ] || stop_process "$(cat "$folder/rabbitmq.epmd.pid")" TERM
}
