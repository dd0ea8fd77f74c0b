#!/usr/bin/env bash
# Prints the Python that has TaskIQ and Celery, the unchanged packages of PyPI; installs them when that is needed.
# They lie in REELPOOL_CACHE, beside the checkout, and stay for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${REELPOOL_CACHE:-$HOME/.cache/reelpool}
wanted=Fixtures/clients/requirements.txt
venv=$cache/clients-venv
mkdir -p "$cache"
(
    flock 9
    if ! cmp -s "$wanted" "$venv/installed.txt"; then
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/pip" install -q --disable-pip-version-check -r "$wanted"
        cp "$wanted" "$venv/installed.txt"
    fi
) 9> "$cache/clients.lock" >&2
echo "$venv/bin/python"
