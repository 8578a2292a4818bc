import PlainText
import Testing

@Suite("Host and port") struct HostAndPortTests {
    @Test(
        "listen addresses and names with a port are read and printed back",
        arguments: ["127.0.0.1:8080", "0.0.0.0:1", "[::1]:8080", "[::]:65535", "localhost:0", "broker.internal:80"]) func valid(
            text: String
        ) throws
    { #expect(try #require(HostAndPort(listening: text)).description == text) }

    @Test(
        "anything else is refused",
        arguments: [
            "", ":", ":8080", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+80", "127.0.0.1: 80", "127.0.0.1:123456",
            "256.0.0.1:80", "1.2.3:80", "::1:80", "[::1]", "[::g]:80", "[127.0.0.1]:80", "*:80", "http://127.0.0.1:80", "host name:80",
            "-host:80", ".:80", "[fe80::1%eth0]:80", "host:80/x", "tab\t:80",
        ]) func invalid(text: String)
    { #expect(HostAndPort(listening: text) == nil) }

    @Test("loopback is 127/8, ::1 and localhost") func loopback() throws {
        for text in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"] {
            #expect(try #require(HostAndPort(listening: text)).isLoopback)
        }
        for text in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "localhost.example.com:1", "127.example.com:1"] {
            #expect(try #require(HostAndPort(listening: text)).isLoopback == false)
        }
    }

    @Test(
        "where to connect, the port may be missing or empty, and is not 0",
        arguments: [
            ("169.254.169.254", "169.254.169.254:80"), ("host:8080", "host:8080"), ("host:", "host:80"), ("[::1]", "[::1]:80"),
            ("[::1]:81", "[::1]:81"), ("host:0", nil), ("", nil), (":80", nil), ("[::1", nil), ("::1", nil), ("user@host", nil),
            ("[::1]81", nil),
        ] as [(String, String?)]) func connecting(text: String, expected: String?)
    { #expect(HostAndPort(text, defaultPort: 80)?.description == expected) }
}
