internal import OpenSSLCrypto
internal import ReleasePolicy
internal import StrictJSON

/// What create, import and update have in common: attributes, operations, tags and the release policy of a request.
struct KeyInput {
    var isEnabled: Bool?
    var notBefore: Int64?
    var expires: Int64?
    var isExportable: Bool?
    var operations: [String]?
    /// Whether the key is to be one for secure wrap.
    var wrapsSecurely: Bool { operations?.contains { KeyStoreService.secureOperations.contains($0) } ?? false }
    var tags: JSONObject?
    var policy: PolicyInput?

    /// A release policy that was sent, read or not.
    struct PolicyInput {
        /// `nil` where `data` is missing or does not decode, with the reason in `complaint`.
        var policy: ReleasePolicy?
        var complaint: KeyStoreRefusal?
        var isImmutable: Bool?
        var contentType: String
    }

    private static let knownOperations: Set<String> = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "export"]

    /// Reads the body; `key_ops` come from `keyOperations`, which is the body itself or its `key`.
    init(_ body: JSONCursor, keyOperations: JSONCursor, apiVersion: String, _ personality: KeyStorePersonality) throws(KeyStoreRefusal) {
        do {
            if let attributes = try body.optional("attributes") {
                isEnabled = try attributes.optionalBoolean("enabled")
                notBefore = try attributes.optionalInteger("nbf")
                expires = try attributes.optionalInteger("exp")
                isExportable = try attributes.optionalBoolean("exportable")
            }
            if let list = try keyOperations.optionalArray("key_ops") {
                let known = Self.knownOperations.union(
                    personality == .managedHSM && KeyAPIVersion.hasSecureWrap(apiVersion) ? KeyStoreService.secureOperations : [])
                var operations: [String] = []
                for operation in list {
                    let name = try operation.string()
                    guard known.contains(name) else { throw operation.invalid("not a key operation") }
                    if !operations.contains(name) { operations.append(name) }
                }
                self.operations = operations
            }
            if let tags = try body.optional("tags") {
                for member in try tags.members() { _ = try member.value.string() }
                self.tags = try tags.object()
            }
        } catch let error as JSONError { throw .badParameter("Property has invalid value: \(error.description)") } catch {
            throw .badParameter("The request body cannot be read.")
        }
        policy = try Self.policy(body, apiVersion: apiVersion, personality)
    }

    private static func policy(_ body: JSONCursor, apiVersion: String, _ personality: KeyStorePersonality) throws(KeyStoreRefusal)
        -> PolicyInput?
    {
        let data: String?
        var input: PolicyInput
        do {
            guard let member = try body.optional("release_policy") else { return nil }
            data = try member.optionalString("data")
            input = PolicyInput(
                isImmutable: try member.optionalBoolean("immutable"),
                contentType: try member.optionalString("contentType") ?? StoredPolicy.defaultContentType)
        } catch { throw .badParameter("Property has invalid value: \(error.description)") }
        // Documented is base64url without padding; the services take standard base64 with padding as well.
        guard let data, !data.isEmpty, let bytes = Base64.decodeLenient(data) else {
            input.complaint = .skr(
                1004, "Exportable keys must have release policy.", personality, because: "release_policy.data is missing or not base64")
            return input
        }
        do {
            let policy = try ReleasePolicy(json: bytes)
            if policy.version == nil, personality == .managedHSM, apiVersion == "7.4-preview.1" {
                throw KeyStoreRefusal.badParameter("Key Release Policy: missing 'version' property")
            }
            input.policy = policy
        } catch let error as PolicyError where error.kind == .syntax {
            input.complaint = .skr(1004, "Exportable keys must have release policy.", personality, because: error.description)
        } catch let error as PolicyError {
            throw .badParameter("Key Release Policy: \(error.reason)", because: error.description)
        } catch let error as KeyStoreRefusal { throw error } catch { throw .badParameter("Key Release Policy: it cannot be read.") }
        return input
    }
}

extension KeyStoreService {
    /// The body as a JSON object.
    func document(_ call: Call) throws(KeyStoreRefusal) -> JSONCursor {
        do {
            let cursor = try JSONCursor.parse(call.request.body)
            _ = try cursor.object()
            return cursor
        } catch { throw .badParameter("The request body is not a JSON object: \(error.description)") }
    }

    /// Adds a version to a key, or makes the key, by the rules for exportable keys (KeyStores.md, "Refusals" and "Exportable keys").
    func addVersion(_ name: String, type: String, material: KeyMaterial, input: KeyInput, _ call: Call) throws(KeyStoreRefusal)
        -> SimulatorResponse
    {
        let personality = personality
        let now = call.now
        let version = KeyVersion(
            identifier: SecureRandom.hex(16), type: type, material: material, operations: input.operations ?? material.defaultOperations,
            isEnabled: input.isEnabled ?? true, notBefore: input.notBefore, expires: input.expires, created: now, updated: now,
            tags: input.tags)
        if input.isExportable == true || input.policy != nil, KeyAPIVersion.withoutRelease.contains(call.apiVersion) {
            throw .skr(
                1001, "The exportable attribute is only supported with premium vaults and API version >= '7.3-preview'.", personality)
        }
        let sent = input.policy
        let isExportable = input.isExportable
        let wrapsSecurely = input.wrapsSecurely
        let record = try content.change(name, at: call.host) { (record) throws(KeyStoreRefusal) -> KeyRecord in
            if let old = record, old.deleted != nil {
                throw KeyStoreRefusal(
                    409, "Conflict",
                    "Key \(old.name) is currently in a deleted but recoverable state, and its name cannot be reused; in "
                        + "this state, the key can only be recovered or purged.", inner: "ObjectIsDeletedButRecoverable")
            }
            if let old = record, let isExportable, isExportable != old.isExportable {
                throw .skr(1003, "The exportable attribute of an existing key cannot be changed.", personality)
            }
            let exports = isExportable ?? record?.isExportable ?? false
            let policy = try Self.policy(
                old: record?.policy, sent: sent, exports: exports, wrapsSecurely: wrapsSecurely, type: type, personality)
            var new = record ?? KeyRecord(name: name, isExportable: exports, policy: policy, versions: [], deleted: nil)
            new.policy = policy
            new.versions.append(version)
            record = new
            return new
        }
        return SimulatorResponse(json: .object(bundle(record, version, call)))
    }

    /// The policy that a key has after a request. A policy belongs to a key that can be exported, or to one for secure wrap, which cannot.
    static func policy(
        old: StoredPolicy?, sent: KeyInput.PolicyInput?, exports: Bool, wrapsSecurely: Bool, type: String,
        _ personality: KeyStorePersonality
    ) throws(KeyStoreRefusal) -> StoredPolicy? {
        if wrapsSecurely {
            guard !exports else { throw .badParameter("Keys for secure wrap must not be exportable.") }
            guard sent != nil || old != nil else { throw .badParameter("Keys for secure wrap must have release policy.") }
        }
        guard exports || wrapsSecurely else {
            if sent != nil { throw .skr(1005, "Non-exportable keys must not have release policy.", personality) }
            return old
        }
        guard type.hasSuffix("-HSM") else { throw .skr(1006, "Exportable keys must be protected by an HSM.", personality) }
        guard let sent else {
            guard let old else { throw .skr(1004, "Exportable keys must have release policy.", personality) }
            return old
        }
        if let complaint = sent.complaint { throw complaint }
        if old?.isImmutable == true { throw .skr(1020, "Immutable Key Release Policy cannot be modified.", personality) }
        guard let policy = sent.policy else { throw .skr(1004, "Exportable keys must have release policy.", personality) }
        return StoredPolicy(policy: policy, isImmutable: sent.isImmutable ?? false, contentType: sent.contentType)
    }
}
