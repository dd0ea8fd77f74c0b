#!/usr/bin/env bash
# Installs the Debian packages that are missing for a purpose: build, test or bench.
# Asks for nothing that is there already, so that it is quick and needs no network then.
set -euo pipefail

build=(libavformat-dev libavcodec-dev libavfilter-dev libswscale-dev libswresample-dev libavutil-dev pkg-config)
# The ffmpeg command line is the tests' independent reference; Reelpool itself never runs it.
test=(ffmpeg python3 strace binutils)
bench=(ffmpeg python3 python3-venv)

purpose=${1:?build, test or bench}
case $purpose in
    build) wanted=("${build[@]}") ;;
    test) wanted=("${test[@]}") ;;
    bench) wanted=("${bench[@]}") ;;
    *) echo "unknown purpose: $purpose" >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Please install: ${missing[*]}" >&2
    exit 1
fi
echo "Installing ${missing[*]}"
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
