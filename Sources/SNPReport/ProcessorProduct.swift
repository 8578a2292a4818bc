/// An AMD product line with keys of its own: one ARK, one ASK and one ASVK each.
package enum ProcessorProduct: String, Sendable, CaseIterable {
    /// EPYC 7003.
    case milan = "Milan"
    /// EPYC 9004, 8004 and the other Zen 4 parts that share its chain (Bergamo, Siena).
    case genoa = "Genoa"
    /// EPYC 9005.
    case turin = "Turin"

    /// The product line of a processor by its combined CPUID family and model, `nil` for processors whose keys are not known here.
    package init?(family: UInt8, model: UInt8) {
        switch (family, model) {
        case (0x19, 0x00...0x0F): self = .milan
        case (0x19, 0x10...0x1F), (0x19, 0xA0...0xAF): self = .genoa
        case (0x1A, 0x00...0x11): self = .turin
        default: return nil
        }
    }

    /// The product line that a certificate's productName extension means: the name, or the name and a stepping (`Milan-B0`).
    /// Siena and Bergamo are sold under their own names but endorsed by the Genoa chain.
    package init?(productName: String) {
        let name = productName.prefix { $0 != "-" }
        switch name {
        case "Siena", "Bergamo": self = .genoa
        default: self.init(rawValue: String(name))
        }
    }
}

/// The processor that made a report, as the report says from version 3 on.
package struct ProcessorID: Sendable, Equatable, CustomStringConvertible {
    /// Combined (base and extended) family, for example 0x19.
    package let family: UInt8
    /// Combined model.
    package let model: UInt8
    package let stepping: UInt8

    package init(family: UInt8, model: UInt8, stepping: UInt8) {
        self.family = family
        self.model = model
        self.stepping = stepping
    }

    /// The product line, `nil` where it is not known here.
    package var product: ProcessorProduct? { ProcessorProduct(family: family, model: model) }

    /// Six lower-case hex digits: family, model, stepping.
    package var description: String { (UInt64(family) << 16 | UInt64(model) << 8 | UInt64(stepping)).hexDigits(6) }
}
