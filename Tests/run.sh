#!/usr/bin/env bash
# Builds everything and passes all tests. With options it is one `swift test` with these, for example ./Tests/run.sh --filter SNPVerificationTests.
# The last lines name every test that was skipped, with its reason, and the counts. With CI set, a skip that nothing below expects is a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Tests/prerequisites.sh
# The peers that tests compare with, and the client that end-to-end tests use.
broker_commands+=" openssl:openssl curl:curl python3:python3 diffutils:diff gcc:gcc binutils:nm"
# System calls are filtered with it.
broker_files+=" libseccomp2:/usr/lib/$(uname -m)-linux-gnu/libseccomp.so.2"
# A firmware that is none, for the kernel's interface of its guests.
broker_files+=" linux-libc-dev:/usr/include/linux/sev-guest.h"
# Deployment samples are parsed by somebody else's parser.
broker_modules+=" python3-yaml:yaml"
# A browser for the pages of `policy explain`, and room for Microsoft's own clients: large, so only CI insists on them.
[ -z "${CI:-}" ] || { broker_commands+=" chromium:chromium prometheus:promtool"; broker_modules+=" python3-venv:ensurepip"; }
broker_prepare

# Skips that this machine cannot help, each with a pattern of its line: found out here, never assumed.
expected_skips=()
[ -e ../shared/evidence/README.md ] || expected_skips+=('*shared/evidence*')
[ -d ../shared/reference ] || expected_skips+=('*shared/reference*')
[ "$(id -u)" -eq 0 ] || expected_skips+=('*only root*')
/usr/bin/python3 -c 'import ctypes; exit(ctypes.CDLL(None).syscall(444, None, 0, 1) < 1)' || expected_skips+=('*Landlock*')
[ -x /usr/bin/systemd-analyze ] || expected_skips+=('*systemd-analyze*')
[ ! -e /dev/sev-guest ] || expected_skips+=('*this machine has a guest device*')

# Names in a variable a Python with these packages, in a folder of .build; only CI installs them.
python_with() {
    local variable=$1 folder=.build/$2
    shift 2
    [ -n "${CI:-}" ] && [ -z "${!variable:-}" ] || return 0
    [ -x "$folder/bin/python" ] || /usr/bin/python3 -m venv "$folder"
    if [ "$(cat "$folder/complete" 2>/dev/null)" = "$*" ] ||
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >"$folder/pip.log" 2>&1; then
        echo "$*" >"$folder/complete"
        export "$variable=$PWD/$folder/bin/python"
    else
        printf 'PyPI is out of reach: %s\n' "$(tail -n 1 "$folder/pip.log")" >&2
        expected_skips+=("*$variable*")
    fi
}

# Microsoft's own clients, against the simulators, and readers of OpenAPI. The Azure CLI is large and pins what the others have newer.
python_with SIMULATOR_TEST_PYTHON azure-clients aiohttp azure-identity azure-keyvault-keys azure-security-attestation msal six \
    openapi-spec-validator schemathesis
python_with SIMULATOR_TEST_AZ azure-cli azure-cli
# A gRPC client that is not ours.
python_with GRPC_TEST_PYTHON grpc-clients grpcio grpcio-tools grpcio-reflection
# A tool that encrypts and decrypts images; only CI fetches it.
if [ -n "${CI:-}" ] && [ -z "${SKOPEO_DIRECTORY:-}" ]; then
    if samples/encrypted-image/skopeo.sh .build/skopeo; then
        export SKOPEO_DIRECTORY=$PWD/.build/skopeo
    else
        expected_skips+=('*SKOPEO_DIRECTORY*')
    fi
fi
# The authors' own reader of lists of materials.
python_with SBOM_TEST_PYTHON sbom-tools 'cyclonedx-python-lib[json-validation]'
# Prometheus' parser, and Kubernetes' schemas for the manifests.
python_with OPERATIONS_TEST_PYTHON operations kubernetes-validate prometheus-client pyyaml
# Another reader of CBOR.
python_with FUZZ_TEST_PYTHON fuzz-peers cbor2
swift build --build-tests
[ $# -eq 0 ] || exec swift test --skip-build "$@"

logs=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$logs"' EXIT
# `swift test` would plan the whole build again for each target.
program=$(swift build --show-bin-path)/attestation-brokerPackageTests.xctest
failed=()

# One process per test target: a thousand tests that start together on two cores would wait for each other.
run() {
    local target log count skipped
    for target; do
        log=$logs/$target
        count=0
        if NO_COLOR=1 "$program" --testing-library swift-testing --filter "^$target\." >"$log" 2>&1; then
            count=$(sed -nE 's/.*Test run with ([0-9]+) tests? .*passed.*/\1/p' "$log" | tail -n 1)
        fi
        if [ "${count:-0}" -gt 0 ]; then
            # Of a suite that is skipped each test has a line too.
            sed -nE "s/^.*➜ +Test (.*) skipped(: \"(.*)\"|\.)?\$/skipped: $target: \1: \3/p" "$log" | sort -u >"$log.skipped"
            skipped=$(wc -l <"$log.skipped")
            echo $((count - skipped)) >"$log.passed"
            printf '%-24s %s\n' "$target" "$(grep -oE 'Test run with .*' "$log" | tail -n 1)"
        else
            printf '%-24s FAILED\n%s\n' "$target" "$(grep -vE 'started\.$|passed after|➜' "$log" | tail -n 120)"
        fi
    done
}

# Two lanes: end-to-end tests mostly wait for processes to start, and the image's packages for the network.
targets=(Tests/*Tests)
targets=("${targets[@]#Tests/}")
others=()
for target in "${targets[@]}"; do [ "$target" = EndToEndTests ] || others+=("$target"); done
run "${others[@]}" &
lane=$!
# The image's root file system; it takes a release build and a package mirror, so only CI insists on it.
if [ -n "${CI:-}" ] && [ "$(id -u)" -eq 0 ] && [ -z "${BROKER_RUNTIME_ROOT:-}" ]; then
    status=0
    ./Tests/runtime-image.sh .build-image/root || status=$?
    case $status in
        0) export BROKER_RUNTIME_ROOT=$PWD/.build-image/root ;;
        # No mirror, no debootstrap.
        2) expected_skips+=('*BROKER_RUNTIME_ROOT*') ;;
        *) failed+=("the image cannot be built") ;;
    esac
elif [ -z "${BROKER_RUNTIME_ROOT:-}" ]; then
    expected_skips+=('*BROKER_RUNTIME_ROOT*')
fi
run EndToEndTests
wait "$lane"

passed=0
for target in "${targets[@]}"; do
    if [ -e "$logs/$target.passed" ]; then passed=$((passed + $(cat "$logs/$target.passed"))); else failed+=("$target"); fi
done
count=0
while IFS= read -r line; do
    count=$((count + 1))
    printf '%s\n' "$line"
    [ -n "${CI:-}" ] || continue
    for pattern in "${expected_skips[@]}"; do
        # shellcheck disable=SC2053 # a pattern on purpose
        [[ $line != $pattern ]] || continue 2
    done
    failed+=("nothing explains why it was $line")
done < <(cat "$logs"/*.skipped)
[ "${#failed[@]}" -eq 0 ] || printf 'failed: %s\n' "${failed[@]}"
printf '%d passed, %d failed, %d skipped\n' "$passed" "${#failed[@]}" "$count"
[ "${#failed[@]}" -eq 0 ]
