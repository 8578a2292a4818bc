import AzureSimulators
import HTTPTransport
import StrictJSON
import Testing

/// Whatever the services have and the simulators have not says so by name, after the checks that come before its execution.
struct UnsimulatedTests {
    private static let ofKeys: [(HTTPRequest.Method, String, String)] = [
        (.post, "/keys/k1/abc/encrypt", "encrypt"), (.post, "/keys/k1//decrypt", "decrypt"), (.post, "/keys/k1/sign", "sign"),
        (.post, "/keys/k1/abc/verify", "verify"), (.post, "/keys/k1/abc/wrapkey", "wrapKey"),
        (.post, "/keys/k1/abc/unwrapkey", "unwrapKey"),
        (.post, "/keys/k1/rotate", "rotate a key"), (.get, "/keys/k1/rotationpolicy", "rotation policy"),
        (.put, "/keys/k1/rotationpolicy", "rotation policy"), (.post, "/keys/k1/backup", "backup of a key"),
        (.get, "/keys/k1/abc/attestation", "attestation of a key"), (.put, "/keys/k1/restore", "restore of a key"),
    ]

    private static let ofStores: [(HTTPRequest.Method, String, String)] = [
        (.post, "/keys/restore", "restore of a key"), (.post, "/rng", "random bytes"), (.get, "/secrets", "secrets"),
        (.put, "/secrets/s1", "secrets"), (.get, "/deletedsecrets", "secrets"), (.post, "/certificates/c1/create", "certificates"),
        (.get, "/storage", "storage accounts"), (.get, "/providers/Microsoft.Authorization/roleDefinitions", "role definitions"),
        (.get, "//providers/Microsoft.Authorization/roleAssignments", "role assignments"),
        (.put, "/keys/k1/providers/Microsoft.Authorization/roleAssignments/a", "role assignments"), (.get, "/settings", "settings"),
        (.post, "/backup", "full backup"), (.get, "/backup/1/pending", "full backup"), (.put, "/restore", "full restore"),
        (.post, "/securitydomain/download", "security domain"), (.get, "/securitydomain/upload/pending", "security domain"),
    ]

    @Test("operations of key stores", arguments: [Cloud.vault, Cloud.managedHSM]) func stores(_ host: String) async throws {
        try await Cloud.run { cloud in
            for (method, path, _) in Self.ofKeys + Self.ofStores {
                #expect(try await cloud.send(method, host, path + "?api-version=7.4").status == 401, "a token comes first: \(path)")
                #expect(try await cloud.send(method, host, path, bearer: cloud.bearer(host)).status == 400, "then the version: \(path)")
            }
            for (method, path, _) in Self.ofKeys {
                let missing = try await cloud.send(method, host, path + "?api-version=7.4", bearer: cloud.bearer(host))
                #expect(missing.status == 404 && missing.code == "KeyNotFound", "then the key: \(path)")
            }
            try await cloud.simulators.createKey("k1", at: host, ["kty": "EC"])
            for (method, path, name) in Self.ofKeys + Self.ofStores {
                try expect(try await cloud.send(method, host, path + "?api-version=7.4", bearer: cloud.bearer(host)), name)
            }
            for path in ["/keys/k1/x/y", "/nothing"] {
                #expect(try await cloud.send(.post, host, path + "?api-version=7.4", bearer: cloud.bearer(host)).status == 404)
            }
        }
    }

    @Test("imports and kinds of keys") func keys() async throws {
        try await Cloud.run { cloud in
            for kty in ["RSA-HSM", "EC-HSM", "oct-HSM"] {
                let wrapped = try await cloud.send(
                    .put, Cloud.managedHSM, "/keys/k?api-version=7.4", json: ["key": ["kty": .string(kty), "key_hsm": "eyJ9"]],
                    bearer: cloud.bearer(Cloud.managedHSM))
                try expect(wrapped, "BYOK")
            }
            for (body, name) in [
                (["kty": "AKP", "alg": "ML-DSA-65"], "ML-DSA"), (["attributes": ["external_key": ["id": "a"]]], "external key"),
            ] as [(JSONValue, String)] {
                let answer = try await cloud.send(
                    .post, Cloud.managedHSM, "/keys/k/create?api-version=2026-07-01-preview", json: body,
                    bearer: cloud.bearer(Cloud.managedHSM))
                try expect(answer, name)
            }
        }
    }

    @Test("operations of attestation, Entra, the metadata service and Resource Manager") func others() async throws {
        try await Cloud.run { cloud in
            let bearer = try cloud.simulators.accessToken(audience: "https://attest.azure.net")
            for (method, path, name) in [
                (.post, "/attest/TdxVm", "attestation of TdxVm"), (.post, "/attest/SgxEnclave", "attestation of SgxEnclave"),
                (.put, "/policies/SevSnpVm", "change of an attestation policy"),
                (.post, "/policies/SevSnpVm:reset", "reset of an attestation policy"), (.get, "/certificates", "certificates"),
                (.post, "/certificates:add", "certificates"), (.get, "/tcbbaselines/sgx", "TCB baselines"),
            ] as [(HTTPRequest.Method, String, String)] {
                let answer = try await cloud.send(method, Cloud.attestation, path + "?api-version=2025-06-01", bearer: bearer)
                try expect(answer, name)
                guard !path.hasPrefix("/attest/") else { continue }
                #expect(try await cloud.send(method, Cloud.attestation, path + "?api-version=2025-06-01").status == 401, "\(path)")
            }
            #expect(try await cloud.send(.post, Cloud.attestation, "/attest/Nothing?api-version=2025-06-01").status == 404)
            try expect(try await cloud.send(.post, "login.microsoftonline.com", "/common/oauth2/v2.0/devicecode"), "devicecode")
            let arm = try cloud.simulators.accessToken(audience: "https://management.azure.com")
            let path = "/subscriptions/s/resourceGroups?api-version=2022-09-01"
            try expect(try await cloud.send(.get, "management.azure.com", path, bearer: arm), "resourceGroups")
            let instance = try await cloud.metadata("/metadata/instance?api-version=2021-02-01")
            #expect(try instance.status == 501 && instance.json.string("error_description").contains("/metadata/instance"))
        }
    }

    private func expect(_ answer: Answer, _ name: String) throws {
        #expect(answer.status == 501 && answer.code == "NotSupported", "\(name): \(answer.status) \(answer.message)")
        #expect(answer.message.contains(name) && answer.message.contains("Instead: "), "\(answer.message)")
    }
}
