# shellcheck shell=bash
# To be sourced: FFmpeg's commands, loaded once and run many times (Tests/C/WarmCommand). They end with the shell that has
# sourced this.

# usage: warm_commands FOLDER
# Makes commands in a folder that are to come first on the path.
warm_commands() {
    local folder=$1 sources=Tests/C/WarmCommand program
    cc -O2 -Wall -Wextra -Werror -shared -fPIC -o "$folder/warm.so" $sources/warm.c || return 1
    cc -O2 -Wall -Wextra -Werror -o "$folder/client" $sources/client.c || return 1
    for program in ffmpeg ffprobe; do
        # The program itself: whatever leads to it on the path would be stopped instead.
        REELPOOL_WARM_SOCKET=$folder/$program.socket LD_PRELOAD=$folder/warm.so \
            "$(realpath "$(command -v $program)")" < /dev/null > "$folder/$program.log" 2>&1 &
        for _ in {1..100}; do
            [ -S "$folder/$program.socket" ] && break
            sleep 0.1
        done
        [ -S "$folder/$program.socket" ] || { cat "$folder/$program.log" >&2; return 1; }
        ln "$folder/client" "$folder/$program"
    done
}
