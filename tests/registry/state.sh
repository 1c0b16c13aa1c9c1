# shellcheck shell=bash
# Where the test registry keeps its state, and how to find and stop its process. Sourced by the scripts here.
#
# target/registry/
#   VERSION/            the registry as Maven has it
#   lock                held while one of the scripts works
#   run/                pid, exports, log

server=registry
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=$(cd "$here/../.." && pwd)/target/registry
# shellcheck disable=SC2034 # used by those who source this
run="$home/run"

# shellcheck source-path=SCRIPTDIR source=../state.sh
source "$here/../state.sh"
