#!/usr/bin/env bash
# Prints the Python of a virtual environment that has what a list of PyPI's packages names; installs them when that is
# needed. It lies in REELPOOL_CACHE, beside the checkout, and stays for the next time.
# usage: venv.sh NAME REQUIREMENTS
set -euo pipefail
cache=${REELPOOL_CACHE:-$HOME/.cache/reelpool}
wanted=$2
venv=$cache/$1-venv
mkdir -p "$cache"
(
    flock 9
    if ! cmp -s "$wanted" "$venv/installed.txt"; then
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/pip" install -q --disable-pip-version-check -r "$wanted"
        cp "$wanted" "$venv/installed.txt"
    fi
) 9> "$cache/$1.lock" >&2
echo "$venv/bin/python"
