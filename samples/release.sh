#!/usr/bin/env bash
# The same key from a Key Vault and from a Managed HSM, with nothing but curl as the client: simulators and broker are processes of their own,
# and the two configurations in samples/config differ in one line.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
broker=${BROKER:-$(swift build --show-bin-path)/attestation-broker}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT

member() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }

# Waits until a line that matches is in the file; gives up when the process is gone.
await() {
    until grep -q "$2" "$1"; do
        kill -0 "$3" 2>/dev/null || { cat "$1" >&2; exit 2; }
        sleep 0.1
    done
}

"$broker" simulate --directory "$work/azure" --port 0 --metadata-port 0 --json >"$work/simulate" 2>&1 &
await "$work/simulate" tls_port $!
tls=$(member tls_port <"$work/simulate")
metadata=$(member metadata_port <"$work/simulate")
azure=(curl --silent --show-error --fail-with-body --noproxy '*' --cacert "$work/azure/ca.pem" --connect-to "::127.0.0.1:$tls")

policy=$(base64 --wrap=0 policies/release/fixture-guest.json | tr '+/' '-_' | tr -d '=')
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 -topk8 -nocrypt -outform DER -out "$work/key.der"
number() { tail --bytes="+$(($1 + 1))" "$work/key.der" | head --bytes=32 | base64 --wrap=0 | tr '+/' '-_' | tr -d '='; }
jwk="{\"kty\":\"EC-HSM\",\"crv\":\"P-256\",\"d\":\"$(number 36)\",\"x\":\"$(number 74)\",\"y\":\"$(number 106)\"}"

for store in contoso.vault.azure.net contoso.managedhsm.azure.net; do
    token=$(curl --silent --fail --noproxy '*' -H 'Metadata: true' \
        "http://127.0.0.1:$metadata/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://${store#*.}" | member access_token)
    "${azure[@]}" -X PUT "https://$store/keys/example?api-version=7.4" -H "Authorization: Bearer $token" \
        -H 'Content-Type: application/json' -o /dev/null \
        -d "{\"key\":$jwk,\"hsm\":true,\"attributes\":{\"exportable\":true},\"release_policy\":{\"data\":\"$policy\"}}"
done

for configuration in key-vault managed-hsm; do
    BROKER_SERVER_HTTP=127.0.0.1:0 BROKER_TLS_CA_FILE=$work/azure/ca.pem BROKER_EVIDENCE_FIXTURE_DIRECTORY=$work/azure/fixture \
        BROKER_TLS_CONNECT_TO="169.254.169.254:80:127.0.0.1:$metadata,::127.0.0.1:$tls" \
        BROKER="$broker" samples/container/skr.sh --config "samples/config/$configuration.json" >"$work/$configuration" 2>&1 &
    await "$work/$configuration" 'address=127' $!
    port=$(sed -n 's/.*address=127.0.0.1:\([0-9]*\).*/\1/p' "$work/$configuration" | head -n 1)
    released=$(curl --silent --show-error --noproxy '*' "http://127.0.0.1:$port/key/release" -d '{"kid":"example"}')
    case $released in
        *"$(number 36)"*) echo "$configuration: released, and the private number is the imported one" ;;
        *) echo "$configuration: $released" >&2; exit 1 ;;
    esac
    # What the original's test containers ask, by the scripts that they run.
    case $configuration in key-vault) store=contoso.vault.azure.net ;; *) store=contoso.managedhsm.azure.net ;; esac
    export Port=$port AttestClientRuntimeData=e30= SkrClientMAAEndpoint=sharedeus2.eus2.attest.azure.net SkrClientAKVEndpoint=$store
    samples/container/attest_client.sh | grep '^{"report":"[0-9a-f]*"}$' >/dev/null
    AttestClientMAAEndpoint=$SkrClientMAAEndpoint samples/container/attest_client.sh | grep '^{"token":"' >/dev/null
    SkrClientKID=example samples/container/skr_client.sh >/dev/null
    refusal=0
    SkrClientKID=unknown samples/container/skr_client.sh 2>/dev/null || refusal=$?
    [ "$refusal" -eq 1 ] || { echo "$configuration: an unknown key ended the client with $refusal, not 1" >&2; exit 1; }
    unset Port
    kill $!
    wait $! || exit 2
done
