internal import OpenSSLCrypto
internal import SNPReport
internal import SNPVerification
internal import StrictJSON

/// The claims that a verified report becomes (AttestationService.md, "Claims").
enum AttestationClaims {
    static func make(
        _ report: AttestationReport, product: ProcessorProduct, request: SevSnpVmRequest, issuer: String, policyHash: String, now: Int64,
        life: Int64
    ) -> JSONObject {
        // The service's samples do not tell the reported TCB from the current one; reported is the one that was proved.
        let tcb = report.reportedTCB.components(for: product)
        var claims: JSONObject = [
            "exp": .integer(now + life), "iat": .integer(now), "nbf": .integer(now), "iss": .string(issuer),
            "jti": .string(SecureRandom.hex(32)), "x-ms-ver": "1.0", "x-ms-attestation-type": "sevsnpvm",
            "x-ms-policy-hash": .string(policyHash), "x-ms-sevsnpvm-authorkeydigest": hex(report.authorKeyDigest),
            "x-ms-sevsnpvm-bootloader-svn": .integer(Int64(tcb.bootloader ?? 0)), "x-ms-sevsnpvm-familyId": hex(report.familyID),
            "x-ms-sevsnpvm-guestsvn": .integer(Int64(report.guestSVN)), "x-ms-sevsnpvm-hostdata": hex(report.hostData),
            "x-ms-sevsnpvm-idkeydigest": hex(report.idKeyDigest), "x-ms-sevsnpvm-imageId": hex(report.imageID),
            "x-ms-sevsnpvm-is-debuggable": .boolean(report.policy.allowsDebug), "x-ms-sevsnpvm-launchmeasurement": hex(report.measurement),
            "x-ms-sevsnpvm-microcode-svn": .integer(Int64(tcb.microcode ?? 0)),
            "x-ms-sevsnpvm-migration-allowed": .boolean(report.policy.allowsMigration), "x-ms-sevsnpvm-reportdata": hex(report.reportData),
            "x-ms-sevsnpvm-reportid": hex(report.reportID), "x-ms-sevsnpvm-smt-allowed": .boolean(report.policy.allowsSMT),
            "x-ms-sevsnpvm-snpfw-svn": .integer(Int64(tcb.snp ?? 0)), "x-ms-sevsnpvm-tee-svn": .integer(Int64(tcb.tee ?? 0)),
            "x-ms-sevsnpvm-vmpl": .integer(Int64(report.vmpl)),
        ]
        if let nonce = request.nonce { claims.set("nonce", .string(nonce)) }
        if let runtime = request.runtimeData?.json { claims.set("x-ms-runtime", .object(runtime)) }
        if let initTime = request.initTimeData?.json { claims.set("x-ms-inittime", .object(initTime)) }
        return claims
    }

    private static func hex(_ bytes: [UInt8]) -> JSONValue { .string(Hex.encode(bytes)) }
}

/// The policy that decides whether a token is issued (AttestationService.md, "Attestation policy").
enum AttestationPolicy {
    /// The policy of Azure's shared providers: its hash is the `x-ms-policy-hash` of their real tokens.
    static let standard = "version= 1.0;authorizationrules{=> permit();};"

    /// `x-ms-policy-hash`: base64url of the SHA-256 of the policy's base64url text.
    static func hash(_ text: String) -> String {
        Base64.encodeURL(DigestAlgorithm.sha256.digest(Array(Base64.encodeURL(Array(text.utf8)).utf8)))
    }

    /// Judges a draft as far as the simulator understands the language: its version, and whether it can permit anything at all.
    static func check(draft text: String) throws(AttestationRefusal) {
        let words = text.filter { !$0.isWhitespace }
        guard words.hasPrefix("version="), words.contains("authorizationrules{") else {
            throw AttestationRefusal(400, "PolicyParsingError", "The draft policy is not an attestation policy.")
        }
        guard words.contains("=>permit();") else {
            throw AttestationRefusal(400, "PolicyEvaluationError", "No rule of the draft policy permits the evidence.")
        }
    }
}
