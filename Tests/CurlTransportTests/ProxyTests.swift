import Waiting
import CurlTransport
import Glibc
import HTTPTransport
import SecureMemory
import Synchronization
import Testing

/// The environment belongs to the whole process, so each of these runs in one of its own.
@Suite struct ProxyTests {
    @Test func metadataIsNeverAskedThroughAProxy() async {
        await #expect(processExitsWith: .success) {
            let proxy = try LoopbackServer { connection in
                _ = connection.readRequest()
                connection.answer("from the proxy")
            }
            let server = try LoopbackServer { connection in
                _ = connection.readRequest()
                connection.answer("direct")
            }
            for name in ["http_proxy", "all_proxy", "ALL_PROXY"] { setenv(name, "http://127.0.0.1:\(proxy.port)", 1) }
            let transport = try makeTransport(proxy: .environment)
            #expect(try await transport.send(get(server)).text == "direct")
            #expect(proxy.acceptedConnections == 0)
        }
    }

    @Test func servicesAreAskedThroughTheProxyOfTheEnvironmentWhichSeesNoCredentials() async {
        await #expect(processExitsWith: .success) {
            let seen = Mutex<String?>(nil)
            let proxy = try LoopbackServer { connection in
                let head = connection.readRequest()?.head
                seen.withLock { $0 = head }
                connection.answer("no", status: "407 Proxy Authentication Required")
            }
            setenv("https_proxy", "http://someone:passw0rd@127.0.0.1:\(proxy.port)", 1)
            let transport = try makeTransport(proxy: .environment)
            let request = HTTPRequest(
                .get, .service(try Endpoint("contoso.vault.example")), path: "/keys", headers: [("X-Own", "secret")],
                bearer: Redacted("t0ken"), deadline: .after(.seconds(100)))
            let error = await failure(of: request, with: transport)
            guard case .connectionFailed(let reason) = error else {
                Issue.record("expected connectionFailed, got \(String(describing: error))")
                return
            }
            #expect(!reason.contains("passw0rd"))
            let head = try #require(seen.withLock { $0 })
            #expect(head.hasPrefix("CONNECT contoso.vault.example:443 HTTP/1.1"))
            #expect(!head.contains("t0ken"))
            #expect(!head.contains("X-Own"))
        }
    }

    @Test func aProxyThatCannotBeUnderstoodIsNotQuoted() async {
        await #expect(processExitsWith: .success) {
            for address in [
                "gopher://someone:passw0rd@127.0.0.1:1", "http://someone:passw0rd@[", "http://someone:passw0rd@nowhere.invalid:1",
            ] {
                setenv("https_proxy", address, 1)
                let transport = try makeTransport(proxy: .environment)
                let request = HTTPRequest(.get, .service(try Endpoint("contoso.vault.example")), path: "/", deadline: .after(.seconds(100)))
                let error = await failure(of: request, with: transport)
                #expect(error != nil)
                #expect(!"\(String(describing: error))".contains("passw0rd"))
            }
        }
    }

    @Test func proxiesCanBeTurnedOff() async {
        await #expect(processExitsWith: .success) {
            let proxy = try LoopbackServer { connection in _ = connection.readRequest() }
            setenv("https_proxy", "http://127.0.0.1:\(proxy.port)", 1)
            let transport = try makeTransport(proxy: .none)
            let request = HTTPRequest(.get, .service(try Endpoint("does-not-exist.invalid")), path: "/", deadline: .after(.seconds(100)))
            #expect(await failure(of: request, with: transport) == .nameNotResolved(host: "does-not-exist.invalid"))
            #expect(proxy.acceptedConnections == 0)
        }
    }

    @Test func anOverrideForEveryHostLeavesMetadataAloneAndANamedOneMovesIt() async throws {
        let server = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.answer("here")
        }
        let elsewhere = try LoopbackServer { connection in
            _ = connection.readRequest()
            connection.answer("elsewhere")
        }
        defer {
            server.stop()
            elsewhere.stop()
        }
        let general = try makeTransport(connectTo: ["::127.0.0.1:\(elsewhere.port)"])
        defer { general.shutdown() }
        #expect(try await general.send(get(server)).text == "here")
        let named = try makeTransport(connectTo: ["169.254.169.254:80:127.0.0.1:\(elsewhere.port)"])
        defer { named.shutdown() }
        let request = HTTPRequest(.get, .metadata(host: "169.254.169.254", port: 80), path: "/", deadline: .after(.seconds(100)))
        #expect(try await named.send(request).text == "elsewhere")
    }
}
