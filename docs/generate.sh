#!/usr/bin/env bash
# Makes the reference pages out of the tables that the code itself is made of:
#
#   docs/generate.sh            writes errors.md, settings.md, roles.md, metrics.md, quality.md, api.md and
#                             service-config-hedging.json beside this file
#   docs/generate.sh FOLDER     into another folder (tests/lint/docs.sh compares)
set -eu
cd "$(dirname "$0")/.."
target=${1:-docs}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

gcc -std=gnu17 -Wall -Werror -Iinclude -o "$scratch/tables" docs/tables.c
for page in errors settings roles metrics quality; do
    "$scratch/tables" "$page" >"$target/$page.md"
done
find proto -name "*.proto" | sort |
    xargs protoc -Iproto -I/usr/include --include_imports --include_source_info -o "$scratch/api.pb"
# Debian's Python, which python3-protobuf belongs to.
/usr/bin/python3 -B docs/api.py "$scratch/api.pb" >"$target/api.md"
/usr/bin/python3 -B docs/hedging.py "$scratch/api.pb" docs/service-config.json >"$scratch/hedging.json"
cp "$scratch/hedging.json" "$target/service-config-hedging.json"
