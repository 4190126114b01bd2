#!/usr/bin/env bash
# Measures what memory the services take, and prints a table. docs/performance.md says how to read it.
#
# Builds, and starts a PostgreSQL, a Redis and the four services, all of its own, on loopback ports; stops and removes
# them at the end.
#
#   BUILD=FOLDER tests/bench/memory.sh     what is built there already, in place of building
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
    { cmake --preset release && cmake --build "$BUILD"; } >"$BUILD/memory-build.log" 2>&1 ||
        { tail -n 40 "$BUILD/memory-build.log" >&2; exit 1; }
fi

STACK=$(mktemp -d "${TMPDIR:-/var/tmp}/isms-memory.XXXXXX")
STACK_BIN=$STACK/bin
# shellcheck disable=SC2329
finish() {
    stack_stop
    rm -rf "$STACK"
}
trap finish EXIT
trap 'exit 130' INT TERM

mkdir -p "$STACK_BIN"
cp "$BUILD"/bin/isms-* "$STACK_BIN"/
chmod -R a+rX "$STACK"
stack_start
ulimit -n 4096
ISMS_TEST_STACK=$STACK ISMS_TEST_STACK_BIN=$STACK_BIN ISMS_TEST_ROOT=$PWD /usr/bin/python3 -B tests/bench/memory.py
