#!/usr/bin/env bash
# The API's files: that protoc takes them, and what buf says where it is installed (it is not in Debian).
cd "$(dirname "$0")/../.." || exit 1
. tests/lint/tap.bash

mapfile -t files < <(find proto -name '*.proto' | sort)
tap "protoc takes every file, without a warning" < <(
    protoc -Iproto -I/usr/include --descriptor_set_out=/dev/null "${files[@]}" 2>&1)

tap "a file lies where its package says" < <(
    for file in "${files[@]}"; do
        package=$(sed -n 's/^package \(.*\);$/\1/p' "$file")
        [ "proto/${package//.//}" = "$(dirname "$file")" ] || echo "$file: package $package"
    done)

tap "every method has rules" < <(
    awk '/^  rpc / { rpc = FILENAME ": " $2 } /option \(isms.options.v1.method\)/ { rpc = "" }
         /^  }/ { if (rpc) print rpc " has no (isms.options.v1.method)"; rpc = "" }' "${files[@]}")

if command -v buf >/dev/null && [ -f proto/buf.yaml ]; then
    tap "buf lint" < <(cd proto && buf lint 2>&1)
    if git rev-parse --verify --quiet HEAD >/dev/null; then
        tap "buf breaking, against the last commit" < <(buf breaking proto --against '.git#subdir=proto' 2>&1)
    else
        tap_skip "buf breaking" "there is no commit to compare with"
    fi
else
    tap_skip "buf lint" "buf is not installed, or proto/buf.yaml is not there"
    tap_skip "buf breaking" "buf is not installed, or proto/buf.yaml is not there"
fi
