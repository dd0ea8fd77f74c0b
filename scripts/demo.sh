#!/usr/bin/env bash
# The main job from end to end on one recording: probe, proxy, analyze, render.
# usage: demo.sh REELPOOL RECORDING FOLDER
set -euo pipefail
reelpool=$1 recording=$2 folder=$3
mkdir -p "$folder"

# Progress as a bar where somebody watches; a line a step otherwise.
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

say "1. What is it?   reelpool probe $recording"
"$reelpool" probe "$recording"

say "2. For the browser   reelpool proxy $recording --output $folder/proxy"
"$reelpool" proxy "$recording" --output "$folder/proxy" --progress bar

say "3. Where are the pauses?   reelpool analyze $recording --pacing 80 --edit $folder/pauses.json"
"$reelpool" analyze "$recording" --pacing 80 --edit "$folder/pauses.json" --progress bar

say "4. Without them   reelpool render $folder/pauses.json --output $folder/tight.mp4"
"$reelpool" render "$folder/pauses.json" --output "$folder/tight.mp4" --progress bar

say "Made in $folder/"
(cd "$folder" && ls -l proxy/* pauses.json tight.mp4 | awk '{ printf "  %-24s %9d bytes\n", $NF, $5 }')
