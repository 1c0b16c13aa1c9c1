# shellcheck shell=bash
# How a node is made and started. Sourced by `up` and `node`, after state.sh.

# A node ends by itself after this time, whoever forgot it (a duration as timeout(1) takes it).
lifetime=${HOP_TEST_KAFKA_LIFETIME:-2h}
# Seconds until a broker that has not answered counts as failed.
patience=${HOP_TEST_KAFKA_PATIENCE:-60}

# shellcheck disable=SC2154 # state.sh sets it
lib="$home/lib"
# 16 bytes in base64, as Kafka wants it: "hop-test-cluster".
cluster_id=aG9wLXRlc3QtY2x1c3Rlcg

# Quick to start rather than quick in the long run; no files outside the node's folder.
jvm=(-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -XX:+ExitOnOutOfMemoryError
    -Djava.net.preferIPv4Stack=true "-Dlog4j2.configurationFile=$here/log4j2.properties" -cp "$lib/*")

need() {
    command -v "$1" >/dev/null || fail "$1 is not installed; $2"
}

need python3 "install Python 3.11 or later"
need java "install a JRE, 17 or later (Debian: apt-get install openjdk-17-jre-headless)"

fetch_jars() {
    local stamp
    stamp=$(sha256sum <"$here/pom.xml")
    if [[ -f "$lib/stamp" && $(<"$lib/stamp") == "$stamp" ]]; then
        return
    fi
    need mvn "install Maven (Debian: apt-get install maven)"
    say "fetching the jars that pom.xml names"
    rm -rf "$lib.new"
    mvn --quiet --batch-mode -Dstyle.color=never --file "$here/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$lib.new" >&2 ||
        fail "Maven could not fetch the jars; its message is above. Is Maven Central reachable?"
    printf '%s\n' "$stamp" >"$lib.new/stamp"
    rm -rf "$lib"
    mv "$lib.new" "$lib"
}

# free_ports N: prints N ports of 127.0.0.1 that are free, one a line.
free_ports() {
    python3 "$here/probe.py" free-ports "$1" || fail "no free ports on 127.0.0.1; python3's message is above"
}

# format_node DIR ARGUMENT...: makes the storage that DIR/server.properties describes.
format_node() {
    local node=$1
    shift
    java "${jvm[@]}" -Xmx256m kafka.tools.StorageTool format --cluster-id "$cluster_id" \
        --config "$node/server.properties" "$@" >"$node/format.log" 2>&1 || {
        tail -n 30 "$node/format.log" >&2
        fail "could not format the storage (above). If it speaks of class versions: Kafka 4 needs Java 17 or later"
    }
}

# What the brokers of the cluster get to run with, so that three have room on a small machine.
# shellcheck disable=SC2034 # used by those who source this
cluster_jvm=(-Xmx400m)
launchers=()

# launch_node DIR JVM-ARGUMENT...: starts the broker, and does not wait for it.
launch_node() {
    local node=$1
    shift
    rm -f "$node/pid"
    # The shell writes its own process id, then becomes the JVM: the id on file is the JVM's, not timeout's.
    # shellcheck disable=SC2016
    setsid timeout --kill-after=30s "$lifetime" bash -c 'echo $$ >"$1/pid" && shift && exec java "$@"' \
        bash "$node" "$(server_mark "$node")" "${jvm[@]}" "$@" kafka.Kafka "$node/server.properties" \
        </dev/null >>"$node/broker.log" 2>&1 9>&- &
    launchers+=($!)
    # Bash would tell of its death.
    disown
}

# await_nodes ADDRESS...: waits until the brokers there know each other and serve groups. Fails with 2 when a process that
# was launched has ended, with 1 when the time is up.
await_nodes() {
    local deadline=$((SECONDS + patience)) reason
    until reason=$(python3 "$here/probe.py" ready "$@" 2>&1); do
        if ! kill -0 "${launchers[@]}" 2>/dev/null; then
            say "a broker's process ended before it answered"
            return 2
        fi
        if ((SECONDS >= deadline)); then
            say "no answer within $patience s (HOP_TEST_KAFKA_PATIENCE): $reason"
            return 1
        fi
        sleep 0.1
    done
}

# give_up DIR...: says how the logs of the nodes end.
give_up() {
    local node
    for node in "$@"; do
        say "the end of $node/broker.log:"
        tail -n 40 "$node/broker.log" >&2
    done
    fail "Apache Kafka did not start (above)"
}
