/// OpenSSL's names of an RSA key's private numbers (`openssl/core_names.h`, where some are macros that Swift does not see).
enum RSAPrivateParameter {
    static let d = "d"
    static let p = "rsa-factor1"
    static let q = "rsa-factor2"
    static let thirdPrime = "rsa-factor3"
    static let dp = "rsa-exponent1"
    static let dq = "rsa-exponent2"
    static let qi = "rsa-coefficient1"
}
