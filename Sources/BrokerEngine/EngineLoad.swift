/// How much the engine has to do at this moment.
package struct EngineLoad: Sendable {
    package let releasesRunning: Int
    package let releasesWaiting: Int
    package let sessionsOpen: Int
    package let sharedRunning: Int
    package let sharedWaiting: Int
    package let wrappingKeysReady: Int
    package let wrappingKeysAwaited: Int
}

extension BrokerEngine {
    package var load: EngineLoad {
        let (running, waiting) = admission.load
        return EngineLoad(
            releasesRunning: running, releasesWaiting: waiting, sessionsOpen: sessions?.count ?? 0, sharedRunning: shared.runningCount,
            sharedWaiting: shared.waitingCount, wrappingKeysReady: wrappingKeys.count, wrappingKeysAwaited: wrappingKeys.waitingCount)
    }
}
