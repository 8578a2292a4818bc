import BrokerConfiguration
import BrokerCore
import HTTPTransport
import Testing

@Suite("Configuration problems") struct ProblemTests {
    @Test("five mistakes in one file are five problems in one report") func fiveMistakes() throws {
        let found = try problems(
            """
            { "server":    { "htpp": "127.0.0.1:8080", "body-limit": "large" },
              "evidence":  { "use": "snp", "spn": { "interface": "auto" } },
              "verifier":  { "use": "maaa" },
              "key-stores":{ "use": [] } }
            """)
        #expect(
            found == [
                "server.htpp (file broker.json): unknown setting; did you mean server.http?",
                "server.body-limit (file broker.json): expected a whole number, found a string",
                "evidence.spn (file broker.json): no evidence provider 'spn' is built in; did you mean snp? (built in: snp, fixture)",
                "verifier.use (file broker.json): no verifier 'maaa' is built in; did you mean maa? (built in: maa)",
                "key-stores.use (file broker.json): the list is empty; a broker needs at least one key store",
            ])
    }

    @Test("mistakes of all layers are reported together") func allLayers() throws {
        let found = try problems(
            #"{ "log": { "level": "loud" } }"#,
            environment: ["BROKER_LOG_FROMAT": "json", "BROKER_WRAPPING_KEYS_POOL": "many", "Port": "eighty"],
            set: [("evidence.usr", "snp"), ("server.profile", "exact")])
        #expect(
            found == [
                "log.level (file broker.json): expected one of trace, debug, info, notice, warning, error, critical, found something else",
                "server.http (Port): expected a port from 1 to 65535",
                "environment BROKER_LOG_FROMAT: no setting has this variable; did you mean BROKER_LOG_FORMAT?",
                "wrapping-keys.pool (environment BROKER_WRAPPING_KEYS_POOL): expected a whole number, found other text",
                "evidence.usr (option --set): unknown setting; did you mean evidence.use?",
                "server.profile (option --set): expected one of compatible, precise, found something else",
            ])
    }

    @Test(
        "each type refuses the others",
        arguments: [
            (#"{"verifier":{"maa":{"user-agent":5}}}"#, "expected a string, found a number"),
            (#"{"verifier":{"maa":{"user-agent":null}}}"#, "expected a string, found null"),
            (#"{"verifier":{"maa":{"user-agent":{"a":1}}}}"#, "expected a string, found an object"),
            (#"{"evidence":{"snp":{"cache":"yes"}}}"#, "expected true or false, found a string"),
            (#"{"evidence":{"snp":{"cache":1}}}"#, "expected true or false, found a number"),
            (#"{"evidence":{"snp":{"vmpl":"1"}}}"#, "expected a whole number, found a string"),
            (#"{"evidence":{"snp":{"vmpl":1.5}}}"#, "expected a whole number, found a number with a fraction or exponent"),
            (#"{"evidence":{"snp":{"vmpl":4}}}"#, "expected 0 to 3, found 4"),
            (#"{"evidence":{"snp":{"vmpl":-1}}}"#, "expected 0 to 3, found -1"),
            (#"{"verifier":{"maa":{"timeout":10}}}"#, "expected a duration such as 500ms, 10s, 5m or 1h, found a number"),
            (#"{"verifier":{"maa":{"timeout":"10"}}}"#, "expected a duration such as 500ms, 10s, 5m or 1h, found other text"),
            (#"{"verifier":{"maa":{"timeout":"-1s"}}}"#, "expected a duration such as 500ms, 10s, 5m or 1h, found other text"),
            (#"{"verifier":{"maa":{"timeout":"+1s"}}}"#, "expected a duration such as 500ms, 10s, 5m or 1h, found other text"),
            (#"{"verifier":{"maa":{"endpoint":"https://a.attest.azure.net/x"}}}"#, "an endpoint is a host name without a path"),
            (#"{"verifier":{"maa":{"endpoint":true}}}"#, "expected a host name, found a boolean"),
            (#"{"evidence":{"snp":{"interface":"vtpm"}}}"#, "expected one of auto, device, configfs, found something else"),
            (#"{"evidence":{"use":["snp"]}}"#, "expected a string, found a list"),
            (#"{"key-stores":{"use":["akv",1]}}"#, "expected a list of strings, found a list with a number in it"),
            (#"{"key-stores":{"use":["akv","akv"]}}"#, "'akv' is listed twice"),
            (#"{"key-stores":{"use":["akv","vault"]}}"#, "no key store 'vault' is built in (built in: akv, mhsm)"),
            (#"{"evidence":{"use":""}}"#, "the name of the evidence provider is empty; built in: snp, fixture"),
            (#"{"wrapping-keys":{"size":1024}}"#, "expected 2048, 3072 or 4096, found 1024"),
            (#"{"wrapping-keys":{"pool":17}}"#, "expected 0 to 16, found 17"),
            (#"{"server":{"connection-limit":0}}"#, "expected 1 to 65536, found 0"),
            (#"{"server":{"request-timeout":"20m"}}"#, "expected 100ms to 10m, found 20m"),
            (#"{"server":{"http":"8080"}}"#, "expected HOST:PORT such as 127.0.0.1:8080 or [::1]:8080"),
            (#"{"server":{"http":8080}}"#, "expected HOST:PORT, found a number"),
            (#"{"server":{"unix":"run/broker"}}"#, "expected an absolute path"),
            (#"{"server":{"grpc":"50000"}}"#, "expected HOST:PORT such as 127.0.0.1:8080 or [::1]:8080"),
            (#"{"server":{"unix-mode":"666 "}}"#, "expected three octal digits such as 0660"),
            (#"{"server":{"unix-mode":"01777"}}"#, "expected three octal digits such as 0660"),
            (#"{"server":{"unix-mode":660}}"#, #"expected text such as "0660", found a number"#),
            (#"{"server":{"grpc-unix":"run/broker"}}"#, "expected an absolute path"),
            (#"{"key-provider":{"name":"a b"}}"#, "expected 1 to 64 letters, digits, '-', '_' and '.'"),
            (#"{"key-provider":{"keys":["k"]}}"#, "expected KID=KEY, found no '='"),
            (#"{"key-provider":{"keys":["a b=k"]}}"#, "expected a key's name or a resource URI before '='"),
            (
                #"{"key-provider":{"keys":["kbs:///a/b/c=http://x/keys/k"]}}"#,
                "expected a key's NAME, NAME/VERSION or https:// identifier behind '='"
            ), (#"{"key-provider":{"keys":["kbs:///a/b/*=k"]}}"#, "a KID that ends with /* is a resource URI, and its key is *"),
            (#"{"key-provider":{"keys":["kbs:///a/b/c=k","/a/b/c=j"]}}"#, "one KID has two keys"),
            (#"{"key-provider":{"public-keys":["k"]}}"#, "expected KID=FILE, the KID a key's name or a resource URI"),
            (#"{"key-provider":{"endpoints":["https://x/y"]}}"#, "an endpoint is a host name without a path"),
            (#"{"grpc":{"message-limit":100}}"#, "expected 4096 to 1048576, found 100"),
            (#"{"server":[]}"#, "expected an object with settings, found an array"),
            (#"{"evidence":{"snp":"auto"}}"#, "expected an object with settings, found a string"),
            (
                #"{"tls":{"connect-to":["contoso.vault.azure.net"]}}"#,
                "write HOST:PORT:ADDRESS:PORT, for example contoso.vault.azure.net:443:127.0.0.1:8443 or ::127.0.0.1:8443"
            ), (#"{"identity":{"imds-endpoint":"http://127.0.0.1/metadata"}}"#, "expected http://HOST or http://HOST:PORT, without a path"),
            (#"{"identity":{"client-id":"a&b"}}"#, "expected letters, digits and the characters of an identifier, without spaces"),
            (#"{"cloud":"azure"}"#, "expected one of public, us-government, china, found something else"),
        ] as [(String, String)]) func types(json: String, complaint: String) throws
    {
        let found = try problems(json)
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix("(file broker.json): \(complaint)") == true, "\(found)")
    }

    @Test(
        "the nearest declared name is offered",
        arguments: [
            ("server.body_limit", "server.body-limit"), ("server.Profile", "server.profile"), ("sever.http", "server.http"),
            ("interface", "evidence.snp.interface"), ("maa.timeout", "verifier.maa.timeout"),
            ("verifier.maa.endpiont", "verifier.maa.endpoint"), ("clout", "cloud"), ("log.lvl", "log.level"),
            ("wrapping-key.pool", "wrapping-keys.pool"),
        ]) func suggestions(written: String, meant: String) throws
    { #expect(try problems(set: [(written, "x")]) == ["\(written) (option --set): unknown setting; did you mean \(meant)?"]) }

    @Test("without anything near, the names in the block are listed") func knownNames() throws {
        #expect(
            try problems(set: [("log.zzzzzzzzz", "x")]) == [
                "log.zzzzzzzzz (option --set): unknown setting; known here: level, format, file, rotate"
            ])
        #expect(
            try problems(set: [("log", "x")]) == [
                "log (option --set): not a setting but a block; name a setting in it: level, format, file, rotate"
            ])
    }

    @Test("a path with dots is not taken for nested objects") func dottedMembers() throws {
        #expect(
            try problems(#"{"evidence.use":"fixture"}"#) == [
                "evidence.use (file broker.json): write it as nested objects, one for each '.'"
            ])
        #expect(
            try problems(#"{"evidence":{"snp.vmpl":1}}"#) == [
                "evidence.snp.vmpl (file broker.json): write it as nested objects, one for each '.'"
            ])
    }

    @Test(
        "a file that is not strict JSON is one problem with its line",
        arguments: [
            ("", "the document is empty"), ("{\n  \"cloud\": \"china\",\n}", "line 3"), ("{}\n{}", "line 2"),
            ("{\"cloud\":\"china\",\n\"cloud\":\"public\"}", "occurs twice"), ("[]", "expected an object, found an array"),
            ("\u{FEFF}{}", "byte order mark"), ("{\"cloud\": \"china\" // here\n}", "line 1"),
            (String(repeating: "[", count: 40), "nested deeper"), ("{\"cloud\":\"\\ud800\"}", "line 1"),
        ]) func badFiles(json: String, complaint: String) throws
    {
        let found = try problems(json)
        #expect(found.count == 1)
        #expect(found.first?.contains(complaint) == true, "\(found)")
    }

    @Test("of a huge file nothing is parsed, and of a file with many mistakes the first hundred are told") func hugeFiles() throws {
        let huge = "{\"cloud\":\"" + String(repeating: "x", count: ConfigurationFile.limit) + "\"}"
        #expect(try problems(huge) == ["file broker.json: longer than 1048576 bytes"])
        let many = "{" + (0..<5000).map { "\"unknown\($0)\":1" }.joined(separator: ",") + "}"
        let found = try problems(many)
        #expect(found.count == 101)
        #expect(found.last == "file broker.json: and 4900 more problems")
    }

    @Test("a problem never quotes a value, and an unknown name cannot break the line") func noValues() throws {
        let found = try problems(
            "{\"serv\\u001b[2Jer\\n\": 1, \"verifier\": {\"maa\": {\"timeout\": \"canary-51c0\", \"user-agent\": [\"canary-51c0\"]}}}",
            environment: ["BROKER_X\nY\u{1B}": "canary-51c0", "BROKER_LOG_LEVEL": "canary-51c0"],
            set: [("server.body-limit", "canary-51c0")])
        #expect(found.count == 6)
        for line in found {
            #expect(!line.contains("canary-51c0"))
            #expect(!line.contains { $0 == "\n" || $0 == "\u{1B}" })
        }
    }

    @Test("a missing required setting of a provider in use is found with everything else") func requiredSettings() throws {
        let registry = try TestRegistry.make(verifierSettings: [
            SettingKey<Endpoint>("endpoint", required: true, help: "Authority").declaration
        ])
        #expect(
            try problems(set: [("cloud", "moon")], registry: registry) == [
                "cloud (option --set): expected one of public, us-government, china, found something else",
                "verifier.maa.endpoint (default): required by the verifier in use, but not set (BROKER_VERIFIER_MAA_ENDPOINT)",
            ])
        // What an unreadable file may have said is not called missing.
        #expect(try problems("{", registry: registry).count == 1)
        #expect(try problems(environment: ["BROKER_VERIFIER_MAA_ENDPOINT": "a.attest.azure.net"], registry: registry) == [])
    }

    @Test("a default that this build cannot honour is a problem, unless somebody chose otherwise") func defaultsOfAnotherBuild() throws {
        let registry = try TestRegistry.make(evidence: ["fixture"], stores: ["mhsm"])
        #expect(
            try problems(registry: registry) == [
                "evidence.use (default): no evidence provider 'snp' is built in (built in: fixture)",
                "key-stores.use (default): no key store 'akv' is built in (built in: mhsm)",
            ])
        #expect(try problems(set: [("evidence.use", "fixture"), ("key-stores.use", "mhsm")], registry: registry) == [])
    }

    @Test("blocks of providers that are not in use are checked as well") func unselectedBlocks() throws {
        #expect(
            try problems(#"{"key-stores":{"use":"akv","mhsm":{"endpoint":"x"}},"evidence":{"fixture":{"seed":1}}}"#) == [
                "key-stores.mhsm.endpoint (file broker.json): 'x' is not a full host name such as contoso.vault.azure.net",
                "evidence.fixture.seed (file broker.json): unknown setting",
            ])
    }

    @Test("a file that cannot be read is a problem, not a crash") func unreadableFile() throws {
        #expect(throws: ConfigurationProblems.self) { try ConfigurationFile.read("/nonexistent/broker.json") }
        #expect(throws: ConfigurationProblems.self) { try ConfigurationFile.read("/tmp") }
        #expect(throws: ConfigurationProblems.self) { try ConfigurationFile.read("/dev/zero") }
    }
}
