#!/usr/bin/env bash
# Shows that each target finds a fault: builds them with a planted one (FUZZ=planted) and lets every target, or those that are named, look for it for at
# most two minutes. Exit status 1 when one finds nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export FUZZ=planted
scratch=.build-fuzz
mkdir -p "$scratch"
status=0
build=
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    # The first target builds for all.
    ./Tests/Fuzz/run.sh --seconds 1 base64 >/dev/null || true
    mapfile -t targets < <("$scratch/release/broker-fuzz" --list | cut -d ' ' -f 1)
    build=done
fi
for target in "${targets[@]}"; do
    start=$SECONDS
    # libFuzzer ends with the first finding.
    if FUZZ_BUILT=$build ./Tests/Fuzz/run.sh --seconds 120 "$target" >"$scratch/selftest.txt" 2>&1; then
        echo "$target: NOT found in 120 s"
        status=1
    elif grep -q 'broken: ' "$scratch/$target.log"; then
        echo "$target: found after $((SECONDS - start)) s: $(grep -m 1 'broken: ' "$scratch/$target.log" | cut -c 1-100)"
    else
        echo "$target: stopped for another reason: $(tail -n 1 "$scratch/$target.log")"
        status=1
    fi
    build=done
done
exit $status
