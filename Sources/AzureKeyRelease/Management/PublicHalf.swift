package import BrokerCore
internal import OpenSSLCrypto

extension AzureKeyStore: PublicKeyReading {
    package func publicKey(of key: KeyReference, in context: RequestContext) async throws(BrokerError) -> (n: [UInt8], e: [UInt8]) {
        guard claims(key.store) else {
            throw BrokerError(.noProvider, at: .release, "\(key.store) is no endpoint of this key store")
        }
        let manager = try KeyManager(store: key.store, apiVersion: settings.apiVersion, host)
        guard let numbers = try await manager.key(key.name, in: context).rsaPublic else {
            throw BrokerError(.invalidRequest, at: .release, "\(key) is no RSA key, and only those have a public half to wrap to")
        }
        return (numbers.n, numbers.e)
    }
}
