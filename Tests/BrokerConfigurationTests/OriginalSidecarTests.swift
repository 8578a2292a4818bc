import AzureServices
@testable import BrokerConfiguration
import BrokerCore
import Logging
import OpenSSLCrypto
import PlainText
import Testing

@Suite("Inputs of the original sidecar") struct OriginalSidecarTests {
    private func arguments(_ json: String) -> [String: String] { ["SkrSideCarArgs": Base64.encode(Array(json.utf8))] }

    @Test("Port becomes a loopback address") func port() throws {
        let configuration = try load(environment: ["Port": "9000"])
        #expect(configuration.server.http?.description == "127.0.0.1:9000")
        #expect(configuration.effective("server.http")?.source.description == "Port")
        #expect(try load(environment: ["Port": ""]).server.http?.port == 8080)
    }

    @Test("a port that is none is refused", arguments: ["0", "65536", "80a", "-1", "+80", "080800", " 80", "0x50"]) func badPort(
        text: String
    ) throws { #expect(try problems(environment: ["Port": text]) == ["server.http (Port): expected a port from 1 to 65535"]) }

    @Test(
        "LogLevel has the original's names",
        arguments: [
            ("trace", Logger.Level.trace), ("debug", .debug), ("info", .info), ("warning", .warning), ("warn", .warning), ("error", .error),
            ("fatal", .critical), ("panic", .critical), ("Warning", .warning),
        ]) func logLevel(name: String, level: Logger.Level) throws
    { #expect(try load(environment: ["LogLevel": name]).log.level == level) }

    @Test("an unknown LogLevel is refused") func badLogLevel() throws {
        #expect(
            try problems(environment: ["LogLevel": "loud"]) == [
                "log.level (LogLevel): expected trace, debug, info, warning, error, fatal or panic"
            ])
    }

    @Test("LogFile becomes log.file") func logFile() throws {
        #expect(try load(environment: ["LogFile": "/var/log/skr"]).log.file == "/var/log/skr")
    }

    @Test("ServerType chooses one of the two interfaces, with its own port") func serverType() throws {
        #expect(try load(environment: ["ServerType": "http"]).grpc.places == [])
        let grpc = try load(environment: ["ServerType": "grpc"])
        #expect(grpc.server.http == nil && grpc.grpc.places.map(\.description) == ["127.0.0.1:50000"])
        #expect(try load(environment: ["ServerType": "GRPC", "Port": "9000"]).grpc.places.map(\.description) == ["127.0.0.1:9000"])
        #expect(
            try problems(environment: ["ServerType": "ttrpc"]) == ["server.grpc (ServerType): expected http or grpc, found something else"])
        #expect(
            try problems(environment: ["ServerType": "grpc", "Port": "x"]) == ["server.grpc (Port): expected a port from 1 to 65535"])
    }

    @Test("SkrSideCarArgs names the identity and the user agent") func sidecarArguments() throws {
        let configuration = try load(
            environment: arguments(
                #"{"identity":{"client_id":"11111111-2222-3333-4444-555555555555"},"maaconfig":{"user_agent":"my-agent"}}"#))
        #expect(configuration.identity.clientID == "11111111-2222-3333-4444-555555555555")
        #expect(try configuration.verifier.settings(SettingKey<String>("user-agent", help: "")) == "my-agent")
        #expect(configuration.warnings.isEmpty)
        #expect(configuration.effective("identity.client-id")?.source == .original("SkrSideCarArgs identity.client_id"))
    }

    @Test("members that are empty, null or not there change nothing") func emptyMembers() throws {
        let configuration = try load(environment: arguments(#"{"identity":{"client_id":""},"maaconfig":null,"certcache":null}"#))
        #expect(configuration.identity.clientID == nil)
        #expect(configuration.warnings.isEmpty)
        #expect(try load(environment: arguments("{}")).warnings.isEmpty)
    }

    @Test("unknown members are told and change nothing") func notUnderstood() throws {
        let configuration = try load(environment: arguments(#"{"certcache":{"other":1,"endpoint_type":""},"other":1,"identity":{"x":1}}"#))
        #expect(
            configuration.warnings == [
                "SkrSideCarArgs: 'certcache.other' is not known and was ignored", "SkrSideCarArgs: 'other' is not known and was ignored",
                "SkrSideCarArgs: 'identity.x' is not known and was ignored",
            ])
    }

    @Test(
        "certcache names the source that is asked first, and how",
        arguments: [
            (
                #"{"endpoint_type":"AMD","endpoint":"kds.example/vcek/v1","tee_type":"Milan"}"#,
                ["kds-endpoint": "kds.example", "product": "milan"], "kds"
            ),
            (
                #"{"endpoint_type":"LocalTHIM","endpoint":"169.254.169.254/metadata/THIM/amd/certification"}"#,
                ["thim-endpoint": "169.254.169.254"], "thim"
            ),
            (
                #"{"endpoint_type":"AzCache","endpoint":"cache.example","tee_type":"SevSnpVM","api_version":"api-version=1","client_id":"clientId=x"}"#,
                [
                    "azure-cache-endpoint": "cache.example", "azure-cache-tee-type": "SevSnpVM",
                    "azure-cache-query": "api-version=1&clientId=x",
                ], "azure-cache"
            ),
        ]) func certificateCache(text: String, settings: [String: String], first: String) throws
    {
        let inputs = OriginalSidecarInputs(environment: arguments(#"{"certcache":\#(text)}"#))
        let translated = inputs.translated()
        #expect(translated.problems.isEmpty && translated.warnings.isEmpty)
        var seen: [String: String] = [:]
        for setting in translated.settings {
            let name = String(setting.path.dropFirst("evidence.snp.".count))
            if case .list(let sources) = setting.value {
                #expect(name == "endorsement-sources" && sources.count == 5)
                #expect(sources.prefix(3) == ["security-context", "report", first])
            } else {
                seen[name] = setting.value.text
            }
        }
        #expect(seen == settings)
    }

    @Test("certcache of a kind that is not known is refused") func unknownCertificateCache() throws {
        for text in [#"{"endpoint_type":"Other"}"#, #"{"endpoint_type":"AMD","endpoint":1}"#, "1"] {
            let inputs = OriginalSidecarInputs(environment: arguments(#"{"certcache":\#(text)}"#))
            #expect(inputs.translated().problems.count == 1, "\(text)")
        }
    }

    @Test(
        "what is not base64 of such JSON is refused",
        arguments: [
            ("not base64!", "SkrSideCarArgs: expected standard base64 of a JSON object"),
            ("e30", "SkrSideCarArgs: expected standard base64 of a JSON object"),
            ("W10=", "SkrSideCarArgs: the decoded text: expected an object, found an array"),
            ("eyJhIjoxLCJhIjoyfQ==", "SkrSideCarArgs: the decoded text: line 1, byte"),
            (
                "eyJpZGVudGl0eSI6eyJjbGllbnRfaWQiOjV9fQ==",
                "identity.client-id (SkrSideCarArgs): identity.client_id: expected a string, found a number"
            ), ("eyJpZGVudGl0eSI6W119", "identity.client-id (SkrSideCarArgs): identity: expected an object, found an array"),
        ]) func badArguments(text: String, complaint: String) throws
    {
        let found = try problems(environment: ["SkrSideCarArgs": text])
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix(complaint) == true, "\(found)")
    }

    @Test("line ends inside the base64 text are skipped, as the original does") func wrappedBase64() throws {
        #expect(try load(environment: ["SkrSideCarArgs": "e3\n0=\r\n"]).warnings.isEmpty)
    }

    @Test("the flags win over the variables of the same meaning") func flags() throws {
        let environment = ["Port": "9000", "LogLevel": "debug", "LogFile": "/a", "ServerType": "grpc"]
        let original = OriginalSidecarInputs(
            environment: environment, base64: Base64.encode(Array(#"{"identity":{"client_id":"flag"}}"#.utf8)), port: "9001",
            logLevel: "error", logFile: "/b", serverType: "http")
        let configuration = try load(environment: environment, original: original)
        #expect(configuration.server.http?.port == 9001)
        #expect(configuration.log.level == .error)
        #expect(configuration.log.file == "/b")
        #expect(configuration.identity.clientID == "flag")
        #expect(configuration.effective("log.level")?.source == .original("-loglevel"))
    }

    @Test("they never override a BROKER_ variable or an option, and say so when they replace the file's value") func rank() throws {
        let explicit = try load(
            environment: ["LogLevel": "debug", "BROKER_LOG_LEVEL": "error", "Port": "9000"], set: [("server.http", "127.0.0.1:7000")])
        #expect(explicit.log.level == .error)
        #expect(explicit.server.http?.port == 7000)
        let overFile = try load(#"{"log":{"level":"trace"}}"#, environment: ["LogLevel": "debug"])
        #expect(overFile.log.level == .debug)
        #expect(overFile.warnings == ["LogLevel replaces log.level of file broker.json"])
    }

    @Test("an input for a setting that this build does not have is a warning") func missingSetting() throws {
        let registry = try TestRegistry.make(verifierSettings: [])
        let configuration = try load(environment: arguments(#"{"maaconfig":{"user_agent":"x"}}"#), registry: registry)
        #expect(
            configuration.warnings == ["SkrSideCarArgs maaconfig.user_agent: this build has no setting verifier.maa.user-agent; ignored"])
    }
}
