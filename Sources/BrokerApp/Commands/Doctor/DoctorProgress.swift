/// What a person waits for, said on standard error when it takes longer than two seconds.
enum DoctorProgress {
    static func during<Value, Failure: Error>(
        _ words: String, _ work: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let note = Task {
            do { try await Task.sleep(for: .seconds(2)) } catch { return }
            Console.note("doctor: still \(words)")
        }
        defer { note.cancel() }
        return try await work()
    }
}
