internal import PlainText
internal import Waiting
internal import AttestationTokens
internal import ArgumentParser
internal import BrokerConfiguration
internal import BrokerCore
internal import CurlTransport
internal import HTTPTransport
internal import JOSE
internal import StrictJSON

struct TokenVerify: ProviderCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Judge a token: signature, issuer, times, kind.",
        discussion: """
            The authority's keys come from --keys, or are fetched from the authority itself: the one that --authority names, or the \
            token's issuer when that is a \
            host of Azure Attestation. What the token's header says about keys is never followed. Exit status 0 when it is verified, 1 \
            when it is rejected.
            """
    ).examples("token verify token.jwt", "token verify --keys certs.json token.jwt")

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: ArgumentHelp("The token; - for standard input.", valueName: "file")) var token: String = "-"

    @Option(help: ArgumentHelp("The issuer that must have made it.", valueName: "url")) var authority: String?

    @Option(help: ArgumentHelp("The authority's published keys (the JSON of its /certs), instead of fetching them.", valueName: "file"))
    var keys: String?

    @Option(help: ArgumentHelp("When to judge the times (default: now), for example 2026-11-23T20:00:00Z.", valueName: "time")) var at:
        String?

    @Option(help: ArgumentHelp("The nonce that it must repeat.", valueName: "text")) var nonce: String?

    @Option(help: ArgumentHelp("Runtime data whose SHA-256 its report data must be.", valueName: "file")) var runtimeData: String?

    @Option(
        help: ArgumentHelp(
            "What it must be about: sevsnpvm, as the broker wants it, or azurevm for a confidential VM's own token.", valueName: "kind"))
    var kind: MAAToken.Kind = .sevsnpvm

    @Flag(help: "Accept a guest whose memory the host may read.") var allowDebug = false
    @Flag(help: "Print JSON.") var json = false

    private static let maximumKeys = 64
    private static let maximumKeyBytes = 512 * 1024
    private static let timeout = Duration.seconds(15)

    func run(_ registry: ProviderRegistry) async throws {
        let token = try TokenFile.read(token)
        let authority = try authority(of: token)
        var demands = TokenVerification.Demands(authority: authority, time: try time())
        demands.nonce = nonce
        demands.runtimeData = try runtimeData.map { RuntimeDataForm(try InputFile.bytes($0)) }
        demands.allowsDebug = allowDebug
        demands.kind = kind
        let verification = TokenVerification(token, keys: try await publishedKeys(of: authority, registry), demands: demands)
        let failure =
            verification.isVerified
            ? nil : CommandFailure(.refused, "the token is rejected: \(verification.failures.joined(separator: ", "))")
        if json {
            Console.json(.object(verification.checks.json(isVerified: verification.isVerified)), failure: failure)
        } else {
            Console.show(
                verification.checks, width: 20, verified: verification.isVerified ? "issued by \(authority)" : nil,
                Style(isOn: Console.hasColour), holding: { $0.code == "debuggable" ? $0.detail : nil })
        }
        try Console.end(failure)
    }

    private func authority(of token: MAAToken) throws -> String {
        if let authority {
            guard let text = AuthorityName.origin(authority) else {
                throw CommandFailure(.usage, "--authority wants a URL such as https://sharedneu.neu.attest.azure.net")
            }
            return text
        }
        if let issuer = token.publicAuthority { return issuer }
        throw CommandFailure(
            .usage, "the token's issuer is not a host of Azure Attestation, so it is not believed about who it is",
            nextStep: "name the issuer that you trust with --authority")
    }

    private func time() throws -> Int64 {
        guard let at else { return SystemClock().now() }
        guard let time = RFC3339.parse(at) else { throw CommandFailure(.usage, "--at wants an RFC 3339 time such as 2026-11-23T20:00:00Z") }
        return time
    }

    private func publishedKeys(of authority: String, _ registry: ProviderRegistry) async throws -> JWKSet {
        let bytes: [UInt8]
        let source: String
        if let keys {
            bytes = try InputFile.bytes(keys, limit: Self.maximumKeyBytes)
            source = keys
        } else {
            source = "\(authority)/certs"
            bytes = try await fetch(authority, registry)
        }
        do { return try JWKSet(parsing: bytes, maximumKeys: Self.maximumKeys) } catch {
            throw CommandFailure(.impossible, "\(source): \(error)")
        }
    }

    private func fetch(_ authority: String, _ registry: ProviderRegistry) async throws -> [UInt8] {
        let endpoint: Endpoint
        do { endpoint = try Endpoint(authority) } catch {
            throw CommandFailure(.usage, "\(authority): \(error)", nextStep: "give the keys with --keys")
        }
        let tls = try options.load(registry).tls
        let transport: CurlTransport
        do {
            let trust = try SharedTrustStore(tls.trust).store()
            transport = try CurlTransport(
                .init(trust: { trust }, connectTo: tls.connectTo, userAgent: "attestation-broker/\(ProgramVersion.text)"))
        } catch { throw CommandFailure(.configuration, "outbound connections cannot be set up: \(error)") }
        defer { transport.shutdown() }
        let request = HTTPRequest(
            .get, .service(endpoint), path: "/certs", headers: [("Accept", "application/json, application/jwk+json")],
            deadline: .after(Self.timeout), maximumResponseBytes: Self.maximumKeyBytes)
        let response: HTTPResponse
        do { response = try await transport.send(request) } catch {
            throw CommandFailure(
                .impossible, "\(authority) cannot be asked for its keys: \(error)",
                nextStep: "check the network, or give the keys with --keys")
        }
        guard response.status == 200 else {
            throw CommandFailure(.impossible, "\(authority) answered \(response.status) instead of its keys")
        }
        return response.body
    }
}

extension MAAToken.Kind: ExpressibleByArgument {}
