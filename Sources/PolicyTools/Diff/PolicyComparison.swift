internal import InputReading
package import ReleasePolicy
internal import StrictJSON

/// A policy of either kind, out of whatever holds it.
package enum ComparablePolicy {
    case release(ReleasePolicy)
    case security(SecurityPolicyText)

    /// What a security policy says, for comparison only.
    package struct SecurityPolicyText { let document: SecurityPolicyDocument }

    /// Why there is nothing to compare. The end of a sentence that starts with the name of the input.
    package struct Failure: Error, Sendable, Equatable, CustomStringConvertible { package let description: String }

    /// A release policy is JSON with `anyOf`, or what holds one; anything else is looked into for a security policy.
    package init(_ input: [UInt8]) throws(Failure) {
        if let document = try? PolicyDocument(input), Self.isReleasePolicy(document) {
            do { self = .release(try ReleasePolicy(json: document.text)) } catch {
                throw Failure(description: "not a release policy: \(error); 'policy lint' names every fault")
            }
            return
        }
        let found: [SecurityPolicyInput]
        do { found = try SecurityPolicyInput.read(input, as: nil) } catch { throw Failure(description: error.description) }
        guard let first = found.first, found.allSatisfy({ $0.bytes == first.bytes }) else {
            throw Failure(description: "holds \(found.count) security policies; give one")
        }
        do { self = .security(SecurityPolicyText(document: try SecurityPolicyDocument(first.bytes))) } catch {
            throw Failure(description: error.description)
        }
    }

    private static func isReleasePolicy(_ document: PolicyDocument) -> Bool {
        guard document.form == .policy else { return true }
        guard case .object(let object)? = try? JSONValue.parse(document.text, limits: JSONLimits(bigIntegers: .asReal)) else {
            return false
        }
        return object["anyOf"] != nil || object["allOf"] != nil
    }

    /// How `new` differs from this one; `nil` where the two are not of one kind.
    package func difference(to new: ComparablePolicy) -> PolicyDifference? {
        switch (self, new) {
        case (.release(let old), .release(let new)): PolicyDifference(old, new)
        case (.security(let old), .security(let new)): PolicyDifference(old.document, new.document)
        case (.release, .security), (.security, .release): nil
        }
    }
}
