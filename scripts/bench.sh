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
    # Without a network the newest build is left out, and the table says so.
    "$venv/bin/pip" install -q imageio-ffmpeg || echo "imageio-ffmpeg cannot be installed" >&2
fi
exec python3 Benchmarks/bench.py --reelpool "$reelpool" --imageio-python "$venv/bin/python" \
    --output docs/benchmarks.md "$@"
