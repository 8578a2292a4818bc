internal import PlainText

/// Whose endorsements count, for which feed, and from which security version number on.
package struct TrustedIssuer: Sendable, Equatable {
    /// did:x509 identifier, compared byte by byte.
    package var issuer: String
    /// Compared byte by byte.
    package var feed: String
    /// The oldest image that is accepted.
    package var minimumSVN: UInt64

    package init(issuer: String, feed: String, minimumSVN: UInt64 = 0) {
        self.issuer = issuer
        self.feed = feed
        self.minimumSVN = minimumSVN
    }

    /// The extended key usage that every certificate of Microsoft's signers has, whatever it is for (UVMEndorsements.md, "Known issuers").
    package static let everySigner = "1.3.6.1.4.1.311.76.59.1.1"

    private static let microsoftRoot = "did:x509:0:sha256:I__iuL25oXEVFdTP_aBLx_eT1RPHbCQ_ECBQfYZpt9s"

    /// Confidential Azure Container Instances, signed under `Microsoft Supply Chain RSA Root CA 2022`
    /// (UVMEndorsements.md, "Known issuers").
    package static let confidentialACI = TrustedIssuer(
        issuer: "\(microsoftRoot)::eku:1.3.6.1.4.1.311.76.59.1.2", feed: "ContainerPlat-AMD-UVM")
    /// Confidential containers on Azure Kubernetes Service.
    package static let confidentialAKS = TrustedIssuer(issuer: "\(microsoftRoot)::eku:1.3.6.1.4.1.311.76.59.1.5", feed: "ConfAKS-AMD-UVM")
    /// Both, with every security version number: the answer to "did Microsoft sign this?".
    package static let microsoft = [confidentialACI, confidentialAKS]
}

extension TrustedIssuer {
    /// Why a text is not an issuer with its feed; the end of a sentence.
    package struct Complaint: Error, Sendable, CustomStringConvertible { package let description: String }

    /// As people write it: `ISSUER FEED`, or `ISSUER FEED MINIMUM-SVN`, with one space between the words.
    package init(_ text: String) throws(Complaint) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(words.count) else {
            throw Complaint(description: "expected a did:x509 identifier and a feed, and after them a lowest SVN where one is asked for")
        }
        let identifier: DIDX509
        do { identifier = try DIDX509(words[0]) } catch { throw Complaint(description: error.description) }
        guard !identifier.namesNobody else {
            throw Complaint(
                description: "the extended key usage \(Self.everySigner) is in every certificate of Microsoft's signers and identifies none"
            )
        }
        guard words[1].utf8.consists(of: .visible, count: 1...256) else { throw Complaint(description: "the feed is not a printable name") }
        var minimum: UInt64 = 0
        if words.count == 3 {
            guard words[2].utf8.consists(of: .digits), let number = UInt64(words[2]) else {
                throw Complaint(description: "the lowest SVN is not a whole number")
            }
            minimum = number
        }
        self.init(issuer: words[0], feed: words[1], minimumSVN: minimum)
    }

    /// The same, as it is written.
    package var text: String { "\(issuer) \(feed)\(minimumSVN == 0 ? "" : " \(minimumSVN)")" }
}
