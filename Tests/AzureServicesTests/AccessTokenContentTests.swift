import AzureServices
import BrokerCore
import OpenSSLCrypto
import SecureMemory
import Testing

@Suite("What an access token says of itself") struct AccessTokenContentTests {
    private func complaint(_ claims: String, now: Int64 = 1_750_000_000) -> String? {
        let token = "a.\(Base64.encodeURL(Array(claims.utf8))).b"
        return AccessTokenContent(Redacted(token))?.complaint(wanted: "https://vault.azure.net", now: now)?.message
    }

    @Test("times at the ends of what a number holds are complaints like others")
    func times() {
        #expect(complaint(#"{"exp":1750000001,"nbf":1750000000}"#) == nil)
        #expect(complaint(#"{"exp":1749999990}"#)?.contains("expired 10 s ago") == true)
        #expect(complaint(#"{"exp":-9223372036854775808}"#)?.contains("expired") == true)
        #expect(complaint(#"{"nbf":9223372036854775807}"#)?.contains("not valid before") == true)
        #expect(complaint(#"{"nbf":9223372036854775807}"#, now: -5)?.contains("not valid before") == true)
    }
}
