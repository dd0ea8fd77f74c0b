#!/usr/bin/env bash
# Measures Reelpool beside the ffmpeg command line: Debian's, and the newest static build from PyPI.
# usage: bench.sh REELPOOL [options of Benchmarks/bench.py]
set -euo pipefail
reelpool=$1
shift
cache=${REELPOOL_CACHE:-$HOME/.cache/reelpool}
venv=$cache/bench-venv
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q imageio-ffmpeg
fi
exec python3 Benchmarks/bench.py --reelpool "$reelpool" --imageio-python "$venv/bin/python" \
    --output docs/benchmarks.md "$@"
