package import Issuing
package import OpenSSLCrypto
package import SNPReport

/// A stand-in for one processor: a chip id, a TCB, and the VCEK that AMD's service would certify for them.
package struct FixtureChip: Sendable {
    package let product: ProcessorProduct
    /// 64 bytes as in CHIP_ID: from Turin on 8 bytes and zeros.
    package let chipID: [UInt8]
    /// What the VCEK certifies and every report of this chip carries.
    package let tcb: TCBVersion
    /// Leaf first: VCEK, ASK, ARK.
    package let chain: [Certificate]
    let key: PrivateKey

    /// A TCB for each product, with a microcode level above 0x7F, whose DER INTEGER has two bytes.
    package static func defaultTCB(for product: ProcessorProduct) -> TCBVersion {
        switch product {
        case .milan: TCBVersion(TCBComponents(bootloader: 4, tee: 0, snp: 24, microcode: 219), for: product)
        case .genoa: TCBVersion(TCBComponents(bootloader: 10, tee: 0, snp: 23, microcode: 132), for: product)
        case .turin: TCBVersion(TCBComponents(fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 145), for: product)
        default: TCBVersion(TCBComponents(fmc: 1, bootloader: 1, tee: 1, snp: 1, microcode: 145), for: product)
        }
    }

    /// Makes the chip's key and has `authority` certify it for seven years from a day before `now` (seconds since 1970).
    /// The chip id follows from the authority, so that it stays the same where the authority was kept.
    package init(authority: FixtureAuthority, tcb: TCBVersion? = nil, now: Int64) throws(FixtureError) {
        let product = authority.product
        let tcb = tcb ?? Self.defaultTCB(for: product)
        let hardwareID = Self.hardwareID(product: product, root: authority.root)
        let key: PrivateKey
        let chain: [Certificate]
        do throws(CryptoError) {
            key = try PrivateKey.generateEC(.p384)
            // The serial number is 0, as in every VCEK of AMD.
            var builder = CertificateBuilder(
                subject: FixtureAuthority.name("SEV-VCEK"), issuer: FixtureAuthority.name("SEV-\(product.rawValue)"),
                notBefore: now - 86_400, notAfter: now + 7 * 31_557_600)
            builder.serial = 0
            builder.extraExtensions = Self.extensions(product: product, tcb: tcb, hardwareID: hardwareID)
            let leaf = try builder.sign(publicKey: key.publicKey, with: authority.intermediateKey, algorithm: .rsaPSS(.sha384))
            chain = [leaf, authority.intermediate, authority.root]
        } catch { throw FixtureError(error, during: "making the fixture VCEK") }
        self.init(product: product, tcb: tcb, chain: chain, key: key, root: authority.root)
    }

    /// A chip that was made before; `chain` ends with `root` and certifies `key` for `tcb`.
    init(product: ProcessorProduct, tcb: TCBVersion, chain: [Certificate], key: PrivateKey, root: Certificate) {
        self.product = product
        self.tcb = tcb
        self.chain = chain
        self.key = key
        let hardwareID = Self.hardwareID(product: product, root: root)
        chipID = hardwareID + [UInt8](repeating: 0, count: 64 - hardwareID.count)
    }

    private static func hardwareID(product: ProcessorProduct, root: Certificate) -> [UInt8] {
        let digest = DigestAlgorithm.sha512.digest(root.publicKeySHA256)
        return Array(digest.prefix(product.chipIDByteCount))
    }

    /// The processor that CPUID shows: one of the product line.
    package var processor: ProcessorID {
        switch product {
        case .milan: ProcessorID(family: 0x19, model: 0x01, stepping: 1)
        case .genoa: ProcessorID(family: 0x19, model: 0x11, stepping: 1)
        case .turin: ProcessorID(family: 0x1A, model: 0x02, stepping: 1)
        default:
            product.processors.first.map { ProcessorID(family: $0.family, model: $0.models.lowerBound, stepping: $0.steppings.lowerBound) }
                ?? ProcessorID(family: 0, model: 0, stepping: 0)
        }
    }

    /// Fills in chip id, processor and TCB, and signs as the firmware does. Returns the 1184 bytes.
    package func sign(_ builder: ReportBuilder) throws(FixtureError) -> [UInt8] {
        var builder = builder
        builder.chipID = chipID
        builder.cpuid = processor
        builder.setEveryTCB(tcb)
        return try sign(unsigned: builder.unsignedBytes())
    }

    /// Signs 1184 bytes as they are, for reports that no firmware would make.
    package func sign(unsigned report: [UInt8]) throws(FixtureError) -> [UInt8] {
        var report = report
        let signature: [UInt8]
        do throws(CryptoError) { signature = try key.sign(ReportBuilder.signedPart(of: report), algorithm: .ecdsa(.sha384)) } catch {
            throw FixtureError(error, during: "signing the fixture report")
        }
        guard ReportBuilder.install(signature: signature, in: &report) else {
            throw FixtureError("a report has \(AttestationReport.byteCount) bytes, not \(report.count)")
        }
        return report
    }

    /// AMD's extensions in the order in which real certificates have them (AMD 57230).
    private static func extensions(product: ProcessorProduct, tcb: TCBVersion, hardwareID: [UInt8]) -> [(
        oid: String, critical: Bool, value: [UInt8]
    )] {
        let prefix = "1.3.6.1.4.1.3704.1."
        func integer(_ value: UInt8) -> [UInt8] { value < 0x80 ? [2, 1, value] : [2, 2, 0, value] }
        let name = product == .milan ? "Milan-B0" : product.rawValue
        // Last arc of the patch level's OID, and the byte of the TCB that it speaks of.
        let levels = product.layout.slots.enumerated().compactMap { byte, slot in slot.arc.map { (arc: $0, byte: byte) } }
        return [
            (prefix + "1", false, integer(hardwareID.count == 8 ? 1 : 0)),
            (prefix + "2", false, [0x16, UInt8(name.utf8.count)] + Array(name.utf8)),
        ] + levels.map { (prefix + "3.\($0.arc)", false, integer(tcb.byte($0.byte))) } + [(prefix + "4", false, hardwareID)]
    }
}
