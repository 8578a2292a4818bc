import Issuing
import OpenSSLCrypto
import SNPReport
import SNPVerification

/// A hierarchy of our own with AMD's shape, in which each certificate can be bent. Keys are made once for all tests.
struct TestHierarchy {
    static let rootKey = make { try PrivateKey.generateRSA(bits: 4096) }
    static let intermediateKey = make { try PrivateKey.generateRSA(bits: 4096) }
    static let weakKey = make { try PrivateKey.generateRSA(bits: 2048) }
    static let leafKey = make { try PrivateKey.generateEC(.p384) }
    static let otherCurveKey = make { try PrivateKey.generateEC(.p256) }
    static let time: Int64 = 1_700_000_000

    private static func make(_ body: () throws -> PrivateKey) -> PrivateKey {
        // Tests may stop here: without keys there is nothing to test.
        try! body()
    }

    var product = ProcessorProduct.milan
    var kind = Endorsement.Kind.vcek
    var tcb = TCBVersion(raw: 0xdb18_0000_0000_0004)
    var hardwareID: [UInt8] = (0..<64).map { $0 | 0x40 }

    var root: CertificateBuilder
    var intermediate: CertificateBuilder
    var leaf: CertificateBuilder
    var rootSigner = Self.rootKey
    var intermediatePublic = Self.intermediateKey
    var leafPublic = Self.leafKey
    var leafAlgorithm = SignatureAlgorithm.rsaPSS(.sha384)
    var report = ReportBuilder()

    init(product: ProcessorProduct = .milan, kind: Endorsement.Kind = .vcek) {
        self.product = product
        self.kind = kind
        if product == .venice {
            tcb = TCBVersion(TCBComponents(fmc: 1, tee: 3, snp: 4), for: .venice)
            hardwareID = [9, 8, 7, 6, 5, 4, 3, 2]
            report.version = 6
        }
        if product == .turin {
            tcb = TCBVersion(TCBComponents(fmc: 1, bootloader: 2, tee: 3, snp: 4, microcode: 0x81), for: .turin)
            hardwareID = [9, 8, 7, 6, 5, 4, 3, 2]
        }
        let authority = kind == .vcek ? "SEV-\(product.rawValue)" : "SEV-VLEK-\(product.rawValue)"
        root = Self.builder("ARK-\(product.rawValue)", issuer: "ARK-\(product.rawValue)", serial: 0x10000)
        root.isCertificateAuthority = true
        root.keyUsage = [.keyCertSign, .cRLSign]
        intermediate = Self.builder(authority, issuer: "ARK-\(product.rawValue)", serial: 0x10001)
        intermediate.isCertificateAuthority = true
        intermediate.pathLength = 0
        intermediate.keyUsage = [.keyCertSign]
        leaf = Self.builder("SEV-\(kind.rawValue)", issuer: authority, serial: 0)
        leaf.extraExtensions = Self.extensions(product: product, kind: kind, tcb: tcb, hardwareID: hardwareID)
        report.chipID = kind == .vlek ? [] : hardwareID
        report.keyInfo = KeyInfo(raw: kind == .vlek ? 4 : 0)
        report.setEveryTCB(tcb)
        report.cpuid =
            switch product {
            case .milan: ProcessorID(family: 0x19, model: 1, stepping: 1)
            case .genoa: ProcessorID(family: 0x19, model: 0xA0, stepping: 2)
            case .turin: ProcessorID(family: 0x1A, model: 0x11, stepping: 0)
            default: ProcessorID(family: 0x1A, model: 0x50, stepping: 0)
            }
    }

    static func builder(_ name: String, issuer: String, serial: UInt64) -> CertificateBuilder {
        func full(_ name: String) -> [(String, String)] { [("OU", "Engineering"), ("C", "US"), ("CN", name)] }
        var builder = CertificateBuilder(subject: full(name), issuer: full(issuer), notBefore: time - 1000, notAfter: time + 1000)
        builder.serial = serial
        return builder
    }

    static func extensions(product: ProcessorProduct, kind: Endorsement.Kind, tcb: TCBVersion, hardwareID: [UInt8]) -> [(
        oid: String, critical: Bool, value: [UInt8]
    )] {
        let prefix = "1.3.6.1.4.1.3704.1."
        let arcs = Self.arcs(of: product)
        var list: [(oid: String, critical: Bool, value: [UInt8])] = [
            (prefix + "1", false, [2, 1, product == .turin || product == .venice ? 1 : 0]), (prefix + "2", false, ia5(product.rawValue)),
        ]
        for (index, arc) in arcs.enumerated() { list.append((prefix + "3.\(arc)", false, integer(tcb.byte(index)))) }
        list.append(kind == .vcek ? (prefix + "4", false, hardwareID) : (prefix + "5", false, ia5("CN=cloud.example")))
        return list
    }

    /// Last arc of the patch level's OID for each byte of the TCB that a certificate speaks of.
    static func arcs(of product: ProcessorProduct) -> [Int] {
        product == .venice ? [9, 2, 3] : product == .turin ? [9, 1, 2, 3, 5, 6, 7, 8] : [1, 2, 4, 5, 6, 7, 3, 8]
    }

    static func ia5(_ text: String) -> [UInt8] { [0x16, UInt8(text.utf8.count)] + Array(text.utf8) }
    static func integer(_ value: UInt8) -> [UInt8] { value < 0x80 ? [2, 1, value] : [2, 2, 0, value] }

    mutating func replaceExtension(_ suffix: String, with value: [UInt8]) {
        for index in leaf.extraExtensions.indices where leaf.extraExtensions[index].oid == "1.3.6.1.4.1.3704.1." + suffix {
            leaf.extraExtensions[index].value = value
        }
    }

    mutating func removeExtension(_ suffix: String) { leaf.extraExtensions.removeAll { $0.oid == "1.3.6.1.4.1.3704.1." + suffix } }

    func certificates() throws -> [Certificate] {
        [
            try leaf.sign(publicKey: leafPublic.publicKey, with: Self.intermediateKey, algorithm: leafAlgorithm),
            try intermediate.sign(publicKey: intermediatePublic.publicKey, with: rootSigner, algorithm: .rsaPSS(.sha384)),
            try root.sign(publicKey: Self.rootKey.publicKey, with: rootSigner, algorithm: .rsaPSS(.sha384)),
        ]
    }

    func signedReport() throws -> [UInt8] {
        var bytes = report.unsignedBytes()
        let signature = try Self.leafKey.sign(ReportBuilder.signedPart(of: bytes), algorithm: .ecdsa(.sha384))
        _ = ReportBuilder.install(signature: signature, in: &bytes)
        return bytes
    }

    /// What a verifier remembers of all hierarchies of all tests: nothing that one of them got right may help another.
    private static let signatures = VerifiedSignatures()

    /// Verifies with this hierarchy's own root pinned.
    func verify(
        extra: [Certificate] = [], remembering signatures: VerifiedSignatures = Self.signatures,
        adjusting: (inout EvidenceVerifier.Policy) -> Void = { _ in }
    ) throws -> VerificationResult {
        let certificates = try certificates()
        var policy = EvidenceVerifier.Policy(time: Self.time)
        policy.roots = [PinnedRoot(name: "test", product: product, certificate: certificates[2])]
        adjusting(&policy)
        return EvidenceVerifier(signatures: signatures).verify(
            report: try signedReport(), certificates: extra + certificates, policy: policy)
    }
}
