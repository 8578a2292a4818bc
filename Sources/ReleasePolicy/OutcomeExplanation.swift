internal import PlainText

extension PolicyOutcome {
    /// One sentence per obstacle of the nearest authority, for logs and people; empty where the policy is satisfied.
    package var obstacles: [String] {
        guard !isSatisfied, let nearest = authorities.first else { return [] }
        var lines: [String] = []
        if nearest.match != .exact {
            lines.append(
                "issuer \(VisibleText.quoted(issuer)) is not an authority of this policy; nearest is "
                    + "\(VisibleText.quoted(nearest.authority)) (\(nearest.match.rawValue))")
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
        let found = actual.map { "found \(VisibleText.value($0))" } ?? "found nothing"
        return "\(claim): wanted \(self.operator.rawValue) \(VisibleText.value(wanted)), \(found) (\(reason.rawValue))"
    }
}
