#!/usr/bin/env bash
# Times (as multiples of one RSA-2048 private operation of the same run) and allocations of the broker's parts. Exit status 1 when one allocates more often than
# allocations.json allows. The program is built as the production image's is. With an argument, only benchmarks whose name contains it run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. Tests/prerequisites.sh
broker_commands+=" binutils:strip"
broker_prepare
BROKER_PRODUCT=broker-benchmarks samples/container/build.sh .build-image/broker-benchmarks --scratch-path .build-image
exec .build-image/broker-benchmarks Tests/Benchmarks/allocations.json "$@"
