#!/usr/bin/env bash
# Encrypts a container image for a key that only an attested machine can have, decrypts it through the broker's key provider, and compares. Everything runs on
# this machine: simulated Azure services, a broker with fixture evidence, and skopeo as the tool that encrypts and decrypts.
# Usage: samples/encrypted-image/run.sh [PROGRAM]. Exit status 3 where no skopeo that knows key providers is to be had; skopeo.sh says which is needed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if [ $# -gt 0 ]; then
    broker=$(realpath "$1")
else
    . Tests/prerequisites.sh
    broker_commands+=" python3:python3"
    broker_prepare
    swift build --product attestation-broker --quiet
    broker=$(swift build --show-bin-path)/attestation-broker
fi
here=$PWD/samples/encrypted-image
work=$(mktemp -d)
jobs=()
# shellcheck disable=SC2317 # called by the trap
finish() {
    for job in "${jobs[@]}"; do kill "$job" 2>/dev/null && wait "$job" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT
say() { printf '%s\n' "$*"; }
failed() { printf 'FAILED: %s\n' "$*" >&2; tail -n 20 "$work"/*.log >&2; exit 1; }

tools=${SKOPEO_DIRECTORY:-$work/tools}
"$here/skopeo.sh" "$tools"
say "$("$tools/skopeo" --version)"
copy() { "$tools/skopeo" --insecure-policy copy --quiet --all "$@"; }
layers() { python3 "$here/image.py" layers "$1"; }

# What a log says when its program listens; the program may also end before.
await() {
    until grep -q "$2" "$1"; do
        kill -0 "$3" 2>/dev/null || failed "a program ended before it listened"
        read -r -t 0.1 _ <> <(:) || true
    done
}

# 1. Services, and two keys under a policy that wants a machine that is not being debugged.
"$broker" simulate --directory "$work/azure" --port 0 --metadata-port 0 --json >"$work/simulate.log" 2>&1 &
jobs+=($!)
await "$work/simulate.log" tls_port "${jobs[0]}"
configuration=$(python3 -c 'import json, sys; print(next(json.loads(l)["configuration"] for l in open(sys.argv[1]) if "tls_port" in l))' "$work/simulate.log")
settings=(--config "$configuration" --set server.http= --set key-stores.use=akv,mhsm --set "server.grpc-unix=$work/broker.sock")
settings+=(--set "key-provider.keys=kbs:///default/image-kek/1=https://contoso.managedhsm.azure.net/keys/image-kek")
import() { "$broker" key import --config "$configuration" --policy policies/release/fixture-guest.json --allow admits-any-tenant "$@" >>"$work/import.log" 2>&1 ||
    failed "a key cannot be imported"; }
head -c 32 /dev/urandom >"$work/kek"
import --kty RSA-HSM --name image-key --store contoso.vault.azure.net --private-key-file "$work/image-key.pem"
import --kty oct-HSM --name image-kek --store contoso.managedhsm.azure.net -kh "$work/kek" --key-form raw
openssl pkey -in "$work/image-key.pem" -pubout -out "$work/image-key.pub"

serve() {
    # Emptied here: the program's own redirection may come after the first look for its line.
    : >"$work/broker.log"
    "$broker" serve "${settings[@]}" "$@" >>"$work/broker.log" 2>&1 &
    jobs+=($!)
    await "$work/broker.log" interface=grpc "${jobs[-1]}"
}
stop() {
    kill "${jobs[-1]}" && wait "${jobs[-1]}" || failed "the broker did not end with exit status 0"
    unset 'jobs[-1]'
}

# 2. Encrypt, decrypt, compare: three layers for each of two platforms.
python3 "$here/image.py" make "$work/plain"
"$broker" key-provider config "${settings[@]}" >"$work/ocicrypt.json"
export OCICRYPT_KEYPROVIDER_CONFIG=$work/ocicrypt.json
serve
copy --encryption-key provider:attestation-agent:skr:image-key "oci:$work/plain:latest" "oci:$work/encrypted:latest" || failed "the image is not encrypted"
[ "$(layers "$work/encrypted" | grep -c '+encrypted ')" = 6 ] || failed "not every layer is encrypted"
decrypts() {
    rm -rf "$work/opened"
    copy --decryption-key provider:attestation-agent:skr "oci:$1:latest" "oci:$work/opened:latest" || failed "$2 does not open"
    [ "$(layers "$work/opened")" = "$(layers "$work/plain")" ] || failed "$2 opens to something else"
    say "opened: $2"
}
decrypts "$work/encrypted" "an image encrypted here, with a key of 2048 bits"

# 3. The same image with the packets of other tools: the key of each layer wrapped anew.
python3 "$here/image.py" annotations "$work/encrypted" >"$work/packets"
rewrap() {
    name=$1
    shift
    cp -r "$work/encrypted" "$work/$name"
    while read -r packet; do
        printf '%s' "$packet" | "$broker" unwrap - --print "${settings[@]}" 2>/dev/null | "$broker" wrap -infile - "$@"
    done <"$work/packets" | python3 "$here/image.py" replace "$work/$name"
}
for version in 1 2; do
    rewrap "guest-$version" --kid kbs:///default/image-kek/1 --symmetric-key "$work/kek" --packet-version "$version"
    decrypts "$work/guest-$version" "Confidential Containers' packets, version $version"
done
rewrap counter --kid /default/image-kek/1 --symmetric-key "$work/kek" --cipher A256CTR
decrypts "$work/counter" "Confidential Containers' packets, A256CTR"
import --kty RSA-HSM --rsa-bits 3072 --name original-key --store contoso.vault.azure.net --private-key-file "$work/original-key.pem"
openssl pkey -in "$work/original-key.pem" -pubout -out "$work/original-key.pub"
printf '{"public_key_path":"%s","kms_endpoint":"contoso.vault.azure.net","attester_endpoint":"sharedeus2.eus2.attest.azure.net"}' "$work/original-key.pub" \
    >"$work/original-key-info.json"
rewrap original -keypath "$work/original-key"
decrypts "$work/original" "the original's packets"

# 4. Without a service: skopeo starts the program.
stop
"$broker" key-provider config --start-program "${settings[@]}" >"$work/ocicrypt.json"
decrypts "$work/encrypted" "the image, by a program that skopeo started"

# 5. A machine that the policy does not admit: the image stays closed.
"$broker" key-provider config "${settings[@]}" >"$work/ocicrypt.json"
serve --set evidence.fixture.debug=true
rm -rf "$work/opened"
if copy --decryption-key provider:attestation-agent:skr "oci:$work/encrypted:latest" "oci:$work/opened:latest" >"$work/denied.log" 2>&1; then
    failed "a machine that can be debugged opened the image"
fi
grep 'route=[^ ]*UnWrapKey' "$work/broker.log" | grep -q code=releaseDenied || failed "the broker's log does not say why"
stop
say "closed: to a machine that can be debugged"
say "done"
