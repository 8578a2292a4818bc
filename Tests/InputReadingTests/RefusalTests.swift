import InputReading
import OpenSSLCrypto
import SecureMemory
import Testing

@Suite("What is not recognised is refused by the name of what it looks like") struct RefusalTests {
    static let inputs: [(name: String, input: [UInt8])] = [
        ("empty", []), ("empty", Array(" \n".utf8)), ("HTML", Array("<!DOCTYPE html>\n<html><body>package policy</body></html>".utf8)),
        ("XML", Array("<?xml version=\"1.0\"?><a/>".utf8)), ("YAML", Array("# values\nimage: x\nreplicas: 2\n".utf8)),
        ("YAML", Array("---\n- a\n- b\n".utf8)), ("Bicep", Array("param name string\nresource g 'Microsoft.X/y@2023' = {\n}\n".utf8)),
        ("a Bicep parameter file", Array("using 'main.bicep'\nparam ccePolicy = '\(Subject.policyBase64)'\n".utf8)),
        ("Bicep", Array("targetScope = 'subscription'\n".utf8)), ("a Makefile", Array(".PHONY: all\nall: policy\n\techo\n".utf8)),
        ("a Makefile", Array("CC=cc\nall:\n\tpackage policy\n".utf8)), ("Terraform", Array("resource \"a\" \"b\" {\n}\n".utf8)),
        ("a Dockerfile", Array("FROM debian:12\nRUN true\n".utf8)), ("a script", Array("#!/bin/sh\nset -e\n".utf8)),
        ("source code", Array("package main\n\nimport \"fmt\"\n\nfunc main() {}\n".utf8)),
        ("source code", Array("package com.example.policy;\npublic class A {}\n".utf8)),
        ("Git LFS", Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\n".utf8)), ("gzip", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0]),
        ("ZIP", [0x50, 0x4B, 3, 4, 20, 0]), ("ELF", [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1]), ("PNG", [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10]),
        ("PDF", Array("%PDF-1.7\n".utf8)), ("binary data", [0, 1, 2, 0xFE, 0, 0xFF, 0xC0, 0xC1, 0x80]),
        ("text", Array("hello, world. This is prose".utf8)),
        ("a private key", Array("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n".utf8)),
        ("a private key", Array("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n-----END ENCRYPTED PRIVATE KEY-----\n".utf8)),
        ("a request for a certificate", Array("-----BEGIN CERTIFICATE REQUEST-----\nMIIE\n-----END CERTIFICATE REQUEST-----\n".utf8)),
        ("hexadecimal text of", Array("0123456789abcdef0011".utf8)), ("base64 text of", Array("AAECAwQFBgcICQoLDA0ODw==".utf8)),
        ("gzip", Array(Base64.encode([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).utf8)),
        ("YAML", [0xFF, 0xFE] + "a: b\nc: d\n".utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }),
    ]

    @Test("by every reader", arguments: inputs.indices) func strangers(_ index: Int) {
        let (name, input) = Self.inputs[index]
        func check(_ reader: String, _ read: () throws -> some Any) {
            let refusal = #expect(throws: InputRefusal.self, "\(reader) of \(name)") { try read() }
            #expect(
                refusal?.description.contains(name) == true && refusal?.advice.isEmpty == false,
                "\(reader): \(refusal.map { "\($0)" } ?? "")")
        }
        check("policy") { try SecurityPolicyInput.read(input) }
        check("report") { try ReportInput.kind.read(input) }
        check("certificates") { try CertificateInput.kind.read(input) }
        check("endorsement") { try EndorsementInput.kind.read(input) }
        check("token") { try TokenInput.kind.read(input) }
        check("keys") { try DocumentInput.keySet.read(input) }
        check("release policy") { try DocumentInput.releasePolicy.read(input) }
        check("public key") { try PublicKeyInput.kind.read(input) }
    }

    @Test("a kind of input in the place of another", arguments: Subject.all) func misplaced(_ subject: Subject) {
        // Its own readers, and what holds several kinds.
        let own = subject.description
        for (reader, isOwn, read) in [
            (
                "policy", own.contains("olicy in") || own.contains("template") || own == "parameter file" || own == "manifest",
                { _ = try SecurityPolicyInput.read($0) }
            ),
            (
                "report", own.contains("report") || own.contains("ioctl") || own.contains("attest") || own.contains("table behind"),
                { _ = try ReportInput.kind.read($0) }
            ),
            (
                "certificates", own.contains("ertificate") || own.contains("THIM") || own.contains("table") || own.contains("combined"),
                { _ = try CertificateInput.kind.read($0) }
            ),
            ("endorsement", own.contains("endorsement") || own.contains("combined"), { _ = try EndorsementInput.kind.read($0) }),
            ("token", own.contains("token"), { _ = try TokenInput.kind.read($0) }),
        ] as [(String, Bool, ([UInt8]) throws -> Void)] where !isOwn {
            let refusal = #expect(throws: InputRefusal.self, "\(own) read as \(reader)") { try read(subject.input) }
            // The words never hold the input.
            #expect(refusal.map { $0.description.utf8.count < 300 && !$0.description.contains(Subject.token) } == true)
        }
    }

    @Test("a certificate that is broken is told from what is none") func broken() {
        let pem = Subject.pem.replacing("MII", with: "MIJ", maxReplacements: 1)
        let refusal = #expect(throws: InputRefusal.self) { try CertificateInput.kind.read(Array(pem.utf8)) }
        #expect(refusal?.isBroken == true)
        let none = #expect(throws: InputRefusal.self) { try CertificateInput.kind.read(Subject.report) }
        #expect(none?.isBroken == false && none?.description.contains("an attestation report") == true)
    }

    @Test("the firmware's refusal is no report; a report of another length is the verifier's to judge") func reports() throws {
        let refused = Subject.word(0x16) + Subject.zeros(3996)
        #expect { try ReportInput.kind.read(refused) } throws: { "\($0)".contains("status 22") }
        for other in [Array(Subject.report.dropLast()), Subject.report + [0]] { #expect(try ReportInput.kind.readOne(other) == other) }
    }
}

@Suite("Private keys") struct PrivateKeyInputTests {
    private static func secret(_ bytes: [UInt8]) -> SecretBytes {
        SecretBytes(capacity: bytes.count) { output in
            output.copyBytes(from: bytes)
            return bytes.count
        }
    }

    @Test("in every encoding, and without leaving the memory of secrets") func encodings() throws {
        let key = try PrivateKey.generateEC(.p256)
        let der = try key.pkcs8DER().withUnsafeBytes { Array($0) }
        let pem = try key.pem().withUnsafeBytes { Array($0) }
        let text = String(decoding: pem, as: UTF8.self)
        var inputs = [der, pem, Array(text.replacing("\n", with: #"\n"#).utf8), Array(text.replacing("\n", with: " ").utf8)]
        for encoding in Encoding.all where !encoding.description.contains("hex") {
            inputs.append(encoding.encode(pem))
            if !encoding.isForText { inputs.append(encoding.encode(der)) }
        }
        for input in inputs {
            let read = try PrivateKeyInput.read(Self.secret(input))
            #expect(read.publicKey == key.publicKey, "\(String(decoding: input.prefix(40), as: UTF8.self))")
        }
    }

    @Test("what is no private key") func strangers() {
        for (input, words) in [
            (Subject.pem, "looks like a certificate"), ("hello", "no private key"), ("", "no private key"),
            (Subject.token, "no private key"),
            ("-----BEGIN PUBLIC KEY-----\nMIIE\n-----END PUBLIC KEY-----\n", "looks like a public key"),
        ] { #expect { try PrivateKeyInput.read(Self.secret(Array(input.utf8))) } throws: { "\($0)".contains(words) } }
    }

    @Test(
        "case 36: a key with its public key attached is named, with the command that makes a plain one",
        arguments: [EllipticCurve.p256, .p521])
    func attachedPublicKey(_ curve: EllipticCurve) throws {
        let key = try PrivateKey.generateEC(curve)
        let plain = try key.pkcs8DER().withUnsafeBytes { Array($0) }
        // OneAsymmetricKey: version 1, and [1] with the public key behind the private one.
        let head = plain[1] & 0x80 == 0 ? 2 : Int(plain[1] & 0x7F) + 2
        let attached = Array(plain[head...]).enumerated().map { $0.offset == 2 ? 1 : $0.element } + [0x81, 3, 0, 4, 4]
        let count = attached.count
        let length: [UInt8] =
            count < 128 ? [UInt8(count)] : count < 256 ? [0x81, UInt8(count)] : [0x82, UInt8(count >> 8), UInt8(count & 0xFF)]
        #expect {
            try PrivateKeyInput.read(Self.secret([0x30] + length + attached))
        } throws: { error in
            // The command starts with the very bytes that a plain key has in front of its octet string's content.
            let words = "\(error)"
            guard let start = words.firstRange(of: "printf '"), let end = words.firstRange(of: "'; openssl asn1parse -inform DER") else {
                return false
            }
            let octal = words[start.upperBound..<end.lowerBound].split(separator: "\\").compactMap { UInt8($0, radix: 8) }
            return words.contains("RFC 5958") && octal.count > 20 && plain.starts(with: octal)
        }
    }

    @Test("case 19: bytes that are text for other bytes") func encodedKeys() {
        let key = (0..<32).map { UInt8($0 * 7) }
        for (input, encoding) in [
            (Array(Hex.encode(key).utf8), SecretText.Encoding.hex), (Array((Hex.encode(key).uppercased() + "\r\n").utf8), .hex),
            (Array(Base64.encode(key).utf8), .base64), (Array((Base64.encodeURL(key) + "\n").utf8), .base64), (key, nil),
            (Array("correct horse battery staple, 32".utf8), nil),
        ] as [([UInt8], SecretText.Encoding?)] {
            let text = Self.secret(input)
            #expect(text.withUnsafeBytes(SecretText.encoding) == encoding, "\(input)")
            guard let encoding else { continue }
            let decoded = text.withUnsafeBytes { text -> [UInt8]? in
                if let secret = SecretText.decoded(text, from: encoding) { secret.withUnsafeBytes { Array($0) } } else { nil }
            }
            #expect(decoded == key)
        }
    }
}
