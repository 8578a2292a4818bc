#!/usr/bin/env bash
# Builds everything and passes all tests. With options it is one `swift test` with these, for example ./Tests/run.sh --filter SNPVerificationTests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Tests/prerequisites.sh
# The peers that tests compare with, and the client that end-to-end tests use.
broker_commands+=" openssl:openssl curl:curl python3:python3 diffutils:diff"
# Deployment samples are parsed by somebody else's parser.
broker_files+=" python3-yaml:/usr/lib/python3/dist-packages/yaml/__init__.py"
# A browser for the pages of `policy explain`; large, so only CI insists on it. Without one these tests say that they were skipped.
[ -z "${CI:-}" ] || broker_commands+=" chromium:chromium"
broker_prepare
# Microsoft's own clients, against the simulators; where PyPI is out of reach these tests say that they were skipped.
if [ -n "${CI:-}" ] && [ -z "${SIMULATOR_TEST_PYTHON:-}" ]; then
    clients=.build/azure-clients
    if [ -x "$clients/bin/python" ] || python3 -m venv "$clients" >/dev/null 2>&1 &&
        "$clients/bin/python" -m pip install --quiet --disable-pip-version-check \
            azure-identity azure-keyvault-keys azure-security-attestation six >/dev/null 2>&1; then
        export SIMULATOR_TEST_PYTHON=$PWD/$clients/bin/python
    fi
fi
# The image's root file system; it takes a release build and a package mirror, so only CI insists on it.
if [ -n "${CI:-}" ] && [ $# -eq 0 ] && [ "$(id -u)" -eq 0 ] && [ -z "${BROKER_RUNTIME_ROOT:-}" ]; then
    status=0
    ./Tests/runtime-image.sh .build-image/root || status=$?
    # 2: no mirror, no debootstrap. Then the tests of the image say that they were skipped.
    case $status in
        0) export BROKER_RUNTIME_ROOT=$PWD/.build-image/root ;;
        2) ;;
        *) exit "$status" ;;
    esac
fi
swift build --build-tests
[ $# -eq 0 ] || exec swift test --skip-build "$@"

# One process per test target: a thousand tests that start together on two cores would measure each other.
failed=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT
tests=0
for target in Tests/*Tests; do
    target=${target#Tests/}
    if swift test --skip-build --disable-xctest --filter "^$target\." >"$log" 2>&1; then
        line=$(grep -E 'Test run with [0-9]+ tests? .*passed' "$log" | tail -n 1) || line='ran no test'
        count=$(sed -n 's/.*Test run with \([0-9]*\) test.*/\1/p' <<<"$line")
        tests=$((tests + ${count:-0}))
        printf '%-24s %s\n' "$target" "${line#* }"
        grep -E '^➜' "$log" | sort -u || true
        [ "${count:-0}" -gt 0 ] || failed+=("$target (ran no test)")
    else
        failed+=("$target")
        printf '%-24s FAILED\n' "$target"
        grep -vE 'started\.$|^Building|^\[|passed after' "$log" | tail -n 120
    fi
done
if [ "${#failed[@]}" -gt 0 ]; then
    printf 'failed: %s\n' "${failed[@]}" >&2
    printf '%d passed, %d failed\n' "$tests" "${#failed[@]}"
    exit 1
fi
printf '%d passed, 0 failed\n' "$tests"
