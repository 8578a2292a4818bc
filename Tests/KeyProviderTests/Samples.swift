import OpenSSLCrypto
import SecureMemory
import Testing

@testable import KeyProvider

/// What clients send, byte for byte as it was seen.
enum Sample {
    /// The layer's key as skopeo 1.18 (ocicrypt 1.1.10) hands it over: 193 bytes.
    static let payload =
        Array(
            #"{"symkeyid":"","symkey":"\#(String(repeating: "A", count: 43))=","digest":"sha256:\#(String(repeating: "0", count: 64))","#
                .utf8)
        + Array(#""cipheroptions":{"nonce":"AAAAAAAA"}}"#.utf8)

    static func wrapRequest(_ payload: [UInt8], parameter: String = "c2tyOm15a2V5") -> String {
        #"{"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"attestation-agent":["\#(parameter)"]},"DecryptConfig":{"Parameters":{}}},"#
            + #""optsdata":"\#(Base64.encode(payload))"},"keyunwrapparams":{"dc":null,"annotation":null}}"#
    }

    static func unwrapRequest(_ annotation: [UInt8]) -> String {
        #"{"op":"keyunwrap","keywrapparams":{"ec":null,"optsdata":null},"keyunwrapparams":{"dc":{"Parameters":"#
            + #"{"attestation-agent":["c2ty"]}},"annotation":"\#(Base64.encode(annotation))"}}"#
    }

    static func wrap(_ text: String, provider: String = "attestation-agent") throws(KeyProviderRefusal) -> KeyProviderRequest.Wrap {
        try KeyProviderRequest.wrap(secret(text), provider: provider)
    }

    static func secret(_ text: String) -> SecretBytes { secret(Array(text.utf8)) }

    static func secret(_ bytes: [UInt8]) -> SecretBytes { bytes.span.withUnsafeBytes { SecretBytes(copying: $0) } }
}

extension SecretBytes {
    /// A test may copy it.
    borrowing func array() -> [UInt8] { withUnsafeBytes { Array($0) } }
    borrowing func text() -> String { String(decoding: array(), as: UTF8.self) }
}

/// The value, which the test cannot do without; for expressions that `#require` cannot take apart.
func required<Value>(_ value: Value?) throws -> Value { try #require(value) }
