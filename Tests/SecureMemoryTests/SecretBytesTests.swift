import SecureMemory
import Testing

@Suite("Secret memory") struct SecretBytesTests {
    struct Failure: Error, Equatable { var code: Int }

    private func array(_ secret: borrowing SecretBytes) -> [UInt8] { secret.withUnsafeBytes { Array($0) } }

    @Test("What is filled in comes out, and only as much as was used") func filling() {
        let secret = SecretBytes(capacity: 8) { output in
            #expect(output.count == 8)
            #expect(output.allSatisfy { $0 == 0 })
            output[0] = 1
            output[1] = 2
            return 2
        }
        let (count, bytes) = (secret.count, array(secret))
        #expect(count == 2)
        #expect(bytes == [1, 2])
    }

    @Test("Nothing is a secret too") func empty() {
        let secret = SecretBytes(capacity: 0) { _ in 0 }
        let (count, bytes) = (secret.count, array(secret))
        #expect(count == 0 && bytes.isEmpty)
    }

    @Test("The error of a failed filling arrives, with its type") func failingToFill() {
        #expect(throws: Failure(code: 7)) {
            _ = try SecretBytes(capacity: 4) { output throws(Failure) in
                output[0] = 1
                throw Failure(code: 7)
            }
        }
    }

    @Test("A copy is independent of its original") func copying() {
        var original: [UInt8] = [1, 2, 3]
        let secret = original.withUnsafeBytes { raw in array(SecretBytes(copying: raw)) }
        original[0] = 9
        #expect(secret == [1, 2, 3])
    }

    @Test(
        "Comparison sees every byte and the length",
        arguments: [
            ([], [], true), ([1], [1], true), ([1, 2, 3], [1, 2, 3], true), ([1, 2, 3], [1, 2, 4], false), ([1, 2, 3], [0, 2, 3], false),
            ([1, 2], [1, 2, 3], false), ([], [0], false),
        ] as [([UInt8], [UInt8], Bool)]) func comparison(left: [UInt8], right: [UInt8], isEqual: Bool)
    {
        #expect(constantTimeEqual(left, right) == isEqual)
        let answer = left.withUnsafeBytes { a in
            right.withUnsafeBytes { b in
                let first = SecretBytes(copying: a)
                let second = SecretBytes(copying: b)
                return first.isEqual(to: second)
            }
        }
        #expect(answer == isEqual)
    }

    @Test("Wiping leaves zeros") func wiping() {
        var bytes = [UInt8](repeating: 0xAA, count: 100)
        bytes.withUnsafeMutableBytes { wipe(UnsafeMutableRawBufferPointer(rebasing: $0[10..<90])) }
        #expect(bytes[..<10].allSatisfy { $0 == 0xAA } && bytes[90...].allSatisfy { $0 == 0xAA })
        #expect(bytes[10..<90].allSatisfy { $0 == 0 })
        wipe(UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }

    @Test("A redacted value shows itself nowhere") func redaction() {
        let token = Redacted("eyJhbGciOi")
        var dumped = ""
        dump(token, to: &dumped)
        for text in ["\(token)", String(reflecting: token), String(describing: [token]), dumped, String(describing: Optional(token))] {
            #expect(!text.contains("eyJ"))
        }
        #expect("\(token)" == "<redacted>")
        #expect(token.reveal() == "eyJhbGciOi")
        #expect(token == Redacted("eyJhbGciOi") && token != Redacted("other"))
    }
}
