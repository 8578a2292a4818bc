import BrokerCore
import BrokerTestKit
import HTTPTransport
import KeyProvider
import OpenSSLCrypto
import SecureMemory
import StrictJSON
import Testing

@testable import BrokerEngine

@Suite("The key provider on the engine") struct KeyProviderTests {
    private static let payload = [UInt8]((0..<193).map { UInt8($0) })
    private static let rsa = Result {
        let sample = try Honest.key(.rsa)
        return try sample.content.withUnsafeBytes { (key: try PrivateKey(pkcs8DER: $0).publicKey, sample: sample) }
    }

    /// An engine that releases `key`, with what it was asked for.
    private final class Scripted: KeyProviderEngine {
        let engine: BrokerEngine
        let calls: Calls
        let publicKey: PublicKey?

        init(_ test: EngineUnderTest, publicKey: PublicKey? = nil) throws {
            engine = try test.engine()
            calls = test.calls
            self.publicKey = publicKey
        }

        func release(_ request: ReleaseRequest, in context: RequestContext) async throws(BrokerError) -> ReleasedKey {
            try await engine.release(request, in: context)
        }

        func keyStore(named: Endpoint?) throws(BrokerError) -> Endpoint { try engine.keyStore(named: named) }

        var configuredAuthority: Endpoint? { engine.configuredAuthority }

        func publicKey(of key: KeyName, at store: Endpoint?, known: PublicKey?, in context: RequestContext) async throws(BrokerError)
            -> PublicKey
        {
            guard let publicKey else { return try await engine.publicKey(of: key, at: store, known: known, in: context) }
            return publicKey
        }
    }

    private func secret(_ text: String) -> SecretBytes { Array(text.utf8).span.withUnsafeBytes { SecretBytes(copying: $0) } }

    private func wrapRequest(_ kid: String) -> String {
        let parameter = Base64.encode(Array("skr:\(kid)".utf8))
        return #"{"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"attestation-agent":["\#(parameter)"]},"#
            + #""DecryptConfig":{"Parameters":{}}},"optsdata":"\#(Base64.encode(Self.payload))"},"#
            + #""keyunwrapparams":{"dc":null,"annotation":null}}"#
    }

    private func unwrapRequest(_ packet: [UInt8]) -> String {
        #"{"op":"keyunwrap","keywrapparams":{"ec":null,"optsdata":null},"keyunwrapparams":{"dc":{"Parameters":"#
            + #"{"attestation-agent":["c2ty"]}},"annotation":"\#(Base64.encode(packet))"}}"#
    }

    private func numbers(_ answer: borrowing SecretBytes, _ half: String, _ member: String) throws -> [UInt8] {
        let document = try JSONCursor.parse(answer.withUnsafeBytes { Array($0) })
        #expect(try document.object().count == 1)
        return try document.member(half).array(member).map { UInt8(try $0.integer()) }
    }

    private func failure(_ test: EngineUnderTest, _ options: KeyProviderService.Options, _ packet: String) async throws -> BrokerError? {
        let service = KeyProviderService(try Scripted(test), options)
        let context = try test.engine().makeContext(id: "t")
        do throws(BrokerError) {
            _ = try await service.unwrapKey(secret(unwrapRequest(Array(packet.utf8))), in: context)
            return nil
        } catch { return error }
    }

    @Test("what is wrapped with the public half is unwrapped with the released key") func roundTrip() async throws {
        let rsa = try Self.rsa.get()
        let test = try EngineUnderTest(releasing: rsa.sample)
        let engine = try Scripted(test, publicKey: rsa.key)
        let service = KeyProviderService(engine, .init(keys: try KeyTable()))
        let context = engine.engine.makeContext(id: "t")
        let wrapped = try await service.wrapKey(secret(wrapRequest("mykey")), in: context)
        #expect(test.calls.count == Calls.Count(), "wrapping needs no release")
        let annotation = try numbers(wrapped, "keywrapresults", "annotation")
        let packet = try AnnotationPacket(parsing: annotation)
        #expect(packet.kid == "mykey" && packet.keyStore == "one.vault.example" && packet.authority == "one.attest.example")
        let opened = try await service.answer(secret(unwrapRequest(annotation)), in: context)
        #expect(try numbers(opened, "keyunwrapresults", "optsdata") == Self.payload)
        #expect(test.calls.count.store == 1)
    }

    @Test("a configured public key is used without asking the store") func configured() async throws {
        let engine = try Scripted(try EngineUnderTest())
        let kid = "kbs:///default/key/1"
        let service = KeyProviderService(
            engine, .init(keys: try KeyTable(["/default/key/1=mykey"]), publicKeys: ["kbs:///default/key/1": try Self.rsa.get().key]))
        let answer = try await service.wrapKey(secret(wrapRequest(kid)), in: engine.engine.makeContext(id: "t"))
        #expect(try AnnotationPacket(parsing: numbers(answer, "keywrapresults", "annotation")).kid == kid)
    }

    @Test("a guest's packet opens with a released symmetric key that the table names") func symmetric() async throws {
        let sample = try Honest.key(.oct)
        let test = try EngineUnderTest(releasing: sample)
        let wrapped = AnnotationPacket.wrap(
            secret("layer"), to: sample.content.span.withUnsafeBytes { SecretBytes(copying: $0) }, .a256gcm,
            kid: "kbs:///default/key/1",
            version: 2)
        let packet = try #require(wrapped)
        for entries in [["kbs:///default/key/1=image-kek"], ["kbs:///default/key/*=*"]] {
            let engine = try Scripted(test)
            let service = KeyProviderService(engine, .init(keys: try KeyTable(entries)))
            let opened = try await service.open(packet.serialized(), in: engine.engine.makeContext(id: "t"))
            #expect(opened.withUnsafeBytes { Array($0) } == Array("layer".utf8))
        }
        let failure = try await failure(test, .init(keys: try KeyTable()), String(decoding: packet.serialized(), as: UTF8.self))
        #expect(failure?.outcome == "invalidRequest at route")
    }

    @Test("endpoints in a packet only as the configuration admits them") func endpoints() async throws {
        let test = try EngineUnderTest(releasing: Self.rsa.get().sample)
        func packet(_ members: String) -> String { #"{"kid":"k","wrapped_data":"AQID","wrap_type":"rsa_3072"\#(members)}"# }
        let open = KeyProviderService.Options(keys: try KeyTable())
        let closed = KeyProviderService.Options(keys: try KeyTable(), endpoints: [try Endpoint("one.vault.example")])
        for (options, members, outcome) in [
            (open, #","kms_endpoint":"other.example""#, "noProvider at route"),
            (open, #","attester_endpoint":"other.example""#, "noProvider at route"),
            (open, #","kms_endpoint":"169.254.169.254""#, "invalidRequest at decode"),
            (open, #","kms_endpoint":"one.vault.example/x""#, "invalidRequest at decode"),
            (closed, #","kms_endpoint":"two.vault.example""#, "noProvider at route"),
            (closed, #","attester_endpoint":"one.attest.example""#, "noProvider at route"),
            // Admitted, released, and not the key.
            (open, #","kms_endpoint":"two.vault.example""#, "unwrapFailed at unwrap"),
            (closed, #","kms_endpoint":"one.vault.example""#, "unwrapFailed at unwrap"), (closed, "", "unwrapFailed at unwrap"),
        ] { #expect(try await failure(test, options, packet(members))?.outcome == outcome, "\(members)") }
    }

    @Test("a key of another kind than the packet wants is refused in words") func kinds() async throws {
        let block = #"{"kid":"k","wrapped_data":"AQID","wrap_type":"rsa_3072"}"#
        let options = KeyProviderService.Options(keys: try KeyTable())
        for type in [WrappedKey.KeyType.oct, .ec] {
            let test = try EngineUnderTest(releasing: Honest.key(type))
            #expect(try await failure(test, options, block)?.outcome == "invalidRequest at unwrap")
        }
    }

    @Test("a table has one key for one name, and says what is wrong with it") func table() throws {
        let table = try KeyTable([
            "app=https://one.vault.azure.net/keys/real", "kbs:///a/b/c=d", "kbs+plug:///a/b/c=e", "default/x/y/z=f", "/f/g/*=*",
        ])
        #expect(table.place(of: "APP")?.store?.description == "one.vault.azure.net")
        #expect(table.place(of: "app2") == KeyTable.Place(key: try #require(KeyName("app2"))))
        #expect(table.place(of: "kbs://host:80/a/b/c")?.key.name == "d" && table.place(of: "kbs+plug:///a/b/c")?.key.name == "e")
        #expect(table.place(of: "/x/y/z")?.key.name == "f" && table.place(of: "kbs:///f/g/uuid-1")?.key.name == "uuid-1")
        for kid in ["kbs:///a/b/d", "kbs+other:///f/g/h", "/f/g/a_b", "../etc/passwd", "/etc/passwd", "k/../x", "a b"] {
            #expect(table.place(of: kid) == nil, "\(kid)")
        }
    }
}
