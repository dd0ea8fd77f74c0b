#!/usr/bin/env bash
# Runs all tests and ends with one line that counts them. In CI a skipped test is a failure.
set -euo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT

swift build --build-tests -j "$(nproc)"
status=0
swift test --skip-build --parallel 2>&1 | tee "$log" || status=$?

echo
echo "Render fixtures"
.build/debug/reelpool fixtures run Fixtures/render --threads "$(nproc)" || status=1

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
