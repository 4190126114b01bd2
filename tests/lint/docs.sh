#!/usr/bin/env bash
# The documentation: made pages are as the code is, and what is referred to exists.
cd "$(dirname "$0")/../.." || exit 1
. tests/lint/tap.bash

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

tap "the made pages are up to date (docs/generate.sh makes them)" < <(
    docs/generate.sh "$scratch" 2>&1
    for page in "$scratch"/*.md "$scratch"/*.json; do
        diff -q "$page" "docs/$(basename "$page")" >/dev/null 2>&1 || echo "docs/$(basename "$page")"
    done)

tap "every page that is referred to is there" < <(
    grep -rnoE '\bdocs/[a-z-]+\.md' include services proto tests deploy .ci ./*.md |
        while IFS=: read -r file line page; do [ -f "$page" ] || echo "$file:$line: $page"; done)

tap "links between pages lead somewhere" < <(
    for page in ./*.md docs/*.md; do
        grep -oE '\]\([^)]+\)' "$page" | sed 's/^](//; s/[)#].*$//' | sort -u |
            while read -r target; do
                case $target in '' | http://* | https://*) continue ;; esac
                [ -e "$(dirname "$page")/$target" ] || echo "$page: $target"
            done
    done)

tap "paths that the pages name are there" < <(
    for page in ./*.md docs/*.md; do
        grep -oE '`(deploy|docs|include|proto|services|tests)/[A-Za-z0-9_./-]+`' "$page" | tr -d '`' | sort -u |
            while read -r path; do [ -e "$path" ] || echo "$page: $path"; done
    done)
