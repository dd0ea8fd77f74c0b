#!/usr/bin/env bash
# Installs the Debian packages that are missing for a purpose: build, test or bench.
# Asks for nothing that is there already, so that it is quick and needs no network then.
set -euo pipefail

build=(
    libavformat-dev libavcodec-dev libavfilter-dev libswscale-dev libswresample-dev libavutil-dev pkg-config
    libpq-dev libsqlite3-dev librabbitmq-dev libhiredis-dev libcurl4-openssl-dev libxml2-dev
    libass-dev fonts-dejavu-core
)
# The ffmpeg command line is the tests' independent reference; Reelpool itself never runs it.
# The servers are what scripts/servers.sh starts.
servers=(postgresql redis-server rabbitmq-server openssl util-linux)
test=(chromium ffmpeg curl jq python3 python3-venv strace binutils "${servers[@]}")
bench=(ffmpeg rclone python3 python3-venv "${servers[@]}")

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
# Debian starts a server as soon as it is installed, on its usual port. Not here: a policy that says no to all services
# is in place meanwhile, unless the machine has a policy of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
