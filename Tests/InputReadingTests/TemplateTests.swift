import EvidenceSamples
import InputReading
import OpenSSLCrypto
import StrictJSON
import Testing

@Suite("Security policies inside templates") struct TemplateTests {
    private static func hostData(_ text: String) throws -> [String] { try hostData(Array(text.utf8)) }
    private static func hostData(_ input: [UInt8]) throws -> [String] {
        try SecurityPolicyInput.read(input).map { Hex.encode(DigestAlgorithm.sha256.digest($0.bytes)) }
    }

    private static let base64 = Subject.policyBase64

    @Test(
        "cases 1 to 3: comments, quotation marks, marks",
        arguments: [
            Subject.template(base64, head: "// group\n"), Subject.template(base64, head: "/* group\n { */ "),
            Subject.template(base64, inside: " // \"resources\"\n /* , */"), Subject.template(base64, head: "\n\n  // a\n  // b\n"),
            "\"\(base64)\"", "\"\(base64)\"\n", "\u{FEFF}\(base64)", "'\(base64)'", base64,
            Subject.template(base64).replacing(base64, with: base64.prefix(60) + "\n    " + base64.dropFirst(60)),
        ]) func read(_ text: String) throws
    { #expect(try Self.hostData(text) == [Subject.policyHostData]) }

    @Test("names are compared as Resource Manager does, and a variable may name a parameter") func references() throws {
        for (expression, declared) in [
            ("[parameters('Guard')]", #""parameters":{"guard":{"type":"string","defaultValue":"\#(Self.base64)"}}"#),
            ("[ Parameters( 'guard' ) ]", #""parameters":{"guard":{"defaultValue":"\#(Self.base64)"}}"#),
            ("[variables('v')]", #""variables":{"v":"[parameters('p')]"},"parameters":{"p":{"defaultValue":"\#(Self.base64)"}}"#),
        ] {
            let text = Subject.template(expression, inside: declared + ",")
            #expect(try Self.hostData(text) == [Subject.policyHostData], "\(expression)")
        }
        let loop = Subject.template("[variables('v')]", inside: #""variables":{"v":"[variables('v')]"},"#)
        #expect(throws: InputRefusal.self) { try Self.hostData(loop) }
    }

    @Test("case 4: what holds no policy is refused, by name") func none() {
        for (text, words) in [
            ("using './main.bicep'\nparam ccePolicy = '\(Self.base64)'\n", "a Bicep parameter file"),
            ("resource g 'X/y@1' = {\n  ccePolicy: '\(Self.base64)'\n}\n", "Bicep"), (Subject.template("TODO"), "not of a policy in Rego"),
            (Subject.template("AAECAwQFBgcICQ=="), "binary data"), (#"{"a":1,}"#, "trailing comma"),
            (#"{"version":"1.0.0","anyOf":[]}"#, "a release policy"),
            (#"{"keys":[]}"#, "published keys"), (String(decoding: Subject.thim, as: UTF8.self), "THIM"), (Subject.token, "a token"),
            ("x.ccepolicy: {{ .Values.policy }}\n", "not base64"), ("# x.ccepolicy: \(Self.base64)\n", "text"),
            (#"{"parameters":{"a":{"value":"\#(Self.base64)"},"b":{"value":"\#(Self.base64)"}}}"#, "no ccePolicy"),
            ("eyJhIjoxfQ==", "no ccePolicy"), ("cGFja2FnZSAKcG9saWNpZXMK", "base64 text"), ("packages policy\n", "text"),
            ("package: policy\n", "YAML"),
        ] { #expect { try Self.hostData(text) } throws: { "\($0)".contains(words) } }
    }

    @Test("Rego in UTF-16 is its text, and inside of base64 nobody can read it") func utf16() throws {
        let wide: [UInt8] =
            [0xFF, 0xFE] + Subject.rego.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        let read = try SecurityPolicyInput.read(wide)
        #expect(read.map(\.bytes) == [Array(Subject.rego.utf8)] && read[0].notes.contains { $0.contains("UTF-16") })
        #expect { try Self.hostData(Base64.encode(wide)) } throws: { "\($0)".contains("UTF-16") }
        // A mark in UTF-8 counts, and escapes inside of the module are its own.
        let marked = try SecurityPolicyInput.read([0xEF, 0xBB, 0xBF] + Array(Subject.rego.utf8))
        #expect(marked.map(\.bytes.count) == [Subject.rego.utf8.count + 3])
        let escapes = #"# policy\#n package policy\#n a := "x\ny"\#n"#
        #expect(try SecurityPolicyInput.read(Array(escapes.utf8)).map(\.bytes) == [Array(escapes.utf8)])
    }

    @Test("manifests: quoted, in a block, in several documents") func manifests() throws {
        let key = "microsoft.containerinstance.virtualnode.ccepolicy"
        let block = Self.base64.prefix(80) + "\n        " + Self.base64.dropFirst(80)
        for text in [
            "  \(key): \"\(Self.base64)\"\n", "  '\(key)': '\(Self.base64)'\r\n", "  \(key): |-\n        \(block)\n  next: x\n",
            "  \(key): >\n        \(block)\n", "{\"metadata\":{\"annotations\":{\"\(key)\":\"\(Self.base64)\"}}}",
        ] { #expect(try Self.hostData(text) == [Subject.policyHostData], "\(text)") }
        #expect(try Self.hostData("a: b\n\(key): \(Self.base64)\n---\n\(key): \(Self.base64)\n").count == 2)
    }
}

@Suite("Real evidence", .enabled(if: EvidenceSample.isAvailable, "../shared/evidence is absent")) struct RealEvidenceTests {
    private static func sample() throws -> EvidenceSample { try #require(EvidenceSample(named: "azure-aci-milan-v2-2023")) }

    @Test("cases 6 to 10: policy, endorsement and certificates of one group, in every encoding") func group() throws {
        let sample = try Self.sample()
        let policy = try #require(sample.file("security-policy-base64.txt"))
        let endorsement = try #require(sample.file("reference-info-base64.txt"))
        let raw = try #require(sample.file("reference-info.cose"))
        let thim = try #require(sample.file("host-amd-cert.json"))
        let chain = try sample.chainPEM.map { try #require(try CertificateInput.kind.read($0).first) }
        func hostData(_ input: [UInt8]) throws -> String {
            Hex.encode(DigestAlgorithm.sha256.digest(try SecurityPolicyInput.kind.readOne(input).bytes)).prefix(8).lowercased()
        }
        #expect(try hostData(policy) == "cadd74f7")
        #expect(try EndorsementInput.kind.readOne(endorsement) == raw)
        for encoding in Encoding.all {
            if encoding.isForText || encoding.description.contains("hex") {
                #expect(try hostData(encoding.encode(policy)) == "cadd74f7", "\(encoding)")
            }
            #expect(try EndorsementInput.kind.readOne(encoding.encode(endorsement)) == raw, "\(encoding)")
            #expect(try Set(CertificateInput.kind.read(encoding.encode(thim))) == Set(chain), "\(encoding)")
            guard !encoding.isForText else { continue }
            #expect(try EndorsementInput.kind.readOne(encoding.encode(raw)) == raw, "\(encoding)")
            #expect(try ReportInput.kind.readOne(encoding.encode(sample.report)) == sample.report, "\(encoding)")
        }
    }

    @Test("every report is recognised, alone and inside what devices give", arguments: EvidenceSample.withReport)
    func reports(_ sample: EvidenceSample) throws {
        #expect(try ReportInput.kind.readOne(sample.report) == sample.report)
        let response = Subject.word(0) + Subject.word(1184) + Subject.zeros(24) + sample.report + Subject.zeros(2784)
        #expect(try ReportInput.kind.readOne(response) == sample.report)
        #expect(try ReportInput.kind.readOne(sample.report + Subject.table) == sample.report)
        if let hcl = sample.file("hcl-report.bin") { #expect(try ReportInput.kind.readOne(hcl) == sample.report) }
    }

    @Test("the recorded answer of the attestation service, and its request") func service() throws {
        let sample = try #require(EvidenceSample(named: "azure-aci-milan-v2-maa-token"))
        let request = try #require(sample.file("maa-attest-report-field.json"))
        #expect(try ReportInput.kind.readOne(request) == sample.report)
        #expect(try CertificateInput.kind.read(request).count >= 3)
        let token = try #require(sample.file("maa-token.jwt"))
        #expect(try TokenInput.kind.readOne(token).utf8.filter { $0 == UInt8(ascii: ".") }.count == 2)
    }
}
