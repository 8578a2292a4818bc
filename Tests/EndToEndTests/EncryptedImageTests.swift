import Foundation
import Testing

/// `samples/encrypted-image` with a real skopeo, and `cmd` mode without one.
@Suite(.serialized) struct EncryptedImageTests {
    private static let skopeo = ProcessInfo.processInfo.environment["SKOPEO_DIRECTORY"]

    @Test(
        "an image is encrypted, opened whatever made its packets, and stays closed to a machine that the policy does not admit",
        .enabled(if: skopeo != nil, "SKOPEO_DIRECTORY names no skopeo; samples/encrypted-image/skopeo.sh fetches one"))
    func sample() throws {
        let script = Program.packageRoot.appending(path: "samples/encrypted-image/run.sh")
        let result = try Program.run([Program.executable.path], executable: script)
        #expect(result.status == 0 && result.text.hasSuffix("done\n"), "\(result.text)\(result.errors)")
        #expect(result.text.components(separatedBy: "opened: ").count == 7)
    }

    @Test("'key-provider' answers on standard output, 'unwrap' opens what 'wrap' made, and 'config' names the program") func commands()
        throws
    {
        let azure = try LocalAzure()
        defer { azure.stop() }
        let jwk = try SampleKeys.rsa()
        try azure.importKey("image-key", at: LocalAzure.vault, jwk, policy: LocalAzure.policy())
        let file = try azure.scratch.write("b.json", try JSONSerialization.data(withJSONObject: azure.configuration)).path
        let with = ["--config", file, "--set", "key-stores.use=akv"]
        let payload = Data((0..<193).map { UInt8($0) })
        let parameter = Data("skr:image-key".utf8).base64EncodedString()
        let request =
            #"{"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"attestation-agent":["\#(parameter)"]}},"#
            + #""optsdata":"\#(payload.base64EncodedString())"},"keyunwrapparams":{"dc":null,"annotation":null}}"#
        let wrapped = try Program.run(["key-provider"] + with, input: Data(request.utf8))
        let results = try #require(wrapped.object["keywrapresults"] as? [String: [Int]], "\(wrapped.errors)")
        let annotation = Data(try #require(results["annotation"]).map { UInt8($0) })
        let members = try JSONSerialization.jsonObject(with: annotation) as? [String: String]
        #expect(members?["wrap_type"] == "RSA-OAEP-256+A256GCM" && members?["kms_endpoint"] == LocalAzure.vault)
        let unwrap = #"{"op":"keyunwrap","keyunwrapparams":{"annotation":"\#(annotation.base64EncodedString())"}}"#
        let opened = try Program.run(["key-provider"] + with, input: Data(unwrap.utf8))
        let numbers = try #require(opened.object["keyunwrapresults"] as? [String: [Int]], "\(opened.errors)")
        #expect(Data((numbers["optsdata"] ?? []).map { UInt8($0) }) == payload)

        let packet = try azure.scratch.write("packet", Data(annotation.base64EncodedString().utf8)).path
        let output = azure.scratch.path + "/opened"
        let result = try Program.run(["unwrap", packet, "--output", output, "--json"] + with)
        #expect(result.status == 0 && result.object["bytes"] as? Int == 193, "\(result.errors)")
        #expect(try Data(contentsOf: URL(filePath: output)) == payload)
        #expect(try Program.run(["unwrap", packet, "--print"] + with).output == payload)
        let denied = try Program.run(["unwrap", packet] + with + ["--set", "evidence.fixture.debug=true"])
        #expect(denied.status == 1 && denied.errors.contains("next:"), "\(denied.errors)")
        #expect(try Program.run(["key-provider", "--json"] + with, input: Data("{}".utf8)).status == 64)

        let configuration = try Program.run(["key-provider", "config"] + with).object["key-providers"] as? [String: [String: Any]]
        let command = configuration?["attestation-agent"]?["cmd"] as? [String: Any]
        #expect(
            (command?["args"] as? [String])?.starts(with: ["key-provider", "--config"]) == true, "\(String(describing: configuration))")
        let socket = try Program.run(["key-provider", "config", "--set", "server.grpc-unix=/run/g.sock"] + with).object
        #expect((socket["key-providers"] as? [String: [String: String]])?["attestation-agent"] == ["grpc": "unix:///run/g.sock"])
    }
}
