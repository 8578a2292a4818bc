import Foundation
import Testing

/// Template, manifest and container files agree with each other, with the scripts and with the program.
@Suite(.serialized) struct DeploymentSampleTests {
    private static func text(_ name: String) throws -> String {
        try String(contentsOf: Program.packageRoot.appending(path: "samples/\(name)"), encoding: .utf8)
    }

    private static func json(_ name: String) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(try text(name).utf8)) as? [String: Any])
    }

    /// The documents of a YAML file, read by python's parser; `nil` where that is not installed.
    /// Debian's own interpreter, for which python3-yaml is installed.
    private static let python = URL(filePath: "/usr/bin/python3")
    private static let hasYAML = (try? Program.run(["-c", "import yaml"], executable: python))?.status == 0

    private static func yaml(_ name: String) throws -> [[String: Any]] {
        let script = "import json, sys, yaml; json.dump(list(yaml.safe_load_all(open(sys.argv[1]))), sys.stdout)"
        let path = Program.packageRoot.appending(path: "samples/\(name)").path
        let result = try Program.run(["-c", script, path], executable: python)
        #expect(result.status == 0, "\(result.errors)")
        return try #require(result.json as? [[String: Any]])
    }

    /// A container as both platforms describe it.
    private struct Container {
        let name: String
        let image: String
        let command: [String]
        let environment: [String: String]
    }

    private static let files = ["aci/template.json", "aci/parameters.json", "aci/importkey.json"] + manifests
    private static let manifests = ["virtual-node", "snp-nodes", "pod-monitor", "network-policy"].map { "kubernetes/\($0).yaml" }
    /// A plausible value for each placeholder.
    private static let values = [
        "registry": "contoso.azurecr.io", "sidecar-digest": String(repeating: "a", count: 64),
        "client-digest": String(repeating: "b", count: 64),
        "identity-id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/attestation-broker",
        "client-id": "33333333-cccc-4ccc-8ccc-333333333333", "key-store": "contoso.vault.azure.net",
        "attestation-endpoint": "sharedeus2.eus2.attest.azure.net", "cce-policy": "cGFja2FnZSBwb2xpY3kK",
        "host-data": String(repeating: "5a", count: 32), "key-name": "my-key",
    ]

    private static func filled(_ text: String) -> String { values.reduce(text) { $0.replacing("<\($1.key)>", with: $1.value) } }

    private static func placeholders(_ text: String) -> Set<String> { Set(text.matches(of: /<([a-z][a-z0-9-]*)>/).map { String($0.1) }) }

    @Test("the samples have the placeholders that the guide explains, and the guide explains no others") func placeholdersAreDocumented()
        throws
    {
        let guide = try Self.text("guide.md")
        let documented = Set(
            guide.split(separator: "\n").filter { $0.hasPrefix("| `<") }.flatMap { Self.placeholders(String($0.split(separator: "|")[0])) })
        let used = try Set(Self.files.flatMap { Self.placeholders(try Self.text($0)) })
        #expect(used == documented)
        #expect(Set(Self.values.keys) == documented)
        #expect(Self.placeholders(guide).isSubset(of: documented))
        for file in Self.files {
            let filled = Self.filled(try Self.text(file))
            #expect(Self.placeholders(filled).isEmpty && !filled.contains("TODO") && !filled.contains("example.com"), "\(file)")
        }
    }

    private static func group() throws -> (resource: [String: Any], containers: [Container]) {
        let template = try json("aci/template.json")
        let declared = try #require(template["parameters"] as? [String: [String: Any]])
        let given = try #require(try json("aci/parameters.json")["parameters"] as? [String: [String: Any]])
        #expect(Set(given.keys).isSubset(of: Set(declared.keys)))
        var values: [String: String] = [:]
        for (name, parameter) in declared {
            let value = given[name]?["value"] as? String ?? parameter["defaultValue"] as? String
            values[name] = filled(try #require(value, "the parameter \(name) has neither a value nor a default"))
            #expect((parameter["metadata"] as? [String: String])?["description"]?.isEmpty == false, "\(name)")
        }
        let original = try text("aci/template.json")
        for name in declared.keys { #expect(original.contains("parameters('\(name)')"), "\(name) is not used") }
        let resolved = values.reduce(original) { $0.replacing("[parameters('\($1.key)')]", with: $1.value) }
        #expect(!resolved.contains("parameters("), "a parameter that is not declared")
        let object = try #require(JSONSerialization.jsonObject(with: Data(resolved.utf8)) as? [String: Any])
        let resources = try #require(object["resources"] as? [[String: Any]])
        #expect(resources.count == 1)
        let properties = try #require(resources[0]["properties"] as? [String: Any])
        let containers = try #require(properties["containers"] as? [[String: Any]]).map { container -> Container in
            let properties = try #require(container["properties"] as? [String: Any])
            let environment = properties["environmentVariables"] as? [[String: String]] ?? []
            let requests = (properties["resources"] as? [String: Any])?["requests"] as? [String: Double]
            #expect((requests?["cpu"] ?? 0) > 0 && (requests?["memoryInGB"] ?? 0) > 0)
            return Container(
                name: try #require(container["name"] as? String), image: try #require(properties["image"] as? String),
                command: try #require(properties["command"] as? [String]),
                environment: Dictionary(uniqueKeysWithValues: environment.map { ($0["name"] ?? "", $0["value"] ?? "") }))
        }
        return (resources[0], containers)
    }

    private static func pod() throws -> (account: [String: Any], pod: [String: Any], containers: [Container]) {
        let documents = try yaml("kubernetes/virtual-node.yaml")
        let account = try #require(documents.first { $0["kind"] as? String == "ServiceAccount" })
        let pod = try #require(documents.first { $0["kind"] as? String == "Pod" })
        #expect(documents.count == 2)
        let spec = try #require(pod["spec"] as? [String: Any])
        let containers = try #require(spec["containers"] as? [[String: Any]]).map { container -> Container in
            let security = try #require(container["securityContext"] as? [String: Any])
            #expect(security["readOnlyRootFilesystem"] as? Bool == true && security["runAsNonRoot"] as? Bool == true)
            #expect(security["allowPrivilegeEscalation"] as? Bool == false && security["runAsUser"] as? Int == 65532)
            let environment = container["env"] as? [[String: String]] ?? []
            return Container(
                name: try #require(container["name"] as? String), image: filled(try #require(container["image"] as? String)),
                command: try #require(container["command"] as? [String]),
                environment: Dictionary(uniqueKeysWithValues: environment.map { ($0["name"] ?? "", filled($0["value"] ?? "")) }))
        }
        return (account, pod, containers)
    }

    @Test("the ARM template is a confidential group of the sidecar and three clients") func template() throws {
        let (resource, containers) = try Self.group()
        #expect(resource["type"] as? String == "Microsoft.ContainerInstance/containerGroups")
        let properties = try #require(resource["properties"] as? [String: Any])
        #expect(properties["sku"] as? String == "Confidential" && properties["osType"] as? String == "Linux")
        #expect((properties["confidentialComputeProperties"] as? [String: String])?["ccePolicy"] == "")
        #expect(properties["ipAddress"] == nil, "the sidecar's port is for the group alone")
        let identities = (resource["identity"] as? [String: Any])?["userAssignedIdentities"] as? [String: Any]
        #expect(identities.map { Array($0.keys) } == [Self.values["identity-id"] ?? ""])
        #expect(containers.map(\.name) == ["attestation-broker", "attest-raw", "attest-maa", "key-release"])
        #expect(containers[0].environment["BROKER_IDENTITY_CLIENT_ID"] == Self.values["client-id"])
        try check(containers, identity: [:])
    }

    @Test("the manifest runs the sidecar on a virtual node with workload identity", .enabled(if: hasYAML, "no python3-yaml"))
    func manifest() throws {
        let (account, pod, containers) = try Self.pod()
        let annotations = (account["metadata"] as? [String: Any])?["annotations"] as? [String: String]
        #expect(annotations?["azure.workload.identity/client-id"] == "<client-id>")
        let metadata = try #require(pod["metadata"] as? [String: Any])
        #expect((metadata["labels"] as? [String: String])?["azure.workload.identity/use"] == "true")
        let spec = try #require(pod["spec"] as? [String: Any])
        let name = (account["metadata"] as? [String: Any])?["name"] as? String
        #expect(spec["serviceAccountName"] as? String == name)
        let guide = try Self.text("guide.md")
        #expect(guide.contains("system:serviceaccount:default:\(name ?? "")"), "the federated credential's subject")
        let policy = (metadata["annotations"] as? [String: String])?["microsoft.containerinstance.virtualnode.ccepolicy"]
        #expect(policy == "<cce-policy>")
        // What the webhook adds.
        try check(
            containers,
            identity: [
                "AZURE_CLIENT_ID": "33333333-cccc-4ccc-8ccc-333333333333", "AZURE_TENANT_ID": "t",
                "AZURE_FEDERATED_TOKEN_FILE": "/var/run/secrets/azure/tokens/azure-identity-token",
                "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
            ])
    }

    /// The commands of a container's probes, by the probe's name.
    private static func probes(_ container: [String: Any]) -> [String: [String]] {
        ["startupProbe", "livenessProbe", "readinessProbe"].reduce(into: [:]) { found, name in
            let exec = (container[name] as? [String: Any])?["exec"] as? [String: Any]
            found[name] = exec?["command"] as? [String]
        }
    }

    private static func sidecar(_ spec: [String: Any]?) throws -> [String: Any] {
        try #require((spec?["containers"] as? [[String: Any]])?.first)
    }

    @Test("the probes ask the program itself, with the configuration of its container", .enabled(if: hasYAML, "no python3-yaml"))
    func probes() throws {
        let pod = try #require(try Self.yaml("kubernetes/virtual-node.yaml").first { $0["kind"] as? String == "Pod" })
        let set = try #require(try Self.yaml("kubernetes/snp-nodes.yaml").first { $0["kind"] as? String == "DaemonSet" })
        let template = (set["spec"] as? [String: Any])?["template"] as? [String: Any]
        let configuration = ["--config", "/etc/attestation-broker/config.json"]
        for (spec, options) in [(pod["spec"] as? [String: Any], []), (template?["spec"] as? [String: Any], configuration)] {
            let ask = ["/usr/bin/attestation-broker", "healthcheck"]
            let expected = ["startupProbe": ask + options, "livenessProbe": ask + options, "readinessProbe": ask + ["--ready"] + options]
            #expect(Self.probes(try Self.sidecar(spec)) == expected)
        }
        let health = try #require(try Self.text("container/Dockerfile").split(separator: "\n").first { $0.hasPrefix("HEALTHCHECK ") })
        #expect(health.hasSuffix(#"CMD ["/usr/bin/attestation-broker", "healthcheck"]"#))
    }

    @Test(
        "the sidecar of a node is configured as the program wants it, and its monitor and policy name its port",
        .enabled(if: hasYAML, "no python3-yaml"))
    func nodes() throws {
        let documents = try Self.yaml("kubernetes/snp-nodes.yaml")
        let map = try #require(documents.first { $0["kind"] as? String == "ConfigMap" })
        let text = Self.filled(try #require((map["data"] as? [String: String])?["config.json"]))
        let scratch = try Scratch()
        defer { scratch.remove() }
        let result = try Program.run(["config", "check", "--json", "--config", try scratch.write("config.json", text)])
        #expect(result.status == 0, "\(result.errors)")
        let warnings = result.object["warnings"] as? [String] ?? []
        #expect(warnings.allSatisfy { $0.hasPrefix("server.metrics: ") } && warnings.count == 1, "\(warnings)")
        let set = try #require(documents.first { $0["kind"] as? String == "DaemonSet" }?["spec"] as? [String: Any])
        let template = try #require(set["template"] as? [String: Any])
        let labels = try #require((template["metadata"] as? [String: Any])?["labels"] as? [String: String])
        let selector = try #require((set["selector"] as? [String: Any])?["matchLabels"] as? [String: String])
        #expect(selector.allSatisfy { labels[$0.key] == $0.value } && labels["azure.workload.identity/use"] == "true")
        let ports = try #require(try Self.sidecar(template["spec"] as? [String: Any])["ports"] as? [[String: Any]])
        #expect(text.contains(#""metrics": "0.0.0.0:\#(ports[0]["containerPort"] as? Int ?? 0)""#))
        let monitor = try #require(try Self.yaml("kubernetes/pod-monitor.yaml").first)
        #expect(monitor["apiVersion"] as? String == "monitoring.coreos.com/v1" && monitor["kind"] as? String == "PodMonitor")
        let spec = try #require(monitor["spec"] as? [String: Any])
        #expect((spec["selector"] as? [String: Any])?["matchLabels"] as? [String: String] == selector)
        let endpoints = spec["podMetricsEndpoints"] as? [[String: Any]]
        #expect(endpoints?.first?["port"] as? String == ports[0]["name"] as? String && endpoints?.first?["path"] as? String == "/metrics")
        let policy = try #require(try Self.yaml("kubernetes/network-policy.yaml").first?["spec"] as? [String: Any])
        #expect((policy["podSelector"] as? [String: Any])?["matchLabels"] as? [String: String] == selector)
        let ingress = (policy["ingress"] as? [[String: Any]])?.flatMap { $0["ports"] as? [[String: Any]] ?? [] }
        #expect(ingress?.compactMap { $0["port"] as? Int } == [ports[0]["containerPort"] as? Int ?? 0])
        for document in documents + [monitor] where document["kind"] as? String != "Namespace" {
            #expect((document["metadata"] as? [String: Any])?["namespace"] as? String == "attestation-broker")
        }
    }

    @Test(
        "Kubernetes' own schemas accept the manifests, and refuse a misspelled member",
        .enabled(if: ObservabilityTests.python != nil, "OPERATIONS_TEST_PYTHON has no kubernetes-validate")) func schemas() throws
    {
        let script = """
            import sys, yaml, kubernetes_validate
            # The operator's kinds are not Kubernetes' own.
            count = 0
            for file in sys.argv[1:]:
                for document in yaml.safe_load_all(open(file)):
                    if document["apiVersion"].startswith("monitoring.coreos.com/"):
                        continue
                    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
                    count += 1
            print(count)
            """
        let python = try #require(ObservabilityTests.python)
        let files = Self.manifests.map { Program.packageRoot.appending(path: "samples/\($0)").path }
        let valid = try Program.run(["-c", script] + files, executable: python)
        #expect(valid.status == 0 && valid.text == "7\n", "\(valid.text)\(valid.errors)")
        let scratch = try Scratch()
        defer { scratch.remove() }
        let wrong = try Self.text("kubernetes/snp-nodes.yaml").replacing("readinessProbe:", with: "readynessProbe:")
        #expect(try Program.run(["-c", script, try scratch.write("wrong.yaml", wrong)], executable: python).status != 0)
    }

    /// The program accepts the sidecar's variables, and the scripts read every variable of the clients.
    private func check(_ containers: [Container], identity: [String: String]) throws {
        let sidecar = try #require(containers.first)
        #expect(sidecar.command == ["/skr.sh"])
        #expect(sidecar.image.hasPrefix("contoso.azurecr.io/attestation-broker@sha256:aaaa"))
        let result = try Program.run(["config", "check", "--json"], environment: sidecar.environment.merging(identity) { $1 })
        #expect(result.status == 0, "\(result.errors)")
        let settings = result.object["settings"] as? [[String: Any]] ?? []
        for name in sidecar.environment.keys {
            #expect(settings.contains { ($0["source"] as? String)?.contains(name) == true }, "\(name) sets nothing: \(settings)")
        }
        #expect((result.object["warnings"] as? [String]) == [], "\(result.text)")
        for client in containers.dropFirst() {
            #expect(client.image.hasPrefix("contoso.azurecr.io/attestation-broker-client@sha256:bbbb"))
            #expect(client.command.first?.hasPrefix("/tests/skr/") == true)
            let name = try #require(client.command.first?.split(separator: "/").last)
            let script = try Self.text("container/\(name)")
            for variable in client.environment.keys { #expect(script.contains(variable), "\(client.name): \(variable)") }
            #expect(client.environment["Port"] == sidecar.environment["Port"])
            for variable in ["AttestClientMAAEndpoint", "SkrClientMAAEndpoint"] {
                guard let endpoint = client.environment[variable] else { continue }
                #expect(endpoint == sidecar.environment["BROKER_VERIFIER_MAA_ENDPOINT"])
            }
            // An empty port proves that the variables themselves are accepted: 64 would name one that is not.
            let run = try Program.run(
                [], environment: client.environment.merging(["Port": "1", "ClientAttempts": "1"]) { $1 },
                executable: Program.packageRoot.appending(path: "samples/container/\(name)"))
            #expect(run.status == 2, "\(client.name): \(run.errors)")
        }
    }

    @Test("a key is imported under a policy without faults") func importConfiguration() throws {
        let text = Self.filled(try Self.text("aci/importkey.json"))
        let scratch = try Scratch()
        defer { scratch.remove() }
        let object = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let claims = try #require(object["claims"] as? [[[String: String]]])
        let authority = ((object["key"] as? [String: Any])?["authority"] as? [String: String])?["endpoint"]
        let policy: [String: Any] = [
            "version": "1.0.0", "anyOf": claims.map { ["authority": "https://\(authority ?? "")", "allOf": $0] as [String: Any] },
        ]
        let file = try scratch.write("policy.json", try JSONSerialization.data(withJSONObject: policy))
        let lint = try Program.run(["policy", "lint", file.path])
        #expect(lint.status == 0, "\(lint.text)\(lint.errors)")
    }

    @Test("the container files copy what is there and run as the same user") func containerFiles() throws {
        for name in ["container/Dockerfile", "container/Dockerfile.client"] {
            let lines = try Self.text(name).split(separator: "\n").map(String.init)
            #expect(lines.last { $0.hasPrefix("USER ") } == "USER 65532:65532")
            for line in lines where line.hasPrefix("COPY ") && !line.contains("--from=") {
                for source in line.split(separator: " ").dropFirst().dropLast() where !source.hasPrefix("--") {
                    let path = Program.packageRoot.appending(path: String(source)).path
                    #expect(FileManager.default.fileExists(atPath: path), "\(name): \(source)")
                }
            }
            #expect(!lines.contains { $0.contains("latest") })
        }
        let sidecar = try Self.text("container/Dockerfile")
        #expect(sidecar.contains("samples/container/build.sh") && sidecar.contains("FROM scratch"))
        #expect(try Self.text("container/build.sh").contains("--disable-default-traits"))
        let packages = try #require(sidecar.firstMatch(of: /RUNTIME_PACKAGES="([^"]*)"/)).1
        let readme = try String(contentsOf: Program.packageRoot.appending(path: "README.md"), encoding: .utf8)
        #expect(readme.contains("`\(packages)`"), "README names other packages for a bare install")
        let passwd = try Self.text("container/rootfs.sh")
        #expect(passwd.contains("broker:x:65532:65532"))
    }

    @Test("the guide's commands exist") func guideCommands() throws {
        let guide = try Self.text("guide.md")
        let commands = guide.matches(of: /attestation-broker ((?:key|policy) [a-z]+|doctor)/).map { String($0.1) }
        #expect(commands.count >= 4)
        for command in Set(commands) {
            let words = command.split(separator: " ").map(String.init)
            #expect(try Program.run(words + ["--help"]).status == 0, "\(command)")
        }
        for file in guide.matches(of: /(?:samples|policies)\/[A-Za-z0-9\/.-]+[A-Za-z0-9]/).map({ String($0.0) }) {
            #expect(FileManager.default.fileExists(atPath: Program.packageRoot.appending(path: file).path), "\(file)")
        }
    }
}
