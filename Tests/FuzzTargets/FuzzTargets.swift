/// All targets. Each area of the product has a file.
package enum FuzzTargets {
    package static let all: [FuzzTarget] =
        [
            .report, .certificateTable, .amdExtensions, .certificate, .revocationList, .inputs, .privateKey, .cbor, .endorsement,
            .didX509, .ledgerKeys, .jws, .jwk, .json, .base64, .names, .text, .keyUnwrap, .releasedKey, .releasePolicy, .policyLint,
            .securityPolicy, .upstream, .configuration, .environment, .audit, .evidenceBundle, .products,
            .keyPacket, .keyRequest, .resourceURI,
        ] + inner

    /// Those that reach into a room; a build for use has no way in.
    #if DEBUG || FUZZ
        private static let inner: [FuzzTarget] = [.thim, .storeAnswer, .storeSignature, .httpRequest, .requestBody]
    #else
        private static let inner: [FuzzTarget] = []
    #endif

    package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}
