#!/usr/bin/env bash
# Lets a new checkout build where an earlier one did, so that the packages it depends on need not be built again: .build
# becomes a link into REELPOOL_CACHE, to one folder for each toolchain and list of dependencies. Where another checkout
# has that folder, or .build is there already, nothing is linked. What is built knows the path it was built at: all must
# name the folder by its own path, never by the link's (the Makefile's SWIFTPM_BUILD_DIR).
set -euo pipefail
cd "$(dirname "$0")/.."
[ ! -e .build ] || exit 0
cache=${REELPOOL_CACHE:-$HOME/.cache/reelpool}/build
mkdir -p "$cache"
cache=$(realpath "$cache")
key=$({ swift --version; uname -m; echo "$cache"; grep -F '.package(' Package.swift; } 2> /dev/null | sha256sum | cut -c1-16)
exec 9> "$cache/lock"
flock 9
owner=$(cat "$cache/$key.owner" 2> /dev/null || true)
if [ -n "$owner" ] && [ "$owner" != "$PWD" ] && [ "$(readlink "$owner/.build")" = "$cache/$key" ]; then
    mkdir .build
    exit 0
fi
# Folders of other toolchains and lists that no checkout uses any more.
for folder in "$cache"/*/; do
    folder=${folder%/}
    [ "$folder" != "$cache/$key" ] && [ -d "$folder" ] || continue
    owner=$(cat "$folder.owner" 2> /dev/null || true)
    [ -n "$owner" ] && [ "$(readlink "$owner/.build")" = "$folder" ] || rm -rf "$folder" "$folder.owner"
done
mkdir -p "$cache/$key"
echo "$PWD" > "$cache/$key.owner"
ln -sfn "$cache/$key" .build
