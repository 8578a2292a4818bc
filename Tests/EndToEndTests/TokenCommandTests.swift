import Foundation
import Testing

/// A signed token and the keys of its authority, made with `openssl`.
struct SignedToken {
    static let issuer = PolicyCommandTests.issuer

    let compact: String
    let keys: String

    init(_ scratch: Scratch, _ changes: [String: Any] = [:]) throws {
        let openssl = URL(filePath: "/usr/bin/openssl")
        let key = scratch.directory.appending(path: "key.pem").path
        if !FileManager.default.fileExists(atPath: key) { _ = try Program.run(["genrsa", "-out", key, "2048"], executable: openssl) }
        let modulus = try Program.run(["rsa", "-in", key, "-noout", "-modulus"], executable: openssl).text
        let digits = Array(modulus.dropFirst("Modulus=".count).filter(\.isHexDigit))
        var bytes = Data()
        for index in stride(from: 0, to: digits.count, by: 2) { bytes.append(UInt8(String(digits[index...index + 1]), radix: 16) ?? 0) }
        keys = #"{"keys":[{"kty":"RSA","use":"sig","kid":"k1","e":"AQAB","n":"\#(bytes.base64URL)"}]}"#
        let now = Int(Date().timeIntervalSince1970)
        let times: [String: Any] = ["iat": now, "nbf": now, "exp": now + 3600]
        let payload = try PolicyCommandTests.claims(times.merging(changes) { $1 })
        let header = Data(#"{"alg":"RS256","kid":"k1","typ":"JWT"}"#.utf8)
        let signed = "\(header.base64URL).\(payload.base64URL)"
        let signature = try Program.run(["dgst", "-sha256", "-sign", key], input: Data(signed.utf8), executable: openssl).output
        compact = "\(signed).\(signature.base64URL)"
    }

    /// What must appear in no output.
    var parts: [String] { compact.split(separator: ".").map(String.init) + [compact] }
}

/// `token show|verify`, as a user runs them.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "no openssl to sign with")) struct TokenCommandTests {
    @Test("show prints header and claims, and nothing that could be used") func show() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let token = try SignedToken(scratch)
        let text = try Program.run(["token", "show", scratch.write("token", token.compact)])
        #expect(text.status == 0)
        for words in ["alg = \"RS256\"", "x-ms-sevsnpvm-vmpl = 0", "iss = \"\(SignedToken.issuer)\"", "exp = "] {
            #expect(text.text.contains(words), "\(words): \(text.text)")
        }
        let answer = try Program.run(["token", "show", "-", "--json"], input: Data(#"{"token":"\#(token.compact)"}"#.utf8))
        #expect((answer.object["claims"] as? [String: Any])?["x-ms-sevsnpvm-vmpl"] as? Int == 0)
        #expect((answer.object["header"] as? [String: Any])?["kid"] as? String == "k1")
    }

    @Test("verify believes the right token and names what is wrong with the others") func verify() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let good = try SignedToken(scratch)
        let keys = try scratch.write("keys.json", good.keys)
        let arguments = ["token", "verify", "-", "--keys", keys, "--json"]
        func run(_ token: String, _ more: [String] = []) throws -> Program.Result {
            try Program.run(arguments + more, input: Data(token.utf8))
        }
        let result = try run(good.compact)
        #expect(result.status == 0, "\(result.text)\(result.errors)")
        #expect(result.object["verdict"] as? String == "verified")
        let flipped = good.compact.dropLast(4) + (good.compact.hasSuffix("AAAA") ? "BBBA" : "AAAA")
        for (token, more, code) in [
            (String(flipped), [], "signature"), (good.compact, ["--authority", "contoso.weu.attest.azure.net"], "issuer"),
            (good.compact, ["--at", "2000-01-01T00:00:00Z"], "not-before"), (good.compact, ["--at", "2100-01-01T00:00:00Z"], "expiry"),
            (good.compact, ["--nonce", "n"], "nonce"), (good.compact, ["--runtime-data", keys], "runtime-data"),
            (try SignedToken(scratch, ["x-ms-sevsnpvm-is-debuggable": true]).compact, [], "debuggable"),
        ] as [(String, [String], String)] {
            let refused = try run(token, more)
            #expect(refused.status == 1, "\(code): \(refused.text)\(refused.errors)")
            #expect(refused.object["failures"] as? [String] == [code])
        }
        // An issuer that is nobody's known host is not asked for its own keys.
        let stranger = try SignedToken(scratch, ["iss": "https://attest.example.org"])
        let unknown = try Program.run(["token", "verify", "-"], input: Data(stranger.compact.utf8))
        #expect(unknown.status == 64)
        #expect(try run("not.a.token").status == 2)
        #expect(try Program.run(["token", "verify", "-", "--keys", "/nonexistent/keys"], input: Data(good.compact.utf8)).status == 2)
    }

    @Test("the keys are fetched from the authority itself: a token of the simulated service, and a policy explained with it")
    func fetchedKeys() throws {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let broker = try azure.serve()
        let body = ["runtime_data": "e30=", "maa_endpoint": LocalAzure.authority]
        let token = try #require(try broker.post("/attest/maa", body).object["token"] as? String)
        let file = try azure.scratch.write("token", token)
        let configuration = try azure.scratch.write("broker.json", try JSONSerialization.data(withJSONObject: azure.configuration)).path
        let runtime = try azure.scratch.write("runtime", "{}")
        let verify = ["token", "verify", file, "--config", configuration, "--json"]
        let good = try Program.run(verify + ["--runtime-data", runtime])
        #expect(good.status == 0, "\(good.text)\(good.errors)")
        // Another authority has other keys, or none.
        let other = try Program.run(verify + ["--authority", "sharedweu.weu.attest.azure.net"])
        #expect(other.status != 0, "\(other.text)")
        let explain = ["policy", "explain", "--token", file, "--policy"]
        #expect(try Program.run(explain + [PolicyCommandTests.policyFile("fixture-guest")]).status == 0)
        let refused = try Program.run(explain + [PolicyCommandTests.policyFile("confidential-aci"), "--json"])
        #expect(refused.status == 1)
        let steps = (refused.object["smallest_change"] as? [String: Any])?["steps"] as? [[String: Any]] ?? []
        #expect(steps.contains { $0["claim"] as? String == "x-ms-sevsnpvm-hostdata" })
    }

    @Test("explain never says that the key is released to a token that is expired or forged, in no form") func premise() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let expired = try SignedToken(scratch, ["nbf": 1_600_000_000, "exp": 1_600_003_600])
        let forged = try scratch.write("token", String(expired.compact.dropLast(8)) + "AAAAAAAA")
        let arguments = ["policy", "explain", "--policy", PolicyCommandTests.policyFile("confidential-aci"), "--token", forged]
        let (text, page) = (try Program.run(arguments), try Program.run(arguments + ["--html", "-"]))
        let json = try Program.run(arguments + ["--json"])
        let yes = "would be released, if this token is genuine and in force"
        for (form, words) in [("text", text.text), ("page", page.text), ("JSON", json.object["meaning"] as? String ?? "")] {
            for part in [yes, "its signature was not checked", "it expired at 2020-09-13T13:26:40Z"] {
                #expect(words.contains(part), "\(form): \(words)")
            }
            #expect(!words.contains("the key is released"), "\(form)")
        }
        for result in [text, page, json] { #expect(result.status == 0) }
        // The evaluation itself, as scripts read it; what it rests on is beside it.
        #expect(json.object["verdict"] as? String == "satisfied")
        let premise = try #require(json.object["premise"] as? [String: Any])
        #expect(premise["signature_checked"] as? Bool == false && premise["in_force"] as? Bool == false)
        #expect(premise["expires"] as? String == "2020-09-13T13:26:40Z")
        #expect((json.object["claims"] as? [String: Any])?["x-ms-sevsnpvm-vmpl"] as? Int == 0)
        #expect(page.text.contains("x-ms-sevsnpvm-vmpl = 0") && page.text.contains("verdict open"))

        let (now, future) = (try SignedToken(scratch), try SignedToken(scratch, ["nbf": 4_000_000_000, "exp": 4_000_003_600]))
        for (token, words, inForce) in [(now, "it expires at 2", true), (future, "it is valid from 2096-10-02T07:06:40Z on", false)] {
            let result = try Program.run(
                ["policy", "explain", "--policy", PolicyCommandTests.policyFile("confidential-aci"), "--token", "-", "--json"],
                input: Data(token.compact.utf8))
            #expect((result.object["meaning"] as? String)?.contains(words) == true)
            #expect((result.object["premise"] as? [String: Any])?["in_force"] as? Bool == inForce)
        }
    }

    @Test("no command prints a token, in any form, also when it is not one") func canaries() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let token = try SignedToken(scratch)
        let file = try scratch.write("token", token.compact)
        let wrapped = try scratch.write("answer.json", #"{"token":"\#(token.compact)"}"#)
        let broken = try scratch.write("broken", "canary-canary-canary." + token.compact)
        let keys = try scratch.write("keys.json", token.keys)
        let policy = PolicyCommandTests.policyFile("confidential-aci")
        for input in [file, wrapped, broken] {
            for command in [
                ["token", "show", input], ["token", "show", input, "--json"], ["token", "verify", input, "--keys", keys],
                ["token", "verify", input, "--keys", keys, "--json"], ["policy", "explain", "--policy", policy, "--token", input],
                ["policy", "explain", "--policy", policy, "--token", input, "--json"],
                ["policy", "explain", "--policy", policy, "--token", input, "--html", "-"],
                ["policy", "explain", "--policy", input, "--token", input], ["policy", "explain", "--policy", policy, "--claims", input],
                ["policy", "lint", input], ["evidence", "show", input],
            ] {
                let result = try Program.run(command)
                let output = result.text + result.errors
                #expect(!output.isEmpty)
                for part in token.parts + ["canary-canary"] {
                    #expect(!output.contains(part), "\(command.dropLast()) prints part of the token")
                }
            }
        }
    }
}
