internal import StrictJSON

extension PolicyOutcome {
    /// One sentence per obstacle of the nearest authority, for logs and people; empty where the policy is satisfied.
    package var obstacles: [String] {
        guard !isSatisfied, let nearest = authorities.first else { return [] }
        var lines: [String] = []
        if nearest.match != .exact {
            lines.append(
                "issuer \(quoted(issuer)) is not an authority of this policy; nearest is "
                    + "\(quoted(nearest.authority)) (\(nearest.match.rawValue))")
        }
        nearest.conditions.collectObstacles(into: &lines)
        return lines
    }
}

extension GroupOutcome {
    fileprivate func collectObstacles(into lines: inout [String]) {
        guard !isSatisfied else { return }
        for condition in conditions {
            switch condition {
            case .claim(let claim) where !claim.isSatisfied: lines.append(claim.explanation)
            case .claim: break
            case .group(let group): group.collectObstacles(into: &lines)
            }
        }
    }
}

extension ClaimOutcome {
    /// `x-ms-sevsnpvm-is-debuggable: wanted equals "false", found true (different-value)`.
    package var explanation: String {
        let found = actual.map { "found \(Self.text($0))" } ?? "found nothing"
        return "\(claim): wanted \(self.operator.rawValue) \(Self.text(wanted)), \(found) (\(reason.rawValue))"
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .object, .array: value.kindName
        case .string(let text): quoted(text)
        default: ScalarComparison.canonicalText(value) ?? "null"
        }
    }
}

/// A value of a token or policy in quotation marks: at most 200 characters, control characters escaped.
private func quoted(_ text: String) -> String {
    var bytes: [UInt8] = []
    JSONWriter.escape(text.count > 200 ? text.prefix(200) + "…" : text, into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
}
