import AzureSimulators
import HTTPTransport
import JOSE
import OpenSSLCrypto
import StrictJSON
import Testing

@Suite("Case 13: the spelling of names in answers") struct NameSpellingTests {
    @Test("a key is named as it was first written, or as it is asked for", arguments: [false, true]) func spelling(asAsked: Bool)
        async throws
    {
        try await Cloud.run({ configuration in
            Guest.trust(&configuration)
            configuration.namesKeysAsAsked = asAsked
        }) { cloud in
            try await cloud.simulators.createKey("MixedCaseKey", at: Cloud.vault, exportable("EC-HSM"))
            let wanted = "https://\(Cloud.vault)/keys/\(asAsked ? "mixedcasekey" : "MixedCaseKey")"
            let shown = try await cloud.send(.get, Cloud.vault, "/keys/mixedcasekey?api-version=7.4", bearer: cloud.bearer())
            #expect(try shown.json.member("key").string("kid").hasPrefix(wanted + "/"))
            let token = try await Guest(try WrappingKey.generate(bits: 2048)).token(cloud)
            let answer = try await cloud.send(
                .post, Cloud.vault, "/keys/mixedcasekey/release?api-version=7.4", json: ["target": .string(token)], bearer: cloud.bearer())
            let released = try ReleasedAnswer(answer, host: Cloud.vault, caFile: cloud.caFile)
            #expect(try released.payload.member("request").string("kid") == wanted)
            let list = try await cloud.send(.get, Cloud.vault, "/keys?api-version=7.4", bearer: cloud.bearer())
            #expect(try list.json.array("value").map { try $0.string("kid") } == ["https://\(Cloud.vault)/keys/MixedCaseKey"])
        }
    }
}
