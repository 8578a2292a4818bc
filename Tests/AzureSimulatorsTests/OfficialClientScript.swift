/// Microsoft's own Python clients against the simulators; the released keys are opened with pyca/cryptography, which shares no code with
/// this project.
///
/// Arguments: TLS port, metadata port, certificate authority file, working directory. The directory holds `wrapping.pem` and `attest.json`.
let officialClientScript = #"""
    import base64, hashlib, json, os, socket, sys, time

    tls_port, metadata_port, ca_file, directory = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
    real_getaddrinfo = socket.getaddrinfo

    def getaddrinfo(host, port, *arguments, **options):
        own = metadata_port if host == "169.254.169.254" else tls_port
        return real_getaddrinfo("127.0.0.1", own, *arguments, **options)

    socket.getaddrinfo = getaddrinfo
    os.environ["REQUESTS_CA_BUNDLE"] = ca_file

    import requests
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
    from azure.identity import ManagedIdentityCredential, WorkloadIdentityCredential
    from azure.keyvault.keys import (
        ApiVersion, JsonWebKey, KeyClient, KeyExportEncryptionAlgorithm, KeyReleasePolicy)
    from azure.security.attestation import AttestationAdministrationClient, AttestationClient, AttestationType
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding

    authority = "https://sharedeus2.eus2.attest.azure.net"
    stores = {"vault": "https://contoso.vault.azure.net", "hsm": "https://contoso.managedhsm.azure.net"}
    verify = {"connection_verify": ca_file}

    def unpadded(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    def decoded(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    with open(directory + "/wrapping.pem", "rb") as file:
        wrapping = serialization.load_pem_private_key(file.read(), None)
    with open(directory + "/attest.json") as file:
        attest = json.load(file)

    # Identity: IMDS through MSAL, and a federated token.
    managed = ManagedIdentityCredential()
    with open(directory + "/assertion", "w") as file:
        now = int(time.time())
        claims = {"iss": "https://oidc.example.org/", "sub": "s", "aud": "api://AzureADTokenExchange", "exp": now + 600}
        parts = [{"alg": "RS256"}, claims]
        file.write(".".join([unpadded(json.dumps(part).encode()) for part in parts] + [unpadded(b"signature")]))
    federated = WorkloadIdentityCredential(
        tenant_id="12345678-1234-1234-1234-123456789012", client_id="app-1",
        token_file_path=directory + "/assertion", **verify)
    assert federated.get_token("https://vault.azure.net/.default").token.count(".") == 2

    # Attestation.
    client = AttestationClient(authority, managed, **verify)
    metadata = client.get_open_id_metadata()
    assert metadata["jwks_uri"] == authority + "/certs", metadata
    signers = client.get_signing_certificates()
    assert len(signers) == 1
    policy, token = AttestationAdministrationClient(authority, managed, **verify).get_policy(AttestationType.SGX_ENCLAVE)
    assert policy == "version= 1.0;authorizationrules{=> permit();};", policy
    answer = requests.post(authority + "/attest/SevSnpVm?api-version=2020-10-01", json=attest, verify=ca_file)
    assert answer.status_code == 200, answer.text
    target = answer.json()["token"]
    certificate = x509.load_pem_x509_certificate(signers[0].certificates[0].encode())
    head, body, signature = target.split(".")
    certificate.public_key().verify(
        decoded(signature), (head + "." + body).encode(), padding.PKCS1v15(), hashes.SHA256())

    def release_policy(wanted):
        return KeyReleasePolicy(json.dumps({
            "version": "1.0.0", "anyOf": [{"authority": authority, "allOf": [
                {"claim": "x-ms-attestation-type", "equals": "sevsnpvm"},
                {"claim": "x-ms-sevsnpvm-is-debuggable", "equals": wanted}]}]}).encode())

    def opened(jws, url, algorithm, nonce):
        head, body, signature = jws.split(".")
        header, payload = json.loads(decoded(head)), json.loads(decoded(body))
        chain = [x509.load_der_x509_certificate(base64.b64decode(text)) for text in header["x5c"]]
        chain[0].public_key().verify(
            decoded(signature), (head + "." + body).encode(), padding.PKCS1v15(), hashes.SHA256())
        with open(ca_file, "rb") as file:
            root = x509.load_pem_x509_certificate(file.read())
        from cryptography.x509.verification import PolicyBuilder, Store
        PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName(url[8:])).verify(
            chain[0], chain[1:-1])
        assert payload["request"]["nonce"] == nonce and payload["request"]["enc"] == algorithm.value
        blob = json.loads(decoded(payload["response"]["key"]["key"]["key_hsm"]))
        ciphertext = decoded(blob["ciphertext"])
        digest = {
            "CKM_RSA_AES_KEY_WRAP": hashes.SHA1, "RSA_AES_KEY_WRAP_256": hashes.SHA256,
            "RSA_AES_KEY_WRAP_384": hashes.SHA384}[algorithm.value]
        kek = wrapping.decrypt(ciphertext[:256], padding.OAEP(padding.MGF1(digest()), digest(), None))
        return aes_key_unwrap_with_padding(kek, ciphertext[256:])

    for store, url in stores.items():
        keys = KeyClient(url, managed, **verify)
        for number, algorithm in enumerate(KeyExportEncryptionAlgorithm):
            name = "rsa-%d" % number
            key = keys.create_rsa_key(
                name, size=2048, hardware_protected=True, exportable=True, release_policy=release_policy("false"))
            assert key.properties.exportable and key.properties.release_policy.encoded_policy
            released = keys.release_key(name, target, algorithm=algorithm, nonce="nonce-1")
            secret = serialization.load_der_private_key(opened(released.value, url, algorithm, "nonce-1"), None)
            assert secret.public_key().public_numbers().n == int.from_bytes(key.key.n, "big")
            keys.release_key(name, target, version=key.properties.version)
        curve = keys.create_ec_key(
            "ec", curve="P-384", hardware_protected=True, exportable=True, release_policy=release_policy("false"))
        algorithm = KeyExportEncryptionAlgorithm("RSA_AES_KEY_WRAP_256")
        secret = serialization.load_der_private_key(
            opened(keys.release_key("ec", target, algorithm=algorithm, nonce="n").value, url, algorithm, "n"), None)
        assert secret.public_key().public_numbers().x == int.from_bytes(curve.key.x, "big")

        # Import of a key that was made elsewhere.
        own = rsa.generate_private_key(65537, 2048)
        numbers = own.private_numbers()
        size = lambda value: value.to_bytes((value.bit_length() + 7) // 8, "big")
        imported = keys.import_key(
            "imported",
            JsonWebKey(
                kty="RSA-HSM", key_ops=["encrypt", "decrypt"], n=size(numbers.public_numbers.n), e=size(65537),
                d=size(numbers.d), p=size(numbers.p), q=size(numbers.q), dp=size(numbers.dmp1), dq=size(numbers.dmq1),
                qi=size(numbers.iqmp)),
            hardware_protected=True, exportable=True, release_policy=release_policy("false"))
        algorithm = KeyExportEncryptionAlgorithm("CKM_RSA_AES_KEY_WRAP")
        secret = serialization.load_der_private_key(
            opened(keys.release_key("imported", target, algorithm=algorithm, nonce="n").value, url, algorithm, "n"), None)
        assert secret.private_numbers() == numbers

        # Denials: a policy that is not satisfied, a token of nobody, a key that is not there.
        keys.update_key_properties("imported", release_policy=release_policy("true"))
        for arguments, status, text in [
            (("imported", target), 403, "does not meet key release policy requirements"),
            (("ec", target[:-8] + "AAAAAAAA"), 403, "cannot be verified"),
            (("missing", target), 404, "missing"),
        ]:
            try:
                keys.release_key(*arguments)
                raise SystemExit("released")
            except HttpResponseError as error:
                assert error.status_code == status and text in str(error), (status, str(error))

        # The rest of the life cycle.
        listed = {item.name for item in keys.list_properties_of_keys()}
        assert listed == {"rsa-0", "rsa-1", "rsa-2", "ec", "imported"}, listed
        assert len(list(keys.list_properties_of_key_versions("ec"))) == 1
        changed = keys.update_key_properties("ec", tags={"a": "b"}, enabled=False)
        assert changed.properties.tags == {"a": "b"} and changed.properties.enabled is False
        keys.begin_delete_key("ec").wait()
        assert [item.name for item in keys.list_deleted_keys()] == ["ec"]
        keys.begin_recover_deleted_key("ec").wait()
        keys.begin_delete_key("ec").wait()
        keys.purge_deleted_key("ec")
        try:
            keys.get_key("ec")
            raise SystemExit("still there")
        except ResourceNotFoundError:
            pass

    keys = KeyClient(stores["hsm"], managed, **verify)
    keys.create_oct_key(
        "oct", size=256, hardware_protected=True, exportable=True, release_policy=release_policy("false"))
    algorithm = KeyExportEncryptionAlgorithm("RSA_AES_KEY_WRAP_384")
    assert len(opened(
        keys.release_key("oct", target, algorithm=algorithm, nonce="n").value, stores["hsm"], algorithm, "n")) == 32
    print("done")
    """#
