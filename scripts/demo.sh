#!/usr/bin/env bash
# The main job from end to end on one recording: probe, proxy, analysis and render, through a pool that is one daemon with
# a SQLite file. No server is needed.
# usage: demo.sh FOLDER-OF-PROGRAMS RECORDING FOLDER
set -euo pipefail
programs=$1 recording=$(realpath "$2")
mkdir -p "$3"
folder=$(realpath "$3")
rm -rf "$folder"/jobs.db* "$folder/proxy" "$folder/pauses.json" "$folder/tight.mp4"
reelpool=$programs/reelpool log=$folder/reelpoold.log
: > "$log"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# A port of its own, and a token that is good for this run only.
REELPOOL_API_TOKEN=$(head -c 24 /dev/urandom | base64 | tr -d '+/=\n')
export REELPOOL_API_TOKEN
REELPOOL_DATABASE=sqlite:$folder/jobs.db REELPOOL_SLOTS=2 REELPOOL_HTTP_PORT=0 REELPOOL_ALLOW_LOCAL=$(dirname "$recording"),$folder \
    "$programs/reelpoold" worker 2> "$log" &
daemon=$!
trap 'kill $daemon 2> /dev/null; wait $daemon || true' EXIT
port=
for _ in $(seq 600); do
    port=$(sed -n 's/.*"message":"listening","port":"\([0-9]*\)".*/\1/p' "$log")
    [ -z "$port" ] || break
    kill -0 $daemon 2> /dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.1
done
export REELPOOL_URL=http://127.0.0.1:$port
say "A pool on this machine: reelpoold worker, listening on $REELPOOL_URL"
"$reelpool" workers

say "1. What is it?   reelpool submit probe $2 --watch"
"$reelpool" submit probe "$recording" --watch

say "2. For the browser, and where the pauses are, at once   reelpool submit proxy ...; submit analysis ...; watch"
proxy=$("$reelpool" submit proxy "$recording" --output "$folder/proxy")
analysis=$("$reelpool" submit analysis "$recording" --pacing 80 --output "$folder/pauses.json")
"$reelpool" watch "$proxy" "$analysis"

say "3. Without the pauses   reelpool submit render --edit $3/pauses.json --output $3/tight.mp4 --watch"
"$reelpool" submit render --edit "$folder/pauses.json" --output "$folder/tight.mp4" --watch

say "What was done   reelpool status"
"$reelpool" status

say "Made in $3/"
(cd "$folder" && ls -l proxy/* pauses.json tight.mp4 | awk '{ printf "  %-24s %9d bytes\n", $NF, $5 }')
