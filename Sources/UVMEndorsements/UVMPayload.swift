internal import OpenSSLCrypto
internal import StrictJSON

/// What an endorsement vouches for.
struct UVMPayload: Sendable {
    /// 48 bytes.
    let launchMeasurement: [UInt8]
    /// The number in the payload; the transparent form has it in the header instead.
    let svn: UInt64?

    init(_ bytes: [UInt8], form: UVMEndorsement.Form) throws(UVMEndorsementError) {
        switch form {
        case .hashEnvelope:
            launchMeasurement = bytes
            svn = nil
        case .json:
            do {
                let document = try JSONCursor.parse(bytes, limits: JSONLimits(maximumBytes: 1 << 14, maximumDepth: 8))
                guard let measurement = Hex.decode(try document.string("x-ms-sevsnpvm-launchmeasurement")) else {
                    throw UVMEndorsementError(.payload, "the launch measurement is not hexadecimal")
                }
                launchMeasurement = measurement
                svn = try Self.svn(document)
            } catch let error as UVMEndorsementError { throw error } catch {
                throw UVMEndorsementError(.payload, "not the expected JSON document: \(error)")
            }
        }
        guard launchMeasurement.count == UVMEndorsement.measurementByteCount else {
            throw UVMEndorsementError(.payload, "the launch measurement has \(launchMeasurement.count) bytes instead of 48")
        }
    }

    /// The number is a string of digits in every known payload; newer ones repeat it as a number. CCF takes a number as well
    /// (UVMEndorsements.md, "JSON form").
    private static func svn(_ document: JSONCursor) throws -> UInt64? {
        let text = try document.optional("x-ms-sevsnpvm-guestsvn")?.integerOrNumericString()
        let number = try document.optional("x-ms-sevsnpvm-guestsvn-int")?.integer()
        if let text, let number, text != number { throw UVMEndorsementError(.payload, "guestsvn and guestsvn-int differ") }
        guard let value = text ?? number else { return nil }
        guard value >= 0 else { throw UVMEndorsementError(.payload, "the security version number is negative") }
        return UInt64(value)
    }
}
