internal import OpenSSLCrypto
package import SNPReport

/// What is known of one product: how its reports are read, in which roots its chains end, and where that is from.
package struct ProductEntry: Sendable {
    package let product: ProcessorProduct
    /// Without one nothing of this product can be verified.
    package let roots: [PinnedRoot]
    /// Whether the operator refuses the product, whatever its evidence says.
    package let isDenied: Bool
    /// Where the entry is from, for people.
    package let sources: [String]

    package init(product: ProcessorProduct, roots: [PinnedRoot], isDenied: Bool = false, sources: [String]) {
        self.product = product
        self.roots = roots
        self.isDenied = isDenied
        self.sources = sources
    }
}

/// All products and floors: what is built in, extended and narrowed by an operator's file.
package struct ProductTable: Sendable {
    /// A processor belongs to the first that includes it.
    package private(set) var entries: [ProductEntry]
    package private(set) var floors: [FloorPreset]

    package init(entries: [ProductEntry], floors: [FloorPreset]) {
        self.entries = entries
        self.floors = floors
    }

    package static let builtIn = ProductTable(
        entries: ProcessorProduct.allCases.map { product in
            ProductEntry(
                product: product, roots: AMDRoots.pins.filter { $0.product == product },
                sources: sources[product] ?? ["AMD 57230", "google/go-sev-guest", "virtee/sev"])
        }, floors: FloorPreset.builtIn)

    private static let sources: [ProcessorProduct: [String]] = [
        .venice: ["virtee/sev #396", "AMD 56860 revision 1.59 by way of research notes", "no root: one source only"]
    ]

    /// All roots of all products.
    package var roots: [PinnedRoot] { entries.flatMap(\.roots) }

    package func entry(of product: ProcessorProduct) -> ProductEntry? { entries.first { $0.product == product } }

    package func product(of processor: ProcessorID) -> ProcessorProduct? {
        entries.first { $0.product.includes(processor) }?.product
    }

    /// By what certificates call it: `Milan` of `ARK-Milan`, in any case.
    package func product(named name: some StringProtocol) -> ProcessorProduct? {
        entries.first { $0.product.rawValue.lowercased() == name.lowercased() }?.product
    }

    /// The product that a root's common name is of: `ARK-Milan`.
    package func product(ofRoot commonName: String?) -> ProcessorProduct? {
        guard let commonName, commonName.hasPrefix("ARK-") else { return nil }
        return entries.first { $0.product.rawValue == commonName.dropFirst(4) }?.product
    }

    package func floor(named name: String) -> FloorPreset? { floors.first { $0.name.lowercased() == name.lowercased() } }

    /// Names of all roots, for messages: `ARK-Milan, ARK-Genoa`.
    package var rootNames: String { entries.map { "ARK-\($0.product.rawValue)" }.joined(separator: ", ") }

    /// Puts an entry in the place of the one with its product's name, or in front of all others, so that it is found first.
    mutating func set(_ entry: ProductEntry) {
        if let index = entries.firstIndex(where: { $0.product == entry.product }) {
            entries[index] = entry
        } else {
            entries.insert(entry, at: 0)
        }
    }

    mutating func set(_ floor: FloorPreset) {
        floors.removeAll { $0.name.lowercased() == floor.name.lowercased() }
        floors.append(floor)
    }
}
