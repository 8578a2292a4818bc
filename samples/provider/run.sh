#!/usr/bin/env bash
# Builds my-broker, has its provider keep the contract of evidence providers, and releases a key through it: simulators, broker and curl are processes of
# their own. The report comes from a command, as it would on a machine of yours; this one asks the fixture that the simulators believe.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. Tests/prerequisites.sh
broker_commands+=" openssl:openssl curl:curl"
broker_prepare
swift build --product attestation-broker --quiet
stock=$(swift build --show-bin-path)/attestation-broker
package=(--package-path samples/provider)
swift build "${package[@]}" --build-tests --quiet
swift test "${package[@]}" --skip-build --disable-xctest
mine=$(swift build "${package[@]}" --show-bin-path)/my-broker

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

"$stock" simulate --directory "$work/azure" --port 0 --metadata-port 0 --json >"$work/simulate" 2>&1 &
await "$work/simulate" tls_port $!
tls=$(member tls_port <"$work/simulate")
metadata=$(member metadata_port <"$work/simulate")

# What writes a report over the 64 bytes that it is given in hexadecimal digits, and the chain that endorses it.
evidence=("$stock" evidence get --set evidence.use=fixture --set "evidence.fixture.directory=$work/azure/fixture")
cat >"$work/report" <<END
#!/bin/sh
set -eu
directory=\$(mktemp -d)
trap 'rm -rf "\$directory"' EXIT
$(printf '%q ' "${evidence[@]}") --report-data "\$1" --output "\$directory"
cat "\$directory/report.bin"
END
chmod +x "$work/report"
"${evidence[@]}" --output "$work" 2>/dev/null

# The owner's key, under a policy that the fixture's guest satisfies.
store=contoso.vault.azure.net
token=$(curl --silent --fail --noproxy '*' -H 'Metadata: true' \
    "http://127.0.0.1:$metadata/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://${store#*.}" | member access_token)
policy=$(base64 --wrap=0 policies/release/fixture-guest.json | tr '+/' '-_' | tr -d '=')
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 -topk8 -nocrypt -outform DER -out "$work/key.der"
number() { tail --bytes="+$(($1 + 1))" "$work/key.der" | head --bytes=32 | base64 --wrap=0 | tr '+/' '-_' | tr -d '='; }
jwk="{\"kty\":\"EC-HSM\",\"crv\":\"P-256\",\"d\":\"$(number 36)\",\"x\":\"$(number 74)\",\"y\":\"$(number 106)\"}"
curl --silent --show-error --fail-with-body --noproxy '*' --cacert "$work/azure/ca.pem" --connect-to "::127.0.0.1:$tls" -X PUT -o /dev/null \
    "https://$store/keys/example?api-version=7.4" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
    -d "{\"key\":$jwk,\"hsm\":true,\"attributes\":{\"exportable\":true},\"release_policy\":{\"data\":\"$policy\"}}"

"$mine" plugins list
"$mine" serve --config samples/provider/my-broker.json --set server.http=127.0.0.1:0 --set "tls.ca-file=$work/azure/ca.pem" \
    --set "tls.connect-to=169.254.169.254:80:127.0.0.1:$metadata,::127.0.0.1:$tls" \
    --set "evidence.command.program=$work/report" --set "evidence.command.certificates-file=$work/certs.pem" >"$work/broker" 2>&1 &
await "$work/broker" 'address=127' $!
port=$(sed -n 's/.*address=127.0.0.1:\([0-9]*\).*/\1/p' "$work/broker" | head -n 1)
released=$(curl --silent --show-error --noproxy '*' "http://127.0.0.1:$port/key/release" -d '{"kid":"example"}')
case $released in
    *"$(number 36)"*) echo "released through the provider 'command', and the private number is the imported one" ;;
    *)
        echo "$released" >&2
        cat "$work/broker" >&2
        exit 1
        ;;
esac
kill $!
wait $! || exit 2
