/// The product lines that are built in (AttestationReport.md, "Products").
extension ProcessorProduct: CaseIterable {
    package static let allCases: [ProcessorProduct] = [.milan, .genoa, .turin, .venice]

    /// EPYC 7003.
    package static let milan = ProcessorProduct(
        rawValue: "Milan", processors: [ProcessorRange(family: 0x19, models: 0x00...0x0F)], layout: .classic, chipIDByteCount: 64,
        versions: 2...5, isServedByKDS: true)

    /// EPYC 9004, 8004 and the other Zen 4 parts that share its chain (Bergamo, Siena).
    package static let genoa = ProcessorProduct(
        rawValue: "Genoa",
        processors: [ProcessorRange(family: 0x19, models: 0x10...0x1F), ProcessorRange(family: 0x19, models: 0xA0...0xAF)],
        layout: .classic, chipIDByteCount: 64, otherNames: ["Siena", "Bergamo"], versions: 2...5, isServedByKDS: true)

    /// EPYC 9005.
    package static let turin = ProcessorProduct(
        rawValue: "Turin", processors: [ProcessorRange(family: 0x1A, models: 0x00...0x11)], layout: .withFMC, chipIDByteCount: 8,
        versions: 2...5, isServedByKDS: true)

    /// Zen 6. Its TCB and its reports are described; no report was seen, and its root has one source only.
    package static let venice = ProcessorProduct(
        rawValue: "Venice",
        processors: [0x50...0x57, 0x90...0x9F, 0xA0...0xAF, 0xC0...0xC7].map { ProcessorRange(family: 0x1A, models: $0) },
        layout: .withoutBootLoader, chipIDByteCount: 8, versions: 6...6, isServedByKDS: false)

    /// The built-in product of that name.
    package init?(rawValue: String) {
        guard let product = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = product
    }

    /// The built-in product of a processor by its combined CPUID family and model.
    package init?(family: UInt8, model: UInt8) {
        guard let product = ProcessorID(family: family, model: model, stepping: 0).product else { return nil }
        self = product
    }

    /// The built-in product that a certificate's productName extension means.
    package init?(productName: String) {
        guard let product = Self.allCases.first(where: { $0.isNamed(productName) }) else { return nil }
        self = product
    }
}

extension TCBLayout {
    package static let classic = TCBLayout([.bootloader, .tee, .spl4, .spl5, .spl6, .spl7, .snp, .microcode])
    package static let withFMC = TCBLayout([.fmc, .bootloader, .tee, .snp, .spl5, .spl6, .spl7, .microcode])
    package static let withoutBootLoader = TCBLayout([.fmc, .tee, .snp, .reserved, .reserved, .reserved, .reserved, .reserved])
}
