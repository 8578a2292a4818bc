import Issuing
import Glibc
import OpenSSLCrypto
import SecureMemory

/// Certificates made for one test, with their files in a directory that `remove` deletes.
final class TestCertificates {
    let directory: String
    private var names: [String] = []

    struct Authority {
        let name: String
        let key: PrivateKey
        let certificate: Certificate
        let file: String
    }

    struct Server {
        let certificateFile: String
        let keyFile: String
    }

    init() throws {
        var template = Array("/tmp/curl-transport-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LoopbackServer.Failure(errno) }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() {
        for name in names { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    func authority(_ name: String) throws -> Authority {
        let key = try PrivateKey.generateEC(.p256)
        var builder = self.builder(subject: name, issuer: name)
        builder.isCertificateAuthority = true
        let certificate = try builder.sign(publicKey: key.publicKey, with: key, algorithm: .ecdsa(.sha256))
        let file = try write("\(name).pem", Array(certificate.pem.utf8))
        return Authority(name: name, key: key, certificate: certificate, file: file)
    }

    /// A server certificate; by default it became valid an hour ago and stays so for another.
    func server(_ host: String, from authority: Authority, validFrom: Int64 = -3600, until: Int64 = 3600) throws -> Server {
        let key = try PrivateKey.generateEC(.p256)
        var builder = self.builder(subject: "server", issuer: authority.name)
        let now = Int64(time(nil))
        builder.notBefore = now + validFrom
        builder.notAfter = now + until
        builder.dnsNames = [host]
        let certificate = try builder.sign(publicKey: key.publicKey, with: authority.key, algorithm: .ecdsa(.sha256))
        let number = names.count
        let keyFile = try key.pem().withUnsafeBytes { try write("key-\(number).pem", Array($0)) }
        return Server(certificateFile: try write("server-\(number).pem", Array(certificate.pem.utf8)), keyFile: keyFile)
    }

    func write(_ name: String, _ content: [UInt8]) throws -> String {
        let path = "\(directory)/\(name)"
        guard let file = fopen(path, "w") else { throw LoopbackServer.Failure(errno) }
        defer { fclose(file) }
        guard fwrite(content, 1, content.count, file) == content.count else { throw LoopbackServer.Failure(errno) }
        names.append(name)
        return path
    }

    private func builder(subject: String, issuer: String) -> CertificateBuilder {
        let now = Int64(time(nil))
        var builder = CertificateBuilder(subject: [("CN", subject)], issuer: [("CN", issuer)], notBefore: now - 3600, notAfter: now + 3600)
        builder.serial = UInt64(names.count + 1)
        return builder
    }
}
