#if DEBUG || FUZZ
    @testable internal import AzureKeyRelease
    @testable internal import AzureServices
    @testable internal import AttestationTokens
    internal import BrokerCore
    internal import HTTPTransport
    internal import Issuing
    internal import JOSE
    internal import OpenSSLCrypto
    internal import SecureMemory
    internal import StrictJSON

    extension FuzzTarget {
        /// What is in a release answer: nothing is taken that answers another question.
        static let storeAnswer = FuzzTarget("store-answer", seeds: AnswerTarget.seeds, run: AnswerTarget.run)
        /// The signature around it: nothing is taken but what the store's certificate signed.
        static let storeSignature = FuzzTarget(
            "store-signature", maximumBytes: 6000, seeds: SignatureTarget.seeds, run: SignatureTarget.run)
    }

    private enum AnswerTarget {
        private static let identifier = "https://contoso.vault.azure.net/keys/my-key"
        private static let expected = ExpectedAnswer(
            key: KeyReference(identifier: identifier)!, nonce: "n-1", algorithm: .ckmRSAAESKeyWrap,
            wrappingKey: MAAToken.EncryptionKey(kid: "w", modulusByteCount: 256))

        @Sendable static func seeds() -> [[UInt8]] {
            let blob =
                #"{"schema_version":"1.0","header":{"kid":"w","alg":"dir","enc":"CKM_RSA_AES_KEY_WRAP"},"ciphertext":"\#(ciphertext)"}"#
            let encoded = Base64.encodeURL(Array(blob.utf8))
            let key =
                #""kid":"\#(identifier)/0123456789abcdef0123456789abcdef","key_ops":["sign"],"key_hsm":"\#(encoded)""#
            let start =
                #"{"request":{"kid":"\#(identifier)","enc":"CKM_RSA_AES_KEY_WRAP","nonce":"n-1"},"response":{"key":{"key":{\#(key),"#
            return [
                start + #""kty":"RSA-HSM","n":"AQAB","e":"AAEAAQ"},"attributes":{"exportable":true,"enabled":true,"nbf":1}}}}"#,
                start + #""kty":"EC","crv":"P-256","x":"AQ","y":"AQ"},"release_policy":{"data":"e30","immutable":true}}}}"#,
                start + #""kty":"oct-HSM"}}}}"#,
            ].map { Array($0.utf8) } + tokens
        }

        private static let ciphertext = Base64.encodeURL([UInt8](repeating: 3, count: 256 + 24))
        private static let tokens: [[UInt8]] = [
            #"{"access_token":"abc","token_type":"Bearer","expires_in":"3599","expires_on":1750003600}"#,
            #"{"access_token":"abc","expires_on":"1750003600"}"#,
        ].map { Array($0.utf8) }

        @Sendable static func run(_ input: [UInt8]) throws -> Bool {
            if let token = try? TokenAnswer.parse(input, from: "entra", now: 1_750_000_000) {
                try require((1...7 * 86_400).contains(token.lifetime) && token.reusableFor >= .zero, "a life of \(token.lifetime) s")
                return true
            }
            let limits = JSONLimits(maximumBytes: 96 * 1024, maximumDepth: 16)
            guard let payload = try? JSONCursor.parse(input, limits: limits) else { return false }
            if let bundle = try? payload.member("response").member("key"), let description = try? KeyDescription(bundle: bundle) {
                _ = (description.name, description.isReleasable)
            }
            guard let key = try? read(payload) else { return false }
            let request = try payload.member("request")
            let named = try payload.member("response").member("key").member("key").string("kid")
            try require(try request.string("nonce") == "n-1", "the nonce of another request")
            try require(try request.string("kid").lowercased() == identifier && key.keyID == named, "another key")
            try require(named.lowercased().hasPrefix(identifier + "/") && named.utf8.count == identifier.utf8.count + 33, "\(named)")
            try require(try request.string("enc") == "CKM_RSA_AES_KEY_WRAP", "another algorithm")
            let wrapped = key.ciphertext.count - 256
            try require((16...16_384).contains(wrapped) && wrapped % 8 == 0, "\(key.ciphertext.count) bytes of ciphertext")
            try require(key.operations.count <= 16 && key.operations.allSatisfy { $0.isOneLine && $0.utf8.count <= 64 }, "its operations")
            return true
        }

        private static func read(_ payload: JSONCursor) throws -> WrappedKey {
            #if PLANTED_FAULT
                if case .object(var members) = payload.value, case .object(var request)? = members["request"],
                    case .string? = request["nonce"]
                {
                    request.set("nonce", "n-1")
                    members.set("request", .object(request))
                    return try expected.wrappedKey(in: JSONCursor(.object(members)))
                }
            #endif
            return try expected.wrappedKey(in: payload)
        }
    }

    private enum SignatureTarget {
        private static let host = "fuzz.example"
        private static let time: Int64 = 1_750_000_000
        private static let key = Result { try PrivateKey.generateRSA(bits: 2048) }
        private static let root = Result { () throws -> Certificate in
            var builder = CertificateBuilder(
                subject: [("CN", "Fuzz Root")], issuer: [("CN", "Fuzz Root")], notBefore: 1_700_000_000, notAfter: 1_900_000_000)
            builder.isCertificateAuthority = true
            builder.keyUsage = [.keyCertSign]
            return try builder.sign(publicKey: try key.get().publicKey, with: try key.get(), algorithm: .rsaPKCS1(.sha256))
        }
        private static let reader = Result { () throws -> SignedAnswer in
            SignedAnswer(trust: try TrustStore(roots: [try root.get()]), host: host, time: time)
        }

        private static let made = Result { () throws -> [[UInt8]] in
            var builder = CertificateBuilder(
                subject: [("CN", host)], issuer: [("CN", "Fuzz Root")], notBefore: 1_700_000_000, notAfter: 1_900_000_000)
            builder.serial = 2
            builder.dnsNames = [host]
            let leaf = try builder.sign(publicKey: try key.get().publicKey, with: try key.get(), algorithm: .rsaPKCS1(.sha256))
            let chain = JSONValue.array([leaf, try root.get()].map { .string(Base64.encode($0.der)) })
            return try [#"{"request":{}}"#, "{}"].map { payload in
                let compact = try JWSBuilder.sign(
                    header: ["x5c": chain], payload: Array(payload.utf8), key: try key.get(), algorithm: .rs256)
                return JSONValue.object(["value": .string(compact)]).serialized()
            }
        }

        @Sendable static func seeds() throws -> [[UInt8]] { try made.get() }

        @Sendable static func run(_ input: [UInt8]) throws -> Bool {
            do throws(JOSEError) { _ = try read(input) } catch {
                try require(error.reason.isOneLine && error.reason.utf8.count < 4000, "the refusal \(error.reason)")
                return false
            }
            let signed = try message(input).signingInput
            let isOurs = try made.get().contains { try message($0).signingInput == signed }
            try require(isOurs, "an answer counts as signed that was not")
            return true
        }

        private static func message(_ answer: [UInt8]) throws -> JWS {
            try JWS(compact: try JSONCursor.parse(answer).string("value"), maximumBytes: 96 * 1024)
        }

        private static func read(_ input: [UInt8]) throws(JOSEError) -> JSONCursor {
            #if PLANTED_FAULT
                if let message = try? message(input), message.header["x5c"] == nil { return try message.payload() }
            #endif
            do { return try reader.get().payload(of: input) } catch let error as JOSEError { throw error } catch {
                throw JOSEError("the target has no keys: \(error)")
            }
        }
    }
#endif
