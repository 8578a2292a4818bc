import ReleasePolicy
import StrictJSON
import Testing

struct SerializationTests {
    // The recorded round trips of KnownAnswers.md, "Release policies written back".
    @Test(
        "policies come back as each service writes them",
        arguments: [
            (
                #"{"anyOf":[{"allOf":[{"claim":"sdk-test","equals":"true"}],"authority":"https://a/"}],"version":"1.0.0"}"#,
                ReleasePolicy.Style.vault,
                #"{"version":"1.0.0","anyOf":[{"authority":"https://a/","allOf":[{"claim":"sdk-test","equals":"true"}]}]}"#
            ),
            (
                #"{"anyOf":[{"allOf":[{"claim":"sdk-test","equals":"true"}],"authority":"https://a/"}],"version":"1.0"}"#, .managedHSM,
                #"{"anyOf":[{"allOf":[{"claim":"sdk-test","equals":"true"}],"authority":"https://a/"}],"version":"1.0.0"}"#
            ),
            (
                #"{ "version" : "0.2", "anyOf" : [ { "anyOf" : [ { "less" : 3, "claim" : "n" } ], "authority" : "https://a" } ] }"#, .vault,
                #"{"version":"0.2","anyOf":[{"authority":"https://a","anyOf":[{"claim":"n","less":3}]}]}"#
            ),
            (
                #"{"anyOf":[{"authority":"https://a","allOf":[{"claim":"n","condition":"equals","value":"true"},{"anyOf":[{"claim":"m","exists":false}]}]}]}"#,
                .managedHSM,
                #"{"anyOf":[{"allOf":[{"claim":"n","equals":"true"},{"anyOf":[{"claim":"m","exists":false}]}],"authority":"https://a"}],"version":"1.0.0"}"#
            ),
        ]) func roundTrips(_ sent: String, _ style: ReleasePolicy.Style, _ returned: String) throws
    {
        let policy = try ReleasePolicy(json: Array(sent.utf8))
        #expect(String(decoding: policy.serialized(style: style), as: UTF8.self) == returned)
    }

    @Test("explanations show values escaped and bounded") func explanations() throws {
        let policy = try policy(#"{"claim":"a","equals":"x"}"#)
        let long = String(repeating: "y", count: 1000)
        let outcome = policy.evaluate(claims: ["a": .string("line\nbreak" + long)], issuer: "https://sharedneu.neu.attest.azure.net")
        let line = try #require(outcome.obstacles.first)
        #expect(line.hasPrefix(#"a: wanted equals "x", found "line\u{a}break"#))
        #expect(line.utf8.count < 300)
        #expect(!line.contains("\n"))
    }
}
