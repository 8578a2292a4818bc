import SNPReport
import Waiting

@testable import SNPFixture
import Waiting

/// One pair of keys for all tests that do not care how it came to be: it takes seconds to make.
actor SharedAuthority {
    static let shared = SharedAuthority()
    static let now: Int64 = 1_767_225_600

    private var making: Task<FixtureKeys, any Error>?

    /// A fresh directory that holds an authority for `product`.
    static func directory(_ product: ProcessorProduct = .milan) async throws -> TemporaryDirectory {
        let keys = try await shared.keys()
        let directory = try TemporaryDirectory()
        try FixtureDirectory(directory.path).keep(keys.authority(product: product, now: now), keys)
        return directory
    }

    private func keys() async throws -> FixtureKeys {
        let task =
            making
            ?? Task {
                let keys = await BackgroundThread.run { Result { () throws(FixtureError) in try FixtureKeys.generate() } }
                guard let keys else { throw FixtureError("no thread to make keys") }
                return try keys.get()
            }
        making = task
        return try await task.value
    }
}
