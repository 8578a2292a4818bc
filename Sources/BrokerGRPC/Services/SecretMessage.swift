internal import FoundationEssentials
internal import GRPCCore
internal import GRPCProtobuf
internal import SecureMemory
internal import SwiftProtobuf

/// The one field of a wrap or unwrap message, in memory that is wiped.
final class SecretMessage: Sendable {
    let bytes: SecretBytes

    init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
}

/// A message with one byte string, which both services have under different names.
protocol SecretField: Message { var content: Data { get set } }

extension Keyprovider_keyProviderKeyWrapProtocolInput: SecretField {
    var content: Data {
        get { keyProviderKeyWrapProtocolInput }
        set { keyProviderKeyWrapProtocolInput = newValue }
    }
}

extension Keyprovider_keyProviderKeyWrapProtocolOutput: SecretField {
    var content: Data {
        get { keyProviderKeyWrapProtocolOutput }
        set { keyProviderKeyWrapProtocolOutput = newValue }
    }
}

extension KeyProvider_KeyProviderKeyWrapProtocolInput: SecretField {
    var content: Data {
        get { keyProviderKeyWrapProtocolInput }
        set { keyProviderKeyWrapProtocolInput = newValue }
    }
}

extension KeyProvider_KeyProviderKeyWrapProtocolOutput: SecretField {
    var content: Data {
        get { keyProviderKeyWrapProtocolOutput }
        set { keyProviderKeyWrapProtocolOutput = newValue }
    }
}

/// Moves the field out of the message; what the message held is overwritten.
struct SecretDeserializer<Field: SecretField>: MessageDeserializer {
    func deserialize<Bytes: GRPCContiguousBytes>(_ serializedMessageBytes: Bytes) throws -> SecretMessage {
        var message: Field = try ProtobufDeserializer().deserialize(serializedMessageBytes)
        var content = message.content
        // Now the only reference, so that overwriting happens in place.
        message.content = Data()
        return content.withUnsafeMutableBytes { bytes in
            defer { wipe(bytes) }
            return SecretMessage(SecretBytes(copying: UnsafeRawBufferPointer(bytes)))
        }
    }
}

/// Lends the secret's own memory to the message while that is written.
struct SecretSerializer<Field: SecretField>: MessageSerializer {
    func serialize<Bytes: GRPCContiguousBytes>(_ message: SecretMessage) throws -> Bytes {
        try message.bytes.withUnsafeBytes { bytes throws in
            var field = Field()
            if let start = bytes.baseAddress {
                field.content = Data(
                    bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count, deallocator: .none)
            }
            return try ProtobufSerializer().serialize(field)
        }
    }
}
