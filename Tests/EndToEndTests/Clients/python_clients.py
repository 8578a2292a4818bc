"""Microsoft's Python clients against `simulate --proxy-port`, with the environment that it prints and nothing else: no root, no hosts file.

Argument: base URL of a broker whose evidence the simulators believe. It serves as the guest that has a key of its own attested.
"""
import asyncio, base64, datetime, hashlib, json, os, sys, time, urllib.request

import msal
from azure.core.exceptions import HttpResponseError
from azure.identity import CertificateCredential, ClientSecretCredential, ManagedIdentityCredential, WorkloadIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential
from azure.keyvault.keys import JsonWebKey, KeyClient, KeyReleasePolicy
from azure.keyvault.keys.aio import KeyClient as AsyncKeyClient
from azure.keyvault.keys.crypto import CryptographyClient
from azure.security.attestation import AttestationClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding

BROKER = sys.argv[1]
TENANT = "12345678-1234-1234-1234-123456789012"
APPLICATION = "99999999-9999-4999-8999-999999999999"
AUTHORITY = "https://sharedeus2.eus2.attest.azure.net"
STORES = {"vault": "https://contoso.vault.azure.net", "managedhsm": "https://contoso.managedhsm.azure.net"}


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


# A key of this process, attested through the broker.
wrapping = rsa.generate_private_key(65537, 2048)
public = wrapping.public_key().public_numbers()
runtime = json.dumps(
    {"keys": [{"kty": "RSA", "kid": "mine", "key_ops": ["encrypt"], "n": unpadded(number(public.n)), "e": "AQAB"}]}).encode()
request = urllib.request.Request(
    BROKER + "/attest/maa", json.dumps({"runtime_data": base64.b64encode(runtime).decode()}).encode(), {"Content-Type": "application/json"})
with urllib.request.urlopen(request) as answer:
    token = json.load(answer)["token"]
POLICY = KeyReleasePolicy(json.dumps({"version": "1.0.0", "anyOf": [{"authority": AUTHORITY, "allOf": [
    {"claim": "x-ms-attestation-type", "equals": "sevsnpvm"},
    {"claim": "x-ms-compliance-status", "equals": "azure-compliant-uvm"}]}]}).encode())


def opened(jws):
    payload = json.loads(decoded(jws.split(".")[1]))
    ciphertext = decoded(json.loads(decoded(payload["response"]["key"]["key"]["key_hsm"]))["ciphertext"])
    kek = wrapping.decrypt(ciphertext[:256], padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None))
    return aes_key_unwrap_with_padding(kek, ciphertext[256:])


def refused(status, text, call, *arguments, **options):
    try:
        call(*arguments, **options)
    except HttpResponseError as error:
        assert error.status_code == status and text in str(error), (status, error.status_code, str(error))
        return
    raise SystemExit(f"{call.__name__} was not refused")


# Identities: App Service, the metadata address through the proxy, a secret, a certificate, a federated token; msal by itself too.
signer = rsa.generate_private_key(65537, 2048)
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "application")])
now = datetime.datetime.now(datetime.timezone.utc)
certificate = x509.CertificateBuilder(name, name, signer.public_key(), 1, now, now + datetime.timedelta(days=1)).sign(signer, hashes.SHA256())
private = signer.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
with open("assertion", "w") as file:
    claims = {"iss": "https://oidc.example.org/", "sub": "s", "aud": "api://AzureADTokenExchange", "exp": time.time() + 600.5}
    file.write(".".join(unpadded(part) for part in (b'{"alg":"RS256"}', json.dumps(claims).encode(), b"signature")))
managed = ManagedIdentityCredential()
credentials = [
    managed, ClientSecretCredential(TENANT, APPLICATION, "secret"),
    CertificateCredential(TENANT, APPLICATION, certificate_data=private + certificate.public_bytes(serialization.Encoding.PEM)),
    WorkloadIdentityCredential(tenant_id=TENANT, client_id=APPLICATION, token_file_path="assertion"),
]
app_service = {name: os.environ.pop(name) for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER")}
metadata = ManagedIdentityCredential()
assert metadata.get_token("https://vault.azure.net/.default").token
os.environ.update(app_service)
for credential in credentials:
    assert list(KeyClient(STORES["vault"], credential).list_properties_of_keys()) == []
thumbprint = hashlib.sha1(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
with open("assertion") as file:
    federated = file.read()
for secret in ("secret", {"private_key": private.decode(), "thumbprint": thumbprint}, {"client_assertion": federated}):
    application = msal.ConfidentialClientApplication(
        APPLICATION, client_credential=secret, authority="https://login.microsoftonline.com/" + TENANT)
    result = application.acquire_token_for_client(["https://vault.azure.net/.default"])
    assert "access_token" in result, result

# Attestation: the token above is signed by a key that the authority publishes.
signers = AttestationClient(AUTHORITY, managed).get_signing_certificates()
head, body, signature = token.split(".")
x509.load_pem_x509_certificate(signers[0].certificates[0].encode()).public_key().verify(
    decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())

# The life of keys in both stores: create, import, release, update, delete, recover, purge.
for store, url in STORES.items():
    keys = KeyClient(url, managed)
    made = keys.create_rsa_key("made", size=2048, hardware_protected=True, exportable=True, release_policy=POLICY)
    secret = serialization.load_der_private_key(opened(keys.release_key("made", token).value), None)
    assert secret.public_key().public_numbers().n == int.from_bytes(made.key.n, "big")
    # Another spelling of the name is the same key.
    assert opened(keys.release_key("MADE", token).value)
    numbers = signer.private_numbers()
    keys.import_key("imported", JsonWebKey(
        kty="RSA-HSM", n=number(numbers.public_numbers.n), e=number(65537), d=number(numbers.d), p=number(numbers.p), q=number(numbers.q),
        dp=number(numbers.dmp1), dq=number(numbers.dmq1), qi=number(numbers.iqmp)),
        hardware_protected=True, exportable=True, release_policy=POLICY)
    assert serialization.load_der_private_key(opened(keys.release_key("imported", token).value), None).private_numbers() == numbers
    refused(403, "attestation statement cannot be verified", keys.release_key, "made", token[:-8] + "AAAAAAAA")
    refused(404, "none", keys.release_key, "none", token)
    refused(501, "rotate a key", keys.rotate_key, "made")
    refused(501, "backup of a key", keys.backup_key, "made")
    refused(501, "restore of a key", keys.restore_key_backup, b"backup")
    refused(501, "random bytes", keys.get_random_bytes, 16)
    refused(501, "rotation policy", keys.get_key_rotation_policy, "made")
    refused(501, "decrypt", CryptographyClient(made, managed).decrypt, "RSA-OAEP-256", bytes(256))
    assert keys.update_key_properties("made", tags={"a": "b"}, enabled=False).properties.tags == {"a": "b"}
    refused(403, "disabled", keys.release_key, "made", token)
    assert {item.name for item in keys.list_properties_of_keys()} == {"made", "imported"}
    keys.begin_delete_key("made").wait()
    assert [item.name for item in keys.list_deleted_keys()] == ["made"]
    keys.begin_recover_deleted_key("made").wait()
    keys.begin_delete_key("made").wait()
    keys.purge_deleted_key("made")
    refused(404, "made", keys.get_key, "made")


async def asynchronous():
    for url in STORES.values():
        async with AsyncManagedIdentityCredential() as identity, AsyncKeyClient(url, identity) as keys:
            assert [item.name async for item in keys.list_properties_of_keys()] == ["imported"]
            assert opened((await keys.release_key("imported", token)).value)


asyncio.run(asynchronous())

# A version of the interface that nobody knows yet, and secure wrap where the client has it.
keys = KeyClient(STORES["managedhsm"], managed, api_version="2030-01-01")
assert keys.get_key("imported").name == "imported"
try:
    from azure.keyvault.keys.crypto import KeySecureWrapAlgorithm
except ImportError:
    print("note: this azure-keyvault-keys has no secure wrap")
else:
    keys = KeyClient(STORES["managedhsm"], managed)
    key = keys.create_rsa_key(
        "wrapping", size=2048, hardware_protected=True, key_operations=["secureWrapKey", "secureUnwrapKey"], release_policy=POLICY)
    client = CryptographyClient(key, managed)
    wrapped = client.secure_wrap_key(KeySecureWrapAlgorithm.rsa_oaep_256).encrypted_key
    unwrapped = client.secure_unwrap_key(KeySecureWrapAlgorithm.rsa_oaep_256, wrapped, token)
    assert len(unwrapped.key) == 32, unwrapped
    refused(403, "cannot be verified", client.secure_unwrap_key, KeySecureWrapAlgorithm.rsa_oaep_256, wrapped, token[:-8] + "AAAAAAAA")
print("done")
