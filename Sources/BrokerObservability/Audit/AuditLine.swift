internal import BrokerCore
internal import HTTPTransport
internal import OpenSSLCrypto
package import StrictJSON

/// One line of the audit: a JSON object whose last two members chain it to the line before (Audit.md, "Lines").
package struct AuditLine: Sendable {
    /// `prev` of the very first line.
    static let origin = String(repeating: "0", count: 64)
    /// Longest line that is written or believed, in bytes without its end.
    package static let limit = 32 << 10
    /// Longer than any chain, and far from where numbers end: whoever goes on from here may count.
    package static let lastSequence: Int64 = 1 << 53

    /// Without its end.
    package let bytes: [UInt8]
    package let sequence: Int64
    /// Hash of the line before.
    package let previous: String
    /// SHA-256 of everything in front of the member `hash`, hexadecimal.
    package let hash: String
    package let content: JSONObject

    private static let hashStart = #","hash":""#
    private static let hashEnd = #""}"#

    init(_ entry: AuditEntry, after position: AuditPosition, time: String) {
        sequence = position.sequence + 1
        previous = position.hash
        var content: JSONObject = ["audit": 1, "seq": .integer(sequence), "time": .string(time)]
        for (name, value) in entry.members { content.set(name, value) }
        content.set("prev", .string(previous))
        var bytes = Array(JSONValue.object(content).serialized().dropLast())
        hash = Hex.encode(DigestAlgorithm.sha256.digest(bytes))
        bytes += (Self.hashStart + hash + Self.hashEnd).utf8
        self.bytes = bytes
        self.content = content
    }

    /// A line that was read. `nil` where it is not what this program writes, or was changed since.
    package init?(_ bytes: [UInt8]) {
        let tail = Self.hashStart.utf8.count + 64 + Self.hashEnd.utf8.count
        guard bytes.count > tail, bytes.count <= Self.limit else { return nil }
        let body = Array(bytes.dropLast(tail))
        let hash = Hex.encode(DigestAlgorithm.sha256.digest(body))
        guard bytes.suffix(tail).elementsEqual((Self.hashStart + hash + Self.hashEnd).utf8),
            case .object(let content)? = try? JSONValue.parse(body + [UInt8(ascii: "}")]), case .integer(1)? = content["audit"],
            case .integer(let sequence)? = content["seq"], (1...Self.lastSequence).contains(sequence),
            case .string(let previous)? = content["prev"]
        else { return nil }
        self.bytes = bytes
        self.sequence = sequence
        self.previous = previous
        self.hash = hash
        self.content = content
    }

    var position: AuditPosition { AuditPosition(sequence: sequence, hash: hash) }

    package func text(_ name: String) -> String? { if case .string(let text)? = content[name] { text } else { nil } }

    /// What the line is about where it is not about a request: `opened`.
    package var event: String? { text("event") }
}

/// Where a chain stands.
struct AuditPosition: Sendable, Equatable {
    var sequence: Int64
    var hash: String

    static let start = AuditPosition(sequence: 0, hash: AuditLine.origin)
}

/// What a line says, without its place in the chain.
struct AuditEntry: Sendable {
    let members: [(String, JSONValue)]

    /// The first line of a file, and of each time it is opened. `torn` is what an earlier run left of a line that it never finished.
    static func opened(torn: [UInt8]) -> AuditEntry {
        var members: [(String, JSONValue)] = [("event", "opened")]
        if !torn.isEmpty { members.append(("torn", .string(Hex.encode(DigestAlgorithm.sha256.digest(torn))))) }
        return AuditEntry(members: members)
    }

    private init(members: [(String, JSONValue)]) { self.members = members }

    /// `omitted` is how many refusals of the caller before this one have no line.
    init(_ record: RequestRecord, omitted: Int = 0) {
        var members: [(String, JSONValue)] = []
        func add(_ name: String, _ value: String?) { if let value { members.append((name, .string(value))) } }
        add("operation", record.operation.rawValue)
        add("route", record.route)
        add("outcome", record.error == nil ? "ok" : "failed")
        add("code", record.code)
        add("stage", record.error?.stage.rawValue)
        members.append(("caller", Self.json(record.caller)))
        add("key", record.key?.description)
        add("key_id", record.releasedKeyID)
        add("store", record.store)
        add("endpoint", record.storeEndpoint?.description)
        add("authority", record.authority?.description)
        add("evidence", record.proof?.evidenceDigest)
        add("provenance", record.proof?.provenance.rawValue)
        add("tcb", record.proof?.tcb)
        add("policy", record.proof?.policyDigest)
        add("token_id", record.proof?.tokenID.map { String($0.prefix(256)) })
        add("token_digest", record.proof?.tokenDigest)
        add("session", record.session?.rawValue)
        if record.isShared { members.append(("shared", true)) }
        if omitted > 0 { members.append(("omitted", .integer(Int64(omitted)))) }
        add("request_id", record.requestID)
        add("trace_id", record.traceID)
        self.members = members
    }

    private static func json(_ caller: Caller) -> JSONValue {
        var members: [(String, JSONValue)] = [("way", .string(caller.way.rawValue))]
        func addNumber(_ name: String, _ value: Int64?) { if let value { members.append((name, .integer(value))) } }
        func add(_ name: String, _ value: String?) { if let value { members.append((name, .string(String(value.prefix(1024))))) } }
        addNumber("uid", caller.uid.map { Int64($0) })
        addNumber("gid", caller.gid.map { Int64($0) })
        addNumber("pid", caller.pid.map { Int64($0) })
        add("executable", caller.executable)
        add("cgroup", caller.cgroup)
        add("address", caller.address)
        add("subject", caller.subject)
        add("bearer", caller.bearer)
        return .object(JSONObject(members))
    }
}
