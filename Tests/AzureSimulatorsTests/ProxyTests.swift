import AzureSimulators
import Testing

/// The proxy that leads clients to the simulators, with curl as the client.
struct ProxyTests {
    @Test("a proxy leads Azure's names and the metadata address to the simulators, and nothing else") func leads() async throws {
        try await Cloud.run({ $0.proxyPort = 0 }) { cloud in
            let proxy = "http://127.0.0.1:\(try #require(cloud.ports.proxy))"
            func curl(_ arguments: String...) async -> ChildProcess.Outcome {
                let all = ["curl", "-sS", "--noproxy", "", "--proxy", proxy, "--cacert", cloud.caFile, "-w", "\n%{http_code}"]
                return await ChildProcess.run(all + arguments)
            }
            let vault = await curl("https://contoso.vault.azure.net/keys?api-version=7.4")
            #expect(vault.output.contains("AKV10000") && vault.output.hasSuffix("\n401"), "\(vault.output)")
            // Two requests on one connection, then one through a tunnel to the plain port.
            let url = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net"
            let tokens = await curl("-H", "Metadata: true", url, url)
            #expect(tokens.output.split(separator: "access_token").count == 3, "\(tokens.output)")
            let tunnel = await curl("-p", "-H", "Metadata: true", url)
            #expect(tunnel.output.contains("access_token") && tunnel.output.hasSuffix("\n200"), "\(tunnel.output)")
            // Large enough that it does not come in one piece.
            let body = String(repeating: "x", count: 100_000)
            let large = await curl("-d", body, "https://sharedeus2.eus2.attest.azure.net/attest/SevSnpVm?api-version=2020-10-01")
            #expect(large.output.hasSuffix("\n400"), "\(large.output)")
            for stranger in ["https://www.example.org/", "https://127.0.0.1:\(cloud.ports.tls)/", "http://www.example.org/"] {
                let refused = await curl(stranger)
                #expect(refused.output.contains("403"), "\(refused.output)")
            }
        }
    }

    @Test("a proxy's port is known only where there is one") func ports() async throws {
        try await Cloud.run { cloud in #expect(cloud.ports.proxy == nil) }
    }
}
