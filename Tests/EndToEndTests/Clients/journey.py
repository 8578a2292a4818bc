"""Releases a key with Microsoft's key client: a key of this process is attested by the broker, the store wraps the released key for it.

Arguments: base URL of the broker, the store's host name, the name of an RSA key.
"""
import base64, json, sys, urllib.request

from azure.identity import ManagedIdentityCredential
from azure.keyvault.keys import KeyClient
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding

broker, store, name = sys.argv[1:]


def unpadded(value):
    return base64.urlsafe_b64encode(value.to_bytes(256, "big")).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


wrapping = rsa.generate_private_key(65537, 2048)
key = {"kty": "RSA", "kid": "mine", "key_ops": ["encrypt"], "n": unpadded(wrapping.public_key().public_numbers().n), "e": "AQAB"}
runtime = base64.b64encode(json.dumps({"keys": [key]}).encode()).decode()
body = json.dumps({"runtime_data": runtime}).encode()
request = urllib.request.Request(broker + "/attest/maa", body, {"Content-Type": "application/json"})
with urllib.request.urlopen(request) as answer:
    token = json.load(answer)["token"]
client = KeyClient(f"https://{store}", ManagedIdentityCredential())
payload = json.loads(decoded(client.release_key(name, token).value.split(".")[1]))
ciphertext = decoded(json.loads(decoded(payload["response"]["key"]["key"]["key_hsm"]))["ciphertext"])
kek = wrapping.decrypt(ciphertext[:256], padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
private = serialization.load_der_private_key(aes_key_unwrap_with_padding(kek, ciphertext[256:]), None)
assert private.public_key().public_numbers().n == int.from_bytes(client.get_key(name).key.n, "big")
print("released", name)
