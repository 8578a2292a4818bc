internal import PlainText
package import StrictJSON

/// What a yes rests on where somebody evaluates claims without having looked at a signature or a clock: an evaluation believes every claim.
package struct Premise: Sendable, Equatable {
    /// Ends the sentence "would be released, if".
    package let condition: String
    /// `exp` in seconds since 1970, where the claims have one.
    package let expires: Int64?
    /// Whether the claims' times hold now; `nil` where they state none.
    package let isInForce: Bool?
    /// What else is known, each a clause without a capital letter and a full stop.
    package private(set) var remarks: [String]

    /// Claims of a token whose signature was not checked.
    package static func token(_ claims: JSONObject, at now: Int64) -> Premise {
        let times = Times(claims, at: now)
        let remark = times.remark ?? "it does not say when it expires, so nobody accepts it"
        return Premise(
            condition: "this token is genuine and in force", expires: times.expires,
            isInForce: times.expires == nil ? false : times.isInForce,
            remarks: ["its signature was not checked", remark])
    }

    /// Claims that somebody wrote down.
    package static func claims(_ claims: JSONObject, at now: Int64) -> Premise {
        let times = Times(claims, at: now)
        return Premise(
            condition: "a genuine token in force has these claims", expires: times.expires, isInForce: times.isInForce,
            remarks: ["there was no signature to check"] + (times.remark.map { ["of such a token: \($0)"] } ?? []))
    }

    /// Claims that were derived from evidence.
    package static let evidence = Premise(
        condition: "the authority vouches for these claims", expires: nil, isInForce: nil,
        remarks: ["they were derived from the evidence, there was no signature to check"])

    /// Adds that a claim was stated by the caller.
    package mutating func assume(_ claim: String) { remarks.append("\(VisibleText.name(claim)) is assumed, not attested") }

    /// `{"condition","signature_checked","expires","in_force","remarks"}`; `expires` and `in_force` are null for claims without times.
    var json: JSONValue {
        [
            "condition": .string(condition), "signature_checked": false, "expires": expires.map { .string(RFC3339.format($0)) } ?? .null,
            "in_force": isInForce.map { .boolean($0) } ?? .null, "remarks": .array(remarks.map { .string($0) }),
        ]
    }

    private struct Times {
        let expires: Int64?
        let isInForce: Bool?
        let remark: String?

        init(_ claims: JSONObject, at now: Int64) {
            let (start, end) = (Self.seconds(claims["nbf"]), Self.seconds(claims["exp"]))
            expires = end
            if let end, end <= now {
                (isInForce, remark) = (false, "it expired at \(RFC3339.format(end))")
            } else if let start, start > now {
                (isInForce, remark) = (false, "it is valid from \(RFC3339.format(start)) on")
            } else if let end {
                (isInForce, remark) = (true, "it expires at \(RFC3339.format(end))")
            } else {
                (isInForce, remark) = (nil, nil)
            }
        }

        /// NumericDate, which may have a fraction (RFC 7519, 2).
        private static func seconds(_ value: JSONValue?) -> Int64? {
            switch value {
            case .integer(let seconds)?: seconds
            case .real(let seconds)?: Int64(exactly: seconds.rounded(.down))
            default: nil
            }
        }
    }
}
