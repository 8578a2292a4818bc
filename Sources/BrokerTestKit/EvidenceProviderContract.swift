public import BrokerCore
internal import HTTPTransport
internal import OpenSSLCrypto
internal import PlainText

/// What every `EvidenceProvider` must do, whatever hardware it speaks to. A provider's tests run it against a factory of their own.
public struct EvidenceProviderContract: Sendable {
    /// Makes a provider that works.
    public var makeProvider: @Sendable () throws(BrokerError) -> any EvidenceProvider
    /// Makes one whose device is missing; `nil` where that cannot happen.
    public var makeWithoutDevice: (@Sendable () throws(BrokerError) -> any EvidenceProvider)?
    /// What its evidence is worth.
    public var provenance: Evidence.Provenance
    /// Reads REPORT_DATA out of a report, or `nil` where the report does not parse.
    public var reportData: @Sendable ([UInt8]) -> [UInt8]?
    /// Longest time that a cancelled call may still take; generous, because a test machine may be busy.
    public var cancellationBound: Duration = .seconds(30)

    public init(
        provenance: Evidence.Provenance, reportData: @escaping @Sendable ([UInt8]) -> [UInt8]? = EvidenceProviderContract.snpReportData,
        makeProvider: @escaping @Sendable () throws(BrokerError) -> any EvidenceProvider,
        withoutDevice: (@Sendable () throws(BrokerError) -> any EvidenceProvider)? = nil
    ) {
        self.provenance = provenance
        self.reportData = reportData
        self.makeProvider = makeProvider
        self.makeWithoutDevice = withoutDevice
    }

    /// REPORT_DATA of an SEV-SNP report: 64 bytes at offset 0x50 of exactly 1184 (AMD 56860, "ATTESTATION_REPORT").
    public static let snpReportData: @Sendable ([UInt8]) -> [UInt8]? = { report in report.count == 1184 ? Array(report[0x50..<0x90]) : nil }

    /// Every way in which the provider breaks the contract, in words; empty when it keeps it.
    public func violations() async -> [String] {
        var found: [String] = []
        let provider: any EvidenceProvider
        do { provider = try makeProvider() } catch { return ["the provider cannot be made: \(error)"] }
        if provider.provenance != provenance { found.append("provenance is \(provider.provenance), expected \(provenance)") }
        found += await echoesBindings(provider)
        found += await keepsConcurrentCallsApart(provider)
        found += await endsWhenCancelled(provider)
        found += await refusesWithoutDevice()
        return found
    }

    private func echoesBindings(_ provider: any EvidenceProvider) async -> [String] {
        var found: [String] = []
        var reports: [[UInt8]] = []
        for seed in ["first", "second"] {
            let binding = ReportData(sha256Of: Array(seed.utf8))
            do {
                let evidence = try await provider.evidence(binding: binding, in: .forTest())
                found += check(evidence, echoes: binding)
                reports.append(evidence.report)
            } catch { found.append("no evidence for a valid binding: \(error)") }
        }
        if reports.count == 2, reports[0] == reports[1] { found.append("two bindings gave the same report") }
        // All 64 bytes belong to the caller, not only the half that a digest fills.
        if let full = ReportData(exactly: (0..<64).map { UInt8($0) ^ 0xA5 }) {
            do { found += check(try await provider.evidence(binding: full, in: .forTest()), echoes: full) } catch {
                found.append("no evidence for a binding of 64 arbitrary bytes: \(error)")
            }
        }
        return found
    }

    private func keepsConcurrentCallsApart(_ provider: any EvidenceProvider) async -> [String] {
        await withTaskGroup(of: [String].self) { group in
            for index in 0..<16 {
                group.addTask {
                    let binding = ReportData(sha256Of: Array("concurrent \(index)".utf8))
                    do { return check(try await provider.evidence(binding: binding, in: .forTest()), echoes: binding) } catch {
                        return ["a concurrent call failed: \(error)"]
                    }
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func endsWhenCancelled(_ provider: any EvidenceProvider) async -> [String] {
        let binding = ReportData(sha256Of: Array("cancelled".utf8))
        let call = Task { _ = try? await provider.evidence(binding: binding, in: .forTest()) }
        call.cancel()
        let started = ContinuousClock.now
        await call.value
        let taken = started.duration(to: .now)
        return taken <= cancellationBound ? [] : ["a cancelled call ended only after \(taken)"]
    }

    private func refusesWithoutDevice() async -> [String] {
        guard let makeWithoutDevice else { return [] }
        do {
            let provider = try makeWithoutDevice()
            let evidence = try await provider.evidence(binding: ReportData(sha256Of: Array("no device".utf8)), in: .forTest())
            return ["without a device there still was \(evidence.provenance) evidence"]
        } catch {
            guard error.code == .evidenceUnavailable else {
                return ["without a device the code is \(error.code), expected evidenceUnavailable"]
            }
            return []
        }
    }

    private func check(_ evidence: Evidence, echoes binding: ReportData) -> [String] {
        var found: [String] = []
        if evidence.provenance != provenance { found.append("evidence says \(evidence.provenance), the provider \(provenance)") }
        guard let echoed = reportData(evidence.report) else {
            return found + ["the report of \(evidence.report.count) bytes does not parse"]
        }
        if echoed != binding.bytes { found.append("REPORT_DATA is not the binding") }
        if evidence.endorsements.isEmpty { found.append("there are no endorsements") }
        if !evidence.endorsedTCB.utf8.consists(of: .lowercaseHexDigits, count: 16...16) {
            found.append("endorsedTCB '\(evidence.endorsedTCB)' is not 16 lower-case hex digits")
        }
        return found
    }
}
