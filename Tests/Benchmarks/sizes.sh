#!/usr/bin/env bash
# Builds the production program and prints what its bytes are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. Tests/prerequisites.sh
broker_commands+=" python3:python3 binutils:strip"
broker_prepare
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
samples/container/build.sh "$work/attestation-broker" --scratch-path .build-image
python3 Tests/Benchmarks/sizes.py .build-image/release/attestation-broker "$work/attestation-broker"
