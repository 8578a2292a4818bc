internal import OpenSSLCrypto
internal import PlainText
internal import SNPReport
internal import StrictJSON

/// An operator's file of products and floors, in JSON. What it names is added, or changed in the members that it gives.
package enum ProductFile {
    /// Longest file that is read.
    package static let maximumBytes = 1 << 20
    /// The members of the file's objects; `samples/products.schema.json` describes them.
    package static let members = ["products", "floors"]
    package static let productMembers = [
        "name", "deny", "roots", "processors", "tcb", "chip-id-bytes", "other-names", "report-versions", "kds", "source",
    ]
    package static let rootMembers = ["pem", "certificate-sha256", "public-key-sha256", "name"]
    package static let processorMembers = ["family", "models", "steppings"]
    package static let floorMembers = ["name", "source", "date", "others-need-nothing", "rows"]
    package static let rowMembers = ["processors", "minimum", "platform-bits"]

    /// Why a file cannot be used, in one line that names the place.
    package struct Failure: Error, Sendable, CustomStringConvertible { package let description: String }

    /// `table` with what the file says.
    package static func apply(_ bytes: [UInt8], to table: ProductTable = .builtIn) throws(Failure) -> ProductTable {
        do {
            var table = table
            let document = try JSONCursor.parse(written: bytes, limits: JSONLimits(maximumBytes: maximumBytes, maximumDepth: 8))
            try document.rejectMembers(except: Set(members + ["$schema"]))
            for item in try document.optionalArray("products") ?? [] { table.set(try entry(item, in: table)) }
            for item in try document.optionalArray("floors") ?? [] { table.set(try floor(item)) }
            return table
        } catch let error as JSONError { throw Failure(description: error.description) } catch let error as Failure { throw error } catch {
            throw Failure(description: "\(error)")
        }
    }

    private static func entry(_ item: JSONCursor, in table: ProductTable) throws -> ProductEntry {
        try item.rejectMembers(except: Set(productMembers))
        let name = try item.string("name")
        guard name.utf8.consists(of: .alphanumeric, count: 1...32) else {
            throw try item.member("name").invalid("expected letters and digits, as in ARK-NAME")
        }
        let known = table.entries.first { $0.product.rawValue == name }
        let base = known?.product
        guard let processors = try item.optionalArray("processors").map({ try $0.map(processor) }) ?? base?.processors, !processors.isEmpty
        else { throw item.invalid("'\(name)' is no known product, so it needs 'processors'") }
        let layout: TCBLayout
        if let names = try item.optionalArray("tcb") {
            guard let own = TCBLayout(names: try names.map { try $0.string() }) else {
                throw try item.member("tcb").invalid(
                    "expected eight of " + TCBLayout.Slot.allCases.map(\.rawValue).joined(separator: ", ") + ", one for each byte")
            }
            layout = own
        } else if let base {
            layout = base.layout
        } else {
            throw item.invalid("'\(name)' is no known product, so it needs 'tcb'")
        }
        guard let chip = try item.optionalInteger("chip-id-bytes").map(Int.init) ?? base?.chipIDByteCount, chip == 8 || chip == 64 else {
            throw item.invalid("'chip-id-bytes' is 8 or 64")
        }
        let versions = try item.optional("report-versions").map { try range($0, in: 2...Int64(AttestationReport.newestVersion)) }
        let product = ProcessorProduct(
            rawValue: name, processors: processors, layout: layout, chipIDByteCount: chip,
            otherNames: try item.optionalArray("other-names").map { try $0.map { try $0.string() } } ?? base?.otherNames ?? [],
            versions: versions.map { UInt32($0.lowerBound)...UInt32($0.upperBound) } ?? base?.versions
                ?? 2...AttestationReport.newestVersion,
            isServedByKDS: try item.optionalBoolean("kds") ?? base?.isServedByKDS ?? false)
        let roots = try item.optionalArray("roots").map { try $0.map { try root($0, of: product) } } ?? known?.roots ?? []
        return ProductEntry(
            product: product, roots: roots, isDenied: try item.optionalBoolean("deny") ?? false,
            sources: try item.optionalString("source").map { [$0] } ?? known?.sources ?? ["the operator's file"])
    }

    private static func root(_ item: JSONCursor, of product: ProcessorProduct) throws -> PinnedRoot {
        try item.rejectMembers(except: Set(rootMembers))
        let name = try item.optionalString("name") ?? "configured ARK-\(product.rawValue)"
        if let pem = try item.optionalString("pem") {
            let certificates = try? Certificate.parse(pemOrDER: Array(pem.utf8), maximumCount: 1)
            guard let certificate = certificates?.first else { throw try item.member("pem").invalid("expected one certificate in PEM") }
            return PinnedRoot(name: name, product: product, certificate: certificate)
        }
        func hash(_ member: String) throws -> [UInt8] {
            guard let text = try item.optionalString(member) else { return [] }
            guard let bytes = Hex.decode(text), bytes.count == 32 else { throw try item.member(member).invalid("expected 64 hex digits") }
            return bytes
        }
        let (certificate, key) = (try hash("certificate-sha256"), try hash("public-key-sha256"))
        guard !certificate.isEmpty || !key.isEmpty else {
            throw item.invalid("a root is given by 'pem', 'certificate-sha256' or 'public-key-sha256'")
        }
        return PinnedRoot(name: name, product: product, certificateSHA256: certificate, publicKeySHA256: key)
    }

    private static func processor(_ item: JSONCursor) throws -> ProcessorRange {
        try item.rejectMembers(except: Set(processorMembers))
        let models = try range(item.member("models"), in: 0...255)
        let steppings = try item.optional("steppings").map { try range($0, in: 0...255) } ?? 0...255
        return ProcessorRange(
            family: UInt8(try range(item.member("family"), in: 0...255).lowerBound),
            models: UInt8(models.lowerBound)...UInt8(models.upperBound),
            steppings: UInt8(steppings.lowerBound)...UInt8(steppings.upperBound))
    }

    private static func floor(_ item: JSONCursor) throws -> FloorPreset {
        try item.rejectMembers(except: Set(floorMembers))
        let rows = try item.array("rows").map { row in
            try row.rejectMembers(except: Set(rowMembers))
            let minimum = try row.optional("minimum").map { minimum in
                let levels = try minimum.members().map { member in
                    guard let slot = TCBLayout.Slot(rawValue: member.name), TCBLayout.Slot.components.contains(slot) else {
                        throw member.value.invalid("expected one of fmc, bl, tee, snp, ucode")
                    }
                    return (slot, UInt8(try range(member.value, in: 0...255).lowerBound))
                }
                return MinimumTCB(Dictionary(levels) { $1 })
            }
            let bits = try row.optionalString("platform-bits")
            guard let mask = bits.map(BitMask.parse) ?? 0 else {
                throw try row.member("platform-bits").invalid("expected a mask such as 0x40")
            }
            return FloorPreset.Row(
                processors: try row.array("processors").map(processor), minimum: minimum ?? MinimumTCB([:]), platformBits: mask)
        }
        return FloorPreset(
            name: try item.string("name"), date: try item.optionalString("date") ?? "", source: try item.optionalString("source") ?? "",
            rows: rows, othersNeedNothing: try item.optionalBoolean("others-need-nothing") ?? false)
    }

    /// A number or two of them, each also as hex text: `25`, `"0x19"`, `[0, 15]`.
    private static func range(_ item: JSONCursor, in allowed: ClosedRange<Int64>) throws -> ClosedRange<Int64> {
        func number(_ item: JSONCursor) throws -> Int64 {
            let value: Int64?
            if case .string(let text) = item.value {
                value = BitMask.parse(text).flatMap { Int64(exactly: $0) }
            } else {
                value = try item.integer()
            }
            guard let value, allowed.contains(value) else { throw item.invalid("expected \(allowed.lowerBound) to \(allowed.upperBound)") }
            return value
        }
        guard case .array = item.value else {
            let value = try number(item)
            return value...value
        }
        let ends = try item.array().map(number)
        guard ends.count == 2, ends[0] <= ends[1] else { throw item.invalid("expected the first and the last of a range") }
        return ends[0]...ends[1]
    }
}
