internal import OpenSSLCrypto
internal import PlainText

/// Decides whether a UVM endorsement is one that its reader should believe (UVMEndorsements.md, "Verification").
///
/// All checks are made that the readable parts allow, so that a rejection names everything that is wrong; `UVMCheckCode` says how the
/// combination tells which part was altered.
package struct UVMEndorsementVerifier: Sendable {
    package init() {}

    /// Verifies an encoded endorsement. Any bytes get an answer; nothing is thrown.
    package func verify(_ cose: [UInt8], policy: Policy = Policy()) -> UVMVerificationResult {
        var log = UVMCheckLog()
        let parts: UVMEndorsementParts
        do { parts = try UVMEndorsementParts(cose) } catch {
            log.fail(error)
            return log.result(nil)
        }
        log.pass(.cose, "a COSE_Sign1 message of \(cose.count) bytes")
        let header: UVMHeader
        switch parts.header {
        case .success(let value): header = value
        case .failure(let error):
            log.fail(error)
            return log.result(nil)
        }
        log.pass(.protectedHeader, "form \(header.form.rawValue), algorithm \(header.algorithm.name)")

        let payload = Self.readPayload(parts, header, &log)
        let certificates = Self.readCertificates(parts, header, &log)
        let statement = StatementChecks(header: header.statement, trust: policy.trust)
        statement.checkIdentity(&log)
        if let payload {
            do { statement.checkVersion(try UVMEndorsement.svn(header, payload), &log) } catch { log.fail(error) }
            Self.checkMeasurement(payload, policy, &log)
        }
        if let certificates {
            let chain = EndorsementSigners(certificates: certificates, issuer: try? DIDX509(header.statement.issuer))
            let isIntact = statement.checkChain(chain, &log)
            let witness = SignatureWitness(
                message: parts.message, isChainIntact: isIntact,
                isPayloadExpected: payload != nil && payload?.launchMeasurement == policy.expectedMeasurement)
            statement.checkSignature(witness, parts.payloadBytes, chain, &log)
        }
        Self.checkReceipts(parts, policy, &log)

        guard let payload, let certificates, case .success(let receipts) = parts.receipts else { return log.result(nil) }
        return log.result(try? UVMEndorsement(header, payload, certificates, receipts))
    }

    // MARK: Reading

    private static func readPayload(_ parts: UVMEndorsementParts, _ header: UVMHeader, _ log: inout UVMCheckLog) -> UVMPayload? {
        do {
            let payload = try parts.payload(for: header)
            log.pass(.payload, "\(parts.payloadBytes.count) bytes")
            return payload
        } catch {
            log.fail(error)
            return nil
        }
    }

    private static func readCertificates(_ parts: UVMEndorsementParts, _ header: UVMHeader, _ log: inout UVMCheckLog) -> [Certificate]? {
        do { return try parts.certificates(of: header) } catch {
            log.fail(error)
            return nil
        }
    }

    // MARK: Measurement

    private static func checkMeasurement(_ payload: UVMPayload, _ policy: Policy, _ log: inout UVMCheckLog) {
        let measurement = Hex.encode(payload.launchMeasurement)
        guard let expected = policy.expectedMeasurement else {
            log.pass(.measurement, "\(measurement); there was no report to compare it with")
            return
        }
        log.record(
            .measurement,
            payload.launchMeasurement == expected
                ? [] : ["the endorsed launch measurement \(measurement) is not the expected \(Hex.encode(expected))"],
            otherwise: measurement)
    }

    // MARK: Receipts

    private static func checkReceipts(_ parts: UVMEndorsementParts, _ policy: Policy, _ log: inout UVMCheckLog) {
        switch parts.receipts {
        case .failure(let error): log.fail(error)
        case .success(let receipts):
            let outcome = LedgerReceiptCheck(
                receipts: receipts, message: parts.message, keys: policy.ledgerKeys, isRequired: policy.requiresReceipt)
            log.record(.receipt, outcome.complaints, otherwise: outcome.remark)
        }
    }
}
