import ReleasePolicy
import StrictJSON
import Testing

/// One condition against one token.
struct Pair: Sendable, CustomTestStringConvertible {
    let condition: String
    let claims: String
    let reason: ClaimReason

    init(_ condition: String, _ claims: String, _ reason: ClaimReason) {
        self.condition = condition
        self.claims = claims
        self.reason = reason
    }

    var testDescription: String { "\(condition) on \(claims)" }
}

private let authority = "https://sharedneu.neu.attest.azure.net"

func policy(_ conditions: String, join: String = "allOf", authority name: String = authority) throws -> ReleasePolicy {
    try ReleasePolicy(json: Array(#"{"version":"1.0.0","anyOf":[{"authority":"\#(name)","\#(join)":[\#(conditions)]}]}"#.utf8))
}

func claims(_ text: String) throws -> JSONObject { try JSONCursor.parse(Array(text.utf8)).object() }

struct EvaluationTests {
    static let pairs: [Pair] = [
        // equals: strings
        Pair(#"{"claim":"a","equals":"x"}"#, #"{"a":"x"}"#, .satisfied),
        Pair(#"{"claim":"a","equals":"x"}"#, #"{"a":"y"}"#, .differentValue),
        Pair(#"{"claim":"a","equals":"B958DC88"}"#, #"{"a":"b958dc88"}"#, .differsOnlyByCase),
        Pair(#"{"claim":"a","equals":"x"}"#, #"{"a":"x\n"}"#, .differsOnlyByWhiteSpace),
        Pair(#"{"claim":"a","equals":"x"}"#, #"{}"#, .missingClaim), Pair(#"{"claim":"a","equals":"x"}"#, #"{"a":null}"#, .missingClaim),
        Pair(#"{"claim":"a","equals":""}"#, #"{"a":""}"#, .satisfied), Pair(#"{"claim":"A","equals":"x"}"#, #"{"a":"x"}"#, .missingClaim),
        // A canonically equivalent text is another text.
        Pair(#"{"claim":"a","equals":"K"}"#, "{\"a\":\"\u{212A}\"}", .differsOnlyByCase),
        // equals: booleans
        Pair(#"{"claim":"a","equals":"true"}"#, #"{"a":true}"#, .satisfied),
        Pair(#"{"claim":"a","equals":"false"}"#, #"{"a":false}"#, .satisfied),
        Pair(#"{"claim":"a","equals":"false"}"#, #"{"a":true}"#, .differentValue),
        Pair(#"{"claim":"a","equals":"False"}"#, #"{"a":false}"#, .differsOnlyByCase),
        Pair(#"{"claim":"a","equals":false}"#, #"{"a":false}"#, .satisfied),
        Pair(#"{"claim":"a","equals":false}"#, #"{"a":"false"}"#, .satisfied),
        Pair(#"{"claim":"a","equals":"no"}"#, #"{"a":false}"#, .differentType),
        Pair(#"{"claim":"a","equals":"0"}"#, #"{"a":false}"#, .differentType),
        // equals: numbers
        Pair(#"{"claim":"a","equals":"0"}"#, #"{"a":0}"#, .satisfied), Pair(#"{"claim":"a","equals":0}"#, #"{"a":"0"}"#, .satisfied),
        Pair(#"{"claim":"a","equals":7}"#, #"{"a":7}"#, .satisfied),
        Pair(#"{"claim":"a","equals":"00"}"#, #"{"a":0}"#, .sameNumberOtherText),
        Pair(#"{"claim":"a","equals":"1.0"}"#, #"{"a":1}"#, .sameNumberOtherText),
        Pair(#"{"claim":"a","equals":1}"#, #"{"a":1.0}"#, .satisfied), Pair(#"{"claim":"a","equals":"0.1"}"#, #"{"a":0.10}"#, .satisfied),
        Pair(#"{"claim":"a","equals":"1000000"}"#, #"{"a":1e6}"#, .satisfied),
        Pair(#"{"claim":"a","equals":"high"}"#, #"{"a":3}"#, .differentType),
        Pair(#"{"claim":"a","equals":3}"#, #"{"a":"high"}"#, .differentType),
        Pair(#"{"claim":"a","equals":"9007199254740993"}"#, #"{"a":9007199254740992}"#, .differentValue),
        Pair(#"{"claim":"a","equals":9007199254740993}"#, #"{"a":9007199254740993}"#, .satisfied),
        // equals: objects and arrays have no text
        Pair(#"{"claim":"a","equals":"x"}"#, #"{"a":{"b":"x"}}"#, .notComparable),
        Pair(#"{"claim":"a","equals":"x"}"#, #"{"a":["x"]}"#, .notComparable),
        // notEquals
        Pair(#"{"claim":"a","notEquals":"x"}"#, #"{"a":"y"}"#, .satisfied),
        Pair(#"{"claim":"a","notEquals":"x"}"#, #"{"a":"X"}"#, .satisfied),
        Pair(#"{"claim":"a","notEquals":"true"}"#, #"{"a":true}"#, .equalValue),
        Pair(#"{"claim":"a","notEquals":"x"}"#, #"{}"#, .missingClaim),
        Pair(#"{"claim":"a","notEquals":"x"}"#, #"{"a":[]}"#, .notComparable),
        // ordering
        Pair(#"{"claim":"a","greater":1}"#, #"{"a":2}"#, .satisfied), Pair(#"{"claim":"a","greater":1}"#, #"{"a":1}"#, .outOfRange),
        Pair(#"{"claim":"a","greaterOrEquals":1}"#, #"{"a":1}"#, .satisfied), Pair(#"{"claim":"a","less":1}"#, #"{"a":0.9}"#, .satisfied),
        Pair(#"{"claim":"a","less":1}"#, #"{"a":1}"#, .outOfRange), Pair(#"{"claim":"a","lessOrEquals":1}"#, #"{"a":1}"#, .satisfied),
        Pair(#"{"claim":"a","lessOrEquals":-2}"#, #"{"a":-1}"#, .outOfRange),
        Pair(#"{"claim":"a","lessOrEquals":-2}"#, #"{"a":-10}"#, .satisfied),
        Pair(#"{"claim":"a","greater":"100"}"#, #"{"a":"115"}"#, .satisfied),
        // As texts, "99" would be greater than "100".
        Pair(#"{"claim":"a","greater":"100"}"#, #"{"a":"99"}"#, .outOfRange),
        Pair(#"{"claim":"a","greater":9007199254740992}"#, #"{"a":9007199254740993}"#, .satisfied),
        Pair(#"{"claim":"a","greater":"18446744073709551614"}"#, #"{"a":"18446744073709551615"}"#, .satisfied),
        Pair(#"{"claim":"a","greater":1}"#, #"{"a":"many"}"#, .notANumber),
        Pair(#"{"claim":"a","greater":0}"#, #"{"a":true}"#, .notANumber), Pair(#"{"claim":"a","greater":0}"#, #"{"a":{}}"#, .notComparable),
        Pair(#"{"claim":"a","greater":0}"#, #"{}"#, .missingClaim), Pair(#"{"claim":"a","less":1e3}"#, #"{"a":999.999}"#, .satisfied),
        // exists
        Pair(#"{"claim":"a","exists":"true"}"#, #"{"a":[]}"#, .satisfied), Pair(#"{"claim":"a","exists":true}"#, #"{"a":0}"#, .satisfied),
        Pair(#"{"claim":"a","exists":"true"}"#, #"{}"#, .missingClaim), Pair(#"{"claim":"a","exists":"false"}"#, #"{}"#, .satisfied),
        Pair(#"{"claim":"a","exists":"false"}"#, #"{"a":1}"#, .presentClaim),
        // dotted paths
        Pair(#"{"claim":"a.b.c","equals":"x"}"#, #"{"a":{"b":{"c":"x"}}}"#, .satisfied),
        Pair(#"{"claim":"a.b.c","equals":"x"}"#, #"{"a":{"b":"x"}}"#, .missingClaim),
        Pair(#"{"claim":"a.b","equals":"x"}"#, #"{"a.b":"x"}"#, .missingClaim),
        Pair(#"{"claim":"a.0","equals":"x"}"#, #"{"a":["x"]}"#, .throughArray),
        Pair(#"{"claim":"a.0","exists":"false"}"#, #"{"a":["x"]}"#, .satisfied),
        // the alias of the first preview
        Pair(#"{"claim":"a","condition":"equals","value":"true"}"#, #"{"a":true}"#, .satisfied),
        Pair(#"{"claim":"a","condition":"greater","value":1}"#, #"{"a":1}"#, .outOfRange),
    ]

    @Test("one condition against one token", arguments: pairs) func table(_ pair: Pair) throws {
        let outcome = try policy(pair.condition).evaluate(claims: claims(pair.claims), issuer: authority)
        let entry = try #require(outcome.authorities.first)
        guard case .claim(let claim) = try #require(entry.conditions.conditions.first) else {
            Issue.record("not a claim")
            return
        }
        #expect(claim.reason == pair.reason)
        #expect(outcome.isSatisfied == (pair.reason == .satisfied))
        #expect(outcome.obstacles.isEmpty == outcome.isSatisfied)
    }

    @Test("the ACI policy of Microsoft's examples") func aci() throws {
        let policy = try policy(
            #"""
            {"claim":"x-ms-attestation-type","equals":"sevsnpvm"},
            {"claim":"x-ms-sevsnpvm-hostdata","equals":"73973b78"},
            {"claim":"x-ms-sevsnpvm-is-debuggable","equals":"false"},
            {"claim":"x-ms-sevsnpvm-vmpl","equals":"0"}
            """#)
        var token = try claims(
            #"{"x-ms-attestation-type":"sevsnpvm","x-ms-sevsnpvm-hostdata":"73973b78","x-ms-sevsnpvm-is-debuggable":false,"x-ms-sevsnpvm-vmpl":0}"#
        )
        #expect(policy.evaluate(claims: token, issuer: authority).isSatisfied)
        token.set("x-ms-sevsnpvm-is-debuggable", true)
        let outcome = policy.evaluate(claims: token, issuer: authority)
        #expect(!outcome.isSatisfied)
        #expect(outcome.obstacles == [#"x-ms-sevsnpvm-is-debuggable: wanted equals "false", found true (different-value)"#])
    }

    @Test("nested lists are joined as written") func nesting() throws {
        let policy = try policy(
            #"""
            {"claim":"a","equals":"1"},
            {"anyOf":[{"claim":"b","equals":"1"},{"allOf":[{"claim":"c","equals":"1"},{"claim":"d","equals":"1"}]}]}
            """#)
        for (text, expected) in [
            (#"{"a":1,"b":1}"#, true), (#"{"a":1,"c":1,"d":1}"#, true), (#"{"a":1,"c":1}"#, false), (#"{"b":1,"c":1,"d":1}"#, false),
            (#"{"a":1}"#, false),
        ] { #expect(try policy.evaluate(claims: claims(text), issuer: authority).isSatisfied == expected, "\(text)") }
    }

    @Test("an authority with anyOf needs one condition") func anyOf() throws {
        let policy = try policy(#"{"claim":"a","equals":"1"},{"claim":"b","equals":"1"}"#, join: "anyOf")
        #expect(try policy.evaluate(claims: claims(#"{"b":1}"#), issuer: authority).isSatisfied)
        #expect(try !policy.evaluate(claims: claims(#"{"c":1}"#), issuer: authority).isSatisfied)
    }

    @Test(
        "only the exact authority counts, and near misses are named",
        arguments: [
            (authority, AuthorityMatch.exact), ("https://sharedneu.neu.attest.azure.net/", .differsByTrailingSlash),
            ("http://sharedneu.neu.attest.azure.net", .differsByScheme), ("sharedneu.neu.attest.azure.net", .differsByScheme),
            ("https://SharedNEU.neu.attest.azure.net", .differsByCase), ("HTTPS://sharedneu.neu.attest.azure.net", .differsByCase),
            ("https://contoso.neu.attest.azure.net", .sharedVersusOwnProvider),
            ("https://sharedneu.neu.test.attest.azure.net", .testVersusProduction),
            ("https://sharedeus.eus.attest.azure.net", .notAnAuthority),
            ("https://sharedneu.neu.attest.azure.net.example.org", .notAnAuthority), ("", .notAnAuthority),
        ]) func authorities(_ issuer: String, _ expected: AuthorityMatch) throws
    {
        let outcome = try policy(#"{"claim":"a","equals":"1"}"#).evaluate(claims: claims(#"{"a":1}"#), issuer: issuer)
        #expect(outcome.authorities.map(\.match) == [expected])
        #expect(outcome.isSatisfied == (expected == .exact))
    }

    @Test("a trailing slash in both is a match") func trailingSlashInBoth() throws {
        let policy = try policy(#"{"claim":"sdk-test","equals":"true"}"#, authority: "https://a/")
        #expect(try policy.evaluate(claims: claims(#"{"sdk-test":true}"#), issuer: "https://a/").isSatisfied)
        #expect(try !policy.evaluate(claims: claims(#"{"sdk-test":true}"#), issuer: "https://a").isSatisfied)
    }

    @Test("the nearest authority comes first") func nearest() throws {
        let policy = try ReleasePolicy(
            json: Array(
                #"""
                {"version":"1.0.0","anyOf":[
                 {"authority":"https://sharedeus.eus.attest.azure.net","allOf":[{"claim":"a","equals":"1"}]},
                 {"authority":"https://x.neu.attest.azure.net/","allOf":[{"claim":"a","equals":"1"}]},
                 {"authority":"https://x.neu.attest.azure.net","allOf":[{"claim":"a","equals":"2"},{"claim":"b","equals":"2"}]},
                 {"authority":"https://x.neu.attest.azure.net","allOf":[{"claim":"a","equals":"2"},{"claim":"b","equals":"1"}]}
                ]}
                """#.utf8))
        let outcome = try policy.evaluate(claims: claims(#"{"a":1,"b":1}"#), issuer: "https://x.neu.attest.azure.net")
        #expect(!outcome.isSatisfied)
        #expect(outcome.authorities.map(\.pointer) == ["/anyOf/3", "/anyOf/2", "/anyOf/1", "/anyOf/0"])
        #expect(outcome.obstacles.count == 1)
        // Satisfied conditions of another authority do not help.
        #expect(outcome.authorities[2].conditions.isSatisfied && !outcome.authorities[2].isSatisfied)
    }

    @Test("an entry that does not match does not spoil one that does") func alternatives() throws {
        let policy = try ReleasePolicy(
            json: Array(
                #"{"version":"1.0.0","anyOf":[{"authority":"https://b","allOf":[{"claim":"a","equals":"2"}]},{"authority":"https://a","allOf":[{"claim":"a","equals":"1"}]}]}"#
                    .utf8))
        let outcome = try policy.evaluate(claims: claims(#"{"a":1}"#), issuer: "https://a")
        #expect(outcome.isSatisfied)
        #expect(outcome.authorities.first?.authority == "https://a")
    }
}
