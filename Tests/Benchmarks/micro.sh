#!/usr/bin/env bash
# Times (as multiples of one RSA-2048 private operation of the same run) and allocations of the broker's parts. Exit status 1 when one allocates more often than
# allocations.json allows. With an argument, only benchmarks whose name contains it run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. Tests/prerequisites.sh
broker_prepare
swift build -c release --static-swift-stdlib --scratch-path .build-release --product broker-benchmarks --quiet
exec .build-release/release/broker-benchmarks Tests/Benchmarks/allocations.json "$@"
