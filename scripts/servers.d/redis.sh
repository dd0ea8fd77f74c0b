# Redis, in memory only: what a restart forgets, nothing may depend on. Sourced by servers.sh.
servers+=(redis)

redis_answers() { [ "$(redis-cli -p "$1" --no-auth-warning -a letmein ping 2>/dev/null)" = PONG ]; }

start_redis() {
    local data=$folder/redis port
    command -v redis-server > /dev/null || { say "redis-server is not installed"; return 1; }
    if [ -s "$data/pid" ] && is_alive "$(cat "$data/pid")"; then return 0; fi
    mkdir -p "$data"
    port=$(port_of redis)
    cat > "$data/redis.conf" <<CONF
bind 127.0.0.1
port $port
dir $data
pidfile $data/pid
requirepass letmein
save ""
appendonly no
CONF
    in_background "$folder/redis.log" redis-server "$data/redis.conf"
    echo $! > "$data/pid"
    wait_for 20 redis_answers "$port" || { cat "$folder/redis.log" >&2; return 1; }
    provide redis "REELPOOL_TEST_REDIS=redis://:letmein@127.0.0.1:$port/0"
}

stop_redis() {
    local file=$folder/redis/pid signal=TERM
    [ "${1:-}" != crash ] || signal=KILL
    [ -s "$file" ] || return 0
    stop_process "$(cat "$file")" "$signal"
}
