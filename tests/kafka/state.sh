# shellcheck shell=bash
# Where the test brokers keep their state, and how to find and stop their processes. Sourced by the scripts here.
#
# target/kafka/
#   lib/                the jars, with the checksum of the pom.xml they came from
#   lock                held while one of the scripts works
#   run/broker/         the single broker: pid, exports, server.properties, format.log, broker.log, data/, security/
#   run/cluster-N/      a broker of the cluster, the same without security/

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=$(cd "$here/../.." && pwd)/target/kafka
# shellcheck disable=SC2034 # used by those who source this
run="$home/run"

say() {
    printf 'kafka: %s\n' "$*" >&2
}

fail() {
    say "$@"
    exit 1
}

# Two scripts at once would start two brokers and lose one of them.
take_lock() {
    mkdir -p "$home"
    exec 9>"$home/lock"
    flock --wait 300 9 || fail "another script has held $home/lock for five minutes; end it first"
}

# node_mark DIR: the argument by which a JVM is known as this node's. A process id alone may have passed to another
# process since.
node_mark() {
    printf -- '-Dhop.test.node=%s' "$1"
}

# node_pid DIR: prints the id of the node's process; fails if there is none.
node_pid() {
    local pid
    [[ -s "$1/pid" ]] || return 1
    pid=$(<"$1/pid")
    grep --quiet --null-data --line-regexp --fixed-strings -e "$(node_mark "$1")" "/proc/$pid/cmdline" 2>/dev/null ||
        return 1
    printf '%s\n' "$pid"
}

# node_gone DIR SECONDS: waits until the node's process is gone; fails if it is still there after SECONDS.
node_gone() {
    local deadline=$((SECONDS + $2))
    while node_pid "$1" >/dev/null; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# kill_node DIR: ends the node's process at once, as a crash does.
kill_node() {
    local pid
    pid=$(node_pid "$1") || return 0
    kill -KILL "$pid" || true # it may have ended by itself just now
    node_gone "$1" 10 || fail "process $pid does not end on SIGKILL; see: ps -p $pid"
}

# stop_node DIR: ends the node's process, if there is one.
stop_node() {
    local pid
    pid=$(node_pid "$1") || return 0
    # A frozen process would not hear the signal.
    kill -TERM "$pid" || true # it may have ended by itself just now
    kill -CONT "$pid" 2>/dev/null || true
    if ! node_gone "$1" 15; then
        say "process $pid does not end on SIGTERM; sending SIGKILL"
        kill_node "$1"
    fi
}
