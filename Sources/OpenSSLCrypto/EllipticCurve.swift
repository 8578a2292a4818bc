internal import COpenSSL

/// The NIST curves of Key Vault, JOSE and AMD's leaf certificates. The raw value is the JWK `crv`.
public enum EllipticCurve: String, Sendable, CaseIterable {
    case p256 = "P-256"
    case p384 = "P-384"
    case p521 = "P-521"

    /// Size of a coordinate, of a private number, and of each half of a raw signature, in bytes.
    public var coordinateByteCount: Int {
        switch self {
        case .p256: 32
        case .p384: 48
        case .p521: 66
        }
    }

    /// OpenSSL's name of the group.
    var groupName: String {
        switch self {
        case .p256: "prime256v1"
        case .p384: "secp384r1"
        case .p521: "secp521r1"
        }
    }

    /// OpenSSL's number for the group.
    var identifier: Int32 {
        switch self {
        case .p256: NID_X9_62_prime256v1
        case .p384: NID_secp384r1
        case .p521: NID_secp521r1
        }
    }

    /// Whether these bytes, the content of a DER OBJECT IDENTIFIER, name the curve.
    func isNamed(by name: UnsafeRawBufferPointer) -> Bool {
        guard let object = OBJ_nid2obj(identifier), let bytes = OBJ_get0_data(object) else { return false }
        return name.elementsEqual(UnsafeRawBufferPointer(start: bytes, count: OBJ_length(object)))
    }
}
