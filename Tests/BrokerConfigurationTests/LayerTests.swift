import AzureServices
import BrokerConfiguration
import BrokerCore
import BrokerEngine
import BrokerObservability
import HTTPTransport
import Logging
import PlainText
import Testing

@Suite("Configuration layers") struct LayerTests {
    @Test("nothing at all gives the declared defaults") func defaults() throws {
        let configuration = try load()
        #expect(configuration.server.http == HostAndPort(listening: "127.0.0.1:8080"))
        #expect(configuration.server.unix == nil)
        #expect(configuration.server.profile == .compatible)
        #expect(configuration.server.bodyLimit == 1_048_576)
        #expect(configuration.server.headerTimeout == .seconds(10))
        #expect(configuration.server.bodyTimeout == .seconds(30))
        #expect(configuration.server.idleTimeout == .seconds(60))
        #expect(configuration.server.connectionLimit == 512)
        #expect(configuration.server.drainTimeout == .seconds(10))
        #expect(configuration.engine.requestTimeout == .seconds(30))
        #expect(configuration.evidence.name == "snp")
        #expect(configuration.verifier.name == "maa")
        #expect(configuration.keyStores.map(\.name) == ["akv", "mhsm"])
        #expect(configuration.identity.use == .auto)
        #expect(configuration.identity.clientID == nil)
        #expect(configuration.identity.imdsEndpoint == nil)
        #expect(configuration.tls.trust == TLSTrust())
        #expect(configuration.tls.connectTo.isEmpty)
        #expect(configuration.identity.cloud == .public)
        #expect(configuration.wrappingKeys.size == .bits2048)
        #expect(configuration.wrappingKeys.pool == 2)
        #expect(configuration.log.level == .info)
        #expect(configuration.log.format == .text)
        #expect(configuration.log.file == nil)
        #expect(configuration.warnings.isEmpty)
        #expect(configuration.effective.allSatisfy { $0.source == .builtIn })
    }

    @Test("the example of the design page is accepted") func designExample() throws {
        let configuration = try load(
            """
            { "server":    { "http": "127.0.0.1:8080", "grpc": "", "unix": "", "profile": "compatible" },
              "evidence":  { "use": "snp", "snp": { "interface": "auto" } },
              "verifier":  { "use": "maa", "maa": { "endpoint": "sharedeus2.eus2.attest.azure.net" } },
              "key-stores":{ "use": ["akv", "mhsm"], "akv": { "endpoint": "contoso.vault.azure.net" } },
              "identity":  { "use": "auto" },
              "tls":       { "ca-file": "" } }
            """)
        let endpoint = SettingKey<Endpoint>("endpoint", help: "")
        #expect(try configuration.verifier.settings(endpoint).host == "sharedeus2.eus2.attest.azure.net")
        #expect(configuration.keyStores.first?.settings.path == "key-stores.akv")
        #expect(try configuration.keyStores.first?.settings(endpoint).host == "contoso.vault.azure.net")
        #expect(try configuration.keyStores.last?.settings.optional(endpoint) == nil)
        #expect(configuration.tls.trust == TLSTrust())
        #expect(configuration.warnings.isEmpty)
    }

    @Test("every broker setting can be set in the file") func everySetting() throws {
        let configuration = try load(
            """
            { "server": { "http": "[::1]:0", "unix": "/run/broker.sock", "profile": "precise", "body-limit": 2048,
                          "header-timeout": "500ms", "body-timeout": "5s", "idle-timeout": "2m", "connection-limit": 7,
                          "drain-timeout": "0s", "request-timeout": "1m", "release-limit": 5, "release-queue": 0 },
              "identity": { "use": "workload-identity", "client-id": "4d1f", "tenant-id": "t", "authority-host": "login.example.com",
                            "federated-token-file": "/var/token", "imds-endpoint": "http://127.0.0.1:8081", "timeout": "3s" },
              "tls": { "ca-file": ["/a.pem", "/b.pem"], "connect-to": ["contoso.vault.azure.net:443:127.0.0.1:8443"] },
              "cloud": "us-government",
              "wrapping-keys": { "size": 3072, "pool": 0 },
              "release-session": { "max-age": "60s", "max-uses": 9 },
              "log": { "level": "debug", "format": "json", "file": "/var/log/broker" } }
            """)
        #expect(configuration.server.http?.host == "::1")
        #expect(configuration.server.http?.port == 0)
        #expect(configuration.server.unix == "/run/broker.sock")
        #expect(configuration.server.profile == .precise)
        #expect(configuration.server.bodyLimit == 2048)
        #expect(configuration.server.headerTimeout == .milliseconds(500))
        #expect(configuration.server.bodyTimeout == .seconds(5))
        #expect(configuration.server.idleTimeout == .seconds(120))
        #expect(configuration.server.connectionLimit == 7)
        #expect(configuration.server.drainTimeout == .zero)
        #expect(configuration.engine.requestTimeout == .seconds(60))
        #expect(configuration.engine.releaseLimit == 5)
        #expect(configuration.engine.releaseQueue == 0)
        #expect(configuration.engine.session?.maxAge == .seconds(60))
        #expect(configuration.engine.session?.maxUses == 9)
        #expect(configuration.identity.use == .workloadIdentity)
        #expect(configuration.identity.clientID == "4d1f")
        #expect(configuration.identity.tenantID == "t")
        #expect(configuration.identity.authorityHost == "login.example.com")
        #expect(configuration.identity.federatedTokenFile == "/var/token")
        #expect(configuration.identity.imdsEndpoint == "http://127.0.0.1:8081")
        #expect(configuration.identity.timeout == .seconds(3))
        #expect(configuration.tls.trust.files == ["/a.pem", "/b.pem"])
        #expect(configuration.tls.trust.includesSystemDefaults)
        #expect(configuration.tls.connectTo.map(\.description) == ["contoso.vault.azure.net:443:127.0.0.1:8443"])
        #expect(configuration.identity.cloud == .usGovernment)
        #expect(configuration.wrappingKeys.size == .bits3072)
        #expect(configuration.wrappingKeys.pool == 0)
        #expect(configuration.log.level == .debug)
        #expect(configuration.log.format == .json)
        #expect(configuration.log.file == "/var/log/broker")
    }

    @Test("file, then the original's inputs, then BROKER_ variables, then options; the later wins") func precedence() throws {
        let file = #"{ "server": { "http": "127.0.0.1:1001" } }"#
        var environment: [String: String] = [:]
        var port: Int? { get throws { try load(file, environment: environment).server.http?.port } }
        #expect(try port == 1001)
        environment["Port"] = "1002"
        #expect(try port == 1002)
        environment["BROKER_SERVER_HTTP"] = "127.0.0.1:1003"
        #expect(try port == 1003)
        let options = [("server.http", "127.0.0.1:1004"), ("server.http", "127.0.0.1:1005")]
        let configuration = try load(file, environment: environment, set: options)
        #expect(configuration.server.http?.port == 1005)
        #expect(configuration.effective("server.http")?.source == .option("--set"))
    }

    @Test("a setting left alone by a later layer keeps its value from an earlier one") func merge() throws {
        let configuration = try load(
            #"{ "verifier": { "maa": { "timeout": "7s", "user-agent": "file" } } }"#,
            environment: ["BROKER_VERIFIER_MAA_USER_AGENT": "variable"])
        #expect(try configuration.verifier.settings(SettingKey<Duration>("timeout", help: "")) == .seconds(7))
        #expect(try configuration.verifier.settings(SettingKey<String>("user-agent", help: "")) == "variable")
    }

    @Test(
        "variables are the path in upper case",
        arguments: [
            ("BROKER_EVIDENCE_USE", "fixture", "evidence.use"),
            ("BROKER_KEY_STORES_AKV_ENDPOINT", "contoso.vault.azure.net", "key-stores.akv.endpoint"),
            ("BROKER_KEY_STORES_USE", "mhsm, akv", "key-stores.use"), ("BROKER_CLOUD", "china", "cloud"),
            ("BROKER_WRAPPING_KEYS_POOL", "16", "wrapping-keys.pool"), ("BROKER_EVIDENCE_SNP_CACHE", "false", "evidence.snp.cache"),
            ("BROKER_SERVER_REQUEST_TIMEOUT", "45s", "server.request-timeout"), ("BROKER_TLS_CA_FILE", "/a.pem,/b.pem", "tls.ca-file"),
            ("BROKER_TLS_CONNECT_TO", "::127.0.0.1:8443", "tls.connect-to"),
        ]) func variables(name: String, text: String, path: String) throws
    {
        let configuration = try load(environment: [name: text])
        #expect(configuration.effective(path)?.value == text)
        #expect(configuration.effective(path)?.source == .environment(name))
    }

    @Test("text of a variable takes the declared type") func typedText() throws {
        let configuration = try load(
            environment: ["BROKER_KEY_STORES_USE": "mhsm, akv", "BROKER_WRAPPING_KEYS_SIZE": "4096"],
            set: [("tls.ca-file", "/a.pem,/b.pem"), ("server.http", ""), ("server.unix", "/run/b")])
        #expect(configuration.keyStores.map(\.name) == ["mhsm", "akv"])
        #expect(configuration.wrappingKeys.size == .bits4096)
        #expect(configuration.tls.trust.files == ["/a.pem", "/b.pem"])
        #expect(configuration.server.http == nil)
    }

    @Test("SSL_CERT_FILE and SSL_CERT_DIR take the place of the system's authorities") func certificateVariables() throws {
        let file = #"{ "tls": { "ca-file": "/own.pem" } }"#
        let both = try load(file, environment: ["SSL_CERT_FILE": "/bundle.pem", "SSL_CERT_DIR": "/certs:/more"]).tls
        #expect(
            both.trust == TLSTrust(files: ["/own.pem", "/bundle.pem"], directories: ["/certs", "/more"], includesSystemDefaults: false))
        let empty = try load(file, environment: ["SSL_CERT_FILE": "", "SSL_CERT_DIR": ""]).tls
        #expect(empty.trust == TLSTrust(files: ["/own.pem"]))
    }

    @Test("an assignment is taken apart at its first equals sign") func assignments() {
        #expect(SettingOverride(assignment: "a.b=c=d") == SettingOverride(path: "a.b", text: "c=d"))
        #expect(SettingOverride(assignment: "a.b=") == SettingOverride(path: "a.b", text: ""))
        #expect(SettingOverride(assignment: "=c") == nil)
        #expect(SettingOverride(assignment: "a.b") == nil)
    }

    @Test("effective settings show where each comes from and no secret") func effective() throws {
        let configuration = try load(
            #"{ "key-stores": { "use": "akv", "akv": { "test-credential": "canary-7f2a" }, "mhsm": { "endpoint": "a.managedhsm.azure.net" } } }"#
        )
        #expect(configuration.effective("key-stores.akv.test-credential")?.value == "<secret>")
        #expect(configuration.effective("key-stores.mhsm.endpoint")?.value == "a.managedhsm.azure.net")
        #expect(configuration.effective("key-stores.mhsm.additional-endpoints") == nil)
        #expect(configuration.effective("verifier.maa.endpoint")?.value == nil)
        #expect(configuration.effective("verifier.maa.timeout")?.description == "verifier.maa.timeout = 10s (default)")
        #expect(!configuration.effective.contains { $0.description.contains("canary-7f2a") })
    }
}
