internal import CCurl
internal import CCurlShims
internal import Glibc
internal import HTTPTransport
internal import Synchronization

/// A request on its way to the loop, with the caller who waits for it.
struct Submission: Sendable {
    let ticket: Ticket
    let request: PreparedRequest
    let continuation: CheckedContinuation<Result<HTTPResponse, HTTPTransportError>, Never>

    func fail(_ error: HTTPTransportError) { continuation.resume(returning: .failure(error)) }
}

/// Identifies a request and remembers its cancellation, which may come before the request itself.
final class Ticket: Sendable {
    let id: UInt64
    private let cancelled = Atomic(false)

    init(id: UInt64) { self.id = id }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    func cancel() { cancelled.store(true, ordering: .releasing) }
}

/// The thread that owns libcurl.
///
/// Every call that takes an easy or multi handle happens on that thread, with one exception that libcurl allows: `curl_multi_wakeup`. It
/// happens under the mailbox's lock and never after the mailbox was closed, and the loop frees the handle only after it took the command
/// that closed it. Callers are resumed by the loop alone, once each.
final class TransferLoop: Sendable {
    private enum Command: Sendable {
        case submit(Submission)
        case cancel(UInt64)
        case stop
    }

    private struct Mailbox: Sendable {
        var commands: [Command] = []
        var nextID: UInt64 = 0
        var isClosed = false
    }

    private let mailbox = Mutex(Mailbox())
    private let settings: TransferSettings
    // Addresses instead of pointers, because that is what they are to every thread but one.
    private let multiAddress: UInt
    private let sessionsAddress: UInt

    // libcurl's own initialisation; a static is made once, whoever comes first.
    static let isInitialised = broker_curl_initialise() == CURLE_OK

    init(_ settings: TransferSettings) throws(HTTPTransportError) {
        guard Self.isInitialised, let multi = curl_multi_init() else { throw .connectionFailed(reason: "libcurl cannot be initialised") }
        _ = broker_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.maximumConnections)
        guard let sessions = broker_curl_share_sessions() else {
            curl_multi_cleanup(multi)
            throw .connectionFailed(reason: "libcurl has no memory for TLS sessions")
        }
        multiAddress = UInt(bitPattern: multi)
        sessionsAddress = UInt(bitPattern: sessions)
        self.settings = settings
    }

    /// Starts the thread, which keeps this object alive until it ends. Called once.
    func start() throws(HTTPTransportError) {
        let box = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                TransferLoop.prepareThread()
                Unmanaged<TransferLoop>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            box.release()
            mailbox.withLock { box in box.isClosed = true }
            cleanUp()
            throw .connectionFailed(reason: "no thread for outbound requests: \(String(cString: strerror(code)))")
        }
        pthread_detach(thread)
    }

    // MARK: From any thread

    func makeTicket() -> Ticket {
        Ticket(
            id: mailbox.withLock { box in
                box.nextID += 1
                return box.nextID
            })
    }

    func submit(_ submission: Submission) {
        guard !submission.ticket.isCancelled else { return submission.fail(.cancelled) }
        if !post(.submit(submission)) { submission.fail(.stopped) }
    }

    func cancel(_ ticket: Ticket) {
        ticket.cancel()
        // After a stop there is nobody left to tell: the loop ends every request.
        _ = post(.cancel(ticket.id))
    }

    func stop() { _ = post(.stop) }

    private func post(_ command: Command) -> Bool {
        mailbox.withLock { box in
            guard !box.isClosed else { return false }
            if case .stop = command { box.isClosed = true }
            // Commands that are still there were announced when the first of them came.
            let isAnnounced = !box.commands.isEmpty
            box.commands.append(command)
            if !isAnnounced { curl_multi_wakeup(UnsafeMutableRawPointer(bitPattern: multiAddress)) }
            return true
        }
    }

    // MARK: On the loop's thread

    // Signals belong to the other threads. SIGPIPE in particular: a write to a connection that was reset must be an error, not the end of
    // the process.
    private static func prepareThread() {
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        broker_name_thread("http-transport")
    }

    private func run() {
        guard let multi = UnsafeMutableRawPointer(bitPattern: multiAddress),
            let sessions = UnsafeMutableRawPointer(bitPattern: sessionsAddress)
        else { return }
        var table = TransferTable(multi: multi, sessions: sessions, settings: settings)
        while takeCommands(&table) {
            table.failExpired()
            table.startWaiting()
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            // A place that became free is given away before the thread sleeps.
            if table.finishCompleted() { continue }
            curl_multi_poll(multi, nil, 0, table.pollTimeout, nil)
        }
        table.failAll(.stopped)
        cleanUp()
    }

    private func cleanUp() {
        curl_multi_cleanup(UnsafeMutableRawPointer(bitPattern: multiAddress))
        curl_share_cleanup(UnsafeMutableRawPointer(bitPattern: sessionsAddress))
    }

    /// False when it is time to end. A stop is the last command there is, because nothing is accepted after it.
    private func takeCommands(_ table: inout TransferTable) -> Bool {
        let commands = mailbox.withLock { box in
            let commands = box.commands
            box.commands = []
            return commands
        }
        for command in commands {
            switch command {
            case .submit(let submission): table.enqueue(submission)
            case .cancel(let id): table.cancel(id)
            case .stop: return false
            }
        }
        return true
    }
}
