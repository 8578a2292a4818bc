import StrictJSON

/// Claims of tokens as Azure Attestation issues them (AttestationService.md, "Claims" and "Tokens of confidential VMs").
enum SampleTokens {
    static let hostData = "d14f98512e78574d68e04dabc7d462f41d9d7aaa4e47fef658a8df935e151844"
    static let newHostData = "3a385f3bc02aa4b53613069b0337e3e64e03f4ada8ceccef8f8b07f8b5a873ed"
    static let machine = "B958DC88-E41D-47F1-8D20-E57B6B7E9825"
    static let northEurope = "https://sharedneu.neu.attest.azure.net"
    static let westEurope = "https://sharedweu.weu.attest.azure.net"

    private static let hardware: JSONObject = [
        "x-ms-attestation-type": "sevsnpvm", "x-ms-sevsnpvm-bootloader-svn": 3,
        "x-ms-sevsnpvm-familyId": "01000000000000000000000000000000", "x-ms-sevsnpvm-guestsvn": 2,
        "x-ms-sevsnpvm-imageId": "02000000000000000000000000000000", "x-ms-sevsnpvm-is-debuggable": false,
        "x-ms-sevsnpvm-launchmeasurement":
            "02c3b0d5bf1d256fa4e3b5deefc07b55ff2f7029085ed350f60959140a1a51f1310753ba5ab2c03a0536b1c0c193af47",
        "x-ms-sevsnpvm-microcode-svn": 115, "x-ms-sevsnpvm-migration-allowed": false, "x-ms-sevsnpvm-smt-allowed": true,
        "x-ms-sevsnpvm-snpfw-svn": 8, "x-ms-sevsnpvm-tee-svn": 0, "x-ms-sevsnpvm-vmpl": 0,
    ]

    /// A container group.
    static func container(issuer: String = northEurope) -> JSONObject {
        var claims = hardware
        claims.set("iss", .string(issuer))
        claims.set("x-ms-ver", "1.0")
        claims.set("x-ms-compliance-status", "azure-compliant-uvm")
        claims.set("x-ms-sevsnpvm-hostdata", .string(hostData))
        claims.set("x-ms-runtime", ["keys": [["kty": "RSA", "kid": "wrapping"]]])
        return claims
    }

    /// A confidential VM, attested through its vTPM.
    static func machine(issuer: String = westEurope) -> JSONObject {
        var nested = hardware
        nested.set("x-ms-compliance-status", "azure-compliant-cvm")
        nested.set("x-ms-sevsnpvm-hostdata", .string(String(repeating: "0", count: 64)))
        nested.set("x-ms-runtime", ["vm-configuration": ["secure-boot": true, "vmUniqueId": .string(machine)]])
        return [
            "iss": .string(issuer), "secureboot": true, "x-ms-attestation-type": "azurevm", "x-ms-azurevm-vmid": .string(machine),
            "x-ms-azurevm-attested-pcrs": [0, 1, 2], "x-ms-isolation-tee": .object(nested), "x-ms-ver": "1.0",
        ]
    }
}

extension JSONObject {
    /// With a claim set by its dotted name, or removed.
    func changing(_ path: String, to value: JSONValue?) -> JSONObject {
        var copy = self
        let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            if let value { copy.set(path, value) } else { copy.remove(path) }
            return copy
        }
        var inner = JSONObject()
        if case .object(let object)? = copy[parts[0]] { inner = object }
        copy.set(parts[0], .object(inner.changing(parts[1], to: value)))
        return copy
    }
}
