#!/bin/sh
# Asks the sidecar beside it for an attestation and prints the answer: a raw report, or, where AttestClientMAAEndpoint is set, a token of that
# authority. AttestClientRuntimeData is base64 (for a token: of a JSON document). As in the original, $1 is the data and $2 the authority where the
# variables are not set. Port is the sidecar's, 8080 by default.
# Exit status: 0 done, 1 the sidecar refused, 2 it could not be asked, 64 a variable is missing or malformed.
set -eu

fail() {
    status=$1
    shift
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit "$status"
}

# A value that is safe between quotes in JSON: every value sent here is base64, a host name or a key identifier, so anything else is a mistake.
checked() {
    name=$1 value=$2 extra=$3
    [ -n "$value" ] || fail 64 "$name is empty; set it in the container's environment"
    # The colon at the end keeps a trailing newline from being lost in $(…), so that it is refused too.
    rest=$(printf '%s' "$value" | tr -d "A-Za-z0-9$extra" && printf ':')
    [ "$rest" = ":" ] || fail 64 "$name has characters that do not belong in it"
}

AttestClientRuntimeData=${AttestClientRuntimeData:-${1:-}}
AttestClientMAAEndpoint=${AttestClientMAAEndpoint:-${2:-}}
port=${Port:-8080}
case $port in
    '' | *[!0-9]*) fail 64 "Port is not a number: $port" ;;
esac
broker=http://127.0.0.1:$port
attempts=${ClientAttempts:-60}
case $attempts in
    '' | *[!0-9]*) fail 64 "ClientAttempts is not a number: $attempts" ;;
esac

# Containers of a group start in any order: asks once a second until the broker listens, and at most $attempts times.
await_broker() {
    left=$attempts
    until curl --silent --fail --noproxy '*' --max-time 5 --output /dev/null "$broker/status"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || fail 2 "no sidecar answers at $broker/status after $attempts attempts; see its log"
        sleep 1
    done
}

# Prints the answer's body. Exit status 1: the sidecar said no. 2: it could not be asked.
ask() {
    answer=$(curl --silent --show-error --noproxy '*' --max-time 120 --header 'Content-Type: application/json' \
        --data-binary "$2" --write-out '\n%{http_code}' "$broker$1") || fail 2 "no answer from $broker$1"
    code=${answer##*
}
    body=${answer%
*}
    case $code in
        200) printf '%s\n' "$body" ;;
        *) fail 1 "$1 answered $code: $body" ;;
    esac
}

checked AttestClientRuntimeData "${AttestClientRuntimeData:-}" '+/='
if [ -n "${AttestClientMAAEndpoint:-}" ]; then
    checked AttestClientMAAEndpoint "$AttestClientMAAEndpoint" '.:/-'
    await_broker
    ask /attest/maa "{\"maa_endpoint\":\"$AttestClientMAAEndpoint\",\"runtime_data\":\"$AttestClientRuntimeData\"}"
else
    await_broker
    ask /attest/raw "{\"runtime_data\":\"$AttestClientRuntimeData\"}"
fi
