"""The Azure CLI against `simulate --proxy-port`, with the environment that it prints: login, tokens and the life of keys.

One process runs all commands, as `az` would each: starting Python a hundred times is the slow part. Arguments: a broker's base URL.
"""
import base64, io, json, os, sys, urllib.request

# Before the import: where it keeps its state, and no telemetry.
os.environ.update(AZURE_CONFIG_DIR=os.path.abspath("az"), AZURE_CORE_COLLECT_TELEMETRY="0", AZURE_CORE_OUTPUT="json")
from azure.cli.core import get_default_cli

BROKER = sys.argv[1]
TENANT = "12345678-1234-1234-1234-123456789012"
POLICY = {"version": "1.0.0", "anyOf": [{"authority": "https://sharedeus2.eus2.attest.azure.net", "allOf": [
    {"claim": "x-ms-attestation-type", "equals": "sevsnpvm"}]}]}


def az(*arguments, fails=None):
    """The JSON that the command prints; `fails` is a part of its error message when it has to fail."""
    output, errors = io.StringIO(), io.StringIO()
    stderr, sys.stderr = sys.stderr, errors
    try:
        cli = get_default_cli()
        try:
            status = cli.invoke(list(arguments), out_file=output)
        except SystemExit as exit:
            status = exit.code or 0
        message = errors.getvalue() + str(getattr(cli.result, "error", "") or "")
    finally:
        sys.stderr = stderr
    if fails is None:
        assert status == 0, (arguments, status, message)
        text = output.getvalue()
        return json.loads(text) if text.strip() else None
    assert status != 0 and fails in message, (arguments, status, message)


def release(name, host):
    body = {"kid": name, "akv_endpoint": host, "maa_endpoint": "sharedeus2.eus2.attest.azure.net"}
    request = urllib.request.Request(BROKER + "/key/release", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.loads(json.load(answer)["key"])


az("login", "--identity", "--allow-no-subscriptions")
assert az("account", "get-access-token", "--resource", "https://vault.azure.net")["accessToken"]
with open("policy.json", "w") as file:
    json.dump(POLICY, file)
pem = os.path.abspath("key.pem")
for option, store, suffix in (("--vault-name", "contoso", "vault"), ("--hsm-name", "contoso", "managedhsm")):
    at = (option, store)
    host = f"{store}.{suffix}.azure.net"
    created = az("keyvault", "key", "create", *at, "--name", "made", "--kty", "RSA-HSM", "--size", "2048", "--exportable", "true",
                 "--policy", "policy.json", "--ops", "encrypt", "decrypt")
    assert created["key"]["keyOps"] == ["encrypt", "decrypt"] and created["attributes"]["exportable"], created
    shown = az("keyvault", "key", "show", *at, "--name", "made")
    assert shown["key"]["kid"] == created["key"]["kid"] and shown["releasePolicy"], shown
    released = release("made", host)
    modulus = base64.b64decode(created["key"]["n"] if isinstance(created["key"]["n"], str) else "")
    assert base64.urlsafe_b64decode(released["n"] + "==") == modulus and released["d"], "released the key that was made"
    az("keyvault", "key", "import", *at, "--name", "imported", "--pem-file", pem, "--protection", "hsm", "--exportable", "true",
       "--policy", "policy.json")
    assert release("imported", host)["d"]
    az("keyvault", "key", "set-attributes", *at, "--name", "made", "--tags", "a=b", "--enabled", "false")
    assert az("keyvault", "key", "show", *at, "--name", "made")["tags"] == {"a": "b"}
    assert {key["name"] for key in az("keyvault", "key", "list", *at)} == {"made", "imported"}
    assert len(az("keyvault", "key", "list-versions", *at, "--name", "made")) == 1
    az("keyvault", "key", "rotate", *at, "--name", "made", fails="rotate a key")
    az("keyvault", "key", "backup", *at, "--name", "made", "--file", "backup", fails="backup of a key")
    az("keyvault", "key", "delete", *at, "--name", "made")
    assert [key["name"] for key in az("keyvault", "key", "list-deleted", *at)] == ["made"]
    az("keyvault", "key", "recover", *at, "--name", "made")
    az("keyvault", "key", "delete", *at, "--name", "made")
    az("keyvault", "key", "show-deleted", *at, "--name", "made")
    az("keyvault", "key", "purge", *at, "--name", "made")
    az("keyvault", "key", "show", *at, "--name", "made", fails="3")  # its status for what is not there
oct_key = az("keyvault", "key", "create", "--hsm-name", "contoso", "--name", "oct", "--kty", "oct-HSM", "--size", "256", "--exportable",
             "true", "--policy", "policy.json", "--ops", "encrypt", "decrypt")
assert oct_key["key"]["kty"] == "oct-HSM"
assert len(base64.urlsafe_b64decode(release("oct", "contoso.managedhsm.azure.net")["k"] + "==")) == 32
az("keyvault", "role", "definition", "list", "--hsm-name", "contoso", fails="role definitions")
az("logout")
# As an application, by its secret.
az("login", "--service-principal", "--username", "99999999-9999-4999-8999-999999999999", "--password", "secret", "--tenant", TENANT,
   "--allow-no-subscriptions")
assert az("keyvault", "key", "show", "--vault-name", "contoso", "--name", "imported")["key"]["kid"]
print("done")
