#!/bin/sh
# Every route of the sidecar with curl: release.sh [KEY NAME [URL]]. Prints what came, never the key.
set -eu
name=${1:-example}
url=${2:-http://127.0.0.1:8080}

ask() { curl --silent --show-error --fail-with-body --noproxy '*' --max-time 60 "$@"; }
post() { ask --header 'Content-Type: application/json' --data-binary "$2" "$url$1"; }

ask "$url/status" && echo
ask "$url/livez" && echo
ask "$url/readyz" && echo
# The SHA-256 of the decoded bytes becomes the report data.
post /attest/raw '{"runtime_data":"aGVsbG8="}' | cut -c 1-60
post /attest/combined '{"runtime_data":"aGVsbG8="}' | cut -c 1-60
# A token of the configured verifier; "maa_endpoint" names another instance of it. The data is a JSON document.
post /attest/maa '{"runtime_data":"eyJrZXlzIjpbXX0="}' | cut -c 1-60
# The key of the configured store; "akv_endpoint" names another one. "key" in the answer is a JWK as text.
answer=$(post /key/release "{\"kid\":\"$name\"}") || { printf '%s\n' "$answer" >&2; exit 1; }
printf '%s\n' "$answer" | sed 's/.*\\"kty\\":\\"\([A-Za-z]*\)\\".*/released a key of type \1/'
