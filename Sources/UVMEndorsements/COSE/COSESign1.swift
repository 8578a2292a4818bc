/// Why bytes are not the COSE message that was asked for, in words.
package struct COSEError: Error, Equatable { package let reason: String }

/// A COSE_Sign1 message, tagged (RFC 9052, 4.2). Nothing in it has been verified.
package struct COSESign1: Sendable {
    package static let tag: UInt64 = 18
    /// Room for ten certificates, a time stamp and receipts. Real endorsements have 6 to 11 KiB.
    package static let limits = CBORLimits(maximumBytes: 1 << 18, maximumDepth: 12, maximumItems: 2048)

    /// The encoded protected header, as it was signed.
    package let protected: [UInt8]
    package let unprotected: CBORMap
    /// `nil` when the payload is detached.
    package let payload: [UInt8]?
    package let signature: [UInt8]

    package init(protected: [UInt8], unprotected: CBORMap, payload: [UInt8]?, signature: [UInt8]) {
        self.protected = protected
        self.unprotected = unprotected
        self.payload = payload
        self.signature = signature
    }

    package init(_ bytes: [UInt8]) throws(COSEError) {
        let value: CBORValue
        do { value = try CBORValue.parse(bytes, limits: Self.limits) } catch { throw COSEError(reason: "not CBOR: \(error)") }
        guard case .tagged(Self.tag, .array(let parts)) = value else {
            throw COSEError(reason: "not a COSE_Sign1 message: expected an array under tag 18")
        }
        guard parts.count == 4, let protected = parts[0].bytes, let unprotected = parts[1].map, let signature = parts[3].bytes else {
            throw COSEError(reason: "not a COSE_Sign1 message: the four parts are not of the expected types")
        }
        switch parts[2] {
        case .bytes(let payload): self.payload = payload
        case .null: payload = nil
        default: throw COSEError(reason: "not a COSE_Sign1 message: the payload is \(parts[2].kindName)")
        }
        self.protected = protected
        self.unprotected = unprotected
        self.signature = signature
    }

    /// The protected header, decoded. No label of it may occur in the unprotected header as well (RFC 9052, 3).
    package func protectedHeader() throws(COSEError) -> CBORMap {
        let value: CBORValue
        do { value = try CBORValue.parse(protected, limits: Self.limits) } catch { throw COSEError(reason: "not CBOR: \(error)") }
        guard let header = value.map else { throw COSEError(reason: "expected a map, found \(value.kindName)") }
        let protectedLabels = Set(header.map { $0.key.encoded() })
        guard !unprotected.contains(where: { protectedLabels.contains($0.key.encoded()) }) else {
            throw COSEError(reason: "a label occurs in the protected and in the unprotected header")
        }
        return header
    }

    /// The bytes that are signed: Sig_structure (RFC 9052, 4.4) without external data. A detached payload is handed in.
    package static func signedBytes(protected: [UInt8], payload: [UInt8]) -> [UInt8] {
        CBORValue.array([.text("Signature1"), .bytes(protected), .bytes([]), .bytes(payload)]).encoded()
    }

    /// The message with `unprotected` in place of the unprotected header it came with.
    package func encoded(unprotected: CBORMap) -> [UInt8] {
        CBORValue.tagged(Self.tag, [.bytes(protected), .map(unprotected), payload.map { .bytes($0) } ?? .null, .bytes(signature)]).encoded()
    }
}
