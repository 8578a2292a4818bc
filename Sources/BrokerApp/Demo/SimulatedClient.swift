#if Simulators && FixtureEvidence
    internal import AzureSimulators
    internal import StrictJSON

    /// What a client of Azure needs to know to talk to the simulators instead.
    struct SimulatedClient {
        let caFile: String
        /// What the identity endpoint wants in X-IDENTITY-HEADER.
        let identityHeader: String

        /// Environment variables for a client's process; without a proxy it has to be led to the ports by other means.
        func variables(_ ports: SimulatorPorts) -> [(String, String)] {
            // Synchronous clients in Python and the Azure CLI read the first, asynchronous ones and OpenSSL the second.
            let trust = [("REQUESTS_CA_BUNDLE", caFile), ("SSL_CERT_FILE", caFile)]
            let identity = [
                ("IDENTITY_ENDPOINT", "http://127.0.0.1:\(ports.metadata)/msi/token"), ("IDENTITY_HEADER", identityHeader),
            ]
            guard let proxy = ports.proxy.map({ "http://127.0.0.1:\($0)" }) else { return trust + identity }
            return trust + identity + [
                ("HTTPS_PROXY", proxy), ("HTTP_PROXY", proxy), ("http_proxy", proxy), ("NO_PROXY", "127.0.0.1,localhost"),
            ]
        }

        func environment(_ ports: SimulatorPorts) -> JSONValue {
            .object(JSONObject(variables(ports).map { ($0.0, .string($0.1)) }))
        }

        /// How to go on, with and without the proxy.
        func text(_ ports: SimulatorPorts, vault: String) -> String {
            let exports = variables(ports).map { "  export \($0.0)=\(Self.quoted($0.1))" }.joined(separator: "\n")
            let url =
                "http://127.0.0.1:\(ports.metadata)/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net"
            let token = "token=$(curl -s -H Metadata:true '\(url)' | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')"
            let route = ports.proxy == nil ? " --connect-to ::127.0.0.1:\(ports.tls)" : ""
            let list =
                "curl --cacert \(Self.quoted(caFile))\(route) -H \"Authorization: Bearer $token\" 'https://\(vault)/keys?api-version=7.4'"
            let login =
                ports.proxy == nil ? "" : "\n  az login --identity --allow-no-subscriptions; az keyvault key list --vault-name contoso"
            return """
                For a client of Azure in this shell (its authority, its identity\(ports.proxy == nil ? "" : ", its proxy")):
                \(exports)\(login)

                Get a token and list the keys of the vault by hand:
                  \(token)
                  \(list)
                """
        }

        /// For a shell.
        private static func quoted(_ text: String) -> String {
            let plain = text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
                    true
                default: "/:._-,".utf8.contains(byte)
                }
            }
            return plain ? text : "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
    }
#endif
