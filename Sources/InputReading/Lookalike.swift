internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import StrictJSON

/// What an input looks like, for a refusal that helps. The words never quote it, because it may be a secret.
package enum Lookalike {
    package static func name(of input: [UInt8]) -> String { name(of: input, depth: 0) }

    private static func name(of input: [UInt8], depth: Int) -> String {
        if let name = binary(input) { return name }
        if let (layer, text) = TextForm.decoded(input) { return "\(name(of: text, depth: depth)) (\(layer))" }
        guard TextForm.isText(input) else { return data(input) }
        let text = input.trimmed(.whiteSpace)
        guard !text.isEmpty else { return "an empty text" }
        if let label = PEMLabel.first(in: input) { return PEMLabel.words(label) }
        if TextForm.startsJSON(input) { return jsonText(input) }
        if let name = marked(text) { return name }
        let lines = text.split(separator: 0x0A, maxSplits: 400).prefix(400).map { String(decoding: $0.prefix(200), as: UTF8.self) }
        if let name = source(lines, Array(text)) { return name }
        guard depth < 2 else { return "text" }
        if let inner = HexText.decode(text) { return "hexadecimal text of \(name(of: inner, depth: depth + 1))" }
        if text.count >= 16, let inner = TemplatePolicies.base64(String(decoding: text, as: UTF8.self)) {
            return "base64 text of \(name(of: inner, depth: depth + 1))"
        }
        return "text"
    }

    // MARK: Bytes

    private static let magic: [(name: String, offset: Int, bytes: [UInt8])] = [
        ("gzip data", 0, [0x1F, 0x8B]), ("a ZIP archive", 0, [0x50, 0x4B, 0x03, 0x04]), ("a PNG image", 0, [0x89, 0x50, 0x4E, 0x47]),
        ("an ELF program", 0, [0x7F, 0x45, 0x4C, 0x46]), ("a JPEG image", 0, [0xFF, 0xD8, 0xFF]), ("a PDF document", 0, Array("%PDF".utf8)),
        ("a GIF image", 0, Array("GIF8".utf8)), ("bzip2 data", 0, Array("BZh".utf8)), ("xz data", 0, [0xFD, 0x37, 0x7A, 0x58]),
        ("Zstandard data", 0, [0x28, 0xB5, 0x2F, 0xFD]), ("a tar archive", 257, Array("ustar".utf8)),
        ("an SQLite database", 0, Array("SQLite format 3".utf8)), ("a Windows program", 0, [0x4D, 0x5A, 0x90, 0x00]),
        ("an Azure vTPM report (HCL)", 0, Array("HCLA".utf8)),
    ]

    /// The name of a format with marks of its own; `nil` for text and for data without any.
    static func binary(_ bytes: [UInt8]) -> String? {
        magic.first { bytes.count >= $0.offset + $0.bytes.count && bytes[$0.offset...].starts(with: $0.bytes) }?.name
    }

    private static func data(_ bytes: [UInt8]) -> String {
        if bytes.count == AttestationReport.byteCount || ReportInput.isLikely(bytes) { return "an attestation report" }
        if bytes.starts(with: [0xD2, 0x84]) { return "a COSE message, as endorsements of utility VMs are" }
        if bytes.starts(with: [0x30]), (try? Certificate(der: bytes)) != nil { return "a certificate in DER" }
        if bytes.starts(with: [0x30, 0x82]) || bytes.starts(with: [0x30, 0x81]) { return "DER that is no certificate, perhaps a key" }
        if let entries = try? CertificateTable.entries(in: bytes), !entries.isEmpty { return "a table of certificates" }
        return "\(bytes.count) bytes of binary data"
    }

    // MARK: Text

    private static func marked(_ text: ArraySlice<UInt8>) -> String? {
        let start = String(decoding: text.prefix(64), as: UTF8.self).lowercased()
        if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") { return "HTML" }
        if start.hasPrefix("<") { return "XML or HTML" }
        if start.hasPrefix("#!") { return "a script" }
        if start.hasPrefix("version https://git-lfs") { return "a Git LFS pointer, not the file itself" }
        if TokenInput.isCompact(text) || start.hasPrefix("bearer ey") { return "a token (JWT)" }
        return RegoText.isModule(Array(text)) ? "a policy in Rego" : nil
    }

    private static func source(_ lines: [String], _ text: [UInt8]) -> String? {
        if isBicep(lines) { return lines.contains { $0.hasPrefix("using ") } ? "a Bicep parameter file" : "Bicep" }
        func has(_ starts: String...) -> Bool { lines.contains { line in starts.contains { line.hasPrefix($0) } } }
        if has("resource \"", "provider \"", "terraform {", "variable \"") { return "Terraform" }
        if has(".PHONY") || zip(lines, lines.dropFirst()).contains(where: { isRule($0) && $1.hasPrefix("\t") }) { return "a Makefile" }
        if has("FROM "), has("RUN ", "COPY ", "CMD ", "ENTRYPOINT ") { return "a Dockerfile" }
        if has("package "), has("import ", "func ", "type ", "public ") { return "source code" }
        if has("{ "), lines.count == 1 { return "text" }
        return JSONObstacle.isYAML(text) ? "YAML" : nil
    }

    private static func isRule(_ line: String) -> Bool {
        line.first.map { $0.isLetter || $0 == "." || $0 == "$" } == true && line.contains(":") && !line.contains(": ")
    }

    static func isBicep(_ text: [UInt8]) -> Bool {
        guard !text.contains(0) else { return false }
        return isBicep(text.split(separator: 0x0A, maxSplits: 400).prefix(400).map { String(decoding: $0.prefix(200), as: UTF8.self) })
    }

    private static func isBicep(_ lines: [String]) -> Bool {
        lines.contains { line in
            let words = line.split(separator: " ", maxSplits: 3)
            switch words.first {
            case "using", "targetScope": return words.count > 1 && (words[1].hasPrefix("'") || words[1] == "=" || words[1] == "none")
            case "param", "var", "output":
                return words.count > 2 && !line.hasSuffix(";") && (words[2] == "=" || words[2].first?.isLetter == true)
            case "resource", "module": return words.count > 2 && words[2].hasPrefix("'")
            default: return line.hasPrefix("@description(") || line.hasPrefix("@secure(")
            }
        }
    }

    // MARK: JSON

    private static func jsonText(_ text: [UInt8]) -> String {
        do { return json(try JSONValue.parse(written: TemplateText.json(text), limits: TextForm.jsonLimits)) } catch {
            return "JSON that cannot be read (\(error.description))"
        }
    }

    /// The kind of a document, by members that only it has.
    static func json(_ document: JSONValue) -> String {
        guard case .object(let object) = document else { return "JSON (a list)" }
        if case .string(let schema)? = object["$schema"] {
            if schema.lowercased().contains("deploymentparameters") { return "an ARM parameter file" }
            if schema.lowercased().contains("deploymenttemplate") { return "an ARM template" }
        }
        let kinds: [(String, [String])] = [
            ("a release policy", ["anyOf"]), ("a key with its release policy", ["release_policy"]), ("a set of published keys", ["keys"]),
            ("an OpenID configuration; its jwks_uri names the keys", ["jwks_uri"]), ("a JSON Web Key", ["kty"]),
            ("a service's answer with a token", ["token"]), ("the THIM document of certificates", ["vcekCert"]),
            ("a service's answer with a report", ["report"]), ("the answer of /attest/combined", ["evidence"]),
            ("a service's error", ["error"]), ("claims of a token", ["x-ms-attestation-type"]),
            ("a Kubernetes manifest", ["apiVersion", "kind"]),
            ("an import configuration", ["key", "claims"]),
        ]
        return kinds.first { kind in kind.1.allSatisfy { object[$0] != nil } }?.0 ?? "JSON of another kind"
    }
}

/// Labels of PEM blocks (RFC 7468, section 2).
enum PEMLabel {
    private static let begin = Array("-----BEGIN ".utf8)

    /// The label of the first block.
    static func first(in text: [UInt8]) -> String? {
        guard let start = place(of: begin, in: text) else { return nil }
        let label = text[(start + begin.count)...].prefix(64).prefix { $0 != UInt8(ascii: "-") && $0 != 0x0A }
        return String(decoding: label, as: UTF8.self)
    }

    static func contains(_ text: [UInt8], _ mark: [UInt8]) -> Bool { place(of: mark, in: text) != nil }

    /// What a block with that label is.
    static func words(_ label: String) -> String {
        if label.hasSuffix("PRIVATE KEY") { return "a private key" }
        if label.hasSuffix("PUBLIC KEY") { return "a public key" }
        switch label {
        case "CERTIFICATE": return "a certificate"
        case "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST": return "a request for a certificate"
        case "PKCS7", "CMS": return "certificates in PKCS #7"
        case "EC PARAMETERS", "DH PARAMETERS": return "parameters of a key"
        default: return "PEM of another kind"
        }
    }

    private static func place(of mark: [UInt8], in text: [UInt8]) -> Int? {
        var index = 0
        while index + mark.count <= text.count, let hyphen = text[index...].firstIndex(of: mark[0]) {
            if text[hyphen...].starts(with: mark) { return hyphen }
            index = hyphen + 1
        }
        return nil
    }
}
