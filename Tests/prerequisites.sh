# Sourced by ./samples/demo.sh and ./Tests/run.sh: makes sure that what the build needs is there, or says plainly what is not.

# Debian packages, and for each what proves that it is there: a pkg-config name, a command, a file, or a module of Debian's own Python.
broker_packages="libssl-dev:libcrypto libcurl4-openssl-dev:libcurl libjansson-dev:jansson"
broker_commands="pkg-config:pkg-config"
broker_files="ca-certificates:/etc/ssl/certs/ca-certificates.crt"
broker_modules=""

broker_fail() {
    printf '%s\n' "$@" >&2
    exit 2
}

broker_missing_packages() {
    local missing=() entry
    for entry in $broker_commands; do
        command -v "${entry#*:}" >/dev/null 2>&1 || missing+=("${entry%%:*}")
    done
    for entry in $broker_files; do
        [ -e "${entry#*:}" ] || missing+=("${entry%%:*}")
    done
    for entry in $broker_modules; do
        /usr/bin/python3 -c "import ${entry#*:}" 2>/dev/null || missing+=("${entry%%:*}")
    done
    for entry in $broker_packages; do
        pkg-config --exists "${entry#*:}" 2>/dev/null || missing+=("${entry%%:*}")
    done
    [ "${#missing[@]}" -eq 0 ] || printf '%s\n' "${missing[@]}"
}

broker_install_packages() {
    local packages run=()
    packages=$(broker_missing_packages)
    [ -n "$packages" ] || return 0
    # shellcheck disable=SC2086 # the list is words on purpose
    set -- $packages
    command -v apt-get >/dev/null 2>&1 ||
        broker_fail "Missing: $*" "This machine has no apt-get; install these packages, or what your system calls them, and try again."
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 ||
            broker_fail "Missing: $*" "Run as root, or have root run: apt-get install --yes $*"
        run=(sudo)
    fi
    printf 'Installing %s\n' "$*" >&2
    # An index of last month may name files that are gone, so it is fetched first.
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update --quiet >/dev/null ||
        broker_fail "apt-get update failed; is the package mirror reachable?"
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "$@" >/dev/null ||
        broker_fail "apt-get could not install: $*"
    packages=$(broker_missing_packages)
    [ -z "$packages" ] || broker_fail "Installed, but still not found:" "$packages"
}

broker_prepare() {
    command -v swift >/dev/null 2>&1 ||
        broker_fail "There is no swift on the PATH. Install Swift 6.2 or later (swift.org/install) and try again."
    broker_install_packages
}
