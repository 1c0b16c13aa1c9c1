# shellcheck shell=bash
# Where the test registry keeps its state, and how to find and stop its process. Sourced by the scripts here.
#
# target/registry/
#   VERSION/            the registry as Maven has it
#   lock                held while one of the scripts works
#   run/                pid, exports, log

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=$(cd "$here/../.." && pwd)/target/registry
run="$home/run"
# The argument by which the JVM is known as ours. A process id alone may have passed to another process since.
mark="-Dhop.test.registry=$run"

say() {
    printf 'registry: %s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

# Two scripts at once would start two registries and lose one of them.
take_lock() {
    mkdir -p "$home"
    exec 9>"$home/lock"
    flock --wait 300 9 || fail "another script has held $home/lock for five minutes; end it first"
}

# registry_pid: prints the id of the registry's process; fails if there is none.
registry_pid() {
    local pid
    [[ -s "$run/pid" ]] || return 1
    pid=$(<"$run/pid")
    grep --quiet --null-data --line-regexp --fixed-strings -e "$mark" "/proc/$pid/cmdline" 2>/dev/null || return 1
    printf '%s\n' "$pid"
}

# stop_registry: ends the process, if there is one.
stop_registry() {
    local pid deadline
    pid=$(registry_pid) || return 0
    kill -TERM "$pid" || true # it may have ended by itself just now
    deadline=$((SECONDS + 15))
    while registry_pid >/dev/null; do
        if ((SECONDS >= deadline)); then
            kill -KILL "$pid" || true
            deadline=$((SECONDS + 10))
        fi
        sleep 0.1
    done
}
