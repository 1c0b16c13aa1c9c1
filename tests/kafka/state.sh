# shellcheck shell=bash
# Where the test brokers keep their state, and how to find and stop their processes. Sourced by the scripts here.
#
# target/kafka/
#   lib/                the jars, with the checksum of the pom.xml they came from
#   lock                held while one of the scripts works
#   run/broker/         the single broker: pid, exports, server.properties, format.log, broker.log, data/, security/
#   run/cluster-N/      a broker of the cluster, the same without security/

server=kafka
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=$(cd "$here/../.." && pwd)/target/kafka
# shellcheck disable=SC2034 # used by those who source this
run="$home/run"

# shellcheck source-path=SCRIPTDIR source=../state.sh
source "$here/../state.sh"
