#!/bin/sh
# Builds the program of the production image twice from nothing and says whether both have the same bits: reproduce.sh [option of swift build]...
# It takes the time of two release builds. The same place twice: paths of sources and objects are part of what a compiler writes.
set -eu
cd "$(dirname "$0")/../.."
scratch=$PWD/.build-reproduce
mkdir -p "$scratch"
for turn in first second; do
    rm -rf "$scratch/build"
    samples/container/build.sh "$scratch/$turn" --scratch-path "$scratch/build" "$@"
    sha256sum "$scratch/$turn"
done
if cmp "$scratch/first" "$scratch/second"; then
    echo "both builds have the same bits"
else
    echo "the builds differ" >&2
    exit 1
fi
