#!/usr/bin/env bash
# Puts a skopeo that knows key providers into DIRECTORY, as DIRECTORY/skopeo: the system's own where it is new enough, otherwise that of Debian 13, unpacked with
# the libraries that it needs and started by their own loader. Installs nothing. Exit status 3 where none is to be had, and why on standard error.
# Usage: samples/encrypted-image/skopeo.sh DIRECTORY
set -euo pipefail
target=$(realpath -m "$1")
mkdir -p "$target"
[ ! -x "$target/skopeo" ] || exit 0
# Key providers came with ocicrypt 1.1, in Debian with skopeo 1.14.
own=$(skopeo --version 2>/dev/null | sed -n 's/^skopeo version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' || true)
if [ -n "$own" ] && [ "${own% *}" -gt 1 -o "${own#* }" -ge 14 ]; then
    printf '#!/bin/sh\nexec %s "$@"\n' "$(command -v skopeo)" >"$target/skopeo"
    chmod 0755 "$target/skopeo"
    exit 0
fi
missing() { printf 'no skopeo that knows key providers (1.14 or later): %s\n' "$1" >&2; exit 3; }
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || missing "this system has none, and is no Debian to fetch one from"
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/parts" "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
# The system's own sources with the release's name changed; those of Debian alone.
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] && grep -q "debian-archive-keyring\|/debian[ -]\|/debian\$" "$file" || continue
    sed "s/\b$release-updates\b//g; s/\b$release\b/trixie/g" "$file" >"$work/parts/$(basename "$file")"
done
apt=(apt-get -qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/parts" -o "Dir::State::Lists=$work/lists"
    -o "Dir::Cache=$work/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root)
"${apt[@]}" update >"$work/log" 2>&1 || missing "$(tail -n 1 "$work/log")"
(cd "$work/debs" && "${apt[@]}" download skopeo libc6 libgpgme11t64 libsqlite3-0 libassuan9 libgpg-error0) >"$work/log" 2>&1 ||
    missing "$(tail -n 1 "$work/log")"
for package in "$work"/debs/*.deb; do dpkg-deb --extract "$package" "$target/root"; done
loader=$(find "$target/root" -name 'ld-linux*.so*' -print -quit)
libraries=$(find "$target/root" -name 'libc.so.6' -printf '%h\n' -quit)
printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "$loader" "$libraries" "$target/root/usr/bin/skopeo" >"$target/skopeo"
chmod 0755 "$target/skopeo"
"$target/skopeo" --version >"$work/log" 2>&1 || { rm "$target/skopeo"; missing "$(tail -n 1 "$work/log")"; }
