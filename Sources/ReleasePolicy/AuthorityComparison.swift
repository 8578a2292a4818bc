extension AuthorityMatch {
    /// Compares a token's `iss` with a policy's authority. Both services compare the exact text, trailing slash included.
    package init(issuer: String, authority: String) {
        if issuer.utf8.elementsEqual(authority.utf8) {
            self = .exact
            return
        }
        let a = Parts(issuer)
        let b = Parts(authority)
        let isSameHost = a.host.lowercased() == b.host.lowercased()
        // The coarsest difference is named: somebody who corrects it sees the next one afterwards.
        if isSameHost {
            if a.scheme.lowercased() != b.scheme.lowercased() {
                self = .differsByScheme
            } else if a.hasSlash != b.hasSlash {
                self = .differsByTrailingSlash
            } else {
                self = .differsByCase
            }
        } else if a.withoutTestLabel == b.withoutTestLabel {
            self = .testVersusProduction
        } else if a.region == b.region, !a.region.isEmpty, a.isShared != b.isShared {
            self = .sharedVersusOwnProvider
        } else {
            self = .notAnAuthority
        }
    }

    private struct Parts {
        let scheme: String
        let host: String
        let hasSlash: Bool

        init(_ text: String) {
            var rest = text[...]
            if let mark = text.firstRange(ofASCII: "://") {
                scheme = String(text[..<mark.lowerBound])
                rest = text[mark.upperBound...]
            } else {
                scheme = ""
            }
            hasSlash = rest.last == "/"
            host = String(hasSlash ? rest.dropLast() : rest)
        }

        private var labels: [Substring] { Substring(host.lowercased()).split(separator: ".") }

        /// `sharedweu.weu.test.attest.azure.net` without the label of the test environment.
        var withoutTestLabel: [Substring] { labels.filter { $0 != "test" } }

        /// The region's label and what follows it; empty where the name is none of an attestation provider.
        var region: ArraySlice<Substring> { labels.count >= 4 && labels.contains("attest") ? labels.dropFirst() : [] }

        /// `shared` and the code of the region: `sharedneu.neu`.
        var isShared: Bool {
            guard labels.count >= 2 else { return false }
            return labels[0] == "shared" + labels[1]
        }
    }
}

extension String {
    /// The first occurrence of an ASCII text.
    fileprivate func firstRange(ofASCII needle: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
