#!/usr/bin/env bash
# Fuzzes each target for a time, one after the other, and prints executions, coverage and findings in one table:
# ./Tests/Fuzz/run.sh [--seconds N] [--keep] [TARGET…]. Without targets all of them run, for 60 s each. What breaks one is left in
# .build-fuzz/findings; with --keep the smallest inputs that reach what was reached replace the target's folder in Tests/Fuzz/corpus, apart from
# those named regression-…. Exit status 1 when something was found. FUZZ=planted builds every target with a fault.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. Tests/prerequisites.sh
broker_prepare
seconds=60 keep= targets=()
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=$2; shift ;;
        --keep) keep=1 ;;
        --*) broker_fail "$(sed -n 3p "${BASH_SOURCE[0]}")" ;;
        *) targets+=("$1") ;;
    esac
    shift
done
export FUZZ=${FUZZ:-1}
# One scratch path for both kinds: they differ in one target.
scratch=.build-fuzz
# Optimised, with assertions, checks of overflow and the way into the rooms that tests have.
[ -n "${FUZZ_BUILT:-}" ] || nice -n 10 swift build -c release --scratch-path "$scratch" --product broker-fuzz --sanitize fuzzer \
    -Xswiftc -enable-testing -Xswiftc -assert-config -Xswiftc Debug
program=$scratch/release/broker-fuzz
declare -A longest
order=()
while read -r name bytes; do
    longest[$name]=$bytes
    order+=("$name")
done < <("$program" --list)
[ "${#targets[@]}" -gt 0 ] || targets=("${order[@]}")
findings=$scratch/findings
[ "$FUZZ" = 1 ] || findings=$scratch/findings-$FUZZ
mkdir -p "$findings"
status=0
printf '%-18s %12s %9s %9s %8s  %s\n' target executions coverage features corpus findings
for target in "${targets[@]}"; do
    [ -n "${longest[$target]:-}" ] || broker_fail "no target $target; there are: ${order[*]}"
    work=$scratch/corpus/$target
    log=$scratch/$target.log
    rm -rf "$work" "$scratch/seeds"
    mkdir -p "$work" "$scratch/seeds" "Tests/Fuzz/corpus/$target"
    found=0
    nice -n 10 "$program" "$target" "$scratch/seeds" "$work" "Tests/Fuzz/corpus/$target" -max_total_time="$seconds" \
        -max_len="${longest[$target]}" -rss_limit_mb=1024 -timeout=10 -print_final_stats=1 -artifact_prefix="$findings/$target-" \
        >"$log" 2>&1 || found=1
    executions=$(sed -nE 's/^stat::number_of_executed_units: *([0-9]+)$/\1/p' "$log" | tail -n 1)
    line=$(grep -E '^#[0-9]+.*cov: ' "$log" | tail -n 1)
    printf '%-18s %12s %9s %9s %8s  %s\n' "$target" "${executions:-?}" "$(sed -nE 's/.*cov: ([0-9]+).*/\1/p' <<<"$line")" \
        "$(sed -nE 's/.*ft: ([0-9]+).*/\1/p' <<<"$line")" "$(sed -nE 's/.*corp: ([^ ]+).*/\1/p' <<<"$line")" \
        "$([ $found -eq 0 ] && echo none || grep -m 1 -E '^broken: |Fatal error|ERROR: |SUMMARY' "$log")"
    [ $found -eq 0 ] || status=1
    if [ -n "$keep" ] && [ $found -eq 0 ]; then
        rm -rf "$scratch/small"
        mkdir -p "$scratch/small"
        "$program" "$target" "$scratch/seeds" -merge=1 -max_len="${longest[$target]}" -rss_limit_mb=1024 "$scratch/small" "$work" \
            "Tests/Fuzz/corpus/$target" >>"$log" 2>&1 || broker_fail "the corpus of $target cannot be made small: $log"
        find "Tests/Fuzz/corpus/$target" -type f ! -name 'regression-*' -delete
        # A seed of this process holds keys that no other has; small inputs are worth most.
        find "$scratch/small" -type f -size -2k -printf '%s %p\n' | sort -n | head -n 60 | while read -r _ file; do
            cp "$file" "Tests/Fuzz/corpus/$target/"
        done
    fi
done
rmdir Tests/Fuzz/corpus/* 2>/dev/null || true
exit $status
