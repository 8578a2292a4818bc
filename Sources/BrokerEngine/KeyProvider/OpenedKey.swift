internal import KeyProvider
internal import OpenSSLCrypto
internal import SecureMemory

/// A released key as OpenSSL uses it; shared by those who had it released together, and overwritten when the last of them lets go.
final class OpenedKey: Sendable {
    let key: AnnotationPacket.Key

    init(_ key: consuming AnnotationPacket.Key) { self.key = key }

    convenience init(_ numbers: borrowing PrivateKeyNumbers) {
        switch numbers.kind {
        case .rsa: self.init(.rsa(numbers.key))
        case .ec: self.init(.other("an elliptic curve key"))
        }
    }
}
