package import HTTPTransport
internal import Synchronization

/// What was learned about one request: for the log, the audit and the metrics, which read nothing else.
///
/// Stages write into it as they go, through `RequestRecorder`; the engine completes it, in one place, and hands it to its observers.
package struct RequestRecord: Sendable {
    /// What was asked for. A closed set: rules, metrics and audit name these.
    package enum Operation: String, Sendable, CaseIterable {
        case release
        case attestToken = "attest-token"
        case attestCombined = "attest-combined"
        case attestRaw = "attest-raw"
        case attestVerdict = "attest-verdict"
        /// To have data wrapped to a key's public half, which opens nothing.
        case wrapKey = "wrap-key"

        /// Whether it is about one key of one store.
        package var namesKey: Bool {
            switch self {
            case .release, .wrapKey: true
            case .attestToken, .attestCombined, .attestRaw, .attestVerdict: false
            }
        }
    }

    /// What time was spent on. Some overlap: an identity is asked for while evidence is collected.
    package enum Timing: String, Sendable, CaseIterable {
        /// Waiting for a turn.
        case queue
        /// Waiting for work that another request had begun.
        case shared
        /// Report and endorsements.
        case evidence
        case verify
        case identity
        case release
        case unwrap
        /// Waiting for the audit line.
        case audit
    }

    /// Whose wrapping key the key was released to.
    package enum SessionUse: String, Sendable, CaseIterable {
        /// One that was made for this release alone.
        case single
        /// That of a release session which began with this release.
        case new
        /// That of a release session which was there.
        case reused
    }

    /// What proved this machine.
    package struct Proof: Sendable, Equatable {
        /// SHA-256 of the report, hexadecimal.
        package var evidenceDigest: String
        /// Reported TCB, as `Evidence.endorsedTCB`.
        package var tcb: String
        /// HOST_DATA of the report, hexadecimal: the digest of the security policy under which this machine was started.
        package var policyDigest: String
        package var provenance: Evidence.Provenance
        /// When the report was made, and when the first of its certificates expires: seconds since 1970.
        package var collectedAt: Int64?
        package var certificatesExpireAt: Int64?
        /// Claim `jti` of the authority's token; `nil` without a token or the claim.
        package var tokenID: String?
        /// SHA-256 of the token, hexadecimal.
        package var tokenDigest: String?
        package var tokenExpiresAt: Int64?

        package init(evidenceDigest: String, tcb: String, policyDigest: String, provenance: Evidence.Provenance) {
            self.evidenceDigest = evidenceDigest
            self.tcb = tcb
            self.policyDigest = policyDigest
            self.provenance = provenance
        }
    }

    package let requestID: String
    /// The request's span; `nil` where nobody traces it.
    package var trace: TraceContext?
    /// The caller's span above it, where the caller named one.
    package var traceParent: TraceContext?
    /// Trace that the request belongs to (W3C Trace Context), 32 hexadecimal digits.
    package var traceID: String? { trace?.traceID }
    /// Who took the request, from a closed set of the front end: `POST /key/release`.
    package var route = ""
    package var caller: Caller
    package var operation = Operation.release
    package let begin: ContinuousClock.Instant

    /// As it was asked for, `NAME` or `NAME/VERSION`.
    package var key: KeyName?
    /// As the store named what it released, always with a version.
    package var releasedKeyID: String?
    /// The configured name of the store, and where it was asked.
    package var store: String?
    package var storeEndpoint: Endpoint?
    package var authority: Endpoint?
    package var proof: Proof?
    package var session: SessionUse?
    /// Whether the store's answer was got together with other requests for the same key.
    package var isShared = false
    package var durations: [Timing: Duration] = [:]

    /// `nil` while the request goes on.
    package var duration: Duration?
    /// Why it failed; `nil` where it did not.
    package var error: BrokerError?

    /// `ok`, or the error's code.
    package var code: String { error?.code.rawValue ?? "ok" }
    package var isComplete: Bool { duration != nil }

    package init(requestID: String, caller: Caller, begin: ContinuousClock.Instant = .now) {
        self.requestID = requestID
        self.caller = caller
        self.begin = begin
    }
}

/// Where the stages of a request write what they learn. What comes after its completion is not in the record that was handed out, but
/// counts for others who wait for the same work.
package final class RequestRecorder: Sendable {
    private let state: Mutex<RequestRecord>

    package init(_ record: RequestRecord) { state = Mutex(record) }

    package var record: RequestRecord { state.withLock { $0 } }

    package func note(_ change: (inout RequestRecord) -> Void) {
        state.withLock { change(&$0) }
    }

    /// Adds the time that `work` takes, also where it fails.
    package func timing<Value: ~Copyable, Failure: Error>(
        _ timing: RequestRecord.Timing, _ work: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let start = ContinuousClock.now
        defer { add(start.duration(to: .now), to: timing) }
        return try await work()
    }

    package func add(_ duration: Duration, to timing: RequestRecord.Timing) {
        note { $0.durations[timing, default: .zero] += duration }
    }

    /// The record as it is at the end of the request. `nil` where it was completed before.
    package func complete(_ error: BrokerError?) -> RequestRecord? {
        state.withLock { record in
            guard !record.isComplete else { return nil }
            record.error = error
            record.duration = record.begin.duration(to: .now)
            return record
        }
    }
}
