#!/bin/sh
# Builds the program of a production image, stripped: build.sh OUTPUT [option of swift build]... (BROKER_PRODUCT names another program to be built like it.)
# Without the default traits there are no fixture evidence, no `simulate`, no `demo`, no `policy` and no gRPC; BROKER_GRPC=1 keeps gRPC,
# BROKER_FULL=1 everything. The rest is for size: code optimised for it; no symbols
# exported (with a static runtime Swift exports them all, and nothing loads this program); relocations packed (needs glibc 2.36, which Debian 12 has); no index
# of unwind tables, which only C++ exceptions and backtraces from within would use. The tables themselves stay, for debuggers.
# README.md has the figures.
set -eu
product=${BROKER_PRODUCT:-attestation-broker}
output=$(realpath -m "$1")
shift
cd "$(dirname "$0")/../.."
traits=--disable-default-traits
[ -z "${BROKER_GRPC:-}" ] || traits=--traits=GRPC
[ -z "${BROKER_FULL:-}" ] || traits=--enable-all-traits
# What `--version` tells.
export SOURCE_COMMIT="${SOURCE_COMMIT:-$(git rev-parse HEAD 2>/dev/null || true)}"
build() {
    swift build --configuration release --static-swift-stdlib "$traits" --product "$product" \
        -Xswiftc -Osize -Xcc -Os -Xswiftc -use-ld=lld \
        -Xlinker --no-export-dynamic -Xlinker -z -Xlinker pack-relative-relocs -Xlinker --no-eh-frame-hdr \
        -Xlinker -O2 -Xlinker --icf=safe "$@"
}
build --quiet "$@"
strip --strip-all --output-file="$output" "$(build --show-bin-path "$@")/$product"
