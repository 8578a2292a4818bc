internal import AzureServices
internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport
internal import PlainText

/// What no single setting can know: which of them do not go together, and which go together and deserve a warning.
enum CombinationChecks {
    static func run(_ layers: inout ConfigurationLayers) {
        required(&layers)
        server(&layers)
        identity(&layers)
        connectTo(&layers)
        fixture(&layers)
    }

    /// Settings without which a provider that is in use cannot work.
    private static func required(_ layers: inout ConfigurationLayers) {
        guard layers.isComplete else { return }
        let inUse = providersInUse(layers)
        for entry in layers.catalogue.entries where entry.declaration.isRequired && layers.values[entry.path] == nil {
            guard let provider = entry.provider, inUse.contains(provider.path), !layers.broken.contains(entry.path) else { continue }
            layers.complain(entry.path, .builtIn, "required by the \(provider.role.title) in use, but not set (\(entry.variable))")
        }
    }

    private static func server(_ layers: inout ConfigurationLayers) {
        if let address = layers.value(BrokerSettings.server.metrics, at: "server.metrics")?.address, !address.isLoopback {
            layers.warn("server.metrics: \(address) is not a loopback address; let a network policy say who may read it")
        }
        guard let http = layers.value(BrokerSettings.server.http, at: "server.http"),
            let unix = layers.value(BrokerSettings.server.unix, at: "server.unix")
        else { return }
        tls(&layers)
        exposure(&layers)
        let others = ["server.unix", "server.grpc", "server.grpc-unix"]
        let isAlone = others.allSatisfy { (layers.values[$0]?.raw.text ?? "").isEmpty && !layers.broken.contains($0) }
        if http.address == nil, isAlone {
            layers.complain(
                "server.http", layers.source(of: "server.http"), "nothing to serve on: \(others.joined(separator: ", ")) are empty too")
        }
        if !unix.isEmpty, layers.values["server.grpc-unix"]?.raw.text == unix {
            layers.complain("server.grpc-unix", layers.source(of: "server.grpc-unix"), "is the same socket as server.unix")
        }
    }

    private static func tls(_ layers: inout ConfigurationLayers) {
        let keys = BrokerSettings.serverTLS
        let certificate = layers.value(keys.certificate, at: "server.tls.certificate") ?? ""
        let key = layers.value(keys.key, at: "server.tls.key") ?? ""
        let authority = layers.value(keys.clientAuthority, at: "server.tls.client-ca") ?? ""
        if certificate.isEmpty != key.isEmpty {
            let path = certificate.isEmpty ? "server.tls.certificate" : "server.tls.key"
            layers.complain(path, layers.source(of: path), "server.tls needs a certificate and its key")
        }
        if certificate.isEmpty, !authority.isEmpty {
            let path = "server.tls.client-ca"
            layers.complain(path, layers.source(of: path), "has no meaning without server.tls.certificate")
        }
    }

    /// Listeners that others than this machine's programs reach.
    private static func exposure(_ layers: inout ConfigurationLayers) {
        let keys = BrokerSettings.serverTLS
        let listeners = layers.value(keys.listeners, at: "server.tls.listeners") ?? .all
        let isEncrypted = !(layers.value(keys.certificate, at: "server.tls.certificate") ?? "").isEmpty
        let isMutual = !(layers.value(keys.clientAuthority, at: "server.tls.client-ca") ?? "").isEmpty
        let hasBearers = !(layers.value(BrokerSettings.callers.bearerFile, at: "callers.bearer-file") ?? "").isEmpty
        let hasRules = layers.value(BrokerSettings.callers.rules, at: "callers.rules")?.rules.rules.isEmpty == false
        let server = BrokerSettings.server
        let places: [(path: String, place: SettingKey<ListenSetting>, open: SettingKey<Bool>, hasTLS: Bool, risk: String)] = [
            ("server.http", server.http, server.httpUnprotected, listeners != .grpc, "can ask for evidence, tokens and keys"),
            ("server.grpc", server.grpc, server.grpcUnprotected, listeners != .http, "can have images decrypted"),
        ]
        for (path, place, open, hasTLS, risk) in places {
            guard let address = layers.value(place, at: path)?.address, !address.isLoopback, !(hasTLS && isMutual) else { continue }
            if !hasBearers, !hasRules {
                let danger = "\(address) is not a loopback address; whoever reaches it \(risk)"
                if layers.value(open, at: "\(path)-unprotected") == true {
                    layers.warn("\(path): \(danger)")
                } else {
                    layers.complain(
                        path, layers.source(of: path),
                        "\(danger): set server.tls.client-ca, callers.bearer-file or callers.rules, or \(path)-unprotected=true "
                            + "where a network keeps everybody else away")
                }
            } else if !(hasTLS && isEncrypted) {
                layers.warn("\(path): \(address) is not a loopback address; tokens and keys are not encrypted on their way")
            }
        }
    }

    private static func identity(_ layers: inout ConfigurationLayers) {
        let selectors = ["client-id", "object-id", "resource-id"].map { "identity.\($0)" }
        let given = selectors.filter { !(layers.values[$0]?.raw.text ?? "").isEmpty }
        if given.count > 1 {
            layers.complain(given[1], layers.source(of: given[1]), "an identity is named once; \(given.joined(separator: " and ")) are set")
        }
        guard let use = layers.value(BrokerSettings.identity.use, at: "identity.use") else { return }
        let others = ["tenant-id", "federated-token-file", "authority-host"].map { "identity.\($0)" }
        let set = (selectors + others).filter { !(layers.values[$0]?.raw.text ?? "").isEmpty }
        for path in set {
            switch use {
            case .auto: continue
            case .none: layers.warn("\(path) (\(layers.source(of: path))): not used with identity.use none")
            case .workloadIdentity where path == "identity.client-id" || others.contains(path): continue
            case .managedIdentity where selectors.contains(path): continue
            case .appService where selectors.contains(path): continue
            case .workloadIdentity, .managedIdentity, .appService:
                layers.complain(path, layers.source(of: path), "has no meaning with identity.use \(use.rawValue)")
            }
        }
    }

    private static func connectTo(_ layers: inout ConfigurationLayers) {
        guard let overrides = layers.value(BrokerSettings.tls.connectTo, at: "tls.connect-to")?.list else { return }
        var seen: Set<String> = []
        for override in overrides {
            let key = "\(override.host):\(override.port.map(String.init) ?? "")"
            if seen.insert(key).inserted { continue }
            layers.complain("tls.connect-to", layers.source(of: "tls.connect-to"), "'\(VisibleText.line(key))' is redirected twice")
        }
        guard !overrides.isEmpty else { return }
        let hosts = overrides.map { $0.host.isEmpty ? "EVERY service" : VisibleText.line($0.host) }
        layers.warn("tls.connect-to: connections to \(hosts.joined(separator: ", ")) go to other addresses; meant for simulators")
    }

    // MARK: Fixture evidence

    private static func fixture(_ layers: inout ConfigurationLayers) {
        guard layers.value(layers.catalogue.choice.evidence, at: "evidence.use") == "fixture" else { return }
        layers.warn("evidence.use: fixture evidence proves nothing about this machine")
        let overrides = layers.value(BrokerSettings.tls.connectTo, at: "tls.connect-to")?.list ?? []
        for path in providersInUse(layers).sorted() where !path.hasPrefix("evidence.") {
            let setting = "\(path).endpoint"
            guard let text = layers.values[setting]?.raw.text, let endpoint = try? Endpoint(text) else { continue }
            if overrides.contains(where: { $0.redirects(endpoint) }) { continue }
            layers.warn("\(setting): fixture evidence is presented to \(endpoint), which refuses it unless it is a simulator")
        }
    }

    private static func providersInUse(_ layers: ConfigurationLayers) -> Set<String> {
        let choice = layers.catalogue.choice
        var paths: Set<String> = []
        if let name = layers.value(choice.evidence, at: "evidence.use") { paths.insert("evidence.\(name)") }
        for name in layers.value(choice.verifiers, at: "verifier.use")?.names ?? [] { paths.insert("verifier.\(name)") }
        for name in layers.value(choice.keyStores, at: "key-stores.use") ?? [] { paths.insert("key-stores.\(name)") }
        return paths
    }
}

extension ConfigurationLayers {
    /// The value in effect; `nil` where there is a complaint about it.
    fileprivate func value<Value>(_ key: SettingKey<Value>, at path: String) -> Value? {
        guard !broken.contains(path) else { return nil }
        guard let raw = values[path]?.raw else { return key.defaultValue }
        return try? Value.decode(raw).get()
    }

    fileprivate func source(of path: String) -> ConfigurationSource { values[path]?.source ?? .builtIn }
}

extension ConnectOverride {
    fileprivate func redirects(_ endpoint: Endpoint) -> Bool {
        (host.isEmpty || host == endpoint.host) && (port == nil || port == endpoint.port)
    }
}
