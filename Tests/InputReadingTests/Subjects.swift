import InputReading
import Issuing
import OpenSSLCrypto
import SNPReport
import SecureMemory
import StrictJSON

/// An input of some kind and what must be read from it.
struct Subject: Sendable, CustomStringConvertible {
    let description: String
    let input: [UInt8]
    /// What every reading must give.
    let wanted: [UInt8]
    let read: @Sendable ([UInt8]) throws -> [UInt8]
    /// Encodings that change what this input means.
    var excluded: Set<String> = []

    /// Whether it may be put into the encodings of text.
    var isText: Bool { String(validating: input, as: UTF8.self) != nil && !input.contains(0) }

    init(
        _ description: String, _ input: [UInt8], gives wanted: [UInt8], excluding excluded: Set<String> = [],
        read: @escaping @Sendable ([UInt8]) throws -> [UInt8]
    ) {
        self.description = description
        self.input = input
        self.wanted = wanted
        self.excluded = excluded
        self.read = read
    }

    static let all = policies + reports + certificates + endorsements + documents
}

extension Subject {
    /// The policy of the templates in the field cases, with a line feed after each line.
    static let rego = "package policy\napi_version := \"0.10.0\"\ncontainers := []\nallow_properties_access := true\n"
    static let policyHostData = "9e8f675eb6ad756d869bffb50a053cf7fca70e3dd2bd82f94b4f20d604e8411b"
    static let policyBase64 = Base64.encode(Array(rego.utf8))

    static func template(_ policy: String, head: String = "", inside: String = "") -> String {
        """
        \(head){
          "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",\(inside)
          "resources": [{"properties": {"confidentialComputeProperties": {"ccePolicy": "\(policy)"}}}]
        }
        """
    }

    private static func policy(_ input: [UInt8]) throws -> [UInt8] { try SecurityPolicyInput.kind.readOne(input).bytes }

    private static let policies = [
        // Rego itself is hashed as it is, so its marks and line ends count.
        Subject(
            "policy in Rego", Array(rego.utf8), gives: Array(rego.utf8), excluding: ["CRLF", "byte order mark", "white space"], read: policy
        ),
        Subject(
            "policy in base64", Array(policyBase64.utf8), gives: Array(rego.utf8), excluding: ["base64", "base64url", "wrapped base64"],
            read: policy),
        Subject("template", Array(template(policyBase64).utf8), gives: Array(rego.utf8), read: policy),
        Subject(
            "template with comments",
            Array(template(policyBase64, head: "// group\n", inside: " // \"ccePolicy\"\n /* { */").utf8), gives: Array(rego.utf8),
            read: policy),
        Subject(
            "parameter file",
            Array(#"{"$schema":"x/deploymentParameters.json#","parameters":{"guard":{"value":"\#(policyBase64)"}}}"#.utf8),
            gives: Array(rego.utf8), read: policy),
        Subject(
            "manifest",
            Array("metadata:\n  annotations:\n    microsoft.containerinstance.virtualnode.ccepolicy: \(policyBase64)\n".utf8),
            gives: Array(rego.utf8), read: policy),
    ]
}

extension Subject {
    static let report: [UInt8] = {
        var builder = ReportBuilder()
        builder.reportData = (0..<64).map { UInt8($0) }
        builder.measurement = (0..<48).map { UInt8(0xFF - $0) }
        return builder.unsignedBytes()
    }()

    static func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }
    static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    /// MSG_REPORT_RSP of that size.
    static func response(_ size: Int) -> [UInt8] {
        word(0) + word(report.count) + zeros(24) + report + zeros(size - 32 - report.count)
    }

    private static func reading(_ kind: InputKind<[UInt8]>) -> @Sendable ([UInt8]) throws -> [UInt8] { { try kind.readOne($0) } }

    private static let reports = [
        Subject("report", report, gives: report, read: reading(ReportInput.kind)),
        Subject("ioctl's answer of 1216 bytes", response(1216), gives: report, read: reading(ReportInput.kind)),
        Subject("ioctl's answer of 1280 bytes", response(1280), gives: report, read: reading(ReportInput.kind)),
        Subject("ioctl's answer of 4000 bytes", response(4000), gives: report, read: reading(ReportInput.kind)),
        Subject("report with table", report + table, gives: report, read: reading(ReportInput.kind)),
        Subject("report with an empty table", report + zeros(4096), gives: report, read: reading(ReportInput.kind)),
        Subject("vTPM's report", Array("HCLA".utf8) + zeros(28) + report + zeros(500), gives: report, read: reading(ReportInput.kind)),
        Subject(
            "answer of /attest/raw", Array(#"{"report":"\#(Hex.encode(report))"}"#.utf8), gives: report, read: reading(ReportInput.kind)),
        Subject("answer of /attest/combined", combined, gives: report, read: reading(ReportInput.kind)),
        Subject(
            "request of the attestation service",
            Array(#"{"report":"\#(Base64.encodeURL(Array(#"{"SnpReport":"\#(Base64.encodeURL(report))"}"#.utf8)))"}"#.utf8), gives: report,
            read: reading(ReportInput.kind)),
    ]

    static let chain: [Certificate] =
        (try? ["SEV-VCEK", "SEV-Milan", "ARK-Milan"].map { name in
            let key = try PrivateKey.generateEC(.p384)
            let builder = CertificateBuilder(subject: [("CN", name)], issuer: [("CN", name)], notBefore: 0, notAfter: 1 << 32)
            return try builder.sign(publicKey: key.publicKey, with: key, algorithm: .ecdsa(.sha384))
        }) ?? []

    static let pem = chain.map(\.pem).joined()

    /// The certificate table of configfs-tsm (GuestDevice.md, "Certificate table").
    static let table: [UInt8] = {
        let names = ["63da758de6644564adc5f4b93be8accd", "4ab7b379bbac4fe4a02f05aef327c782", "c0b406a4a80349529743 3fb6014cd0ae"]
        var head: [UInt8] = []
        var body: [UInt8] = []
        for (name, certificate) in zip(names, chain) {
            head += (HexText.decode(name) ?? []) + word(96 + body.count) + word(certificate.der.count)
            body += certificate.der
        }
        return head + zeros(24) + body
    }()

    static let thim: [UInt8] = {
        let document: JSONValue = [
            "vcekCert": .string(chain.first?.pem ?? ""), "tcbm": "DB18000000000004",
            "certificateChain": .string(chain.dropFirst().map(\.pem).joined()),
        ]
        return document.serialized()
    }()

    private static let combined: [UInt8] = {
        let document: JSONValue = [
            "endorsed_tcb": "db18000000000004", "endorsements": .string(Base64.encode(Array(pem.utf8))),
            "evidence": .string(Base64.encode(report)), "uvm_endorsements": .string(Base64.encode(endorsement)),
        ]
        return document.serialized()
    }()

    private static func ders(_ input: [UInt8]) throws -> [UInt8] { try CertificateInput.kind.read(input).flatMap { $0 } }

    private static let certificates = [
        Subject("certificates in PEM", Array(pem.utf8), gives: chain.flatMap(\.der), read: ders),
        Subject("certificate in DER", chain.first?.der ?? [], gives: chain.first?.der ?? [], read: ders),
        Subject("THIM document", thim, gives: chain.flatMap(\.der), read: ders),
        Subject("certificate table", table, gives: chain.flatMap(\.der), read: ders),
        Subject("table behind its report", report + table, gives: chain.flatMap(\.der), read: ders),
        Subject("certificates of /attest/combined", combined, gives: chain.flatMap(\.der), read: ders),
    ]

    /// The start of a COSE_Sign1, which is all that a reader looks at.
    static let endorsement: [UInt8] = [0xD2, 0x84, 0x58, 0x20] + [UInt8](repeating: 0xA5, count: 200)

    private static let endorsements = [
        Subject("endorsement", endorsement, gives: endorsement, read: reading(EndorsementInput.kind)),
        Subject(
            "endorsement without its tag", Array(endorsement.dropFirst()), gives: Array(endorsement.dropFirst()),
            read: reading(EndorsementInput.kind)),
        Subject("endorsement of /attest/combined", combined, gives: endorsement, read: reading(EndorsementInput.kind)),
    ]

    static let token = ["{\"alg\":\"RS256\"}", "{\"iss\":\"x\"}", "signature"].map { Base64.encodeURL(Array($0.utf8)) }.joined(
        separator: ".")

    private static func tokenText(_ input: [UInt8]) throws -> [UInt8] { Array(try TokenInput.kind.readOne(input).utf8) }

    private static func parsed(_ kind: InputKind<[UInt8]>) -> @Sendable ([UInt8]) throws -> [UInt8] {
        { try JSONValue.parse(try kind.readOne($0)).serialized() }
    }

    private static let keys = Array(#"{"keys":[{"kty":"RSA","kid":"k1"}]}"#.utf8)
    private static let releasePolicy = Array(#"{"version":"1.0.0","anyOf":[]}"#.utf8)

    private static let documents = [
        Subject("token", Array(token.utf8), gives: Array(token.utf8), read: tokenText),
        Subject("token behind Bearer", Array("Bearer \(token)".utf8), gives: Array(token.utf8), read: tokenText),
        Subject("token as a header field", Array("authorization: bearer \(token)".utf8), gives: Array(token.utf8), read: tokenText),
        Subject("service's answer with a token", Array(#"{"token":"\#(token)"}"#.utf8), gives: Array(token.utf8), read: tokenText),
        Subject(
            "access token as az prints it", Array(#"{"accessToken":"\#(token)","expiresOn":"2026"}"#.utf8), gives: Array(token.utf8),
            read: tokenText),
        Subject("published keys", keys, gives: keys, read: parsed(DocumentInput.keySet)),
        Subject("one published key", Array(#"{"kty":"RSA","kid":"k1"}"#.utf8), gives: keys, read: parsed(DocumentInput.keySet)),
        Subject(
            "release policy", releasePolicy, gives: releasePolicy,
            excluding: ["byte order mark", "UTF-16", "UTF-16 (big-endian)", "UTF-16 (no mark)"],
            read: parsed(DocumentInput.releasePolicy)),
    ]
}

/// A way in which somebody writes down bytes or text.
struct Encoding: Sendable, CustomStringConvertible {
    let description: String
    /// Whether it is for text alone.
    var isForText = false
    let encode: @Sendable ([UInt8]) -> [UInt8]

    static let all = texts + bytes

    private static func lines(_ text: String, _ width: Int, _ end: String) -> [UInt8] {
        Array(text.utf8).indices.flatMap { index in
            let isEnd = (index + 1).isMultiple(of: width)
            return [Array(text.utf8)[index]] + (isEnd ? Array(end.utf8) : [])
        }
    }

    private static func utf16(_ bytes: [UInt8], mark: [UInt8], bigEndian: Bool = false) -> [UInt8] {
        mark
            + String(decoding: bytes, as: UTF8.self).utf16.flatMap { unit in
                let pair = [UInt8(truncatingIfNeeded: unit >> 8), UInt8(truncatingIfNeeded: unit)]
                return bigEndian ? pair : pair.reversed()
            }
    }

    private static let texts = [
        Encoding(description: "byte order mark", isForText: true) { [0xEF, 0xBB, 0xBF] + $0 },
        Encoding(description: "UTF-16", isForText: true) { utf16($0, mark: [0xFF, 0xFE]) },
        Encoding(description: "UTF-16 (big-endian)", isForText: true) { utf16($0, mark: [0xFE, 0xFF], bigEndian: true) },
        Encoding(description: "UTF-16 (no mark)", isForText: true) { utf16($0, mark: []) },
        Encoding(description: "CRLF", isForText: true) { text in
            Array(String(decoding: text, as: UTF8.self).replacing("\n", with: "\r\n").utf8) + [0x0D, 0x0A]
        },
        Encoding(description: "white space", isForText: true) { [0x20, 0x0A, 0x09] + $0 + [0x0A, 0x20] },
        Encoding(description: "quotation marks", isForText: true) { text in
            Array(JSONValue.array([.string(String(decoding: text, as: UTF8.self))]).serialized().dropFirst().dropLast())
        },
        // Most tools quote a word without touching it.
        Encoding(description: "single quotation marks", isForText: true) { text in
            text.contains(UInt8(ascii: "'")) ? text : [UInt8(ascii: "'")] + text + [UInt8(ascii: "'")]
        },
    ]

    private static let bytes = [
        Encoding(description: "base64") { Array(Base64.encode($0).utf8) },
        Encoding(description: "base64url") { Array(Base64.encodeURL($0).utf8) },
        Encoding(description: "wrapped base64") { lines(Base64.encode($0), 76, "\n") + [0x0A] },
        Encoding(description: "hex") { Array(Hex.encode($0).utf8) },
        Encoding(description: "0x hex") { Array("0x\(Hex.encode($0).uppercased())".utf8) },
        Encoding(description: "hex with colons") { lines(Hex.encode($0), 2, ":").dropLast() },
        Encoding(description: "hex with spaces and lines") {
            lines(String(decoding: lines(Hex.encode($0), 2, " "), as: UTF8.self), 48, "\n")
        },
    ]
}
