/// An AMD product line with keys of its own: one ARK, one ASK and one ASVK each. It is data: a file of an operator's may add one or change
/// one, and two values are the same product where their names are.
package struct ProcessorProduct: Sendable {
    /// As certificates and AMD's service spell it: `Milan` of `ARK-Milan`.
    package let rawValue: String
    /// The processors that belong to it.
    package let processors: [ProcessorRange]
    package let layout: TCBLayout
    /// Bytes of CHIP_ID that name the chip, zeros follow; also the length of HWID in its certificates: 8 or 64.
    package let chipIDByteCount: Int
    /// Further names that its leaf certificates bear, before a `-` and a stepping.
    package let otherNames: [String]
    /// Report versions that are judged for it.
    package let versions: ClosedRange<UInt32>
    /// Whether AMD's service can be asked for its leaf certificates: the names in the query are known.
    package let isServedByKDS: Bool

    package init(
        rawValue: String, processors: [ProcessorRange], layout: TCBLayout, chipIDByteCount: Int, otherNames: [String] = [],
        versions: ClosedRange<UInt32>, isServedByKDS: Bool
    ) {
        self.rawValue = rawValue
        self.processors = processors
        self.layout = layout
        self.chipIDByteCount = chipIDByteCount
        self.otherNames = otherNames
        self.versions = versions
        self.isServedByKDS = isServedByKDS
    }

    /// Whether a certificate's productName extension means this product: the name, or the name and a stepping (`Milan-B0`).
    package func isNamed(_ productName: String) -> Bool {
        let name = productName.prefix { $0 != "-" }
        return name == rawValue || otherNames.contains { name == $0 }
    }

    package func includes(_ processor: ProcessorID) -> Bool { processors.contains { $0.contains(processor) } }
}

extension ProcessorProduct: Hashable {
    package static func == (left: ProcessorProduct, right: ProcessorProduct) -> Bool { left.rawValue == right.rawValue }
    package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

extension ProcessorProduct: CustomStringConvertible { package var description: String { rawValue } }

/// Processors of one family.
package struct ProcessorRange: Sendable, Hashable {
    /// Combined (base and extended) family, for example 0x19.
    package let family: UInt8
    /// Combined models.
    package let models: ClosedRange<UInt8>
    package let steppings: ClosedRange<UInt8>

    package init(family: UInt8, models: ClosedRange<UInt8>, steppings: ClosedRange<UInt8> = 0...255) {
        self.family = family
        self.models = models
        self.steppings = steppings
    }

    package func contains(_ processor: ProcessorID) -> Bool {
        family == processor.family && models.contains(processor.model) && steppings.contains(processor.stepping)
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

    /// The product line, `nil` where it is not among those that are built in.
    package var product: ProcessorProduct? { ProcessorProduct.allCases.first { $0.includes(self) } }

    /// Six lower-case hex digits: family, model, stepping.
    package var description: String { (UInt64(family) << 16 | UInt64(model) << 8 | UInt64(stepping)).hexDigits(6) }
}
