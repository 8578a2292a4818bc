internal import PlainText
internal import StrictJSON

/// What the body of a route looks like: the members that count, and the original's name for it, which is part of its error texts.
enum BodyShape: Sendable, Equatable {
    case rawAttest
    case maaAttest
    case keyRelease

    var goName: String {
        switch self {
        case .rawAttest: "RawAttestData"
        case .maaAttest: "MAAAttestData"
        case .keyRelease: "KeyReleaseData"
        }
    }

    var members: [BodyMember] {
        switch self {
        case .rawAttest: [.runtimeData]
        case .maaAttest: [.maaEndpoint, .runtimeData]
        case .keyRelease: [.maaEndpoint, .akvEndpoint, .kid, .accessToken]
        }
    }
}

/// A member of a request body.
enum BodyMember: String, Sendable, CaseIterable {
    case runtimeData = "runtime_data"
    case maaEndpoint = "maa_endpoint"
    case akvEndpoint = "akv_endpoint"
    case kid
    case accessToken = "access_token"

    var goName: String {
        switch self {
        case .runtimeData: "RuntimeData"
        case .maaEndpoint: "MAAEndpoint"
        case .akvEndpoint: "AKVEndpoint"
        case .kid: "KID"
        case .accessToken: "AccessToken"
        }
    }
}

/// The strings of a request body. Absent, `null` and empty are the same, as in the original.
struct BodyMembers {
    private var values: [BodyMember: String] = [:]

    /// Nesting 32, and few values: a body has at most four members that count, and others cost memory.
    static let limits = JSONLimits(maximumBytes: 1 << 30, maximumDepth: 32, maximumValues: 4096)

    subscript(_ member: BodyMember) -> String? { values[member] }

    /// Reads a body whose length was already bounded.
    init(_ bytes: UnsafeBufferPointer<UInt8>, as shape: BodyShape) throws(Refusal) {
        let document: JSONValue
        do { document = try JSONValue.parse(bytes, limits: Self.limits) } catch {
            if bytes.isEmpty { throw .emptyBody }
            throw Self.misspeltLiteral(bytes).map { .misspelt($0) } ?? .refusedJSON(error)
        }
        guard case .object(let object) = document else { throw .wrongTopLevel(shape, found: .array) }
        var seen: Set<BodyMember> = []
        for (name, value) in object {
            guard let member = shape.members.first(where: { $0.rawValue.equalsIgnoringASCIICase(name) }) else { continue }
            guard seen.insert(member).inserted else { throw .duplicateMember(member) }
            switch value {
            case .string(let text): if !text.isEmpty { values[member] = text }
            case .null: break
            case .integer, .real: throw .wrongType(shape, member, found: .number)
            case .boolean: throw .wrongType(shape, member, found: .bool)
            case .array: throw .wrongType(shape, member, found: .array)
            case .object: throw .wrongType(shape, member, found: .object)
            }
        }
    }

    /// The one complaint about syntax that is recorded from the original: `not json` could have become `null`.
    private static func misspeltLiteral(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        for literal in ["null", "true", "false"] where literal.utf8.first == bytes.first {
            for (expected, found) in zip(literal.utf8, bytes) where expected != found && ASCIISet.visible.contains(found) {
                let (expected, found) = (Character(Unicode.Scalar(expected)), Character(Unicode.Scalar(found)))
                return "invalid character '\(found)' in literal \(literal) (expecting '\(expected)')"
            }
        }
        return nil
    }
}
