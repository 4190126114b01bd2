#!/usr/bin/env bash
# Measures the services beside what they stand on, and prints one table: `tests/bench/run.sh`.
#
#   --seconds=N   of every measurement (5)       --runs=N     of which the medians are printed (3)
#   --json        the same as JSON               --actions=N  in the organisation measured (2000)
#
#   tests/bench/run.sh neighbour [OPTION...]     how one organisation's calls fare while another floods the service
#   tests/bench/run.sh memory                    what memory the services take
#
# Builds, and starts a PostgreSQL, a Redis and the services that are needed, all of its own, on loopback ports,
# durable as in production; stops and removes them at the end. docs/performance.md says how to read the table.
#
#   BUILD=FOLDER tests/bench/run.sh     what is built there already, in place of building
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/lib/packages.sh
. deploy/lib/packages.sh
# shellcheck source=deploy/lib/stack.sh
. deploy/lib/stack.sh

# shellcheck disable=SC2086
packages_install $PACKAGES_BUILD $PACKAGES_RUN $PACKAGES_TEST
if [ -z "${BUILD:-}" ]; then
    BUILD=$PWD/build/release
    mkdir -p "$BUILD"
    echo "building (release) …" >&2
    { cmake --preset release && cmake --build "$BUILD"; } >"$BUILD/bench-build.log" 2>&1 ||
        { tail -n 40 "$BUILD/bench-build.log" >&2; exit 1; }
fi

STACK=$(mktemp -d "${TMPDIR:-/var/tmp}/isms-bench.XXXXXX")
STACK_BIN=$STACK/bin
# shellcheck disable=SC2034  # read by stack.sh
[ "${1:-}" = memory ] || STACK_SERVICES="actions reviews"
# shellcheck disable=SC2329
finish() {
    stack_stop
    rm -rf "$STACK"
}
trap finish EXIT
trap 'exit 130' INT TERM

# What is measured is the service, not its limits.
export ISMS_TENANT_CALLS_PER_SECOND=1000000 ISMS_TENANT_CALLS_BURST=1000000 ISMS_TENANT_CALLS_IN_FLIGHT=100000

mkdir -p "$STACK_BIN"
cp "$BUILD"/bin/isms-* "$STACK_BIN"/
chmod -R a+rX "$STACK"
echo "starting PostgreSQL, Redis and the services …" >&2
stack_start

export ISMS_TEST_STACK=$STACK ISMS_TEST_STACK_BIN=$STACK_BIN ISMS_TEST_ROOT=$PWD
if [ "${1:-}" = memory ]; then
    ulimit -n 4096
    /usr/bin/python3 -B tests/bench/memory.py
else
    PATH=$(stack_postgres_bin):$PATH /usr/bin/python3 -B tests/bench/bench.py --programs="$BUILD/tests/bench" "$@"
fi
