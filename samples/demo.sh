#!/usr/bin/env bash
# The whole flow offline, in one process: simulators, broker, two releases and one denial. Options go to `attestation-broker demo`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Tests/prerequisites.sh
broker_prepare
printf 'Building (the first time takes some minutes)\n' >&2
swift build --product attestation-broker --quiet
exec "$(swift build --show-bin-path)/attestation-broker" demo "$@"
