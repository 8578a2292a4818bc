#!/usr/bin/env bash
# What 'evidence verify' costs as a command: the median of twenty runs in milliseconds, beside a command that judges nothing and other verifiers at hand.
# judgement.sh REPORT CERTIFICATES [OPTION…], for example judgement.sh report.bin certs.pem --at 2026-06-01T00:00:00Z
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
broker=${BROKER:-.build/debug/attestation-broker}
report=$1 certificates=$2
shift 2
measure() {
    local title=$1 times=()
    shift
    for _ in {1..20}; do
        local began=$EPOCHREALTIME
        "$@" >/dev/null 2>&1 || { echo "$title: exit status $?" >&2; return 1; }
        local ended=$EPOCHREALTIME
        times+=($((10#${ended/./} - 10#${began/./})))
    done
    printf '%s\n' "${times[@]}" | sort -n | awk -v title="$title" '{ t[NR] = $1 } END { printf "%-40s %8.1f ms\n", title, t[int((NR + 1) / 2)] / 1000 }'
}
measure "a process that judges nothing" "$broker" evidence checks
measure "evidence verify" "$broker" evidence verify --report "$report" --certs "$certificates" "$@"
if command -v snpguest >/dev/null; then measure "snpguest verify attestation" snpguest verify attestation "$(dirname "$certificates")" "$report"; fi
if [ -n "${OTHER_VERIFIER:-}" ]; then measure "$OTHER_VERIFIER" "$OTHER_VERIFIER" "$report" "$certificates"; fi
