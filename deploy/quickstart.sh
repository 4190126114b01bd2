#!/usr/bin/env bash
# isms-review on this machine with one command: installs, builds, starts, and takes a demo organisation through two
# management reviews. Then it serves until Ctrl-C.
#
# Everything it makes lies in one state folder and in build/quickstart. What was made is used again: a second run takes
# seconds, and a run that was interrupted goes on where it stopped. Whatever it starts, it stops, also when it fails.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$ROOT/build/quickstart
DEMO_SOURCE=$ROOT/deploy/demo
# shellcheck source=deploy/lib/packages.sh
. "$ROOT/deploy/lib/packages.sh"
# shellcheck source=deploy/lib/stack.sh
. "$ROOT/deploy/lib/stack.sh"
# shellcheck source=deploy/demo/story.sh
. "$DEMO_SOURCE/story.sh"

usage() {
    cat <<EOF
usage: deploy/quickstart.sh [--once] [--state FOLDER] [--reset]

Installs Debian packages (as root or with sudo), builds, starts PostgreSQL, Redis and the four services on free
ports, and holds two management reviews with the demo data of deploy/demo. Then it serves until Ctrl-C.

  --once           end after the reviews and stop everything again
  --state FOLDER   where everything lives; otherwise ISMS_STATE, or
                   $(state_default)
  --reset          throw the state folder away first, and begin anew
  --help
EOF
}

state_default() {
    if [ "$(id -u)" -eq 0 ]; then echo /var/lib/isms-review-demo; else echo "$HOME/.local/state/isms-review"; fi
}

# --- progress -------------------------------------------------------------------------------------------------------

if [ -t 1 ]; then
    BOLD=$(tput bold 2>/dev/null || true) DIM=$(tput dim 2>/dev/null || true) PLAIN=$(tput sgr0 2>/dev/null || true)
    GREEN=$(tput setaf 2 2>/dev/null || true) RED=$(tput setaf 1 2>/dev/null || true)
    CLEAR=$'\r'$(tput el 2>/dev/null || true)
else
    BOLD='' DIM='' PLAIN='' GREEN='' RED='' CLEAR=''
fi
case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
    *[Uu][Tt][Ff]8* | *[Uu][Tt][Ff]-8*) GOOD=✓ BAD=✗ BUSY=… ;;
    *) GOOD=ok BAD=failed BUSY=.. ;;
esac

now_ms() {
    local now=${EPOCHREALTIME/[.,]/}
    echo $((now / 1000))
}

# step_line MARK COLOUR LABEL START [NOTE]
step_line() {
    local ms=$(($(now_ms) - $4)) took
    if [ "$ms" -lt 60000 ]; then
        took=$(printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100)))
    else
        took=$(printf '%d min %02d s' $((ms / 60000)) $((ms / 1000 % 60)))
    fi
    printf '%s  %s%s%s %-44s %s%12s%s\n' "$CLEAR" "$2" "$1" "$PLAIN" "$3" "$DIM" "${5:-$took}" "$PLAIN"
}

# What goes on meanwhile: the last line of the step's output, on a terminal only.
step_watch() {
    local detail
    while kill -0 "$1" 2>/dev/null; do
        detail=$(tail -n 1 "$3" 2>/dev/null | tr -d '\r' | cut -c 1-60 || true)
        printf '%s  %s %s  %s%s%s' "$CLEAR" "$BUSY" "$2" "$DIM" "$detail" "$PLAIN"
        sleep 0.3
    done
}

JOB='' JOB_LOG=''

# step LABEL ADVICE COMMAND...: runs the command as a job of its own, so that Ctrl-C reaches this script alone, which
# then ends what it began. Its output goes into a file that is shown when it fails.
step() {
    local label=$1 advice=$2 start status=0
    shift 2
    start=$(now_ms)
    JOB_LOG=$STACK/quickstart/$(tr -cs 'a-z0-9\n' - <<<"${label,,}").log
    set -m
    (set -e; "$@") >"$JOB_LOG" 2>&1 </dev/null &
    JOB=$!
    set +m
    if [ -t 1 ]; then step_watch "$JOB" "$label" "$JOB_LOG"; fi
    wait "$JOB" || status=$?
    JOB=''
    if [ "$status" -ne 0 ]; then
        step_line "$BAD" "$RED" "$label" "$start"
        tail -n 15 "$JOB_LOG" | sed 's/^/      /' >&2
        fail "$advice The whole output is in $JOB_LOG."
    fi
    step_line "$GOOD" "$GREEN" "$label" "$start"
}

# chapter NAME LABEL COMMAND...: a step that is done once in the life of the state folder.
chapter() {
    local mark=$STACK/quickstart/done-$1 label=$2
    shift 2
    if [ -e "$mark" ]; then
        step_line "$GOOD" "$GREEN" "$label" "$(now_ms)" "done before"
        return
    fi
    step "$label" "Run this again, and it goes on here; with --reset it begins anew." "$@"
    touch "$mark"
}

fail() {
    echo "${RED}Failed.${PLAIN} $*" >&2
    exit 1
}

# --- the end --------------------------------------------------------------------------------------------------------

OWNED=''    # the state folder is locked by us
STARTING='' # the job is starting servers: it is left to finish, so that there are process ids to stop

finish() {
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    if [ -n "$JOB" ]; then
        [ -n "$STARTING" ] || kill -TERM -- "-$JOB" 2>/dev/null
        wait "$JOB" 2>/dev/null
    fi
    if [ -n "$OWNED" ]; then rm -f "$STACK/quickstart.pid"; fi
    if [ -n "$OWNED" ] && [ -n "$(ls "$STACK/pids" 2>/dev/null)" ]; then
        stack_stop
        echo "${CLEAR}Everything is stopped; the state is kept in $STACK."
    fi
    exit "$status"
}

interrupted() {
    [ -n "$SERVING" ] && exit 0
    echo "${CLEAR}Interrupted. Run this again, and it goes on where it stopped." >&2
    exit 130
}

# --- the steps ------------------------------------------------------------------------------------------------------

state_open() {
    local owner
    [ ! -d "$STACK" ] || [ -e "$STACK/.isms-review" ] || [ -z "$(ls -A "$STACK")" ] ||
        fail "$STACK holds something else: name another folder with --state."
    mkdir -p "$STACK" 2>/dev/null || fail "$STACK cannot be made: name another folder with --state."
    STACK=$(cd "$STACK" && pwd) STACK_BIN=$STACK/bin
    # A lock file inside would go away with --reset.
    exec 9>"$STACK.lock" || fail "$STACK.lock cannot be written: name another folder with --state."
    if ! flock -n 9; then
        owner=$(cat "$STACK/quickstart.pid" 2>/dev/null || true)
        [ ! -d "/proc/${owner:-none}" ] ||
            fail "Another run is at work in $STACK, process $owner: end it, or name another folder with --state."
        # A run that was killed leaves the job that it had begun, and that ends by itself.
        flock -w 300 9 || fail "What is left of a killed run holds $STACK: end it, or name another folder with --state."
    fi
    OWNED=yes
    if [ -n "$RESET" ]; then
        if [ -d "$STACK/pids" ]; then stack_stop; fi
        rm -rf "${STACK:?}"
    fi
    mkdir -p "$STACK/quickstart" "$STACK_BIN"
    touch "$STACK/.isms-review"
    echo "$$" >"$STACK/quickstart.pid"
    chmod 755 "$STACK"
}

packages() {
    local start log=$STACK/quickstart/debian-packages.log
    start=$(now_ms)
    if [ -t 1 ]; then printf '  %s Debian packages' "$BUSY"; fi
    # In the foreground: sudo may ask for a password. What the packages say while they are set up is for the log.
    # shellcheck disable=SC2086
    packages_install $PACKAGES_BUILD $PACKAGES_RUN 2>"$log" || {
        step_line "$BAD" "$RED" "Debian packages" "$start"
        tail -n 15 "$log" | sed 's/^/      /' >&2
        fail "Install these packages (apt-get install), then run this again."
    }
    step_line "$GOOD" "$GREEN" "Debian packages" "$start"
    # Only now is there the user that PostgreSQL's package brings.
    stack_run test -x "$STACK" ||
        fail "The user $(stack_user), who runs the servers, cannot enter $STACK: name another folder with --state."
}

build() {
    cmake -S "$ROOT" --preset release -B "$BUILD" -DISMS_TESTS=OFF
    cmake --build "$BUILD"
}

# Puts the programs into the state folder; servers that are left from a run that was killed are ended first.
programs_install() {
    local build before
    build=$(cat "$BUILD"/bin/* | sha256sum | cut -c 1-12)
    before=$(cat "$STACK/build" 2>/dev/null || true)
    [ "$build" != "$before" ] || return 0
    if [ -n "$before" ]; then
        echo "  ${DIM}The state folder was made by another build ($before, this is $build):" \
            "it will be migrated.${PLAIN}"
        rm -f "$STACK/quickstart/done-reports"
    fi
    if [ -d "$STACK/pids" ]; then stack_stop; fi
    install -m 755 "$BUILD"/bin/* "$STACK_BIN"
    echo "$build" >"$STACK/build"
}

servers_start() {
    # The servers live on when this script is killed; the lock must not.
    stack_start 9>&-
}

# For a shell beside this one.
environment_write() {
    local name file=$STACK/env
    (umask 077 && : >"$file.new")
    {
        echo "export PATH=$STACK_BIN:\$PATH ISMS_STATE=$STACK"
        for name in $STACK_SERVICES; do echo "export ISMS_${name^^}_ADDRESS=127.0.0.1:$(stack_port "$name")"; done
        echo "export ISMS_CREDENTIAL=$(cat "$STORY/manager.key")"
    } >"$file.new"
    mv "$file.new" "$file"
    if [ -n "${SUDO_USER:-}" ]; then chown "$SUDO_USER" "$file"; fi
}

outcome_print() {
    local first second
    first=$(story_id MR1.number) second=$(story_id MR2.number)
    cat <<EOF

${BOLD}Two management reviews were held, signed and verified.${PLAIN}
Open in a browser:
  $STACK/reports/$second.html   (this year's; shows what became of last year's actions)
  $STACK/reports/$first.html
Beside them lie the reports as JSON and the signed records.
EOF
}

next_print() {
    local period token="${SUDO_USER:+sudo }deploy/lib/stack.sh \$ISMS_STATE token katharina"
    period="{\"start_date\": \"$(story_fill <<<'{-11m1}')\", \"end_date\": \"$(story_fill <<<'{0m}')\"}"
    cat <<EOF

${BOLD}To try next${PLAIN}, in another shell:
  . $STACK/env
  ismsctl call GetDashboard
  ismsctl call ListActions '{"unfinished": true, "order_by": "due_date"}'
  ismsctl call GetMetricTrend '{"metric_id": "$(story_id M-06)", "period": $period}'
  ismsctl call ListChanges '{"page_size": 5}'
  ismsctl methods ReviewService
  ismsctl verify \$ISMS_STATE/reports/$(story_id MR2.number)-record.json --key \$ISMS_STATE/keys/installation.pub.pem
  curl -s http://127.0.0.1:$(stack_port actions-admin)/metrics
The credential is an API key of an ISMS manager. A person, who may sign, comes with an access token:
  ISMS_CREDENTIAL=\$($token $(story_id organisation)) ismsctl call GetSelf

Serving. ${BOLD}Ctrl-C${PLAIN} stops everything.
EOF
}

# Until Ctrl-C, or until one of the servers is no more.
serve() {
    local name
    while :; do
        for name in postgres redis $STACK_SERVICES; do
            stack_alive "$name" || fail "$name has ended: see $STACK/log/$name.log, then run this again."
        done
        sleep 1 &
        wait "$!" || true
    done
}

ONCE='' RESET='' SERVING=''
STACK=${ISMS_STATE:-$(state_default)}
while [ $# -gt 0 ]; do
    case $1 in
        --once) ONCE=yes ;;
        --reset) RESET=yes ;;
        --state) [ $# -ge 2 ] || { usage >&2; exit 2; }; STACK=$2; shift ;;
        --state=*) STACK=${1#*=} ;;
        --help | -h) usage; exit 0 ;;
        *) echo "There is no option '$1'." >&2; usage >&2; exit 2 ;;
    esac
    shift
done

trap finish EXIT
trap interrupted INT TERM HUP
state_open
echo "${BOLD}isms-review${PLAIN}, state in $STACK"
packages
step "Building the programs" "The build failed." build
programs_install
STARTING=yes
step "Starting PostgreSQL, Redis and the services" "Run this again, or begin anew with --reset." servers_start
STARTING=''
story_begin
chapter organisation "The organisation, its people and keys" story_organisation
chapter first-data "A first year of inputs and measurements" story_data first
chapter first-review "The first management review" story_first_review
chapter year-between "A year later: actions, inputs, measurements" story_year_between
chapter second-review "The second management review" story_second_review
chapter reports "Reports, signed records, verification" story_reports
environment_write
outcome_print
[ -n "$ONCE" ] && exit 0
SERVING=yes
next_print
serve
