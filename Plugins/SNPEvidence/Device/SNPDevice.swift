internal import Waiting
package import BrokerCore
internal import Glibc
internal import Synchronization

/// The SNP firmware of this guest.
///
/// Requests go to the firmware one after the other, whoever asks: the kernel's channel has one sequence number, and hosts throttle it. Each
/// runs on a thread of its own, because the kernel may keep it for a minute.
package final class SNPDevice: Sendable {
    private let interfaces: [GuestInterface]
    private let probe: GuestInterfaceProbe
    private let vmpl: UInt32?
    private let wantsCertificates: Bool
    private let turn = Turn()
    private let retryDelay: Duration

    /// Uses the first of `interfaces` that is there. `vmpl` `nil` asks for the privilege level 0 over a device and for the kernel's default
    /// over configfs.
    package init(
        interfaces: [GuestInterface] = GuestInterface.allCases, paths: DevicePaths = DevicePaths(), vmpl: UInt32? = nil,
        wantsCertificates: Bool = true, retryDelay: Duration = .milliseconds(100)
    ) {
        self.interfaces = interfaces
        probe = GuestInterfaceProbe(paths: paths)
        self.vmpl = vmpl
        self.wantsCertificates = wantsCertificates
        self.retryDelay = retryDelay
    }

    /// The interface that would be used, or why there is none, in words.
    package func interface() throws(BrokerError) -> GuestInterface {
        let findings = interfaces.map { ($0, probe.find($0)) }
        if let (found, _) = findings.first(where: { $0.1 == .present }) { return found }
        let words = findings.map { "\(probe.paths[$0]) \($1.words)" }.joined(separator: ", ")
        throw BrokerError(
            .evidenceUnavailable, at: .evidence,
            "no SEV-SNP guest interface: \(words). "
                + "Run the broker in an SEV-SNP guest and give its container the device (kernel module sev-guest); "
                + "for development set evidence.use to fixture")
    }

    /// Where the interface is.
    package func path(of interface: GuestInterface) -> String { probe.paths[interface] }

    /// A report that carries `reportData` (64 bytes), and the host's certificate table where there is one.
    package func report(_ reportData: [UInt8], in context: RequestContext) async throws(BrokerError) -> DeviceReport {
        precondition(reportData.count == 64, "report data has 64 bytes")
        let interface = try interface()
        try await turn.enter(path: probe.paths[interface])
        let answer = Waiter<Result<DeviceReport, BrokerError>>()
        let isGivenUp = Flag()
        let started = BackgroundThread.start { [self] in
            let result = repeated(reportData, interface, until: context.deadline, isGivenUp)
            turn.leave()
            answer.resume(result)
        }
        guard started else {
            turn.leave()
            throw BrokerError(
                .evidenceUnavailable, at: .evidence, "no thread could be started to ask the firmware", retryAfter: .seconds(1))
        }
        let result = await answer.value {
            isGivenUp.raise()
            return true
        }
        guard let result else {
            throw BrokerError(.deadlineExceeded, at: .evidence, "\(probe.paths[interface]) gave no report in time")
        }
        return try result.get()
    }

    /// Asks until there is a report, nothing more can be hoped for, or nobody waits. Blocks its thread.
    private func repeated(_ reportData: [UInt8], _ interface: GuestInterface, until deadline: Deadline, _ isGivenUp: Flag) -> Result<
        DeviceReport, BrokerError
    > {
        var attempts = 0
        var delay = retryDelay
        while true {
            attempts += 1
            let failure: DeviceFailure
            do throws(DeviceFailure) { return .success(try once(reportData, interface)) } catch { failure = error }
            guard failure.kind == .again, !isGivenUp.isRaised, deadline.remaining > delay else {
                return .failure(failure.brokerError(after: attempts))
            }
            let (seconds, attoseconds) = delay.components
            usleep(UInt32(clamping: seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
            delay = min(delay * 2, .seconds(2))
        }
    }

    private func once(_ reportData: [UInt8], _ interface: GuestInterface) throws(DeviceFailure) -> DeviceReport {
        let path = probe.paths[interface]
        let ioctl = IoctlInterface(path: path, vmpl: vmpl ?? 0, wantsCertificates: wantsCertificates)
        let report: DeviceReport
        switch interface {
        case .configfsTSM: report = try ConfigfsInterface(directory: path, vmpl: vmpl).report(reportData)
        case .sevGuest: report = try ioctl.modern(reportData)
        case .sevLegacy: report = try ioctl.legacy(reportData)
        }
        let asked = interface == .configfsTSM ? vmpl : vmpl ?? 0
        try ReportResponse.check(report.report, reportData: reportData, vmpl: asked, path: path)
        return report
    }

    /// Says that nobody waits for an answer any more.
    private final class Flag: Sendable {
        private let state = Atomic(false)
        var isRaised: Bool { state.load(ordering: .relaxed) }
        func raise() { state.store(true, ordering: .relaxed) }
    }
}
