import Foundation
import Testing

/// Somebody else's tools judge `samples/openapi.json`: as a document, and against a running broker.
///
/// `python3 -m venv ENV && ENV/bin/pip install openapi-spec-validator schemathesis`, then `SIMULATOR_TEST_PYTHON=ENV/bin/python3`.
@Suite struct OpenAPIToolTests {
    private static let document = Program.packageRoot.appending(path: "samples/openapi.json").path
    private static let python: URL? = {
        let name = ProcessInfo.processInfo.environment["SIMULATOR_TEST_PYTHON"] ?? "/usr/bin/python3"
        let test = try? Program.run(["-c", "import openapi_spec_validator, schemathesis"], executable: URL(filePath: name))
        return test?.status == 0 ? URL(filePath: name) : nil
    }()

    @Test(
        "the document is OpenAPI, and a schema-driven tester finds no answer that it does not describe",
        .enabled(if: python != nil, "openapi-spec-validator and schemathesis are not installed for SIMULATOR_TEST_PYTHON"),
        arguments: ["compatible", "precise"]) func tools(_ profile: String) throws
    {
        let python = try #require(Self.python)
        let valid = try Program.run(["-m", "openapi_spec_validator", Self.document], executable: python)
        #expect(valid.status == 0, "\(valid.text)\(valid.errors)")

        let azure = try LocalAzure()
        // The name of the document's example, so that there is a key to release.
        let key = ["kty": "oct-HSM", "k": Data(repeating: 7, count: 32).base64URL]
        let imported = try azure.importKey("my-key", at: LocalAzure.managedHSM, key, policy: LocalAzure.policy())
        #expect(imported.status == 200, "\(imported.object)")
        let broker = try azure.serve(["server.profile=\(profile)", "key-stores.use=mhsm"])
        let scratch = try Scratch()
        defer { scratch.remove() }
        // It leaves files where it is started.
        let tested = try Program.run(
            [
                "-c", "cd \"$0\" && exec \"$@\"", scratch.path, python.path, "-m", "schemathesis.cli", "run", Self.document, "--url",
                "http://127.0.0.1:\(broker.port)", "--checks",
                "status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance", "--phases",
                "examples,coverage,fuzzing", "--mode", "all", "--max-examples", "20", "--seed", "17", "--no-color", "--report", "junit",
                "--report-junit-path", scratch.path + "/report.xml",
            ], executable: URL(filePath: "/bin/sh"))
        #expect(tested.status == 0, "\(tested.text)\(tested.errors)")
        let report = try String(contentsOfFile: scratch.path + "/report.xml", encoding: .utf8)
        // One case for each route, and one that got its key.
        #expect(report.components(separatedBy: "<testcase ").count == 9, "\(report)")
        #expect(try broker.release("my-key").status == 200)
        #expect(broker.program.stop() == 0)
    }
}
