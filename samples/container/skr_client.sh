#!/bin/sh
# Asks the sidecar beside it to release a key, named by SkrClientMAAEndpoint, SkrClientAKVEndpoint and SkrClientKID, or
# by $1, $2 and $3 where these are not set. The released key is a secret, so it is not printed: the last line says that it came. Port is the sidecar's, 8080 by default.
# Exit status: 0 released, 1 the sidecar refused, 2 it could not be asked, 64 a variable is missing or malformed.
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

SkrClientMAAEndpoint=${SkrClientMAAEndpoint:-${1:-}}
SkrClientAKVEndpoint=${SkrClientAKVEndpoint:-${2:-}}
SkrClientKID=${SkrClientKID:-${3:-}}
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

checked SkrClientMAAEndpoint "${SkrClientMAAEndpoint:-}" '.:/-'
checked SkrClientAKVEndpoint "${SkrClientAKVEndpoint:-}" '.:/-'
checked SkrClientKID "${SkrClientKID:-}" '-'
await_broker
released=$(ask /key/release "{\"maa_endpoint\":\"$SkrClientMAAEndpoint\",\"akv_endpoint\":\"$SkrClientAKVEndpoint\",\"kid\":\"$SkrClientKID\"}")
case $released in
    '{"key":'*) printf 'released %s\n' "$SkrClientKID" ;;
    *) fail 1 "/key/release answered 200 without a key" ;;
esac
