import HTTPTransport
import Logging
import JOSE
import OpenSSLCrypto
import PlainText
import SecureMemory
import StrictJSON
import Testing

@testable import AzureSimulators

struct InternalsTests {
    @Test(
        "moments in UTC",
        arguments: [
            (0, "1970-01-01 00:00:00Z"), (951_827_696, "2000-02-29 12:34:56Z"), (-1, "1969-12-31 23:59:59Z"),
            (4_107_542_399, "2100-02-28 23:59:59Z"), (4_107_542_400, "2100-03-01 00:00:00Z"), (Int64.max, "9999-12-31 23:59:59Z"),
            (.min, "0000-01-01 00:00:00Z"),
        ]) func times(_ seconds: Int64, _ text: String)
    { #expect(RFC3339.spaced(seconds) == text) }

    @Test("forms are decoded strictly") func forms() {
        #expect(
            FormItem.decode(Array("a=1+2%2B3&b=&c&d=%C3%A9=".utf8)) == [
                FormItem(name: "a", value: "1 2+3"), FormItem(name: "b", value: ""), FormItem(name: "c", value: ""),
                FormItem(name: "d", value: "é="),
            ])
        for text in ["a=%", "a=%2", "a=%zz", "a=%ff", String(repeating: "a=1&", count: 101)] {
            #expect(FormItem.decode(Array(text.utf8)) == nil)
        }
    }

    @Test(
        "hosts belong to their services",
        arguments: [
            ("contoso.vault.azure.net", KnownHosts.Role.keyStore(.vault)), ("vault.azure.net", nil), ("a.b.vault.azure.net", nil),
            ("contoso.vault.azure.net.evil.example", nil), ("contosovault.azure.net", nil),
            ("contoso.managedhsm.azure.cn", .keyStore(.managedHSM)), ("x.y.attest.azure.net", .attestation), (".attest.azure.net", nil),
            ("../x.attest.azure.net", nil), ("x..attest.azure.net", nil), ("contoso.vault.localhost", .keyStore(.vault)),
            ("vault.localhost", nil), ("localhost", nil), ("", nil), ("kdsintf.amd.com", .keyDistribution), ("login.windows.net", .entra),
            ("global.acccache.azure.net", .certificateCache),
        ]) func hosts(_ host: String, _ role: KnownHosts.Role?)
    { #expect(KnownHosts.role(of: host) == role) }

    @Test(
        "the digits of a number are found where it is",
        arguments: [
            (#"{"nonce":18446744073709551615}"#, "18446744073709551615"), (#"{"a":{"nonce":1},"nonce" : 2}"#, "2"),
            (#"{"a":"\"nonce\":1","nonce":3}"#, "3"), (#"{"nonce":"4"}"#, nil), (#"{"nonce":1.5}"#, nil), (#"{"nonce":1e5}"#, nil),
            (#"{"nonce":-1}"#, nil), (#"{"a":"nonce"}"#, nil), (#"{"b":["nonce",1]}"#, nil),
        ]) func numberText(_ document: String, _ digits: String?)
    { #expect(NumberText.ofMember("nonce", in: Array(document.utf8)) == digits) }

    @Test("paths of the key stores") func paths() {
        for (method, path, operation): (String, String, KeyStoreOperation) in [
            ("POST", "/keys/k//release", .release(name: "k", version: nil)), ("POST", "/keys/k/release", .release(name: "k", version: nil)),
            ("POST", "/keys/k/ABC/release/", .release(name: "k", version: "abc")),
            ("POST", "/keys/release/release", .release(name: "release", version: nil)), ("POST", "/keys/k/create", .create(name: "k")),
            ("POST", "/keys/k/v/create", .unknown), ("GET", "/keys/k/", .get(name: "k", version: nil)),
            ("GET", "/keys/k/v", .get(name: "k", version: "v")), ("GET", "/keys/k/versions", .versions(name: "k")), ("GET", "/keys", .list),
            ("GET", "/keys/", .list), ("PATCH", "/keys/k/", .update(name: "k", version: nil)),
            ("DELETE", "/deletedkeys/k", .purge(name: "k")),
            ("POST", "/keys/k/v/sign", .unsimulated(UnsimulatedOperation.ofKey("sign") ?? .restoreKey, name: "k")),
            ("POST", "/keys/restore", .unsimulated(.restoreKey, name: nil)), ("GET", "/", .unknown),
            ("POST", "/keys/k//securewrapkey", .secureWrap(name: "k", version: nil)),
            ("POST", "/keys/k/V/secureUnwrapKey", .secureUnwrap(name: "k", version: "v")),
            ("GET", "/keys/k///", .unknown), ("PUT", "/", .unknown), ("GET", "//", .unknown),
        ] {
            let request = SimulatorRequest(method: method, authority: "contoso.vault.azure.net", path: path)
            #expect(KeyStoreOperation(request) == operation, "\(method) \(path)")
        }
    }

    @Test("no mutation of a good request crashes a service or becomes a server error") func mutations() async throws {
        var configuration = SimulatorConfiguration()
        Guest.trust(&configuration)
        configuration.clock = { Cloud.now }
        configuration.logger.logLevel = .critical
        let simulators = try AzureSimulators(configuration)
        try await simulators.createKey("k1", at: Cloud.vault, exportable("EC-HSM"))
        let guest = Guest(try WrappingKey.generate(bits: 2048))
        let attest = JSONValue.object(try guest.attestBody()).serialized()
        let bearer = try simulators.accessToken(audience: Cloud.vaultAudience)
        let attested = try await Self.ask(simulators, Cloud.attestation, "/attest/SevSnpVm", attest)
        #expect(attested.status == 200)
        let token = try JSONCursor.parse(attested.body).string("token")
        let releaseBody: JSONValue = ["target": .string(token), "nonce": "n", "enc": "RSA_AES_KEY_WRAP_256"]
        let seeds: [(host: String, path: String, body: [UInt8])] = [
            (Cloud.attestation, "/attest/SevSnpVm", attest), (Cloud.vault, "/keys/k1/release", releaseBody.serialized()),
            (Cloud.vault, "/keys/k2/create", JSONValue.object(exportable("EC-HSM")).serialized()),
        ]
        var generator = SplitMix(state: 11)
        var refused = 0
        for round in 0..<600 {
            let seed = seeds[round % seeds.count]
            var body = seed.body
            for _ in 0...generator.next(4) where !body.isEmpty {
                let position = generator.next(body.count)
                switch generator.next(4) {
                case 0: body[position] = UInt8(truncatingIfNeeded: generator.next(256))
                case 1: body.remove(at: position)
                case 2: body.insert(body[generator.next(body.count)], at: position)
                default: body.removeSubrange(position..<min(body.count, position + generator.next(200)))
                }
            }
            let answer = try await Self.ask(simulators, seed.host, seed.path, body, bearer: seed.host == Cloud.vault ? bearer : nil)
            #expect(answer.status < 500)
            if answer.status >= 400 { refused += 1 }
        }
        #expect(refused > 300)
    }

    private static func ask(_ simulators: AzureSimulators, _ host: String, _ path: String, _ body: [UInt8], bearer: String? = nil)
        async throws -> SimulatorResponse
    {
        let version = host == Cloud.vault ? "7.4" : "2020-10-01"
        return await simulators.directory.respond(
            to: SimulatorRequest(
                method: "POST", authority: host, path: path, query: [FormItem(name: "api-version", value: version)],
                headers: bearer.map { [("authorization", "Bearer \($0)")] } ?? [], body: body))
    }
}

/// A small repeatable generator (SplitMix64).
private struct SplitMix {
    var state: UInt64

    mutating func next(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
