#!/usr/bin/env bash
# What a release costs, over sockets: simulators, broker and load generator are processes of their own. Every time is also given as a multiple of one RSA-2048
# private operation, measured in the same run. Options: --runs N (default 5), --quick (one short run of each); --production, which comes first, measures a program that
# is built as the production image's is, for size.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. Tests/prerequisites.sh
broker_commands+=" openssl:openssl curl:curl python3:python3 binutils:strip"
broker_prepare
broker=.build-release/release/attestation-broker
load=.build-release/release/broker-load
if [ "${1:-}" = --production ]; then
    shift
    broker=.build-production/attestation-broker
    BROKER_FULL=1 samples/container/build.sh "$broker" --scratch-path .build-production
else
    # Exports no symbols, as the production image's program: the loader and Swift's runtime would search them at every start.
    swift build -c release --static-swift-stdlib --scratch-path .build-release --product attestation-broker --quiet \
        -Xlinker --no-export-dynamic
fi
# The load generator is a program of its own, and the same for both.
swift build -c release --static-swift-stdlib --scratch-path .build-release --product broker-load --quiet -Xlinker --no-export-dynamic
exec python3 Tests/Benchmarks/release.py --broker "$broker" --load "$load" "$@"
