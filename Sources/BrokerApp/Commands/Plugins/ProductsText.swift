internal import OpenSSLCrypto
internal import SNPReport
internal import SNPVerification
internal import StrictJSON

/// AMD's products and floors as they apply, for people and in the form of a product file.
enum ProductsText {
    static func lines(_ table: ProductTable) -> [String] {
        var lines: [String] = []
        for entry in table.entries {
            let product = entry.product
            let state = entry.isDenied ? "denied" : entry.roots.isEmpty ? "no root: unsupported" : "verified"
            lines.append("\(product)  (\(state))")
            lines.append("  processors       " + product.processors.map(words).joined(separator: ", "))
            lines.append("  TCB, byte 0..7   " + product.layout.slots.map(\.rawValue).joined(separator: " "))
            lines.append("  chip id          \(product.chipIDByteCount) bytes")
            lines.append("  report versions  \(product.versions.lowerBound) to \(product.versions.upperBound)")
            lines.append(
                "  AMD's service    " + (product.isServedByKDS ? "/vcek/v1/\(product)/…" : "not asked: names in its query unknown"))
            let names = ["ARK-\(product)", "SEV-\(product)", "SEV-VLEK-\(product)"] + product.otherNames.map { "leaf \($0)" }
            lines.append("  names            " + names.joined(separator: ", "))
            for root in entry.roots {
                lines.append(
                    "  root             \(root.name): "
                        + (root.certificateSHA256.isEmpty
                            ? "key " + Hex.encode(root.publicKeySHA256) : Hex.encode(root.certificateSHA256)))
            }
            lines.append("  sources          " + entry.sources.joined(separator: "; "))
        }
        for floor in table.floors {
            lines.append("floor \(floor.name)" + (floor.date.isEmpty ? "" : "  (\(floor.date))"))
            lines.append("  source           \(floor.source)")
            for row in floor.rows { lines.append("  " + row.processors.map(words).joined(separator: ", ") + "  \(row.requirement)") }
            if floor.othersNeedNothing { lines.append("  others           nothing") }
        }
        return lines
    }

    /// A product file that says the same as `table`.
    static func json(_ table: ProductTable) -> JSONValue {
        [
            "products": .array(table.entries.map(json)), "floors": .array(table.floors.map(json)),
        ]
    }

    private static func json(_ entry: ProductEntry) -> JSONValue {
        let product = entry.product
        let roots = entry.roots.map { root in
            var members: [(String, JSONValue)] = [("name", .string(root.name))]
            if !root.certificateSHA256.isEmpty { members.append(("certificate-sha256", .string(Hex.encode(root.certificateSHA256)))) }
            if !root.publicKeySHA256.isEmpty { members.append(("public-key-sha256", .string(Hex.encode(root.publicKeySHA256)))) }
            return JSONValue.object(JSONObject(members))
        }
        return [
            "name": .string(product.rawValue), "deny": .boolean(entry.isDenied), "processors": .array(product.processors.map(json)),
            "tcb": .array(product.layout.slots.map { .string($0.rawValue) }), "chip-id-bytes": .integer(Int64(product.chipIDByteCount)),
            "other-names": .array(product.otherNames.map { .string($0) }),
            "report-versions": [.integer(Int64(product.versions.lowerBound)), .integer(Int64(product.versions.upperBound))],
            "kds": .boolean(product.isServedByKDS), "roots": .array(roots), "source": .string(entry.sources.joined(separator: "; ")),
        ]
    }

    private static func json(_ floor: FloorPreset) -> JSONValue {
        let rows = floor.rows.map { row -> JSONValue in
            let levels = TCBLayout.Slot.components.compactMap { slot in
                row.minimum.levels[slot].map { (slot.rawValue, JSONValue.integer(Int64($0))) }
            }
            return [
                "processors": .array(row.processors.map(json)), "minimum": .object(JSONObject(levels)),
                "platform-bits": .string(BitMask.text(row.platformBits)),
            ]
        }
        return [
            "name": .string(floor.name), "date": .string(floor.date), "source": .string(floor.source),
            "others-need-nothing": .boolean(floor.othersNeedNothing), "rows": .array(rows),
        ]
    }

    private static func json(_ range: ProcessorRange) -> JSONValue {
        [
            "family": .string(hex(range.family)), "models": [.string(hex(range.models.lowerBound)), .string(hex(range.models.upperBound))],
            "steppings": [.integer(Int64(range.steppings.lowerBound)), .integer(Int64(range.steppings.upperBound))],
        ]
    }

    private static func words(_ range: ProcessorRange) -> String {
        func span(_ range: ClosedRange<UInt8>, _ text: (UInt8) -> String) -> String {
            range.count == 1 ? text(range.lowerBound) : text(range.lowerBound) + "-" + text(range.upperBound)
        }
        let steppings = range.steppings == 0...255 ? "" : " stepping " + span(range.steppings) { String($0) }
        return "family \(hex(range.family)) model \(span(range.models, hex))\(steppings)"
    }

    private static func hex(_ byte: UInt8) -> String { BitMask.text(UInt64(byte)) }
}
