import Glibc
import Issuing
@testable import OpenSSLCrypto
import Testing

@Suite("Trust stores") struct TrustStoreTests {
    private static let now = ChainFactory.now

    private func complaint(
        _ store: TrustStore, _ leaf: Certificate, _ intermediates: [Certificate], host: String? = "vault.example", at time: Int64 = now
    ) -> String? {
        do throws(CryptoError) {
            try store.verify(leaf: leaf, intermediates: intermediates, host: host, at: time)
            return nil
        } catch { return error.reason }
    }

    @Test("A right chain passes, also with its root and foreign certificates in the message") func rightChain() throws {
        let chain = try ChainFactory()
        let store = try TrustStore(roots: [chain.root])
        #expect(complaint(store, chain.leaf, [chain.intermediate]) == nil)
        #expect(complaint(store, chain.leaf, [chain.intermediate], host: nil) == nil)
        #expect(complaint(store, chain.leaf, [chain.root, chain.leaf, chain.intermediate]) == nil)
    }

    @Test("A root that is only in the message is not trusted") func untrustedRoot() throws {
        let chain = try ChainFactory()
        let key = try PrivateKey.generateEC(.p256)
        let stranger = try ChainFactory.authority("Stranger", issuer: "Stranger").sign(
            publicKey: key.publicKey, with: key, algorithm: .ecdsa(.sha256))
        let store = try TrustStore(roots: [stranger])
        let words = try #require(complaint(store, chain.leaf, [chain.intermediate, chain.root]))
        #expect(words.hasPrefix("untrusted root:"))
        #expect(words.contains("CN=Test root"))
        // A root of the same name with another key does not count.
        let impostor = try ChainFactory.authority("Test root", issuer: "Test root").sign(
            publicKey: key.publicKey, with: key, algorithm: .ecdsa(.sha256))
        #expect(complaint(try TrustStore(roots: [impostor]), chain.leaf, [chain.intermediate]) != nil)
        #expect(complaint(try TrustStore(roots: []), chain.leaf, [chain.intermediate, chain.root]) != nil)
    }

    @Test("A self-signed leaf is untrusted") func selfSignedLeaf() throws {
        let key = try PrivateKey.generateEC(.p256)
        var builder = CertificateBuilder(subject: [("CN", "x")], issuer: [("CN", "x")], notBefore: Self.now - 10, notAfter: Self.now + 10)
        builder.dnsNames = ["vault.example"]
        let leaf = try builder.sign(publicKey: key.publicKey, with: key, algorithm: .ecdsa(.sha256))
        let store = try TrustStore(roots: [try ChainFactory().root])
        #expect(complaint(store, leaf, [])?.hasPrefix("untrusted root:") == true)
    }

    @Test("A missing intermediate is said to be missing") func missingIntermediate() throws {
        let chain = try ChainFactory()
        let store = try TrustStore(roots: [chain.root])
        let words = try #require(complaint(store, chain.leaf, []))
        #expect(words.contains("missing intermediate") && words.contains("CN=leaf"))
    }

    @Test("Dates are judged at the time given, at both ends") func dates() throws {
        let chain = try ChainFactory()
        let store = try TrustStore(roots: [chain.root])
        #expect(complaint(store, chain.leaf, [chain.intermediate], at: chain.leaf.notBefore) == nil)
        #expect(complaint(store, chain.leaf, [chain.intermediate], at: chain.leaf.notAfter - 1) == nil)
        let late = complaint(store, chain.leaf, [chain.intermediate], at: chain.leaf.notAfter + 1)
        #expect(late == "certificate \"CN=leaf\" has expired")
        let early = complaint(store, chain.leaf, [chain.intermediate], at: chain.leaf.notBefore - 1)
        #expect(early == "certificate \"CN=leaf\" is not yet valid")
        let lateRoot = complaint(store, chain.leaf, [chain.intermediate], at: chain.root.notAfter + 1)
        #expect(lateRoot?.contains("has expired") == true)
    }

    @Test(
        "The host must be one of the names",
        arguments: [
            ("vault.example", true), ("VAULT.Example", true), ("other.example", false), ("vault.example.evil", false),
            ("a.vault.example", false), ("leaf", false), ("", false), (".example", false), ("vault.example\0", false),
            ("vault.example\0.evil", false), ("127.0.0.1", false), (String(repeating: "a", count: 300), false),
        ]) func hosts(host: String, isRight: Bool) throws
    {
        let chain = try ChainFactory()
        let store = try TrustStore(roots: [chain.root])
        #expect((complaint(store, chain.leaf, [chain.intermediate], host: host) == nil) == isRight)
        if host == "other.example" {
            #expect(
                complaint(store, chain.leaf, [chain.intermediate], host: host) == "host mismatch: the certificate is not for other.example")
        }
    }

    @Test("A leaf for another purpose is not a server's") func purpose() throws {
        let chain = try ChainFactory { $0.extendedKeyUsage = ["1.3.6.1.5.5.7.3.3"] }
        let store = try TrustStore(roots: [chain.root])
        #expect(complaint(store, chain.leaf, [chain.intermediate])?.contains("not for TLS servers") == true)
        #expect(complaint(store, chain.leaf, [chain.intermediate], host: nil) == nil)
    }

    @Test("A leaf cannot act as an authority, and a path length holds") func authorities() throws {
        let chain = try ChainFactory()
        let store = try TrustStore(roots: [chain.root])
        let leafKey = try ReferenceKeys.rsa.get()
        var builder = CertificateBuilder(
            subject: [("CN", "below a leaf")], issuer: [("CN", "leaf")], notBefore: Self.now - 10, notAfter: Self.now + 10)
        builder.isCertificateAuthority = false
        builder.dnsNames = ["vault.example"]
        let forged = try builder.sign(publicKey: try ReferenceKeys.p521.get().publicKey, with: leafKey, algorithm: .rsaPSS(.sha256))
        #expect(forged.isSigned(by: chain.leaf))
        #expect(complaint(store, forged, [chain.leaf, chain.intermediate]) != nil)
    }

    @Test("A critical extension that nobody knows is refused") func unknownCriticalExtension() throws {
        let chain = try ChainFactory { $0.extraExtensions = [("1.3.6.1.4.1.55555.1", true, [0x05, 0x00])] }
        let store = try TrustStore(roots: [chain.root])
        #expect(complaint(store, chain.leaf, [chain.intermediate]) != nil)
        let harmless = try ChainFactory { $0.extraExtensions = [("1.3.6.1.4.1.55555.1", false, [0x05, 0x00])] }
        #expect(complaint(store, harmless.leaf, [harmless.intermediate]) == nil)
    }

    @Test("A signature with SHA-1 is refused") func weakSignature() throws {
        let chain = try ChainFactory()
        let store = try TrustStore(roots: [chain.root])
        var builder = CertificateBuilder(
            subject: [("CN", "weak")], issuer: [("CN", "Test intermediate")], notBefore: Self.now - 10, notAfter: Self.now + 10)
        builder.dnsNames = ["vault.example"]
        let leaf = try builder.sign(publicKey: try ReferenceKeys.rsa.get().publicKey, with: chain.intermediateKey, algorithm: .ecdsa(.sha1))
        #expect(complaint(store, leaf, [chain.intermediate]) != nil)
    }

    @Test("More intermediates than any chain has are refused unread") func manyIntermediates() throws {
        let chain = try ChainFactory()
        let store = try TrustStore(roots: [chain.root])
        let many = [Certificate](repeating: chain.intermediate, count: TrustStore.maximumIntermediateCount + 1)
        #expect(complaint(store, chain.leaf, many) == "more than 16 intermediates")
        #expect(complaint(store, chain.leaf, Array(many.dropLast())) == nil)
    }

    @Test("An address in the certificate, and no name for it") func addresses() throws {
        let chain = try ChainFactory { $0.dnsNames = ["127.0.0.1", "::1", "localhost"] }
        let store = try TrustStore(roots: [chain.root])
        for host in ["127.0.0.1", "::1", "0:0:0:0:0:0:0:1", "localhost"] {
            #expect(complaint(store, chain.leaf, [chain.intermediate], host: host) == nil)
            #expect(chain.leaf.matches(host: host))
        }
        #expect(complaint(store, chain.leaf, [chain.intermediate], host: "127.0.0.2") != nil)
    }

    @Test("Files, directories and what is wrong with them", .enabled(if: OpenSSLCommand.isAvailable, "no openssl")) func locations() throws
    {
        let chain = try ChainFactory()
        let folder = try OpenSSLCommand()
        let file = try folder.file("root.pem", chain.root.pem.utf8)
        let store = try TrustStore(files: [file], directories: [], includesSystemDefaults: false)
        #expect(complaint(store, chain.leaf, [chain.intermediate]) == nil)
        // OpenSSL finds a certificate in a directory by the hash of its name.
        let name = try folder.run(["x509", "-in", file, "-noout", "-subject_hash"]).prefix { $0 != "\n" }
        let directory = try OpenSSLCommand()
        _ = try directory.file("\(name).0", chain.root.pem.utf8)
        let hashed = try TrustStore(files: [], directories: [directory.directory], includesSystemDefaults: false)
        #expect(complaint(hashed, chain.leaf, [chain.intermediate]) == nil)

        let text = try folder.file("text", "not a certificate".utf8)
        let broken = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"
        let half = try folder.file("half.pem", (chain.root.pem + broken).utf8)
        #expect(store.certificateCount == 1 && hashed.certificateCount == nil)
        func reason(_ files: [String]) -> String? {
            do throws(CryptoError) {
                _ = try TrustStore(files: files, directories: [], includesSystemDefaults: false)
                return nil
            } catch { return error.description }
        }
        #expect(reason([file, half])?.hasPrefix("reading trusted certificates: \(half): ") == true)
        let empty = try folder.file("empty", "".utf8)
        for file in [text, empty] { #expect(reason([file]) == "reading trusted certificates: \(file): no certificate found") }
        let absent = folder.path("absent")
        #expect(reason([absent]) == "reading trusted certificates: \(absent): cannot be read: No such file or directory")
        for (files, directories) in [
            ([folder.path("absent")], []), ([text], []), ([folder.directory], []), ([], [folder.path("absent")]), ([], [file]), ([], []),
        ] as [([String], [String])] {
            #expect(throws: CryptoError.self) { _ = try TrustStore(files: files, directories: directories, includesSystemDefaults: false) }
        }
        do throws(CryptoError) { _ = try TrustStore(files: [folder.path("absent")], directories: [], includesSystemDefaults: false) } catch
        { #expect(error.description.contains(folder.path("absent"))) }
    }

    @Test(
        "C2: a FIFO in place of a file of authorities is refused at once", .enabled(if: OpenSSLCommand.isAvailable, "no openssl"),
        .timeLimit(.minutes(1))
    )
    func fifo() throws {
        let folder = try OpenSSLCommand()
        let path = folder.path("fifo")
        try #require(mkfifo(path, 0o600) == 0)
        #expect(throws: CryptoError(operation: "reading trusted certificates: \(path)", reason: "not a file")) {
            _ = try TrustStore(files: [path], directories: [], includesSystemDefaults: false)
        }
        #expect(throws: CryptoError(operation: "reading trusted certificates: \(path)", reason: "not a directory")) {
            _ = try TrustStore(files: [], directories: [path], includesSystemDefaults: false)
        }
    }

    @Test("A bundle of several authorities", .enabled(if: OpenSSLCommand.isAvailable, "no openssl")) func bundle() throws {
        let chain = try ChainFactory()
        let otherKey = try ReferenceKeys.p256.get()
        let impostor = try ChainFactory.authority("Test root", issuer: "Test root").sign(
            publicKey: otherKey.publicKey, with: otherKey, algorithm: .ecdsa(.sha256))
        let folder = try OpenSSLCommand()
        func store(_ text: String) throws -> TrustStore {
            let file = try folder.file("bundle.pem", text.utf8)
            return try TrustStore(files: [], directories: [], system: SystemAuthorities(file: file))
        }
        // Two of one name: the right one is found, whichever comes first.
        for text in ["# comment\n" + impostor.pem + chain.root.pem, chain.root.pem + "text\n" + impostor.pem] {
            let both = try store(text)
            #expect(both.certificateCount == 2)
            #expect(complaint(both, chain.leaf, [chain.intermediate]) == nil)
            #expect(complaint(both, chain.leaf, []) != nil)
        }
        // One of them in a named file, the other in the system's: neither hides the other.
        let (named, own) = (impostor.pem, chain.root.pem)
        for (file, system) in [(named, own), (own, named)] {
            let both = try TrustStore(
                files: [try folder.file("named.pem", file.utf8)], directories: [],
                system: SystemAuthorities(file: try folder.file("system.pem", system.utf8)))
            #expect(complaint(both, chain.leaf, [chain.intermediate]) == nil)
        }
        // An issuer that is spelled otherwise is the same to OpenSSL.
        let rootKey = try ReferenceKeys.p384.get()
        let shouting = try ChainFactory.authority("Test intermediate", issuer: "  TEST   ROOT ").sign(
            publicKey: chain.intermediate.publicKey, with: rootKey, algorithm: .ecdsa(.sha384))
        #expect(complaint(try store(chain.root.pem), chain.leaf, [shouting]) == nil)
        // What the chain brings along does not count.
        #expect(complaint(try store(impostor.pem), chain.leaf, [chain.intermediate, chain.root]) != nil)
    }

    @Test("A directory serves many threads, which ask for one name at once", .enabled(if: OpenSSLCommand.isAvailable, "no openssl"))
    func lazyLookup()
        async throws
    {
        let chain = try ChainFactory()
        let folder = try OpenSSLCommand()
        let file = try folder.file("root.pem", chain.root.pem.utf8)
        let name = try folder.run(["x509", "-in", file, "-noout", "-subject_hash"]).prefix { $0 != "\n" }
        _ = try folder.file("\(name).0", chain.root.pem.utf8)
        for _ in 0..<20 {
            let store = try TrustStore(files: [], directories: [], system: SystemAuthorities(directory: folder.directory))
            let failures = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { complaint(store, chain.leaf, [chain.intermediate]) == nil ? 0 : 1 } }
                return await group.reduce(0, +)
            }
            #expect(failures == 0)
        }
    }

    @Test("A system without authorities says so") func emptySystem() {
        let complaint = "this system has no certificate authorities (package ca-certificates is missing)"
        #expect(throws: CryptoError(operation: "reading trusted certificates", reason: complaint)) {
            _ = try TrustStore(files: [], directories: [], system: SystemAuthorities())
        }
    }

    @Test("The system's authorities do not vouch for a certificate of ours") func systemDefaults() throws {
        let chain = try ChainFactory()
        // A machine without ca-certificates says so instead.
        do throws(CryptoError) {
            let store = try TrustStore(files: [], directories: [], includesSystemDefaults: true)
            #expect(complaint(store, chain.leaf, [chain.intermediate, chain.root]) != nil)
        } catch { #expect(error.reason.contains("no certificate authorities")) }
    }

    @Test("One store serves many threads") func concurrency() async throws {
        let chain = try ChainFactory()
        let store = try TrustStore(roots: [chain.root])
        let failures = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var failures = 0
                    for _ in 0..<50 {
                        let host = task % 2 == 0 ? "vault.example" : "other.example"
                        let isRight = complaint(store, chain.leaf, [chain.intermediate], host: host) == nil
                        if isRight != (task % 2 == 0) { failures += 1 }
                    }
                    return failures
                }
            }
            return await group.reduce(0, +)
        }
        #expect(failures == 0)
    }
}
