#!/usr/bin/env bash
# Runs all tests and ends with one line that counts them. In CI a skipped test is a failure.
set -euo pipefail
REELPOOL_SERVERS_FOLDER=$(mktemp -d)
export REELPOOL_SERVERS_FOLDER
results=$(mktemp -d)
trap 'finish' EXIT
finish() {
    # shellcheck disable=SC2046
    kill $(jobs -p) 2> /dev/null || true
    scripts/servers.sh stop
    rm -rf "$results" "$REELPOOL_SERVERS_FOLDER"
}

# What each part took, and what the processors did meanwhile: they may have been idle, or a host's.
spent=()
# Ticks of work, of idleness, and taken away. Source: proc_stat(5).
ticks() {
    local user nice system idle waiting irq softirq stolen
    read -r _ user nice system idle waiting irq softirq stolen _ < /proc/stat
    echo "$((user + nice + system + irq + softirq)) $((idle + waiting)) $stolen"
}
read -ra account <<< "$(ticks)"
began=0
spend() {
    local before=("${account[@]}") work idle stolen
    read -ra account <<< "$(ticks)"
    work=$((account[0] - before[0])) idle=$((account[1] - before[1])) stolen=$((account[2] - before[2]))
    local all=$((work + idle + stolen + 1))
    spent+=("$((SECONDS - began)) s, $((100 * work / all)) % busy, $((100 * stolen / all)) % taken away: $1")
    began=$SECONDS
}

# SVT-AV1 prints past FFmpeg's log. The programs see to that when they start; the tests' process has threads by then.
export SVT_LOG=1
export NO_COLOR=1

# Without a server its tests are skipped, by name.
scripts/servers.sh start || echo "Not all servers could be started" >&2
eval "$(scripts/servers.sh env)"
# So are those of Python's back ends, without their packages.
if REELPOOL_TEST_CLIENTS_PYTHON=$(scripts/clients.sh); then export REELPOOL_TEST_CLIENTS_PYTHON; fi

# Most of what tests ask of FFmpeg's commands takes less time than to load them.
warm=$results/commands
mkdir "$warm"
# shellcheck source=scripts/warm-commands.sh
. scripts/warm-commands.sh
if warm_commands "$warm"; then export PATH=$warm:$PATH; else echo "FFmpeg's commands are loaded each time" >&2; fi

# The same folder whether make or a person runs this.
SWIFTPM_BUILD_DIR=$(realpath -m .build)
export SWIFTPM_BUILD_DIR
# As the Makefile's DEBUG has it.
swift build --build-tests --disable-index-store -j "$(nproc)"
# Of tests that failed, and of all else.
failures=0
status=0
spend building

# Runs the tests that the options choose. A test that hangs is to be told by name: what still runs is shown before
# everything is stopped.
limit=${REELPOOL_TEST_MINUTES:-30}
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

# usage: run_tests NAME OPTION...
run_tests() {
    local result=0 name=$1 part
    part=$results/$name.log
    shift
    # As `swift test` runs it.
    timeout --foreground --kill-after=10 "${limit}m" \
        .build/debug/reelpoolPackageTests.xctest --testing-library swift-testing \
        --xunit-output "$results/$name.xml" "$@" 2>&1 |
        tee "$part" || result=$?
    if [ "$result" -gt 1 ]; then
        {
            if [ "$result" -eq 124 ] || [ "$result" -eq 137 ]; then
                echo "The tests of \"$name\" did not end within $limit minutes:"
                ps -eo pid,ppid,etimes,stat,pcpu,wchan:20,args --forest | grep -v ' \['
            else
                echo "The tests of \"$name\" ended with $result."
            fi
            echo "Started and not ended:"
            comm -23 \
                <(grep -oE '^◇ Test "[^"]+" started' "$part" | cut -d'"' -f2 | sort -u) \
                <(grep -oE '^[✔✘] Test "[^"]+" .*(passed|failed)' "$part" | cut -d'"' -f2 | sort -u)
        } > "$results/$name.broken"
        cat "$results/$name.broken" >&2
        stop_left_over
    fi
    return "$result"
}

run_part() {
    local result=0
    run_tests "$@" || result=$?
    if [ "$result" -eq 1 ] && [ -n "$(scripts/failed-tests.py "$results/$1.xml")" ]; then
        failures=1
    elif [ "$result" -ne 0 ]; then
        # Without a list of what failed, the run itself did.
        status=$result
    fi
    spend "$*"
}

# Tests of the pool wait for servers, transfers for the network, daemons keep every core busy for a moment: together each
# would be in the others' way. Daemons come two at a time; what looks at the clock or at threads is alone.
transfers='^(DownloadTests|HTTPTransferTests|ObjectsS3Tests|S3Tests|StoreSetupTests)\.'
campaign='^ObjectsS3Tests\.TransferCampaignTests'
services='^(IsolationTests|PoolTests|QueueTests|StoreTests|WebhookTests)\.'
daemons='^(DaemonTests|PoolCommandTests)\.'
clock='^CommandTests\.(StoppedCommandTests|ThreadTests)\b'
# All at once would only make each of them slow, and the slowest run out of time.
few=(--parallel --experimental-maximum-parallelization-width)

# A campaign of faults waits, for leases to run out and brokers to come back, more than it works; so do these parts. It has
# servers of its own.
harm=(.build/debug/fault-harness --faults 22 --jobs 60)
"${harm[@]}" > "$results/faults.txt" 2>&1 &
campaign_of_faults=$!

run_part transfers "${few[@]}" 16 --filter "$transfers" --skip "$campaign"
# Many at a time by itself.
run_part campaign --parallel --filter "$campaign"
run_part services "${few[@]}" 16 --filter "$services"

harmed=0
wait "$campaign_of_faults" || harmed=$?
echo
echo "Faults"
cat "$results/faults.txt"
# A server that does not come back ends a campaign before it has told anything of the pool.
if [ "$harmed" -eq 3 ]; then
    harmed=0
    "${harm[@]}" 2>&1 | tee "$results/faults.txt" || harmed=$?
fi
if [ "$harmed" -ne 0 ]; then
    status=1
    {
        echo "The campaign of faults ended with $harmed."
        # Its seed, and what came of it.
        head -n 1 "$results/faults.txt"
        tail -n 20 "$results/faults.txt"
    } > "$results/faults.broken"
fi
spend "what was left of faults"

run_part daemons "${few[@]}" 2 --filter "$daemons"
run_part clock --no-parallel --filter "$clock"
run_part rest "${few[@]}" 6 --skip "$transfers|$services|$daemons|$clock"

echo
echo "Render fixtures"
.build/debug/reelpool fixtures run Fixtures/render --threads "$(nproc)" || status=1
spend "fixtures"

# What else runs can make a test fail that looks at the clock. A few that failed have another go, alone, and are named in
# any case; what fails again has failed.
unsteady=3
failed=$(scripts/failed-tests.py "$results"/*.xml)
if [ "$failures" -ne 0 ]; then
    if [ "$(wc -l <<< "$failed")" -le "$unsteady" ]; then
        echo
        echo "Once more, alone"
        if run_tests again --no-parallel --filter "$(paste -sd '|' <<< "$failed")"; then failures=0; fi
        spend "what had failed"
    fi
    echo
    echo "Failed while others ran$([ "$failures" -ne 0 ] || echo ', and passed alone'):"
    echo "$failed"
fi
[ "$failures" -eq 0 ] || status=1

echo
printf '%s\n' "${spent[@]}"

# Who reads only the end of a long log is to find there what went wrong.
for broken in "$results"/*.broken; do
    if [ -e "$broken" ]; then cut -c 1-300 "$broken"; fi
done
if grep -qE '^✘ ' "$results"/*.log; then
    echo "Failed:"
    grep -hA 3 -E '^✘ ' "$results"/*.log | grep -E '^(✘|↳)' || true
fi
skipped=$(cat "$results"/*.log | grep -cE '(^| )(Test|Suite) .* skipped' || true)
if [ "$skipped" -gt 0 ]; then
    echo "Skipped:"
    grep -hE '(^| )(Test|Suite) .* skipped' "$results"/*.log
    # Here everything the tests need is installed: a skip means that something is missing.
    if [ -n "${CI:-}" ]; then
        echo "$skipped tests were skipped in CI" >&2
        status=1
    fi
fi
exit $status
