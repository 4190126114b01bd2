# shellcheck shell=bash
# TAP for the lint scripts that are bash: `tap NAME` takes what is wrong, a line each, on standard input.

tap_number=0

tap() {
    local found
    mapfile -t found
    tap_number=$((tap_number + 1))
    if [ "${#found[@]}" -eq 0 ]; then
        echo "ok $tap_number - $1"
    else
        local more=''
        if [ "${#found[@]}" -gt 1 ]; then more=" (and $((${#found[@]} - 1)) more)"; fi
        echo "not ok $tap_number - $1: ${found[0]}$more"
        printf '#   %s\n' "${found[@]}"
    fi
}

tap_skip() {
    tap_number=$((tap_number + 1))
    echo "ok $tap_number - $1 # SKIP $2"
}
