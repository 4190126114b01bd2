#!/usr/bin/env bash
# Measures the services beside what they stand on, and prints one table: `tests/bench/run.sh`.
#
#   --seconds=N   of every measurement (5)       --runs=N     of which the medians are printed (3)
#   --json        the same as JSON               --actions=N  in the organisation measured (2000)
#
#   tests/bench/run.sh neighbour [OPTION...]     how one organisation's calls fare while another floods the service
#   tests/bench/run.sh memory                    what memory the services take
#   tests/bench/run.sh import [ROWS]             what the import of a large file takes (100000)
#   tests/bench/run.sh large [OPTION...]         inputs on a database of full size: --tenants=N (1000) --inputs=N
#                                                (1000000) --measurements=N (10000000) --large=N (10000) --calls=N (200)
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
case ${1:-} in
    memory) ;;
    import) STACK_SERVICES="inputs reviews" ;;
    large) STACK_SERVICES="inputs actions reviews" ;;
    *) STACK_SERVICES="actions reviews" ;;
esac
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
PATH=$(stack_postgres_bin):$PATH
case ${1:-} in
    memory)
        ulimit -n 4096
        /usr/bin/python3 -B tests/bench/memory.py ;;
    import)
        shift
        /usr/bin/python3 -B tests/bench/imports.py "$@" ;;
    large)
        shift
        /usr/bin/python3 -B tests/bench/large.py --programs="$BUILD/tests/bench" "$@" ;;
    *) /usr/bin/python3 -B tests/bench/bench.py --programs="$BUILD/tests/bench" "$@" ;;
esac
