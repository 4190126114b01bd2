#!/usr/bin/env bash
# Runs the tests: `tests/run.sh` all suites, `tests/run.sh unit lint` some.
#
# Installs what they need, builds, starts a PostgreSQL and a Redis of its own for the suites that need them and
# stops them again. One line a suite, then "N passed, N failed, N skipped"; what failed or was skipped is named,
# and the whole output is kept under build/test-log/.
#
#   PRESET=asan tests/run.sh unit integration     the same on another build (release, clang, asan, tsan, coverage)
set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=deploy/lib/packages.sh
. deploy/lib/packages.sh
# shellcheck source=deploy/lib/stack.sh
. deploy/lib/stack.sh

ALL_SUITES="lint unit integration e2e fault fuzz abuse"
PRESET=${PRESET:-release}
BUILD=$PWD/build/$PRESET
LOG=$PWD/build/test-log
SUITES=${*:-$ALL_SUITES}
# Debian's own Python: the one that Debian's grpcio belongs to.
PYTHON=/usr/bin/python3
passed=0 failed=0 skipped=0

for suite in $SUITES; do
    case " $ALL_SUITES " in
        *" $suite "*) ;;
        *) echo "There is no suite '$suite'. Suites: $ALL_SUITES" >&2; exit 2 ;;
    esac
done

# shellcheck disable=SC2086
packages_install $PACKAGES_BUILD $PACKAGES_RUN $PACKAGES_TEST || exit 1
mkdir -p "$LOG"
echo "building ($PRESET) …"
{ cmake --preset "$PRESET" && cmake --build "$BUILD"; } >"$LOG/build.log" 2>&1 || {
    tail -n 40 "$LOG/build.log"
    echo "The build failed; the whole output is in build/test-log/build.log." >&2
    exit 1
}

# Freed memory that ASan keeps back would look like memory used; gRPC itself is not instrumented.
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=16}
export TSAN_OPTIONS=${TSAN_OPTIONS:-ignore_noninstrumented_modules=1}

STACK=$(mktemp -d "${TMPDIR:-/var/tmp}/isms-test.XXXXXX")
STACK_BIN=$STACK/bin
# shellcheck disable=SC2329
finish() {
    stack_stop
    if [ "$failed" -gt 0 ]; then cp "$STACK"/log/*.log "$LOG"/ 2>/dev/null; fi
    rm -rf "$STACK"
}
trap finish EXIT
trap 'exit 130' INT TERM

# The suites' servers. Durability off: what is tested is our code, not PostgreSQL's; the fault suite turns it on.
servers() {
    local password
    mkdir -p "$STACK_BIN" && cp "$BUILD"/bin/* "$STACK_BIN"/ && chmod -R a+rX "$STACK" || return 1
    case $1 in
        none) return 0 ;;
        bare) stack_init && stack_postgres_start && stack_redis_start || return 1
              password=$(cat "$STACK/password")
              ISMS_TEST_DATABASE_URL="postgresql://postgres:$password@127.0.0.1:$(stack_port postgres)/postgres"
              ISMS_TEST_REDIS_URL="redis://:$password@127.0.0.1:$(stack_port redis)/0"
              export ISMS_TEST_DATABASE_URL ISMS_TEST_REDIS_URL ;;
        all) stack_start || return 1
             export ISMS_TEST_STACK=$STACK ISMS_TEST_STACK_BIN=$STACK_BIN ISMS_TEST_ROOT=$PWD ;;
    esac
}

# run_program FILE: a cmocka program's TAP lines; one more where it ended badly without naming a test.
run_program() {
    local output status
    output=$(CMOCKA_MESSAGE_OUTPUT=tap "$1" 2>&1)
    status=$?
    printf '%s\n' "$output"
    if [ "$status" -ne 0 ] && ! grep -q '^not ok' <<<"$output"; then
        echo "not ok - $(basename "$1") ended with status $status"
    fi
}

# run_pytest NAME: the suite's Python tests, as TAP lines.
run_pytest() {
    STACK_BIN=$STACK_BIN "$PYTHON" -B -m pytest -v --tb=short -p no:cacheprovider -p no:warnings "tests/$1" 2>&1 |
        awk '{ print; name = $0; sub(/ (PASSED|FAILED|ERROR) .*/, "", name) }
             /^tests.* PASSED /{ print "ok - " name } /^tests.* (FAILED|ERROR) /{ print "not ok - " name }
             /^tests.* SKIPPED /{ name = $1; sub(/.*SKIPPED /, ""); sub(/ *\[ *[0-9]+%\]$/, "")
                          print "ok - " name " # SKIP " $0 }'
}

# run_suite NAME: prints TAP lines ("ok 1 - name", "not ok …", "… # SKIP why").
run_suite() {
    local program
    case $1 in
        lint) for program in tests/lint/*.sh; do bash "$program"; done ;;
        unit | integration)
            for program in "$BUILD/tests/$1"/*; do
                [ -f "$program" ] && [ -x "$program" ] || continue
                run_program "$program"
            done ;;
        fuzz) bash tests/fuzz/run.sh --seconds=8; run_pytest fuzz ;;
        e2e | fault | abuse) run_pytest "$1" ;;
    esac
}

for suite in $SUITES; do
    started=$SECONDS
    case $suite in integration) need=bare ;; e2e | fault | fuzz | abuse) need=all ;; *) need=none ;; esac
    case $suite in fault) STACK_POSTGRES_OPTIONS='' ;; *) STACK_POSTGRES_OPTIONS='-c fsync=off' ;; esac
    export STACK_POSTGRES_OPTIONS
    if servers "$need"; then
        run_suite "$suite" >"$LOG/$suite.log" 2>&1
    else
        echo "not ok - the servers of suite $suite did not start" >"$LOG/$suite.log"
    fi
    bad=$(grep -c '^not ok' "$LOG/$suite.log")
    left_out=$(grep -cE '^ok .*# ?SKIP' "$LOG/$suite.log")
    good=$(($(grep -cE '^ok ' "$LOG/$suite.log") - left_out))
    # A suite that ran nothing did not pass.
    if [ $((bad + good + left_out)) -eq 0 ]; then
        echo "not ok - suite $suite ran no test" >>"$LOG/$suite.log"
        bad=1
    fi
    # With cmocka's and pytest's words for what went wrong: who sees only this output has to know as well.
    awk '/^not ok/ { print "    " $0; words = 4; next } /^(ERROR|E  )/ || (/^# / && words-- > 0) { print "      " $0 }
         /^ok/ { words = 0 }' "$LOG/$suite.log" | head -n 100 | cut -c1-300
    grep -E '^ok .*# ?SKIP' "$LOG/$suite.log" | sed 's/^ok/    skipped/'
    case $suite in fuzz | abuse) sed -n 's/^# /    /p' "$LOG/$suite.log" ;; esac
    printf '%-12s %4d passed, %d failed, %d skipped  (%d s)\n' \
        "$suite" "$good" "$bad" "$left_out" $((SECONDS - started))
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left_out))
    if [ "$need" != none ]; then stack_stop; fi
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
