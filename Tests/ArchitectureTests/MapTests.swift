import Testing

/// `Sources/README.md`: the map of the house.
@Suite("The map")
struct MapTests {
    /// A floor and the rooms that its table names, without the slash at their end.
    private struct Floor {
        let name: String
        var rooms: [String] = []
    }

    /// Floors from the top, as the page lists them.
    private static func floors() throws -> [Floor] {
        var floors: [Floor] = []
        for line in try SourceTree.lines(PackageRoot.path + "/Sources/README.md") {
            if line.hasPrefix("## ") { floors.append(Floor(name: String(line.dropFirst(3)))) }
            let cells = line.split(separator: "|").map { $0.drop { $0 == " " } }
            guard cells.count == 2, cells[0].hasPrefix("`"), !floors.isEmpty else { continue }
            #expect(cells[1].count > 10, "\(line) says nothing")
            floors[floors.count - 1].rooms.append(String(cells[0].dropFirst().prefix { $0 != "`" }.dropLast()))
        }
        return floors
    }

    private static func folders(_ path: String) throws -> [String] {
        try SourceTree.entries(path).filter(\.isDirectory).flatMap { entry in
            try [entry.name] + folders("\(path)/\(entry.name)").map { "\(entry.name)/\($0)" }
        }
    }

    @Test("every folder under Sources and Plugins has its sentence, and every sentence its folder")
    func complete() throws {
        let listed = try Self.floors().flatMap(\.rooms)
        let found = try Self.folders(PackageRoot.path + "/Sources") + Self.folders(PackageRoot.path + "/Plugins")
        #expect(found.count > 40)
        #expect(Set(found).subtracting(listed) == [], "folders without a sentence")
        #expect(Set(listed).subtracting(found) == [], "sentences without a folder")
        #expect(listed.count == Set(listed).count)
    }

    @Test("the questions of a newcomer lead to files that are there")
    func questions() throws {
        let page = try SourceTree.lines(PackageRoot.path + "/Sources/README.md")
        let rows = page.prefix { !$0.hasPrefix("## ") }.filter { $0.hasPrefix("| ") && $0.contains("`") }
        #expect(rows.count >= 6)
        let files = Set(try SourceTree.swiftFiles(PackageRoot.path + "/Sources"))
        for row in rows {
            for quoted in row.split(separator: "`", omittingEmptySubsequences: false).enumerated() where quoted.offset % 2 == 1 {
                guard quoted.element.hasSuffix(".swift"), quoted.element.contains("/") else { continue }
                #expect(files.contains(String(quoted.element)), "\(quoted.element) is not there")
            }
        }
    }

    @Test("dependencies go downwards only")
    func downwards() throws {
        let manifest = try Manifest.load()
        var place: [String: Int] = [:]
        for (floor, entry) in try Self.floors().enumerated() { for room in entry.rooms where !room.contains("/") { place[room] = floor } }
        place["attestation-broker"] = place["AttestationBroker"]
        let providers = try #require(place["SNPEvidence"])
        for target in manifest.targets where !target.isTest {
            // Providers stand between engine and Azure; the page lists them last because they are not below Sources.
            guard let own = place[target.name] else { continue }
            for used in target.targets {
                guard let other = place[used] else { continue }
                if own == providers {
                    #expect(other > (place["BrokerEngine"] ?? 0) || isStandIn(used), "\(target.name) uses \(used)")
                } else if other != providers {
                    #expect(other >= own || isStandIn(used) && own == 0, "\(target.name) uses \(used), which is on a higher floor")
                }
            }
        }
    }

    private func isStandIn(_ name: String) -> Bool { ["AzureSimulators", "SNPFixture", "Issuing", "BrokerTestKit"].contains(name) }
}
