import AzureServices
import BrokerConfiguration
import PlainText
import Testing

@Suite("Settings that go together, or do not") struct CombinationTests {
    @Test("gRPC serves beside REST or instead of it, and TLS is set up whole") func grpc() throws {
        let both = try load(#"{"server":{"grpc":"127.0.0.1:0","grpc-unix":"/run/g","unix-group":"users","unix-mode":"0600"}}"#)
        #expect(both.grpc.places.map(\.description) == ["127.0.0.1:0", "unix:/run/g"])
        #expect(both.grpc.socketFile == SocketFileOptions(mode: 0o600, group: "users") && both.server.socketFile == both.grpc.socketFile)
        #expect(both.grpc.tls == nil && !both.grpc.hasReflection && both.warnings.isEmpty)
        let alone = try load(#"{"server":{"http":"","grpc-unix":"/run/g"}}"#)
        #expect(alone.server.http == nil && alone.grpc.places == [.unix("/run/g")])
        let tls = #""certificate":"/c","key":"/k""#
        let secure = try load(#"{"server":{"grpc":"0.0.0.0:50000","tls":{\#(tls),"client-ca":"/a"}}}"#)
        #expect(secure.grpc.tls?.clientAuthorities == "/a" && secure.server.tls == secure.grpc.tls && secure.warnings.isEmpty)
        #expect(try load(#"{"server":{"grpc":"0.0.0.0:50000","grpc-unprotected":true,"tls":{\#(tls)}}}"#).warnings.count == 1)
        for (listeners, http, grpc) in [("all", true, true), ("http", true, false), ("grpc", false, true)] {
            let some = try load(
                #"{"server":{"grpc":"0.0.0.0:50000","grpc-unprotected":true,"tls":{\#(tls),"client-ca":"/a","listeners":"\#(listeners)"}}}"#
            )
            #expect((some.server.tls != nil) == http && (some.grpc.tls != nil) == grpc && some.warnings.isEmpty == grpc)
        }
        for (json, path) in [
            (#"{"server":{"grpc":"0.0.0.0:50000","tls":{\#(tls)}}}"#, "server.grpc"),
            (#"{"server":{"grpc":"127.0.0.1:1","tls":{"key":"/k"}}}"#, "server.tls.certificate"),
            (#"{"server":{"grpc":"127.0.0.1:1","tls":{"client-ca":"/k"}}}"#, "server.tls.client-ca"),
            (#"{"server":{"unix":"/run/b","grpc-unix":"/run/b"}}"#, "server.grpc-unix"),
        ] {
            let found = try problems(json)
            #expect(found.count == 1 && found.first?.hasPrefix("\(path) (") == true, "\(found)")
        }
    }

    @Test("an identity is named once") func identitySelectors() throws {
        #expect(
            try problems(#"{"identity":{"client-id":"a","object-id":"b"}}"#) == [
                "identity.object-id (file broker.json): an identity is named once; identity.client-id and identity.object-id are set"
            ])
        #expect(try problems(#"{"identity":{"client-id":"a","object-id":""}}"#) == [])
        #expect(try load(#"{"identity":{"client-id":"a","object-id":""}}"#).identity.objectID == nil)
    }

    @Test("an identity of one kind takes no settings of the other") func identityKinds() throws {
        #expect(
            try problems(#"{"identity":{"use":"workload-identity","resource-id":"/subscriptions/x"}}"#) == [
                "identity.resource-id (file broker.json): has no meaning with identity.use workload-identity"
            ])
        #expect(
            try problems(#"{"identity":{"use":"managed-identity","tenant-id":"t"}}"#) == [
                "identity.tenant-id (file broker.json): has no meaning with identity.use managed-identity"
            ])
        let none = try load(#"{"identity":{"use":"none","client-id":"a"}}"#)
        #expect(none.warnings == ["identity.client-id (file broker.json): not used with identity.use none"])
    }

    @Test("something must listen, and on a loopback address unless somebody says otherwise") func listening() throws {
        #expect(
            try problems(#"{"server":{"http":""}}"#) == [
                "server.http (file broker.json): nothing to serve on: server.unix, server.grpc, server.grpc-unix are empty too"
            ])
        #expect(try load(#"{"server":{"http":"","unix":"/run/b"}}"#).warnings.isEmpty)
        let refused = try problems(#"{"server":{"http":"0.0.0.0:8080"}}"#)
        #expect(refused.count == 1)
        #expect(refused[0].hasPrefix("server.http (file broker.json): 0.0.0.0:8080 is not a loopback address"))
        let open = try load(#"{"server":{"http":"0.0.0.0:8080","http-unprotected":true}}"#)
        #expect(open.warnings.count == 1)
        #expect(open.warnings.first?.hasPrefix("server.http: 0.0.0.0:8080 is not a loopback address") == true)
        let ruled = try load(#"{"server":{"http":"0.0.0.0:8080"},"callers":{"rules":[{"address":["10.0.0.0/8"]}]}}"#)
        #expect(ruled.warnings == ["server.http: 0.0.0.0:8080 is not a loopback address; tokens and keys are not encrypted on their way"])
    }

    @Test("metrics listen on loopback unless somebody says otherwise, and nowhere by default") func metrics() throws {
        #expect(try load("{}").metrics == nil)
        for text in [#""9464""#, "9464", #""127.0.0.1:9464""#] {
            let configuration = try load(#"{"server":{"metrics":\#(text)}}"#)
            #expect(configuration.metrics == HostAndPort(host: "127.0.0.1", port: 9464) && configuration.warnings.isEmpty)
        }
        let open = try load(#"{"server":{"metrics":"0.0.0.0:9464"}}"#)
        #expect(open.warnings.count == 1 && open.warnings[0].hasPrefix("server.metrics: 0.0.0.0:9464 is not a loopback address"))
        #expect(try problems(#"{"server":{"metrics":"nine"}}"#).count == 1)
    }

    @Test("spans go to an address with a scheme, and nowhere by default") func spans() throws {
        #expect(try load("{}").spans == nil && load(#"{"trace":{"otlp-endpoint":"http://127.0.0.1:4318"}}"#).spans != nil)
        #expect(try problems(#"{"trace":{"otlp-endpoint":"collector"}}"#).first?.contains("http://HOST") == true)
    }

    @Test("one host is redirected once") func connectTo() throws {
        #expect(
            try problems(#"{"tls":{"connect-to":["a.example.com:443:127.0.0.1:1","A.example.com:443:127.0.0.1:2"]}}"#) == [
                "tls.connect-to (file broker.json): 'a.example.com:443' is redirected twice"
            ])
        #expect(
            try load(#"{"tls":{"connect-to":["a.example.com:443:127.0.0.1:1","a.example.com:444:127.0.0.1:2"]}}"#).tls.connectTo.count == 2)
    }

    @Test("fixture evidence is allowed and never quiet; where it is sent to a named service it is said twice") func fixture() throws {
        let offline = try load(#"{"evidence":{"use":"fixture"}}"#)
        #expect(offline.warnings == ["evidence.use: fixture evidence proves nothing about this machine"])
        let stores =
            #""key-stores":{"use":"akv","akv":{"endpoint":"contoso.vault.azure.net"},"mhsm":{"endpoint":"x.managedhsm.azure.net"}}"#
        let real = try load("{\"evidence\":{\"use\":\"fixture\"},\(stores)}")
        #expect(real.warnings.count == 2)
        #expect(real.warnings.last?.hasPrefix("key-stores.akv.endpoint: fixture evidence is presented to contoso.vault.azure.net") == true)
        for redirect in ["contoso.vault.azure.net:443:127.0.0.1:8443", "::127.0.0.1:8443"] {
            let simulated = try load("{\"evidence\":{\"use\":\"fixture\"},\(stores)}", set: [("tls.connect-to", redirect)])
            #expect(simulated.warnings.count == 2)
            #expect(simulated.warnings.first?.hasPrefix("tls.connect-to: connections to ") == true)
        }
        #expect(try load("{\"evidence\":{\"use\":\"snp\"},\(stores)}").warnings.isEmpty)
    }

    @Test("a file that everybody can change, and a secret on the command line, are pointed out") func exposure() throws {
        let file = ConfigurationFile(name: "b.json", bytes: Array("{}".utf8), isWorldWritable: true)
        let configuration = try BrokerConfiguration.load(
            ConfigurationInputs(file: file, overrides: [SettingOverride(path: "key-stores.akv.test-credential", text: "canary-9e")]),
            registry: TestRegistry.make())
        #expect(configuration.warnings.count == 2)
        #expect(configuration.warnings.first?.hasPrefix("file b.json: every user") == true)
        #expect(configuration.warnings.last?.contains("secret on a command line") == true)
        #expect(!configuration.warnings.contains { $0.contains("canary-9e") })
    }
}
