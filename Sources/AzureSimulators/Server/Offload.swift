internal import NIOPosix

/// Runs work that keeps a processor busy, such as making an RSA key, where it does not hold up requests.
func offload<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(work)
}
