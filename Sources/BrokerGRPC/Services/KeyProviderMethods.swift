internal import BrokerCore
internal import BrokerEngine
internal import GRPCCore
internal import OpenSSLCrypto
internal import PlainText
internal import SecureMemory

/// The key provider under both of its names, and what the original serves beside it (KeyProvider.md, "Services").
struct KeyProviderMethods: RegistrableRPCService {
    static let current = "keyprovider.KeyProviderService"
    static let original = "key_provider.KeyProviderService"

    static let paths =
        ["WrapKey", "UnWrapKey"].map { "/\(current)/\($0)" }
        + ["WrapKey", "UnWrapKey", "GetReport", "GetAttestationData", "SayHello"].map { "/\(original)/\($0)" }

    let provider: KeyProviderService
    let runner: CallRunner

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        register(
            Self.current, Keyprovider_keyProviderKeyWrapProtocolInput.self, Keyprovider_keyProviderKeyWrapProtocolOutput.self, &router)
        register(
            Self.original, KeyProvider_KeyProviderKeyWrapProtocolInput.self, KeyProvider_KeyProviderKeyWrapProtocolOutput.self, &router)
        router.register(Self.original, "GetReport", .attestRaw, runner) {
            (input: KeyProvider_KeyProviderGetReportInput, context) async throws(BrokerError) in
            try await report(input.reportDataHexString, context)
        }
        router.register(Self.original, "GetAttestationData", .attestCombined, runner) {
            (input: KeyProvider_KeyProviderGetAttestationDataInput, context) async throws(BrokerError) in
            try await attestationData(input.b64RuntimeDataString, context)
        }
        router.register(Self.original, "SayHello", nil, runner) { (input: KeyProvider_HelloRequest, _) async throws(BrokerError) in
            var reply = KeyProvider_HelloReply()
            reply.message = "Hello \(VisibleText.line(input.name, limit: 256))"
            return reply
        }
    }

    private func register<Transport: ServerTransport, Input: SecretField, Output: SecretField>(
        _ service: String, _: Input.Type, _: Output.Type, _ router: inout RPCRouter<Transport>
    ) {
        let (reader, writer) = (SecretDeserializer<Input>(), SecretSerializer<Output>())
        router.register(service, "WrapKey", .wrapKey, reader, writer, runner) { (message, context) async throws(BrokerError) in
            SecretMessage(try await provider.wrapKey(Self.copy(message), in: context))
        }
        router.register(service, "UnWrapKey", .release, reader, writer, runner) { (message, context) async throws(BrokerError) in
            SecretMessage(try await provider.unwrapKey(Self.copy(message), in: context))
        }
    }

    private static func copy(_ message: SecretMessage) -> SecretBytes { message.bytes.withUnsafeBytes { SecretBytes(copying: $0) } }

    /// The bytes themselves appear in the report, as the original's guide says; they are filled up with zeros.
    private func report(_ text: String, _ context: RequestContext) async throws(BrokerError) -> KeyProvider_KeyProviderGetReportOutput {
        guard text.utf8.count <= 128, let bytes = Hex.decode(text),
            let binding = ReportData(exactly: bytes + [UInt8](repeating: 0, count: 64 - bytes.count))
        else { throw BrokerError(.invalidRequest, at: .decode, "report_data_hex_string: expected at most 64 bytes in hexadecimal") }
        var output = KeyProvider_KeyProviderGetReportOutput()
        output.reportHexString = Hex.encode(try await runner.engine.rawEvidence(binding: binding, in: context).report)
        return output
    }

    private func attestationData(_ text: String, _ context: RequestContext) async throws(BrokerError)
        -> KeyProvider_KeyProviderGetAttestationDataOutput
    {
        guard !text.isEmpty, let bytes = Base64.decode(text) else {
            throw BrokerError(.invalidRequest, at: .decode, "b64_runtime_data_string: expected standard base64 with padding")
        }
        let evidence = try await runner.engine.combinedEvidence(for: RuntimeData(bytes), in: context)
        var output = KeyProvider_KeyProviderGetAttestationDataOutput()
        output.endorsedTcb = evidence.endorsedTCB
        output.certs = Base64.encode(evidence.endorsements.flatMap { Array(PEMText.text($0, label: "CERTIFICATE").utf8) })
        output.attestationReport = Base64.encode(evidence.report)
        output.uvmReferenceInfo = evidence.platformEndorsements.first.map { Base64.encode($0) } ?? ""
        return output
    }
}
