# shellcheck shell=bash
# Debian's packages, and how they get onto the machine. Sourced by deploy/quickstart.sh and tests/run.sh.

PACKAGES_BUILD="gcc libc6-dev cmake ninja-build pkg-config git ca-certificates
  protobuf-compiler protobuf-c-compiler libprotobuf-dev libprotobuf-c-dev grpc-proto
  libgrpc-dev libpq-dev libhiredis-dev libjansson-dev libssl-dev libmicrohttpd-dev libcurl4-openssl-dev libcsv-dev
  libzip-dev libexpat1-dev zlib1g-dev"
PACKAGES_RUN="postgresql redis-server openssl curl jq procps tzdata util-linux"
PACKAGES_TEST="libcmocka-dev clang libclang-rt-14-dev universal-ctags shellcheck python3 python3-grpcio
  python3-protobuf python3-pytest python3-cryptography python3-openpyxl python3-h2"

# packages_missing NAME...: those of the packages that are not installed.
packages_missing() {
    local name
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^ii' || echo "$name"
    done
}

# packages_install NAME...: installs what is missing; as root, or through sudo.
packages_install() {
    local missing as_root=()
    mapfile -t missing < <(packages_missing "$@")
    [ "${#missing[@]}" -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            { echo "Not installed: ${missing[*]}. Install them, or run this as root." >&2; return 1; }
        as_root=(sudo)
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update >/dev/null &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
            "${missing[@]}" >/dev/null ||
        { echo "The packages ${missing[*]} could not be installed; see the messages above." >&2; return 1; }
}
