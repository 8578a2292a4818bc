package import OpenSSLCrypto

extension EvidenceVerifier {
    /// What the caller demands and allows.
    package struct Policy: Sendable {
        /// Accept a guest whose memory the host may read.
        package var allowDebug = false
        /// Accept a guest that a migration agent may move.
        package var allowMigration = false
        /// Accept a VCEK-signed report whose CHIP_ID is hidden. The certificate's chip is then not compared with anything.
        package var allowMaskedChipID = false
        /// Refuse firmware that runs and is not committed.
        package var refusesProvisionalFirmware = false
        /// 64 bytes; not checked when `nil`.
        package var expectedReportData: [UInt8]?
        /// 32 bytes; not checked when `nil`.
        package var expectedHostData: [UInt8]?
        /// 48 bytes; not checked when `nil`.
        package var expectedMeasurement: [UInt8]?
        /// 48 bytes; not checked when `nil`.
        package var expectedIDKeyDigest: [UInt8]?
        /// 48 bytes; not checked when `nil`.
        package var expectedAuthorKeyDigest: [UInt8]?
        /// 0...3; any of them when `nil`.
        package var expectedVMPL: UInt32?
        /// What REPORTED_TCB and COMMITTED_TCB must reach.
        package var minimumTCB: MinimumTCB?
        /// Presets that must all be reached.
        package var floors: [FloorPreset] = []
        /// Bits that must be set in both mitigation vectors; others may be.
        package var requiredMitigations: UInt64 = 0
        /// Bits that must be set in PLATFORM_INFO; others may be.
        package var requiredPlatformBits: UInt64 = 0
        package var revocation = RevocationRule()
        /// When the certificates must be valid, in seconds since 1970.
        package var time: Int64
        package var products: ProductTable
        /// The roots in which a chain may end. A fixture's root is trusted only where a caller adds it.
        package var roots: [PinnedRoot]
        /// Judges a version that is not known as the newest one that is. For a stand-in of somebody who knows better, and for nothing else.
        package var takesUnknownVersions = false

        package init(time: Int64, products: ProductTable = .builtIn) {
            self.time = time
            self.products = products
            roots = products.roots
        }
    }
}

/// Whether AMD's revocation list is asked, and which lists there are.
package struct RevocationRule: Sendable {
    package enum Mode: Sendable, Equatable {
        case off
        /// A list is needed; it may be older than it should be by as many seconds.
        case staleOK(limit: Int64)
        /// A list that is in force is needed.
        case required
    }

    /// A list, or why there is none.
    package struct Source: Sendable {
        /// A file or a service, for messages.
        package let name: String
        package let list: Result<RevocationList, CryptoError>

        package init(name: String, list: Result<RevocationList, CryptoError>) {
            self.name = name
            self.list = list
        }

        package init(name: String, der: [UInt8]) {
            self.init(name: name, list: Result { () throws(CryptoError) in try RevocationList(der: der) })
        }
    }

    package var mode: Mode
    package var sources: [Source]
    /// Why there is no list, where somebody tried to get one.
    package var obstacle: String?

    package init(_ mode: Mode = .off, sources: [Source] = [], obstacle: String? = nil) {
        self.mode = mode
        self.sources = sources
        self.obstacle = obstacle
    }
}
