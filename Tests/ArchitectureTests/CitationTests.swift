import Testing

/// Comments cite an article of the DocC catalogue by its file name and a heading in quotation marks, several headings with commas and
/// `and`.
@Suite("Citations")
struct CitationTests {
    @Test("every cited heading is in the article that is cited for it")
    func headings() throws {
        let articles = try Documents.all().filter { $0.key.contains(".docc/") }
        var headings: [String: Set<String>] = [:]
        for (path, lines) in articles { headings[Documents.name(path)] = Documents.headings(lines) }
        var count = 0
        for comment in try Comment.all() {
            for citation in Citation.all(in: comment.text) {
                count += 1
                #expect(
                    headings[citation.article]?.contains(citation.heading) == true,
                    "\(comment.place) cites \(citation.article), \"\(citation.heading)\"")
            }
        }
        #expect(count > 100)
    }

    @Test("every document that a comment names is in the repository")
    func documents() throws {
        let known = try Documents.all().keys.map { "/" + $0 }
        for comment in try Comment.all() {
            for name in Citation.documents(in: comment.text) {
                #expect(known.contains { $0.hasSuffix("/" + name) }, "\(comment.place) names \(name)")
            }
        }
    }

    @Test("citations are read in all their forms")
    func reading() {
        let text = #"see A.md, "One", "Two words" and "x:3"; B.md, "Four": because of policies/c.md. "Not one", D.md"#
        #expect(Citation.all(in: text).map(\.article) == ["A.md", "A.md", "A.md", "B.md"])
        #expect(Citation.all(in: text).map(\.heading) == ["One", "Two words", "x:3", "Four"])
        #expect(Citation.documents(in: text) == ["A.md", "B.md", "policies/c.md", "D.md"])
        // Not written out, or this file would name documents that are not there.
        let mark = "//"
        let lines = ["let a = 1 \(mark) A.md,", "    \(mark)/ \"One\"", "let url = \"https:\(mark)b.md\"", "\(mark) B"]
        #expect(Comment.blocks(lines, file: "F.swift").map(\.text) == ["A.md, \"One\"", "B"])
        #expect(Comment.blocks(["/* A.md,", " * \"One\". */"], file: "f.c").map(\.text) == ["A.md, \"One\". */"])
    }
}

private struct Citation {
    let article: String
    let heading: String

    static func all(in text: String) -> [Citation] {
        text.matches(of: #/(\w+\.md), ("[^"]+"(?:(?:,| and) "[^"]+")*)/#).flatMap { match in
            match.2.matches(of: #/"([^"]+)"/#).map { Citation(article: String(match.1), heading: String($0.1)) }
        }
    }

    /// Names of Markdown files, with a path where one is given.
    static func documents(in text: String) -> [String] {
        text.matches(of: #/[\w\-.\/]*\w\.md\b/#).map { String($0.0) }
    }
}

/// Comment lines that follow each other, as one text.
private struct Comment {
    /// File and first line.
    let place: String
    let text: String

    static func all() throws -> [Comment] {
        try ["Sources", "Plugins", "Tests"].flatMap { tree in
            try Documents.paths(below: tree).filter { path in
                [".swift", ".c", ".h", ".sh", ".py"].contains { path.hasSuffix($0) }
            }.flatMap { path in
                let lines = try SourceTree.lines("\(PackageRoot.path)/\(path)")
                return lines.contains { $0.contains(".md") } ? blocks(lines, file: path) : []
            }
        }
    }

    static func blocks(_ lines: [String], file: String) -> [Comment] {
        var found: [(line: Int, last: Int, text: String)] = []
        for (index, line) in lines.enumerated() {
            guard let text = text(of: line, file: file) else { continue }
            if let block = found.last, block.last == index {
                found[found.count - 1] = (block.line, index + 1, block.text + " " + text)
            } else {
                found.append((index + 1, index + 1, text))
            }
        }
        return found.map { Comment(place: "\(file):\($0.line)", text: $0.text) }
    }

    private static func text(of line: String, file: String) -> String? {
        let comment =
            if file.hasSuffix(".sh") || file.hasSuffix(".py") {
                line.firstMatch(of: #/^\s*#+\s?(.*)/#)
            } else if file.hasSuffix(".swift") {
                line.firstMatch(of: #/(?:^|\s)//+\s?(.*)/#)
            } else {
                line.firstMatch(of: #/^\s*(?:/\*+|\*|//+)\s?(.*)/#)
            }
        return comment.map { String($0.1) }
    }
}

/// Markdown files of the repository.
private enum Documents {
    /// Lines by path.
    static func all() throws -> [String: [String]] {
        var result: [String: [String]] = [:]
        for path in try paths(below: "") where path.hasSuffix(".md") {
            result[path] = try SourceTree.lines("\(PackageRoot.path)/\(path)")
        }
        return result
    }

    static func name(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }

    static func headings(_ lines: [String]) -> Set<String> {
        Set(lines.compactMap { line in line.firstMatch(of: #/^##+ (.+)/#).map { String($0.1) } })
    }

    /// Paths of all files, relative to the repository; hidden directories hold what tools made.
    static func paths(below folder: String) throws -> [String] {
        try SourceTree.entries("\(PackageRoot.path)/\(folder)").filter { !$0.name.hasPrefix(".") }.flatMap { entry in
            let path = folder.isEmpty ? entry.name : "\(folder)/\(entry.name)"
            return entry.isDirectory ? try paths(below: path) : [path]
        }
    }
}
