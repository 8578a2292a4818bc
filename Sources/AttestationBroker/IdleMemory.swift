import BrokerEngine
import CProcessMemory
import ServiceLifecycle

/// Gives memory back when there was work and there is none any more.
///
/// A sidecar is idle for most of its life: what its start and its last burst of releases touched need not stay resident. The next request reads what it needs from the
/// page cache again, which costs it about a millisecond.
struct IdleMemory: Service {
    let engine: BrokerEngine
    /// How long nothing may have begun or be under way.
    static let quietTime = Duration.seconds(5)

    func run() async throws {
        var seen = engine.workCount
        // The start is work too.
        var isClean = false
        while !Task.isShuttingDownGracefully {
            do { try await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.quietTime) } } catch { return }
            let count = engine.workCount
            if count == seen, !isClean, engine.isIdle {
                broker_memory_release()
                isClean = true
            } else if count != seen {
                isClean = false
            }
            seen = count
        }
    }
}
