import AzureSimulators
import HTTPTransport
import JOSE
import OpenSSLCrypto
import SecureMemory
import StrictJSON
import Testing

struct PersistenceTests {
    @Test("keys, signers and the authority survive a restart") func restart() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path + "/state"
        let configure: @Sendable (inout SimulatorConfiguration) -> Void = {
            Guest.trust(&$0)
            $0.keyDirectory = path
        }
        let secret = SecureRandom.bytes(32)
        let first = Slot<[String: [UInt8]]>([:])
        try await Cloud.run(configure) { cloud in
            let rsa = try await cloud.simulators.createKey("rsa", at: Cloud.vault, exportable("RSA-HSM"))
            try await cloud.simulators.createKey("ec", at: Cloud.vault, exportable("EC-HSM", releasePolicy(), ["tags": ["a": "b"]]))
            try await cloud.simulators.createKey("ec", at: Cloud.vault, exportable("EC-HSM"))
            try await cloud.simulators.createKey("gone", at: Cloud.vault, ["kty": "EC"])
            try await cloud.simulators.importKey(
                "oct", at: Cloud.managedHSM,
                [
                    "key": ["kty": "oct-HSM", "k": .string(Base64.encodeURL(secret))], "attributes": ["exportable": true],
                    "release_policy": .object(releasePolicy()),
                ])
            #expect(try await cloud.send(.delete, Cloud.vault, "/keys/gone?api-version=7.4", bearer: cloud.bearer()).status == 200)
            let token = try await Guest(try WrappingKey.generate(bits: 2048)).token(cloud)
            first.value = [
                "rsa": JSONValue.object(rsa).serialized(), "ca": try #require(fileContent(cloud.caFile)), "token": Array(token.utf8),
                "bearer": Array(try cloud.bearer().utf8),
            ]
        }
        #expect(fileMode(path) == 0o700)
        #expect(fileMode(path + "/keys") == 0o700)
        #expect(fileMode(path + "/root.key") == 0o600)
        #expect(fileMode(path + "/keys/\(Cloud.vault)_rsa.json") == 0o600)
        let before = first.value
        try await Cloud.run(configure) { cloud in
            #expect(fileContent(cloud.caFile) == before["ca"])
            let bearer = String(decoding: before["bearer"] ?? [], as: UTF8.self)
            let rsa = try await cloud.send(.get, Cloud.vault, "/keys/rsa?api-version=7.4", bearer: bearer)
            #expect(rsa.response.body == before["rsa"])
            let versions = try await cloud.send(.get, Cloud.vault, "/keys/ec/versions?api-version=7.4", bearer: bearer)
            #expect(try versions.json.array("value").count == 2)
            #expect(try await cloud.send(.get, Cloud.vault, "/deletedkeys/gone?api-version=7.4", bearer: bearer).status == 200)
            // A token from before is still verified, because the provider kept its key.
            let token = String(decoding: before["token"] ?? [], as: UTF8.self)
            for name in ["rsa", "ec"] {
                let answer = try await cloud.send(
                    .post, Cloud.vault, "/keys/\(name)/release?api-version=7.4", json: ["target": .string(token)], bearer: bearer)
                #expect(answer.status == 200, "\(answer.explanation)")
            }
            let wrappingKey = try WrappingKey.generate(bits: 2048)
            let fresh = try await Guest(wrappingKey).token(cloud)
            let released = try ReleasedAnswer(
                try await cloud.send(
                    .post, Cloud.managedHSM, "/keys/oct/release?api-version=7.4", json: ["target": .string(fresh)],
                    bearer: cloud.bearer(Cloud.managedHSM)), host: Cloud.managedHSM, caFile: cloud.caFile)
            let opened = try wrappingKey.unwrap(released.ciphertext, using: .ckmRSAAESKeyWrap)
            #expect(opened.withUnsafeBytes { Array($0) } == secret)
            // Purged means gone from the disk.
            let purge = try await cloud.send(.delete, Cloud.vault, "/deletedkeys/gone?api-version=7.4", bearer: bearer)
            #expect(purge.status == 204)
        }
        #expect(fileMode(path + "/keys/\(Cloud.vault)_gone.json") == nil)
    }

    @Test("a damaged state is reported with the file's name, not passed over") func damage() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path + "/state"
        try await Cloud.run({ $0.keyDirectory = path }) { cloud in
            try await cloud.simulators.createKey("k1", at: Cloud.vault, ["kty": "EC"])
        }
        let file = path + "/keys/\(Cloud.vault)_k1.json"
        var content = try #require(fileContent(file))
        content[content.count / 2] = UInt8(ascii: "{")
        try overwrite(file, content)
        var configuration = SimulatorConfiguration()
        configuration.keyDirectory = path
        let damaged = configuration
        let error = #expect(throws: SimulatorError.self) { try AzureSimulators(damaged) }
        #expect(error?.description.contains(file) == true)
    }
}

/// A value that a sendable closure leaves behind.
final class Slot<Value: Sendable>: @unchecked Sendable {
    // Unchecked because of the variable; the closure that writes it has ended when it is read.
    var value: Value

    init(_ value: Value) { self.value = value }
}
