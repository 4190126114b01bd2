#!/usr/bin/env bash
# Runs the fuzzers: each all of its corpus, then new inputs for a while. Prints TAP.
#
#   tests/fuzz/run.sh                       every fuzzer for 10 s
#   tests/fuzz/run.sh --seconds=3600 jwt json   some, for long
#   tests/fuzz/run.sh --merge               takes what such runs found into tests/fuzz/corpus, minimised
#
# New inputs that reach new code are kept in build/fuzz-corpus. What crashes a fuzzer, takes more than 10 s or more
# than 1 GiB is kept in build/fuzz-crashes, and the command that repeats it is printed.
#
#   BUILD=FOLDER tests/fuzz/run.sh          what is built there already, in place of building
set -u
cd "$(dirname "$0")/../.." || exit 1

seconds=10 merge=false nouns=()
for argument in "$@"; do
    case $argument in
        --seconds=*) seconds=${argument#*=} ;;
        --merge) merge=true ;;
        -*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
        *) nouns+=("$argument") ;;
    esac
done

if [ -z "${BUILD:-}" ]; then
    BUILD=$PWD/build/fuzz
    mkdir -p "$BUILD"
    { cmake --preset fuzz -DISMS_TESTS=ON && cmake --build --preset fuzz; } >"$BUILD/build.log" 2>&1 ||
        { tail -n 40 "$BUILD/build.log"; echo "not ok - the fuzzers do not build"; exit 1; }
fi
if [ ${#nouns[@]} -eq 0 ]; then
    for program in "$BUILD"/tests/fuzz/fuzz_*; do nouns+=("${program##*/fuzz_}"); done
fi

# fuzz NOUN: one line of TAP, and the end of its output where it failed.
fuzz() {
    local noun=$1 program=$BUILD/tests/fuzz/fuzz_$1 log crash options=()
    local found=build/fuzz-corpus/$noun kept=tests/fuzz/corpus/$noun crashes=build/fuzz-crashes
    mkdir -p "$found" "$crashes"
    log=$(mktemp)
    [ -f "tests/fuzz/dictionary/$noun" ] && options+=("-dict=tests/fuzz/dictionary/$noun")
    if "$program" "-max_total_time=$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=1 \
        "-artifact_prefix=$crashes/$noun-" "${options[@]}" "$found" "$kept" >"$log" 2>&1; then
        printf 'ok - fuzz %s: %d files of the corpus, %d inputs in %d s, seed %s\n' "$noun" \
            "$(find "$kept" -type f | wc -l)" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$seconds" \
            "$(sed -n 's/^INFO: Seed: *//p' "$log")"
    else
        tail -n 60 "$log" | cut -c 1-400
        crash=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        echo "not ok - fuzz $noun: ${crash:+repeat with }${crash:+$program $crash}"
    fi
    rm -f "$log"
}

if $merge; then
    for noun in "${nouns[@]}"; do
        merged=$(mktemp -d)
        mkdir -p "build/fuzz-corpus/$noun"
        "$BUILD/tests/fuzz/fuzz_$noun" -set_cover_merge=1 "$merged" "tests/fuzz/corpus/$noun" \
            "build/fuzz-corpus/$noun" >/dev/null 2>&1 || { echo "not ok - merge $noun"; exit 1; }
        rm -rf "tests/fuzz/corpus/$noun"
        mv "$merged" "tests/fuzz/corpus/$noun"
        chmod 755 "tests/fuzz/corpus/$noun"
        echo "ok - merge $noun: $(find "tests/fuzz/corpus/$noun" -type f | wc -l) files"
    done
    exit 0
fi

for noun in "${nouns[@]}"; do
    while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
    fuzz "$noun" &
done
wait
