#!/usr/bin/env python3
"""Makes a releasable key with Microsoft's own clients, then gets it through the sidecar and compares:
azure_sdk.py [STORE [KEY NAME [POLICY [URL]]]].

It needs `pip install azure-identity azure-keyvault-keys`. Nothing in it knows of simulators: with `attestation-broker simulate --proxy-port 8899`
the variables that `simulate` prints lead these clients there.
"""
import base64
import sys

from azure.identity import ManagedIdentityCredential
from azure.keyvault.keys import KeyClient, KeyReleasePolicy

from release import release

DEFAULTS = ["contoso.vault.azure.net", "sdk-key", "policies/release/fixture-guest.json", "http://127.0.0.1:8080"]
store, name, policy, url = [*sys.argv[1:5], *DEFAULTS[len(sys.argv) - 1 :]]

client = KeyClient(f"https://{store}", ManagedIdentityCredential())
with open(policy, "rb") as file:
    made = client.create_rsa_key(
        name,
        size=2048,
        hardware_protected=True,
        exportable=True,
        key_operations=["encrypt", "decrypt"],
        release_policy=KeyReleasePolicy(file.read()),
    )
print(f"made {made.id}")

key = release(name, url=url)
modulus = base64.urlsafe_b64decode(key["n"] + "=" * (-len(key["n"]) % 4))
if modulus != bytes(made.key.n).lstrip(b"\0"):
    sys.exit("the sidecar released another key")
print(f"released its private half, for {', '.join(key['key_ops'])}")
