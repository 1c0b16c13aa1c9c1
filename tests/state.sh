# shellcheck shell=bash
# What scripts need that keep a server of the tests under target/. Sourced with `server`, a name for
# people, and `home` set; DIR is where one process of it has its files.

say() {
    printf '%s: %s\n' "$server" "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

# Two scripts at once would start two servers and lose one of them.
take_lock() {
    mkdir -p "$home"
    exec 9>"$home/lock"
    flock --wait 300 9 || fail "another script has held $home/lock for five minutes; end it first"
}

# server_mark DIR: the argument by which a JVM is known as this server's. A process id alone may have passed to another
# process since.
server_mark() {
    printf -- '-Dhop.test.server=%s' "$1"
}

# server_pid DIR: prints the id of the server's process; fails if there is none.
server_pid() {
    local pid
    [[ -s "$1/pid" ]] || return 1
    pid=$(<"$1/pid")
    grep --quiet --null-data --line-regexp --fixed-strings -e "$(server_mark "$1")" "/proc/$pid/cmdline" 2>/dev/null ||
        return 1
    printf '%s\n' "$pid"
}

# server_gone DIR SECONDS: waits until the server's process is gone; fails if it is still there after SECONDS.
server_gone() {
    local deadline=$((SECONDS + $2))
    while server_pid "$1" >/dev/null; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# kill_server DIR: ends the server's process at once, as a crash does.
kill_server() {
    local pid
    pid=$(server_pid "$1") || return 0
    kill -KILL "$pid" || true # it may have ended by itself just now
    server_gone "$1" 10 || fail "process $pid does not end on SIGKILL; see: ps -p $pid"
}

# stop_server DIR: ends the server's process, if there is one.
stop_server() {
    local pid
    pid=$(server_pid "$1") || return 0
    # A frozen process would not hear the signal.
    kill -TERM "$pid" || true # it may have ended by itself just now
    kill -CONT "$pid" 2>/dev/null || true
    if ! server_gone "$1" 15; then
        say "process $pid does not end on SIGTERM; sending SIGKILL"
        kill_server "$1"
    fi
}
