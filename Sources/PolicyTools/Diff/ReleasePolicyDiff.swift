internal import ReleasePolicy
internal import StrictJSON

/// Compares what two release policies admit, clause by clause. The order of alternatives and conditions, groups of one, groups within
/// groups of the same kind, and repetitions make no difference.
enum ReleasePolicyDiff {
    static func changes(_ old: ReleasePolicy, _ new: ReleasePolicy) -> [PolicyChange] {
        var changes: [PolicyChange] = []
        if old.normalizedVersion != new.normalizedVersion {
            changes.append(
                PolicyChange("version", old: .init(.string(old.normalizedVersion)), new: .init(.string(new.normalizedVersion))))
        }
        var before = old.authorities.map { Entry(authority: $0.authority, clauses: Clauses($0.conditions)) }
        var after = new.authorities.map { Entry(authority: $0.authority, clauses: Clauses($0.conditions)) }
        removeEqual(&before, &after, by: \.text)
        for entry in before {
            // The alternative of the same authority that has most in common; else the same clauses under another authority.
            let kin = after.indices.filter { after[$0].authority == entry.authority }
            let nearest = kin.max { common(entry, after[$0]) < common(entry, after[$1]) }
            if let match = nearest {
                changes += entry.clauses.changes(to: after.remove(at: match).clauses, at: entry.authority)
            } else if let match = after.firstIndex(where: { $0.clauses.text == entry.clauses.text }) {
                let other = after.remove(at: match)
                changes.append(PolicyChange("authority", old: .init(.string(entry.authority)), new: .init(.string(other.authority))))
            } else {
                changes.append(PolicyChange(entry.authority, old: entry.clauses.side, new: nil))
            }
        }
        return changes + after.map { PolicyChange($0.authority, old: nil, new: $0.clauses.side) }
    }

    /// Takes away what both sides have, once for each time.
    static func removeEqual<Element>(_ before: inout [Element], _ after: inout [Element], by text: (Element) -> String) {
        before = before.filter { element in
            guard let match = after.firstIndex(where: { text($0) == text(element) }) else { return true }
            after.remove(at: match)
            return false
        }
    }

    private static func common(_ one: Entry, _ other: Entry) -> Int {
        let texts = Set(other.clauses.members.map(\.text))
        return one.clauses.members.count { texts.contains($0.text) }
    }

    private struct Entry {
        let authority: String
        let clauses: Clauses
        var text: String { "\(authority) \(clauses.text)" }
    }

    /// A clause or a group of them.
    private enum Member {
        case claim(ClaimCondition)
        case group(Clauses)

        /// Equal for members that mean the same.
        var text: String {
            switch self {
            case .claim(let claim):
                let wanted = ScalarComparison.canonicalText(claim.wanted) ?? ""
                let parts: JSONValue = [.string(claim.claim), .string(claim.operator.rawValue), .string(wanted)]
                return String(decoding: parts.serialized(), as: UTF8.self)
            case .group(let clauses): return clauses.text
            }
        }

        var names: Set<String> {
            switch self {
            case .claim(let claim): [claim.claim]
            case .group(let clauses): Set(clauses.members.flatMap(\.names))
            }
        }

        var json: JSONValue {
            switch self {
            case .claim(let claim): ["claim": .string(claim.claim), claim.operator.rawValue: claim.wanted]
            case .group(let clauses): clauses.json
            }
        }

        var words: String {
            switch self {
            case .claim(let claim):
                "\(claim.claim) \(claim.operator.rawValue) \(String(decoding: claim.wanted.serialized(), as: UTF8.self))"
            case .group(let clauses): clauses.words
            }
        }

        var side: PolicyChange.Side { .init(json: json, words: words) }
    }

    /// A group in its simplest form: no group of one and none of the same kind within, nothing twice.
    private struct Clauses {
        private(set) var join: ConditionGroup.Join
        private(set) var members: [Member] = []

        init(_ group: ConditionGroup) {
            join = group.join
            var seen: Set<String> = []
            for condition in group.conditions {
                let found: [Member]
                switch condition {
                case .claim(let claim): found = [.claim(claim)]
                case .group(let nested):
                    let clauses = Clauses(nested)
                    found = clauses.join == join || clauses.members.count == 1 ? clauses.members : [.group(clauses)]
                }
                for member in found where seen.insert(member.text).inserted { members.append(member) }
            }
            if members.count == 1, case .group(let only) = members[0] { self = only }
            if members.count == 1 { join = .all }
        }

        var text: String { "\(join.rawValue)(\(members.map(\.text).sorted().joined(separator: " ")))" }
        var json: JSONValue { [join.rawValue: .array(members.map(\.json))] }
        var words: String { "\(join == .all ? "all of" : "any of") (\(members.map(\.words).joined(separator: "; ")))" }
        var side: PolicyChange.Side { .init(json: json, words: words) }

        func changes(to new: Clauses, at place: String) -> [PolicyChange] {
            guard text != new.text else { return [] }
            guard join == new.join || members.count == 1 || new.members.count == 1 else {
                return [PolicyChange(place, old: side, new: new.side)]
            }
            // Groups of one have taken the kind of the other side.
            let isAny = join == .any || new.join == .any
            var before = members
            var after = new.members
            removeEqual(&before, &after, by: \.text)
            let here = isAny ? "\(place), any of" : place
            var changes: [PolicyChange] = []
            for member in before {
                guard let match = after.firstIndex(where: { $0.names == member.names }) else {
                    changes.append(PolicyChange(here, old: member.side, new: nil))
                    continue
                }
                switch (member, after.remove(at: match)) {
                case (.group(let one), .group(let other)): changes += one.changes(to: other, at: here)
                case (_, let other): changes.append(PolicyChange(here, old: member.side, new: other.side))
                }
            }
            return changes + after.map { PolicyChange(here, old: nil, new: $0.side) }
        }
    }
}
