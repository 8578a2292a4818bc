import Foundation
import Testing

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "no openssl to decrypt with")) struct WrapCommandTests
{
    private static let openssl = URL(filePath: "/usr/bin/openssl")

    @Test("the packet is the original's, and the owner of the private key opens it", arguments: [2048, 3072]) func packet(bits: Int) throws
    {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let key = scratch.directory.appending(path: "key.pem").path
        let publicKey = scratch.directory.appending(path: "public.pem").path
        _ = try Program.run(["genrsa", "-out", key, "\(bits)"], executable: Self.openssl)
        _ = try Program.run(["rsa", "-in", key, "-pubout", "-out", publicKey], executable: Self.openssl)
        try scratch.write(
            "testkey000-info.json",
            #"{"public_key_path":"\#(publicKey)","kms_endpoint":"contoso.vault.azure.net","attester_endpoint":"sharedeus.eus.attest.azure.net"}"#
        )
        let plaintext = Data((0..<(bits / 8 - 66)).map { UInt8(truncatingIfNeeded: $0 * 7) })
        let input = try scratch.write("plain", plaintext).path
        let output = scratch.directory.appending(path: "wrapped").path
        let keyPath = scratch.directory.appending(path: "testkey000").path
        let result = try Program.run(["wrap", "-infile", input, "-keypath", keyPath, "-outfile", output])
        #expect(result.status == 0, "\(result.errors)")

        let packet = try #require(Data(base64Encoded: Data(contentsOf: URL(filePath: output))))
        let members = try #require(try JSONSerialization.jsonObject(with: packet) as? [String: String])
        #expect(members["kid"] == "testkey000")
        #expect(members["wrap_type"] == "rsa_\(bits)")
        #expect(members["kms_endpoint"] == "contoso.vault.azure.net")
        #expect(members["attester_endpoint"] == "sharedeus.eus.attest.azure.net")
        #expect(Set(members.keys) == ["kid", "wrap_type", "kms_endpoint", "attester_endpoint", "wrapped_data"])
        let wrapped = try scratch.write("block", try #require(Data(base64Encoded: members["wrapped_data"] ?? "")))
        let opened = try Program.run(
            [
                "pkeyutl", "-decrypt", "-inkey", key, "-in", wrapped.path, "-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt",
                "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256",
            ], executable: Self.openssl)
        #expect(opened.output == plaintext)

        let long = try scratch.write("long", plaintext + [0]).path
        let refused = try Program.run(["wrap", "-infile", long, "-keypath", keyPath])
        #expect(refused.status == 2 && refused.errors.contains("at most \(bits / 8 - 66)") && refused.text.isEmpty)
    }

    @Test("what is missing is named") func missing() throws {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let input = try scratch.write("plain", "x")
        let path = scratch.directory.appending(path: "k").path
        #expect(try Program.run(["wrap", "-infile", input, "-keypath", path]).errors.contains("k-info.json"))
        try scratch.write("k-info.json", #"{"kms_endpoint":"x"}"#)
        let result = try Program.run(["wrap", "-infile", input, "-keypath", path])
        #expect(result.status == 78 && result.errors.contains("public_key_path"))
        try scratch.write("k-info.json", #"{"public_key_path":"\#(input)"}"#)
        #expect(try Program.run(["wrap", "-infile", input, "-keypath", path]).errors.contains("PEM public key"))
    }
}
