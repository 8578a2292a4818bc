#!/usr/bin/env bash
# What an UnWrapKey costs over gRPC, in RSA-2048 private operations measured in the same run: of the broker against the simulators,
# beside a REST release of the same session, or, with --address HOST:PORT --packet FILE [--process PID] [--original], of any key provider that
# runs already.
# --start COMMAND --listens HOST:PORT starts another one in front of the same simulators, as `storm` does. --count N calls (default 500).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. Tests/prerequisites.sh
broker_commands+=" openssl:openssl curl:curl python3:python3"
broker_modules+=" python3-venv:ensurepip"
broker_prepare
python=${GRPC_TEST_PYTHON:-.build/grpc-clients/bin/python}
if ! "$python" -c 'import grpc' 2>/dev/null; then
    /usr/bin/python3 -m venv .build/grpc-clients
    .build/grpc-clients/bin/python -m pip install --quiet --disable-pip-version-check grpcio grpcio-tools grpcio-reflection
    python=.build/grpc-clients/bin/python
fi
programs=()
case " $* " in
    *" --address "*) ;;
    *)
        for product in attestation-broker broker-load; do
            swift build -c release --static-swift-stdlib --scratch-path .build-release --product $product --quiet -Xlinker --no-export-dynamic
        done
        programs=(--broker .build-release/release/attestation-broker --load .build-release/release/broker-load)
        ;;
esac
PYTHONPATH=Tests/Benchmarks exec "$python" Tests/Benchmarks/keyprovider.py "${programs[@]}" "$@"
