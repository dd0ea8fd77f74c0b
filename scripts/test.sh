#!/usr/bin/env bash
# Runs all tests and ends with one line that counts them. In CI a skipped test is a failure.
set -euo pipefail
log=$(mktemp)
REELPOOL_SERVERS_FOLDER=$(mktemp -d)
export REELPOOL_SERVERS_FOLDER
trap 'scripts/servers.sh stop; rm -rf "$log" "$REELPOOL_SERVERS_FOLDER"' EXIT

# SVT-AV1 prints past FFmpeg's log. The programs see to that when they start; the tests' process has threads by then.
export SVT_LOG=1

# Without a server its tests are skipped, by name.
scripts/servers.sh start || echo "Not all servers could be started" >&2
eval "$(scripts/servers.sh env)"
# So are those of Python's back ends, without their packages.
if REELPOOL_TEST_CLIENTS_PYTHON=$(scripts/clients.sh); then export REELPOOL_TEST_CLIENTS_PYTHON; fi

# The same folder whether make or a person runs this.
SWIFTPM_BUILD_DIR=$(realpath -m .build)
export SWIFTPM_BUILD_DIR
# As the Makefile's DEBUG has it.
swift build --build-tests --disable-index-store -j "$(nproc)"
status=0

# Runs the tests that the options choose, in parallel. A test that hangs is to be told by name: what still runs is shown
# before everything is stopped.
limit=${REELPOOL_TEST_MINUTES:-40}
began=$SECONDS
spent=("$SECONDS s: building")
# The test program outlives the one that started it.
stop_left_over() {
    local program folder
    folder=$(realpath .build)
    for program in /proc/[0-9]*; do
        case $(readlink "$program/exe") in
            "$folder"/*PackageTests.xctest) kill -KILL "${program#/proc/}" ;;
        esac
    done
}

run_tests() {
    local result=0 part
    part=$(mktemp)
    timeout --foreground --kill-after=10 "${limit}m" \
        swift test --skip-build --disable-xctest --enable-swift-testing "$@" 2>&1 | tee "$part" || result=$?
    cat "$part" >> "$log"
    if [ "$result" -eq 124 ] || [ "$result" -eq 137 ]; then
        echo "The tests did not end within $limit minutes. Started and not ended:" >&2
        comm -23 \
            <(grep -oE '^◇ Test "[^"]+" started' "$part" | cut -d'"' -f2 | sort -u) \
            <(grep -oE '^[✔✘] Test "[^"]+" .*(passed|failed)' "$part" | cut -d'"' -f2 | sort -u) >&2
        ps -o pid,etimes,stat,args --forest >&2
        stop_left_over
    fi
    rm -f "$part"
    [ "$result" -eq 0 ] || status=$result
    spent+=("$((SECONDS - began)) s: $*")
    began=$SECONDS
}

# Tests of the pool wait for servers, transfers for the network, daemons keep every core busy, and so do media: together each
# would be in the others' way. Daemons come one at a time.
transfers='^(DownloadTests|HTTPTransferTests|ObjectsS3Tests|S3Tests|StoreSetupTests)\.'
campaign='^ObjectsS3Tests\.TransferCampaignTests'
services='^(IsolationTests|PoolTests|QueueTests|StoreTests|WebhookTests)\.'
daemons='^(DaemonTests|PoolCommandTests)\.'
# All at once would only make each of them slow, and the slowest run out of time.
few=(--parallel --experimental-maximum-parallelization-width)
run_tests "${few[@]}" 16 --filter "$transfers" --skip "$campaign"
# Many at a time by itself.
run_tests --parallel --filter "$campaign"
run_tests "${few[@]}" 16 --filter "$services"
run_tests --no-parallel --filter "$daemons"
run_tests "${few[@]}" 6 --skip "$transfers|$services|$daemons"

echo
echo "Faults"
.build/debug/fault-harness --faults 22 --jobs 60 || status=1

echo
echo "Render fixtures"
.build/debug/reelpool fixtures run Fixtures/render --threads "$(nproc)" || status=1

spent+=("$((SECONDS - began)) s: faults and fixtures")
echo
printf '%s\n' "${spent[@]}"

# Who reads only the end of a long log is to find there what went wrong.
if grep -qE '^✘ ' "$log"; then
    echo "Failed:"
    grep -A 3 -E '^✘ ' "$log" | grep -E '^(✘|↳)' || true
fi
skipped=$(grep -cE '(^| )(Test|Suite) .* skipped' "$log" || true)
if [ "$skipped" -gt 0 ]; then
    echo "Skipped:"
    grep -E '(^| )(Test|Suite) .* skipped' "$log"
    # Here everything the tests need is installed: a skip means that something is missing.
    if [ -n "${CI:-}" ]; then
        echo "$skipped tests were skipped in CI" >&2
        status=1
    fi
fi
exit $status
