package import SNPReport

/// Minimum TCBs that somebody published, by processor: microcode counts on each line of silicon for itself.
package struct FloorPreset: Sendable, Equatable {
    package struct Row: Sendable, Equatable {
        package let processors: [ProcessorRange]
        package let minimum: MinimumTCB
        /// Bits of PLATFORM_INFO that must be set.
        package let platformBits: UInt64

        package init(processors: [ProcessorRange], minimum: MinimumTCB, platformBits: UInt64 = 0) {
            self.processors = processors
            self.minimum = minimum
            self.platformBits = platformBits
        }

        init(_ processors: [ProcessorRange], snp: UInt8? = nil, ucode: UInt8? = nil, platformBits: UInt64 = 0) {
            var levels: [TCBLayout.Slot: UInt8] = [:]
            levels[.snp] = snp
            levels[.microcode] = ucode
            self.init(processors: processors, minimum: MinimumTCB(levels), platformBits: platformBits)
        }

        /// For people: `snp=24,ucode=219`, `platform bits 0x40`.
        package var requirement: String {
            let parts =
                (minimum.levels.isEmpty ? [] : [minimum.description])
                + (platformBits == 0 ? [] : ["platform bits " + BitMask.text(platformBits)])
            return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
        }
    }

    /// `AMD-SB-3019`.
    package let name: String
    /// When it was published, as far as that is known: `2025-02`.
    package let date: String
    /// Where the values are from, and what they are about.
    package let source: String
    package let rows: [Row]
    /// Whether a processor without a row needs nothing. Otherwise it cannot be judged.
    package let othersNeedNothing: Bool

    package init(name: String, date: String, source: String, rows: [Row], othersNeedNothing: Bool = false) {
        self.name = name
        self.date = date
        self.source = source
        self.rows = rows
        self.othersNeedNothing = othersNeedNothing
    }

    /// The rows for a processor; for a report that names none, those of its whole product, all of which must then hold.
    package func rows(for processor: ProcessorID?, of product: ProcessorProduct?) -> [Row] {
        if let processor { return rows.filter { $0.processors.contains { $0.contains(processor) } } }
        guard let product else { return [] }
        return rows.filter { row in
            row.processors.contains { range in
                range.models.contains { model in
                    product.includes(ProcessorID(family: range.family, model: model, stepping: range.steppings.lowerBound))
                }
            }
        }
    }
}
