/// The protected header of an endorsement, read and checked for completeness (UVMEndorsements.md, "JSON form" and "Hash-envelope form").
struct UVMHeader: Sendable {
    let form: UVMEndorsement.Form
    let algorithm: COSEAlgorithm
    let statement: StatementHeader

    private static let contentType: Int64 = 3
    private static let payloadHashAlgorithm: Int64 = 258
    private static let preimageContentType: Int64 = 259

    init(_ map: CBORMap) throws(UVMEndorsementError) {
        form = try Self.form(map)
        statement = try StatementHeader(map)
        guard let algorithm = statement.algorithm else {
            throw Self.complaint(
                "the algorithm \(statement.algorithmID) is not accepted; PS256, PS384, PS512, ES256, ES384 and ES512 are")
        }
        self.algorithm = algorithm
    }

    private static func form(_ map: CBORMap) throws(UVMEndorsementError) -> UVMEndorsement.Form {
        guard let hash = map[payloadHashAlgorithm] else {
            guard map[contentType] == "application/json" else {
                throw complaint("the content type (3) is not application/json, and there is no payload hash algorithm (258)")
            }
            return .json
        }
        guard map[contentType] == nil else { throw complaint("a hash envelope (258) has no content type (3)") }
        guard hash.integer == COSEHashAlgorithm.sha384.rawValue else {
            throw complaint("the payload hash algorithm (258) is not SHA-384 (-43)")
        }
        guard map[preimageContentType] == "application/octet-stream" else {
            throw complaint("the content type of the hashed data (259) is not application/octet-stream")
        }
        return .hashEnvelope
    }

    private static func complaint(_ detail: String) -> UVMEndorsementError { UVMEndorsementError(.protectedHeader, detail) }
}
