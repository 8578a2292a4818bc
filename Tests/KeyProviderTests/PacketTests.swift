import OpenSSLCrypto
import SecureMemory
import StrictJSON
import Testing

@testable import KeyProvider

@Suite("Annotation packets") struct PacketTests {
    private static let keys = Result { try [2048, 3072, 4096].map { try PrivateKey.generateRSA(bits: $0) } }

    private func opened(_ packet: AnnotationPacket, _ key: consuming AnnotationPacket.Key) throws -> [UInt8] {
        try packet.open(with: key).array()
    }

    @Test("AES agrees with NIST's vectors") func vectors() throws {
        // GCM specification (McGrew, Viega), test cases 13 and 14; SP 800-38A, F.5.5.
        let zeros = [UInt8](repeating: 0, count: 32)
        let iv = Array(zeros[..<12])
        let sealed = try required(ContentCipher.a256gcm.seal(Sample.secret(Array(zeros[..<16])), key: Sample.secret(zeros), iv: iv))
        #expect(Hex.encode(sealed) == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
        let empty = try required(ContentCipher.a256gcm.seal(Sample.secret([UInt8]()), key: Sample.secret(zeros), iv: iv))
        #expect(Hex.encode(empty) == "530f8afbc74536b9a963b4f1c4cb738b")
        let key = try #require(Hex.decode("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"))
        let counter = try #require(Hex.decode("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"))
        let text = try #require(Hex.decode("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"))
        let counted = try required(ContentCipher.a256ctr.seal(Sample.secret(text), key: Sample.secret(key), iv: counter))
        #expect(Hex.encode(counted) == "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5")
        #expect(ContentCipher.a256ctr.open(counted, key: Sample.secret(key), iv: counter)?.array() == text)
    }

    @Test("a guest's packets of both versions open, whatever the form of the URI") func guests() throws {
        let data = try #require(Hex.decode("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"))
        let members = #""wrapped_data":"\#(Base64.encode(data))","iv":"AAAAAAAAAAAAAAAA","wrap_type":"A256GCM""#
        for kid in ["kbs:///default/key/1", "kbs://kbs.example:8080/default/key/1", "kbs.example/default/key/1", "/default/key/1"] {
            for text in [
                #"{"kid":"\#(kid)",\#(members)}"#,
                #"{"version":"0.1.0","provider":"kbs","kid":"\#(kid)",\#(members),"provider_settings":{},"annotations":{"a":{"b":1}}}"#,
            ] {
                let packet = try AnnotationPacket(parsing: Array(text.utf8))
                #expect(ResourceURI(packet.kid)?.description == "kbs:///default/key/1")
                #expect(try opened(packet, .symmetric(Sample.secret([UInt8](repeating: 0, count: 32)))) == [UInt8](repeating: 0, count: 16))
            }
        }
        #expect(ResourceURI("kbs+vault:///default/key/1")?.description == "kbs+vault:///default/key/1")
        for other in [
            "kbs:///default/key", "kbs:///a/b/c/d", "http:///a/b/c", "kbs:///a/../c", "kbs:///a//c", "a b/c/d/e", "kbs:///a/b/c?x",
        ] {
            #expect(ResourceURI(other) == nil, "\(other)")
        }
    }

    @Test("the original's packets open with keys of every size, whatever their wrap_type says") func original() throws {
        for key in try Self.keys.get() {
            let secret = Sample.secret(Array(repeating: 7, count: 190))
            let block = try KeyWrap.oaepWrap(secret, to: key.publicKey, digest: .sha256)
            for end in [#","wrap_type":"rsa_3072","kms_endpoint":"h1.managedhsm.azure.net"}"#, #","iv":"","kms_endpoint":"h"}"#, "}"] {
                let text = #"{"kid":"testkey000","wrapped_data":"\#(Base64.encode(block))"\#(end)"#
                let packet = try AnnotationPacket(parsing: Array(text.utf8))
                #expect(try opened(packet, .rsa(key.handle)) == secret.array())
            }
        }
    }

    @Test("a payload of 193 bytes wraps to keys of every size: in one block where it fits", arguments: [0, 1, 2])
    func roundTrip(index: Int) throws {
        let key = try Self.keys.get()[index]
        let packet = try required(
            AnnotationPacket.wrap(Sample.secret(Sample.payload), to: key.publicKey, kid: "k", keyStore: "a.vault.azure.net"))
        if case .envelope = packet.wrapping { #expect(index == 0) } else { #expect(index > 0) }
        let read = try AnnotationPacket(parsing: packet.serialized())
        #expect(read == packet && read.keyStore == "a.vault.azure.net")
        #expect(try opened(read, .rsa(key.handle)) == Sample.payload)
        let other = try Self.keys.get()[(index + 1) % 3]
        #expect(throws: AnnotationPacket.OpeningFailure.unopened) { try self.opened(read, .rsa(other.handle)) }
    }

    @Test("a guest's packet that is made here is read back", arguments: ContentCipher.allCases) func making(cipher: ContentCipher) throws {
        let key = [UInt8](repeating: 9, count: 32)
        for version in [1, 2] {
            let packet = try required(
                AnnotationPacket.wrap(
                    Sample.secret(Sample.payload), to: Sample.secret(key), cipher, kid: "kbs:///a/b/c", version: version))
            let read = try AnnotationPacket(parsing: packet.serialized())
            #expect(read == packet)
            #expect(try opened(read, .symmetric(Sample.secret(key))) == Sample.payload)
        }
    }

    @Test("a key of another kind or size is refused in words, a damaged packet with one answer") func refusals() throws {
        let rsa = try Self.keys.get()[0]
        let key = [UInt8](repeating: 9, count: 32)
        let guest = try required(
            AnnotationPacket.wrap(Sample.secret([1, 2]), to: Sample.secret(key), .a256gcm, kid: "kbs:///a/b/c", version: 1))
        let block = try required(AnnotationPacket.wrap(Sample.secret([1, 2]), to: rsa.publicKey, kid: "k"))
        func failure(_ packet: AnnotationPacket, _ key: consuming AnnotationPacket.Key) -> AnnotationPacket.OpeningFailure? {
            do {
                _ = try packet.open(with: key)
                return nil
            } catch { return error }
        }
        for failure in [
            failure(guest, .rsa(rsa.handle)), failure(guest, .other("an elliptic curve key")),
            failure(guest, .symmetric(Sample.secret([1]))), failure(block, .symmetric(Sample.secret(key))),
            failure(block, .other("an elliptic curve key")),
        ] {
            guard case .wrongKind(let reason) = failure else {
                Issue.record("\(String(describing: failure))")
                continue
            }
            #expect(reason.count > 20)
        }
        for length in [1, 15, 16, 255, 257, 512] {
            let packet = AnnotationPacket(kid: "k", .block(type: "rsa_2048"), [UInt8](repeating: 1, count: length))
            #expect(failure(packet, .rsa(rsa.handle)) == .unopened)
        }
        let damaged = AnnotationPacket(kid: guest.kid, guest.wrapping, guest.wrappedData.map { $0 ^ 1 })
        #expect(failure(damaged, .symmetric(Sample.secret(key))) == .unopened)
    }
}
