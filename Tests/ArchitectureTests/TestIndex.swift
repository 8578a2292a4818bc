/// The tests of the package, as `swift test --filter` names them: `Target.Suite/function`.
struct TestIndex {
    /// Names of all tests, and whether they run.
    private(set) var isEnabled: [String: Bool] = [:]

    /// Reads the test targets that the manifest declares.
    static func load() throws -> TestIndex {
        var index = TestIndex()
        for target in try Manifest.load().targets where target.isTest {
            let root = "\(PackageRoot.path)/\(target.path)"
            for path in try SourceTree.swiftFiles(root) { index.read(try SourceTree.lines("\(root)/\(path)"), target: target.name) }
        }
        return index
    }

    mutating func read(_ lines: [String], target: String) {
        var suite: String?
        var isSuiteEnabled = true
        /// Attributes of the suite or test whose name comes.
        var suiteText: String?
        var testText: String?
        for (number, code) in SwiftText(lines).code {
            let isOutermost = lines[number - 1].first.map { $0 != " " && $0 != "\t" } == true
            if isOutermost, code == "}" {
                suite = nil
                isSuiteEnabled = true
            }
            if isOutermost, code.hasPrefix("@Suite") { suiteText = "" }
            if let text = suiteText { suiteText = text + code }
            if suiteText != nil || isOutermost,
                let name = code.firstMatch(of: /\b(?:struct|class|enum|actor|extension) (\w+)/).map({ String($0.1) })
            {
                suite = name
                isSuiteEnabled = suiteText?.contains(".disabled") != true
                suiteText = nil
            }
            if code.firstMatch(of: /@Test\b/) != nil { testText = "" }
            guard let text = testText else { continue }
            testText = text + code
            guard let function = code.firstMatch(of: /\bfunc (`[^`]+`|\w+)/).map({ String($0.1) }) else { continue }
            let isOn = isSuiteEnabled && !(text + code.prefix { $0 != "{" }).contains(".disabled")
            isEnabled["\(target).\(suite.map { "\($0)/" } ?? "")\(function)"] = isOn
            testText = nil
        }
    }
}
