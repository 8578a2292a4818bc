internal import BrokerCore
internal import BrokerEngine
internal import HTTPTransport
internal import PlainText

/// The block `key-provider`: keys of encrypted images (KeyProvider.md, "Settings").
struct KeyProviderSettings: SettingsGroup {
    let name = SettingKey<String>(
        "name", default: "attestation-agent", help: "Name under which encrypted images know this key provider",
        check: { $0.utf8.consists(of: .alphanumeric + "-_.", count: 1...64) ? nil : "expected 1 to 64 letters, digits, '-', '_' and '.'" })
    let keys = SettingKey<[String]>(
        "keys", default: [],
        help: "Which key an image's key name stands for: KID=NAME, KID=https://STORE/keys/NAME, or kbs:///REPOSITORY/TYPE/*=*",
        check: { entries in
            do throws(KeyTable.Invalid) {
                _ = try KeyTable(entries)
                return nil
            } catch { return error.description }
        })
    let publicKeys = SettingKey<[String]>(
        "public-keys", default: [],
        help: "Public halves to wrap to, KID=FILE in PEM; of other keys the key store is asked",
        check: { entries in
            for entry in entries {
                guard let mark = entry.firstIndex(of: "="), KeyTable.canonical(String(entry[..<mark])) != nil else {
                    return "expected KID=FILE, the KID a key's name or a resource URI"
                }
                guard entry[mark...].count > 1 else { return "expected a file behind '='" }
            }
            return nil
        })
    let endpoints = SettingKey<[String]>(
        "endpoints", default: [],
        help: "Hosts that an image may name as key store or verifier; where it is empty, those that a request may name",
        check: { hosts in
            for host in hosts { do throws(Endpoint.Invalid) { _ = try Endpoint(host) } catch { return error.description } }
            return nil
        })
}

/// The block `grpc`: how the gRPC interface serves.
struct GRPCSettings: SettingsGroup {
    let reflection = SettingKey<Bool>("reflection", default: false, help: "Whether gRPC clients may ask which services there are")
    let messageLimit = SettingKey<Int>("message-limit", default: 1 << 18, in: 4096...(1 << 20), help: "Longest message in bytes")
}

extension BrokerConfiguration.KeyProvider {
    init(_ settings: Settings) throws(BrokerError) {
        let keys = BrokerSettings.keyProvider
        name = try settings(keys.name)
        do { self.keys = try KeyTable(try settings(keys.keys)) } catch let error as BrokerError { throw error } catch {
            throw BrokerError(.misconfigured, at: .startup, "key-provider.keys: \(error)")
        }
        var files: [(kid: String, file: String)] = []
        for entry in try settings(keys.publicKeys) {
            let parts = entry.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let kid = KeyTable.canonical(parts[0]) else { continue }
            files.append((kid, parts[1]))
        }
        publicKeyFiles = files
        endpoints = Set(try settings(keys.endpoints).compactMap { try? Endpoint($0) })
    }
}
