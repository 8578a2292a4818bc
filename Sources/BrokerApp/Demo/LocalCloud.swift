#if Simulators && FixtureEvidence
    internal import AzureSimulators
    internal import BrokerCore
    internal import Glibc
    internal import Logging
    internal import OpenSSLCrypto
    internal import SNPFixture
    internal import SNPReport
    internal import SNPVerification
    internal import StrictJSON

    /// Simulators, the fixture authority that they trust, and a broker configuration that points at both, in one directory.
    struct LocalCloud {
        static let authority = "sharedeus2.eus2.attest.azure.net"
        static let vault = "contoso.vault.azure.net"
        static let managedHSM = "contoso.managedhsm.azure.net"

        let directory: String
        var caFile: String { directory + "/ca.pem" }
        var fixtureDirectory: String { directory + "/fixture" }
        var configurationFile: String { directory + "/broker.json" }

        /// Makes the directory where it is not there; it will hold private keys, so it is its owner's alone.
        init(directory: String) throws {
            if mkdir(directory, 0o700) != 0, errno != EEXIST {
                throw CommandFailure(.impossible, "cannot make \(directory): \(String(cString: strerror(errno)))")
            }
            // Absolute, because the configuration that is written names files here and may be used from elsewhere.
            guard let absolute = realpath(directory, nil) else {
                throw CommandFailure(.impossible, "cannot find \(directory): \(String(cString: strerror(errno)))")
            }
            defer { free(absolute) }
            self.directory = String(cString: absolute)
        }

        /// Keeps other simulators from replacing this one's authority, until the process ends.
        func claim() throws {
            let descriptor = open(directory + "/simulate.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else {
                throw CommandFailure(.impossible, "cannot write to \(directory): \(String(cString: strerror(errno)))")
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw CommandFailure(
                    .impossible, "another 'simulate' is running with \(directory), and its clients trust what is there",
                    nextStep: "use that one, or give this one a --directory of its own")
            }
        }

        /// What the simulators need to know about the fixture: its root to trust, its chip's certificates to serve.
        func simulatorConfiguration(_ product: ProcessorProduct, logger: Logger) throws -> SimulatorConfiguration {
            var configuration = SimulatorConfiguration()
            configuration.caFile = caFile
            configuration.logger = logger
            do {
                // The chip of a broker with the same directory.
                let now = SystemClock().now()
                let chip = try FixtureDirectory(fixtureDirectory).chip(product: product, now: now)
                let authority = try FixtureDirectory(fixtureDirectory).authority(product: product, now: now)
                configuration.revocationList = try? authority.revocationList(now: now)
                let (leaf, intermediate, root) = (chip.chain[0], chip.chain[1], chip.chain[2])
                configuration.trustedReportRoots = [root.der]
                let publisher = try FixtureDirectory(fixtureDirectory).trustedIssuer(now: SystemClock().now())
                configuration.trustedPlatformIssuers = [publisher]
                configuration.endorsements = EndorsementChain(
                    leaf: leaf, intermediate: intermediate, root: root, tcb: chip.tcb.hex, chipID: Hex.encode(chip.chipID))
            } catch { throw CommandFailure(.impossible, "the fixture authority in \(fixtureDirectory) cannot be used: \(error)") }
            return configuration
        }

        /// The chain in a PEM file, for the chip and the TCB that its leaf names.
        static func endorsements(_ file: String) throws -> EndorsementChain {
            let certificates: [Certificate]
            do { certificates = try Certificate.parse(pemOrDER: InputFile.bytes(file, limit: 1 << 16), maximumCount: 8) } catch let error
                as CryptoError
            { throw CommandFailure(.impossible, "\(file): \(error)") }
            guard certificates.count == 3, let extensions = try? LeafExtensions(certificates[0]),
                let product = extensions.productName.flatMap({ ProcessorProduct(productName: $0) }), let tcb = extensions.tcb(for: product)
            else {
                throw CommandFailure(
                    .impossible, "\(file) does not hold a VCEK, an ASK and an ARK, in this order",
                    nextStep: "'evidence get --output DIRECTORY' writes a chain")
            }
            return EndorsementChain(
                leaf: certificates[0], intermediate: certificates[1], root: certificates[2], tcb: tcb.hex,
                chipID: extensions.hardwareID.map(Hex.encode))
        }

        /// A configuration for `serve` against these simulators.
        func brokerConfiguration(_ ports: SimulatorPorts, product: ProcessorProduct, debug: Bool = false) -> JSONValue {
            var fixture: [(String, JSONValue)] = [
                ("directory", .string(fixtureDirectory)), ("product", .string(product.rawValue.lowercased())),
                ("endorse-measurement", true),
            ]
            if debug { fixture.append(("debug", true)) }
            return [
                "evidence": ["use": "fixture", "fixture": .object(JSONObject(fixture))],
                "verifier": ["use": "maa", "maa": ["endpoint": .string(Self.authority)]],
                "key-stores": [
                    "use": ["akv", "mhsm"], "akv": ["endpoint": .string(Self.vault)], "mhsm": ["endpoint": .string(Self.managedHSM)],
                ], "identity": ["use": "managed-identity"],
                "tls": [
                    "ca-file": [.string(caFile)],
                    "connect-to": [.string("169.254.169.254:80:127.0.0.1:\(ports.metadata)"), .string("::127.0.0.1:\(ports.tls)")],
                ],
            ]
        }
    }
#endif
