#!/usr/bin/env bash
# Builds everything and passes all tests. Options go to `swift test`, for example --filter SNPVerificationTests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Tests/prerequisites.sh
broker_prepare
swift build --build-tests
# The library tests run in parallel; the suites that drive the built program say themselves what must not overlap.
exec swift test --skip-build "$@"
