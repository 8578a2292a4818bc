internal import KeyProvider
internal import OpenSSLCrypto
internal import SecureMemory

extension FuzzTarget {
    /// Packets of encrypted images: what is taken is written and read as the same.
    static let keyPacket = FuzzTarget("key-packet", maximumBytes: 2048, seeds: KeyProviderTarget.packets, run: KeyProviderTarget.packet)
    /// Requests of image tools: one operation each, and no complaint repeats a parameter.
    static let keyRequest = FuzzTarget("key-request", maximumBytes: 2048, seeds: KeyProviderTarget.requests, run: KeyProviderTarget.request)
    /// Names of resources: one form stands for all.
    static let resourceURI = FuzzTarget("resource-uri", maximumBytes: 600, seeds: KeyProviderTarget.names, run: KeyProviderTarget.name)
}

private enum KeyProviderTarget {
    // MARK: Packets

    @Sendable static func packets() -> [[UInt8]] {
        let iv = [UInt8](repeating: 7, count: 12)
        return [
            AnnotationPacket(
                kid: "key", .block(type: "rsa_3072"), [1, 2, 3], keyStore: "a.vault.azure.net", authority: "b.attest.azure.net"),
            AnnotationPacket(kid: "key", .block(type: ""), [1]),
            AnnotationPacket(kid: "key", .envelope(key: [4, 5], iv: iv), [UInt8](repeating: 1, count: 40)),
            AnnotationPacket(kid: "kbs:///a/b/c", .symmetric(.a256gcm, iv: iv, version: 1), [UInt8](repeating: 1, count: 40)),
            AnnotationPacket(
                kid: "kbs:///a/b/c", .symmetric(.a256ctr, iv: iv + [1, 2, 3, 4], version: 2), [UInt8](repeating: 1, count: 40)),
        ].map { $0.serialized() }
    }

    @Sendable static func packet(_ input: [UInt8]) throws -> Bool {
        let packet: AnnotationPacket
        do throws(KeyProviderRefusal) { packet = try AnnotationPacket(parsing: input) } catch {
            try require(error.description.isOneLine, "the complaint is more than a line")
            return false
        }
        let written = packet.serialized()
        let again = try planted(
            AnnotationPacket(parsing: written), instead: AnnotationPacket(kid: packet.kid, .block(type: ""), packet.wrappedData))
        try require(again == packet && again.serialized() == written, "written and read it is another packet")
        try require(!packet.wrappedData.isEmpty && packet.kid.isOneLine && !packet.kid.isEmpty, "there is nothing to open, or no key")
        return true
    }

    // MARK: Requests

    /// In a parameter of somebody else's.
    private static let password = "cGFzc3dvcmQtb2Ytc29tZWJvZHk="

    @Sendable static func requests() -> [[UInt8]] {
        let packet = Base64.encode(packets()[0])
        let others = #""gpg-privatekeys":["\#(password)"]"#
        let ours = #""provider":["\#(Base64.encode(Array("skr:key".utf8)))"]"#
        return [
            #"{"op":"keywrap","keywrapparams":{"ec":{"Parameters":{\#(ours),\#(others)},"DecryptConfig":null},"optsdata":"AAEC"}}"#,
            #"{"op":"keyunwrap","keyunwrapparams":{"dc":{"Parameters":{\#(others)}},"annotation":"\#(packet)"}}"#,
        ].map { Array($0.utf8) }
    }

    @Sendable static func request(_ input: [UInt8]) throws -> Bool {
        func secret() -> SecretBytes { input.span.withUnsafeBytes { SecretBytes(copying: $0) } }
        func told<Value>(_ body: () throws(KeyProviderRefusal) -> Value) throws -> Value? {
            do throws(KeyProviderRefusal) { return try body() } catch {
                try require(error.description.isOneLine && !error.description.contains(password), "the complaint repeats what it must not")
                return nil
            }
        }
        let operation = try told { () throws(KeyProviderRefusal) in try KeyProviderRequest.operation(of: secret()) }
        let annotation = try told { () throws(KeyProviderRefusal) in try KeyProviderRequest.annotation(secret()) }
        let kid = try told { () throws(KeyProviderRefusal) in try KeyProviderRequest.wrap(secret(), provider: "provider").kid }
        try require(annotation == nil || planted(operation, instead: .wrap) == .unwrap, "an annotation of what unwraps nothing")
        try require(kid == nil || operation == .wrap, "a key's name of what wraps nothing")
        try require(kid?.isOneLine != false && annotation?.isEmpty != true, "there is nothing to do")
        return annotation != nil || kid != nil
    }

    // MARK: Names

    @Sendable static func names() -> [[UInt8]] {
        ["kbs:///a/b/c", "kbs://host:8080/repo/type/tag-1.0", "kbs+plug-in:///a/b/c", "host/a/b/c", "/a/b/c"].map { Array($0.utf8) }
    }

    @Sendable static func name(_ input: [UInt8]) throws -> Bool {
        guard let name = ResourceURI(input.text) else { return false }
        let again = ResourceURI(planted(name.description, instead: name.description + "x"))
        try require(again == name && again?.description == name.description, "its own form is another name")
        try require(name.tag.isOneLine && !name.tag.isEmpty && name.folder.hasSuffix("/"), "it has no last component")
        return true
    }
}
