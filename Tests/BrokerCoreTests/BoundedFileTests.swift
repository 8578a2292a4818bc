import BrokerCore
import Glibc
import Testing

@Suite("Files of unknown size") struct BoundedFileTests {
    /// A file with that content, for the duration of `body`.
    private func withFile(_ content: [UInt8], _ body: (String) throws -> Void) throws {
        var template = Array("/tmp/broker-file-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        var rest = content[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            try #require(count > 0)
            rest = rest.dropFirst(count)
        }
        close(descriptor)
        try body(path)
    }

    @Test("up to the limit a file is read whole, beyond it is refused", arguments: [0, 1, 65_535, 65_536, 65_537, 200_000]) func limits(
        count: Int
    ) throws {
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try withFile(content) { path in
            let exact = try BoundedFile.read(path, limit: count)
            let below = try BoundedFile.read(path, limit: count + 1)
            #expect(exact == content)
            #expect(below == content)
            guard count > 0 else { return }
            #expect { try BoundedFile.read(path, limit: count - 1) } throws: { error in
                "\(error)" == "\(path): longer than \(count - 1) bytes"
            }
        }
    }

    @Test("a file without end is refused") func endless() {
        #expect { try BoundedFile.read("/dev/zero", limit: 1 << 20) } throws: { "\($0)" == "/dev/zero: is not a regular file" }
        #expect { try BoundedFile.read("/dev/zero", limit: 1 << 20, allowsPipes: true) } throws: {
            "\($0)" == "/dev/zero: longer than 1048576 bytes"
        }
    }

    @Test("C2: a FIFO is refused without waiting for it") func pipe() throws {
        let path = "/tmp/broker-fifo-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        #expect { try BoundedFile.read(path, limit: 10) } throws: { "\($0)" == "\(path): is not a regular file" }
    }

    @Test("a directory and a file that is not there are told apart") func notFiles() {
        #expect { try BoundedFile.read("/tmp", limit: 10) } throws: { "\($0)" == "/tmp: is a directory" }
        #expect { try BoundedFile.read("/nonexistent/x", limit: 10) } throws: { "\($0)".hasPrefix("/nonexistent/x: No such file") }
    }
}
