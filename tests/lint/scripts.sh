#!/usr/bin/env bash
# Shell scripts: what shellcheck says, and that those that are run can be run.
cd "$(dirname "$0")/../.." || exit 1
. tests/lint/tap.bash

mapfile -t all < <(find .ci deploy docs tests -name '*.sh' -o -path '.ci/run' -type f | sort)
programs=()
for file in "${all[@]}"; do
    if head -n 1 "$file" | grep -q '^#!'; then programs+=("$file"); fi
done

# Files that are only sourced are looked into through those that source them; whether a variable is used can be
# told of neither (SC2034).
name="shellcheck finds nothing"
if command -v shellcheck >/dev/null; then
    tap "$name" < <(shellcheck --external-sources --check-sourced --severity=warning \
        --exclude=SC2034 --format=gcc "${programs[@]}" | sort -u)
else
    tap_skip "$name" "shellcheck is not installed"
fi

tap "scripts begin with #!/usr/bin/env bash, or say that they are sourced" < <(
    for file in "${all[@]}"; do
        head -n 1 "$file" | grep -qE '^(#!/usr/bin/env bash|# shellcheck shell=bash)$' || echo "$file"
    done)

tap "commands that people type are executable" < <(
    for file in .ci/run deploy/*.sh docs/*.sh tests/run.sh; do
        [ -x "$file" ] || echo "$file"
    done)
