#!/bin/sh
# Makes the root file system of the sidecar's image from Debian packages: rootfs.sh DIRECTORY PACKAGE...
# Runs as root in a bare Debian (the container file's stage `root`; Tests/EndToEndTests/RuntimeImageTests.swift does it without a container engine).
# Of the packages and everything they depend on it takes the shared libraries and the licences; besides them there are /bin/sh (dash, for /skr.sh), the
# certificate authorities and a user. No package manager, no other tools.
set -eu
[ $# -ge 2 ] || { echo "usage: ${0##*/} DIRECTORY PACKAGE..." >&2; exit 64; }
root=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/debs/partial" "$work/alone" "$work/all" "$root"
# Nothing counts as installed, so that apt finds every dependency down to the C library.
: >"$work/status"
apt-get update --quiet >/dev/null
apt-get --quiet --yes -o APT::Sandbox::User=root -o "Dir::State::status=$work/status" -o "Dir::Cache::archives=$work/debs/" -o Debug::NoLocking=1 \
    --no-install-recommends --download-only install "$@" >/dev/null
# Wanted for a file each; what they depend on is not.
(cd "$work/alone" && apt-get --quiet -o APT::Sandbox::User=root download dash ca-certificates >/dev/null)

for package in "$work"/debs/*.deb; do dpkg-deb --extract "$package" "$work/all"; done
for package in "$work"/alone/*.deb; do dpkg-deb --extract "$package" "$work/alone/files"; done
for place in lib lib64 usr/lib lib/*-linux-gnu* usr/lib/*-linux-gnu* usr/lib64; do
    for directory in "$work"/all/$place; do
        [ -d "$directory" ] || continue
        target=$root/${directory#"$work"/all/}
        for library in "$directory"/*.so "$directory"/*.so.*; do
            [ -e "$library" ] || [ -L "$library" ] || continue
            mkdir -p "$target"
            cp -P "$library" "$target/"
        done
    done
done
for licence in "$work"/all/usr/share/doc/*/copyright "$work"/alone/files/usr/share/doc/*/copyright; do
    package=${licence%/copyright}
    mkdir -p "$root/usr/share/doc/${package##*/}"
    cp "$licence" "$root/usr/share/doc/${package##*/}/"
done

mkdir -p "$root/bin" "$root/usr/bin" "$root/etc/ssl/certs" "$root/dev" "$root/proc" "$root/sys" "$root/tmp"
chmod 1777 "$root/tmp"
cp "$work/alone/files/bin/dash" "$root/bin/sh"
cat "$work"/alone/files/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
# The original's name for the program.
ln -s ../usr/bin/attestation-broker "$root/bin/skr"
printf 'root:x:0:0:root:/:/bin/false\nbroker:x:65532:65532:broker:/:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\nbroker:x:65532:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
