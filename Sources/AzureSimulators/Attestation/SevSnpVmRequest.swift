internal import OpenSSLCrypto
internal import PlainText
internal import StrictJSON

/// A refusal of the attestation service (AttestationService.md, "Refusals").
struct AttestationRefusal: Error {
    var status = 400
    var code = "InvalidParameter"
    var message: String

    init(_ message: String) { self.message = message }

    init(_ status: Int, _ code: String, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }
}

extension AttestationRefusal {
    static var notFound: AttestationRefusal { AttestationRefusal(404, "NotFound", "The requested path does not exist.") }

    init(_ operation: UnsimulatedOperation) {
        self.init(UnsimulatedOperation.status, UnsimulatedOperation.code, operation.message)
    }
}

/// The body of POST /attest/SevSnpVm, taken apart (AttestationService.md, "Attest request").
struct SevSnpVmRequest {
    /// Data whose SHA-256 the report carries.
    struct BoundData {
        let bytes: [UInt8]
        /// The data as JSON; `nil` for binary data, which does not become a claim.
        let json: JSONObject?
    }

    /// Most certificates in `VcekCertChain`.
    static let maximumCertificates = 20

    let report: [UInt8]
    let certificates: [Certificate]
    /// COSE_Sign1 documents of `Endorsements.Uvm`.
    let platformEndorsements: [[UInt8]]
    let runtimeData: BoundData?
    let initTimeData: BoundData?
    let nonce: String?
    let draftPolicy: String?

    init(body: [UInt8], chains: ParsedChains) throws(AttestationRefusal) {
        let document = try Self.json(body, "the request body", bigIntegers: .asReal)
        let bundle = try Self.json(try Self.bytes(document, "report", in: "the request"), "the report", bigIntegers: .refuse)
        report = try Self.bytes(bundle, "SnpReport", in: "the report")
        let pem = try Self.bytes(bundle, "VcekCertChain", in: "the report")
        do { certificates = try chains.certificates(of: pem, maximumCount: Self.maximumCertificates) } catch {
            throw AttestationRefusal("The VcekCertChain is not a list of PEM certificates.")
        }
        platformEndorsements = try Self.endorsements(bundle)
        runtimeData = try Self.boundData(document, "runtimeData")
        initTimeData = try Self.boundData(document, "initTimeData")
        nonce = try Self.nonce(document, body)
        do { draftPolicy = try document.optionalString("draftPolicyForAttestation") } catch {
            throw AttestationRefusal("draftPolicyForAttestation: \(error.reason).")
        }
    }

    /// Base64url with or without padding.
    private static func bytes(_ cursor: JSONCursor, _ name: String, in place: String) throws(AttestationRefusal) -> [UInt8] {
        let text: String
        do { text = try cursor.string(name) } catch { throw AttestationRefusal("\(name) in \(place): \(error.reason).") }
        guard let bytes = decoded(text) else { throw AttestationRefusal("\(name) in \(place) is not base64url.") }
        return bytes
    }

    /// Strips the padding first: the service takes any amount of it, right or wrong.
    private static func decoded(_ text: String) -> [UInt8]? {
        var digits = text.utf8[...]
        while digits.last == UInt8(ascii: "=") { digits = digits.dropLast() }
        return Base64.decodeURL(String(decoding: digits, as: UTF8.self))
    }

    private static func json(_ bytes: [UInt8], _ what: String, bigIntegers: JSONLimits.BigIntegers) throws(AttestationRefusal) -> JSONCursor
    {
        do {
            let cursor = try JSONCursor.parse(bytes, limits: JSONLimits(bigIntegers: bigIntegers))
            _ = try cursor.object()
            return cursor
        } catch { throw AttestationRefusal("\(what) is not a JSON object: \(error.description).") }
    }

    private static func endorsements(_ bundle: JSONCursor) throws(AttestationRefusal) -> [[UInt8]] {
        guard let member = try? bundle.object()["Endorsements"], member != .null else { return [] }
        let bytes = try bytes(bundle, "Endorsements", in: "the report")
        let document = try json(bytes, "Endorsements", bigIntegers: .refuse)
        var documents: [[UInt8]] = []
        do {
            for element in try document.optionalArray("Uvm") ?? [] {
                guard let decoded = decoded(try element.string()) else { throw element.invalid("not base64url") }
                documents.append(decoded)
            }
        } catch let error as JSONError { throw AttestationRefusal("Endorsements: \(error.description).") } catch {
            throw AttestationRefusal("Endorsements cannot be read.")
        }
        return documents
    }

    /// Empty data counts as none, whatever its type says: Microsoft's sidecar sends that with every request.
    private static func boundData(_ document: JSONCursor, _ name: String) throws(AttestationRefusal) -> BoundData? {
        let text: String
        let type: String
        do {
            guard let member = try document.optional(name) else { return nil }
            text = try member.optionalString("data") ?? ""
            type = try member.optionalString("dataType") ?? ""
        } catch { throw AttestationRefusal("\(error.description).") }
        guard !text.isEmpty else { return nil }
        guard let bytes = decoded(text) else { throw AttestationRefusal("\(name).data is not base64url.") }
        switch type.lowercased() {
        case "binary": return BoundData(bytes: bytes, json: nil)
        case "json":
            do { return BoundData(bytes: bytes, json: try JSONCursor.parse(bytes).object()) } catch {
                throw AttestationRefusal("\(name).data is not a JSON object: \(error.description).")
            }
        default: throw AttestationRefusal("\(name).dataType is neither JSON nor Binary.")
        }
    }

    /// A string, or a number as Microsoft's sidecar sends it. The schema says string, so a number is echoed as its digits.
    private static func nonce(_ document: JSONCursor, _ body: [UInt8]) throws(AttestationRefusal) -> String? {
        let member: JSONCursor?
        do { member = try document.optional("nonce") } catch { throw AttestationRefusal("\(error.description).") }
        switch member?.value {
        case nil: return nil
        case .string(let text): return text
        case .integer(let number): return String(number)
        case .real:
            // An unsigned 64-bit number beyond Int64: the digits are in the text.
            guard let digits = NumberText.ofMember("nonce", in: body), let number = UInt64(digits) else { fallthrough }
            return String(number)
        default: throw AttestationRefusal("nonce is neither a string nor an unsigned 64-bit number.")
        }
    }
}

/// Finds the text of a number in a document that was parsed already.
enum NumberText {
    /// The text after `"name":` in the top-level object, where it is a number; `nil` otherwise. The name has no escapes.
    static func ofMember(_ name: String, in document: [UInt8]) -> String? {
        var depth = 0
        var position = 0
        let quoted = Array("\"\(name)\"".utf8)
        while position < document.count {
            switch document[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                position += 1
            case UInt8(ascii: "\""):
                let start = position
                position = endOfString(in: document, openedAt: start)
                guard depth == 1, document[start..<min(position, document.count)].elementsEqual(quoted) else { continue }
                var next = skipSpace(in: document, from: position)
                guard next < document.count, document[next] == UInt8(ascii: ":") else { continue }
                next = skipSpace(in: document, from: next + 1)
                let digits = document[next...].prefix(while: ASCIISet.digits.contains)
                // A fraction or an exponent is no integer, however it ends.
                let isInteger = digits.endIndex < document.count && !".eE".utf8.contains(document[digits.endIndex])
                return digits.isEmpty || !isInteger ? nil : String(decoding: digits, as: UTF8.self)
            default: position += 1
            }
        }
        return nil
    }

    private static func endOfString(in bytes: [UInt8], openedAt start: Int) -> Int {
        var position = start + 1
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") { position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1 }
        return position + 1
    }

    private static func skipSpace(in bytes: [UInt8], from start: Int) -> Int {
        var position = start
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        return position
    }
}
