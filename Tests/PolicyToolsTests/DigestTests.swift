import InputReading
import OpenSSLCrypto
import PolicyTools
import StrictJSON
import Testing

@Suite("policy digest") struct DigestTests {
    /// The vector of KnownAnswers.md, "Host data".
    static let rego = "package policy\n\napi_version := \"0.10.0\"\n"
    static let base64 = "cGFja2FnZSBwb2xpY3kKCmFwaV92ZXJzaW9uIDo9ICIwLjEwLjAiCg=="
    static let hostData = "d14f98512e78574d68e04dabc7d462f41d9d7aaa4e47fef658a8df935e151844"

    static func read(_ text: String, as form: SecurityPolicyDigest.Form? = nil) throws -> [SecurityPolicyDigest] {
        try SecurityPolicyDigest.read(Array(text.utf8), as: form)
    }

    static func template(_ policy: String, parameters: String = "{}") -> String {
        """
        {"$schema":"x","parameters":\(parameters),"resources":[{"type":"Microsoft.ContainerInstance/containerGroups",
         "properties":{"sku":"Confidential","confidentialComputeProperties":{"ccePolicy":\(quoted(policy))}}}]}
        """
    }

    @Test(
        "the same policy in every form",
        arguments: [
            (base64, SecurityPolicyDigest.Form.base64), (base64 + "\n", .base64), (rego, .rego), (template(base64), .template),
            ("\u{FEFF}" + template(base64), .template),
            (template("[parameters('p')]", parameters: #"{"p":{"type":"string","defaultValue":"\#(base64)"}}"#), .template),
            (#"{"parameters":{"ccePolicy":{"value":"\#(base64)"}}}"#, .template),
            (#"[{"confidentialComputeProperties":{"ccePolicy":"\#(base64)"}}]"#, .template),
            ("metadata:\n  annotations:\n    microsoft.containerinstance.virtualnode.ccepolicy: \(base64)\n", .manifest),
        ]) func forms(_ text: String, _ form: SecurityPolicyDigest.Form) throws
    {
        let digests = try Self.read(text)
        #expect(digests.map(\.hostData) == [Self.hostData])
        #expect(digests.map(\.form) == [form])
        #expect(digests.map(\.byteCount) == [Self.rego.utf8.count])
    }

    @Test("the trap of line ends is named, with what LF would give") func lineEnds() throws {
        let windows = Self.rego.replacing("\n", with: "\r\n")
        for text in [windows, Base64.encode(Array(windows.utf8))] {
            let digest = try #require(try Self.read(text).first)
            #expect(digest.hostData != Self.hostData)
            let note = try #require(digest.notes.first { $0.hasPrefix("line ends:") })
            #expect(note.contains("CRLF") && note.contains(Self.hostData))
            #expect(digest.variants.contains { $0.mistake == "with LF line ends" && $0.hostData == Self.hostData })
        }
        #expect(try Self.read(Self.base64).first?.notes == [])
    }

    @Test("the trap of the input that was decoded already is named") func decoded() throws {
        let digest = try #require(try Self.read(Self.rego).first)
        let note = try #require(digest.notes.first { $0.hasPrefix("already decoded:") })
        let ofText = Hex.encode(DigestAlgorithm.sha256.digest(Array(Self.base64.utf8)))
        #expect(note.contains(ofText))
        #expect(digest.variants.contains { $0.hostData == ofText })
        // Forced, because somebody wants the digest of exactly these bytes.
        #expect(try Self.read(Self.base64, as: .rego).first?.hostData == ofText)
    }

    @Test("other slips are named") func slips() throws {
        // Which of the two is meant, somebody has to say.
        let text = Base64.encode(Array(Self.base64.utf8))
        #expect { try Self.read(text) } throws: { "\($0)".contains("base64 of base64") && "\($0)".contains(Self.hostData) }
        let twice = try #require(try Self.read(text, as: .base64).first)
        #expect(twice.notes.contains { $0.hasPrefix("encoded twice:") && $0.contains(Self.hostData) })
        let wrapped = Self.base64.prefix(20) + "\n" + Self.base64.dropFirst(20)
        let digest = try #require(try Self.read(String(wrapped)).first)
        #expect(digest.hostData == Self.hostData)
        #expect(digest.notes.contains { $0.contains("wrapped") })
        let marked = try #require(try Self.read("\u{FEFF}" + Self.rego).first)
        #expect(marked.notes.contains { $0.contains("byte order mark") })
        #expect(marked.variants.contains { $0.hostData == Self.hostData })
    }

    @Test("several groups in one template, each with its place") func several() throws {
        let other = Base64.encode(Array("package policy\n".utf8))
        let text = #"{"a":[{"ccePolicy":"\#(Self.base64)"},{"b":{"ccePolicy":"\#(other)"}}]}"#
        let digests = try Self.read(text)
        #expect(digests.map(\.place) == ["a[0].ccePolicy", "a[1].b.ccePolicy"])
        #expect(digests[0].hostData == Self.hostData)
        #expect(digests[1].hostData != Self.hostData)
    }

    @Test(
        "what holds no policy",
        arguments: [
            ("", "empty"), ("{}", "no ccePolicy"), (template(""), "is empty"), (template("package policy"), "not base64"),
            (template("[parameters('p')]"), "expression"), ("{\"ccePolicy\":7}", "a number"), ("{\"a\":", "not readable"),
            ("x-ccepolicy: package policy\n", "not base64"),
        ]) func failures(_ text: String, _ words: String)
    { #expect { try Self.read(text) } throws: { "\($0)".contains(words) } }

    @Test("a forced form that the input is not") func forcedForms() {
        #expect(throws: SecurityPolicyDigest.Failure.self) { try Self.read(Self.rego, as: .base64) }
        #expect(throws: SecurityPolicyDigest.Failure.self) { try Self.read(Self.rego, as: .manifest) }
        #expect(throws: SecurityPolicyDigest.Failure.self) { try Self.read(Self.rego, as: .template) }
    }
}
