#!/usr/bin/env bash
# Makes what samples/container/Dockerfile makes, without a container engine: a bare Debian (debootstrap) stands in for the base image, the same script puts the
# root file system together from the packages that the container file names, and the program is built as the container file builds it.
# Usage: Tests/runtime-image.sh DIRECTORY. Needs root. RuntimeImageTests runs the sidecar from DIRECTORY.
set -euo pipefail
target=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. Tests/prerequisites.sh
broker_commands+=" debootstrap:debootstrap binutils:strip"
broker_prepare
[ "$(id -u)" -eq 0 ] || broker_fail "A root file system is made by root."
dockerfile=samples/container/Dockerfile
packages=$(sed -n 's/^ARG RUNTIME_PACKAGES="\(.*\)"$/\1/p' "$dockerfile")
release=$(sed -n 's/^ARG DEBIAN_IMAGE=debian:\([a-z]*\)-slim$/\1/p' "$dockerfile")
# The mirror of this machine, which is the one that is reachable.
mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } | sed -n 's/^URIs: //p; s/^deb \(\[.*\] \)\?\(http[^ ]*\) .*/\2/p' | head -n 1)
base=$target.base
rm -rf "$target" "$base"
mkdir -p "$(dirname "$target")"
debootstrap --variant=minbase "$release" "$base" "${mirror:-http://deb.debian.org/debian}" >"$target.log" 2>&1 ||
    broker_fail "debootstrap failed:" "$(tail -n 20 "$target.log")"
install -m 0755 samples/container/rootfs.sh "$base/rootfs.sh"
# shellcheck disable=SC2086 # the list is words on purpose
chroot "$base" /rootfs.sh /rootfs $packages
mv "$base/rootfs" "$target"
rm -rf "$base"

samples/container/build.sh "$target/usr/bin/attestation-broker" --scratch-path .build-image
install -m 0755 samples/container/skr.sh "$target/skr.sh"
