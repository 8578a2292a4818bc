import Foundation
import SNPVerification
import StrictJSON
import Testing

/// `samples/products.schema.json` describes what is read, and nothing else.
@Suite("The schema of product files") struct ProductSchemaTests {
    private static func schema() throws -> JSONObject {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "/\(root)/samples/products.schema.json"))
        return try JSONCursor.parse([UInt8](bytes), limits: JSONLimits(maximumBytes: 1 << 20, maximumDepth: 32)).object()
    }

    private static func names(_ value: JSONValue?) -> Set<String> {
        guard case .object(let object)? = value, case .object(let properties)? = object["properties"] else { return [] }
        return Set(properties.keys)
    }

    @Test("it has the members of each object") func members() throws {
        let schema = try Self.schema()
        #expect(Self.names(.object(schema)) == Set(ProductFile.members + ["$schema"]))
        guard case .object(let parts)? = schema["$defs"] else {
            Issue.record("no $defs")
            return
        }
        for (name, members) in [
            ("product", ProductFile.productMembers), ("root", ProductFile.rootMembers), ("processor", ProductFile.processorMembers),
            ("floor", ProductFile.floorMembers),
        ] { #expect(Self.names(parts[name]) == Set(members), "\(name)") }
    }
}
