package import OpenSSLCrypto
package import SNPReport

/// What AMD writes into a VCEK or VLEK certificate (AMD 57230, "VCEK certificate"; OIDs 1.3.6.1.4.1.3704.1.*).
package struct LeafExtensions: Sendable, Equatable {
    /// `Milan-B0`, `Genoa`, `Turin`, `Siena`.
    package let productName: String?
    /// Security patch levels, by the last arc of their OID 1.3.6.1.4.1.3704.1.3.*: 1 boot loader, 2 TEE, 3 SNP, 4...7 reserved, 8
    /// microcode, 9 FMC.
    package let patchLevels: [Int: UInt8]
    /// Chip id: 64 bytes, from Turin on 8. VCEK only.
    package let hardwareID: [UInt8]?
    /// The cloud provider, for example `CN=cc-us-east-2.amazonaws.com`. VLEK only.
    package let providerID: String?

    static let prefix = "1.3.6.1.4.1.3704.1."

    /// Why the extensions cannot be used.
    package struct Complaint: Error, Sendable { package let text: String }

    package init(_ certificate: Certificate) throws(Complaint) {
        var productName: String?
        var patchLevels: [Int: UInt8] = [:]
        var hardwareID: [UInt8]?
        var providerID: String?
        for item in certificate.extensions where item.oid.hasPrefix(Self.prefix) {
            let suffix = item.oid.dropFirst(Self.prefix.count)
            switch suffix {
            case "1": guard DERValue.integer(item.value) != nil else { throw Complaint(text: "structVersion is not a DER INTEGER") }
            case "2":
                guard let text = DERValue.text(item.value) else { throw Complaint(text: "productName is not a DER string") }
                productName = text
            case "4": hardwareID = try Self.hardwareID(item.value)
            case "5":
                guard let text = DERValue.text(item.value) else { throw Complaint(text: "CSP_ID is not a DER string") }
                providerID = text
            default:
                guard suffix.hasPrefix("3."), let arc = Int(suffix.dropFirst(2)), (1...9).contains(arc) else { continue }
                guard let value = DERValue.integer(item.value), let level = UInt8(exactly: value) else {
                    throw Complaint(text: "the patch level \(item.oid) is not a DER INTEGER from 0 to 255")
                }
                patchLevels[arc] = level
            }
        }
        if hardwareID != nil, providerID != nil { throw Complaint(text: "HWID and CSP_ID exclude each other") }
        self.productName = productName
        self.patchLevels = patchLevels
        self.hardwareID = hardwareID
        self.providerID = providerID
    }

    /// AMD writes the bytes themselves; an OCTET STRING around them is understood too. The lengths tell which it is.
    private static func hardwareID(_ value: [UInt8]) throws(Complaint) -> [UInt8] {
        if value.count == 64 || value.count == 8 { return value }
        if let inner = DERValue.octets(value), inner.count == 64 || inner.count == 8 { return Array(inner) }
        throw Complaint(text: "HWID is neither 8 nor 64 bytes")
    }

    /// Which patch level of `product` the certificate does not state, in words; FMC is missed as part of the TCB.
    func missingLevel(of product: ProcessorProduct) -> String? {
        for slot in product.layout.slots where slot != .fmc && TCBLayout.Slot.components.contains(slot) {
            guard let arc = slot.arc, patchLevels[arc] == nil else { continue }
            return "the \(slot.words) patch level (OID \(Self.prefix)3.\(arc)) is missing"
        }
        return nil
    }

    /// The patch levels as a TCB_VERSION of `product`; `nil` where one that the product has is missing, or one that it lacks is set.
    package func tcb(for product: ProcessorProduct) -> TCBVersion? {
        var raw: UInt64 = 0
        for (position, slot) in product.layout.slots.enumerated() {
            // Arcs 4 to 7 stand for reserved bytes and may be absent.
            guard let level = slot.arc.flatMap({ patchLevels[$0] }) ?? (TCBLayout.Slot.components.contains(slot) ? nil : 0) else {
                return nil
            }
            raw |= UInt64(level) << UInt64(8 * position)
        }
        let arcs = product.layout.slots.compactMap(\.arc)
        guard patchLevels.allSatisfy({ arcs.contains($0.key) || $0.value == 0 }) else { return nil }
        return TCBVersion(raw: raw)
    }
}
