import Foundation

/// A headless browser, for what a page does when it is opened.
enum Chromium {
    static let executable: URL? = ["chromium", "chromium-browser", "google-chrome", "chrome-headless-shell"].map {
        URL(filePath: "/usr/bin/\($0)")
    }.first { FileManager.default.isExecutableFile(atPath: $0.path) }

    static var isInstalled: Bool { executable != nil }

    struct Visit {
        /// Addresses that the page, and not the browser itself, asked for.
        let requests: [String]
        /// Lines of the page's console.
        let console: [String]
        let screenshot: PNGImage
        let file: Data
    }

    /// Opens a page from a file and takes a picture of it. No name resolves, so nothing leaves the machine.
    static func visit(_ page: Data, width: Int = 1100, height: Int = 1400) throws -> Visit {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let file = try scratch.write("page.html", page)
        let picture = scratch.directory.appending(path: "page.png")
        let log = scratch.directory.appending(path: "net.json")
        let result = try run(
            scratch, ["--log-net-log=\(log.path)", "--window-size=\(width),\(height)", "--screenshot=\(picture.path)", file.absoluteString])
        guard let image = try? Data(contentsOf: picture) else { throw RunningProgram.Ended(output: result.errors) }
        return Visit(
            requests: try requests(Data(contentsOf: log)),
            console: result.errors.split(separator: "\n").map(String.init).filter { $0.contains("CONSOLE") },
            screenshot: try PNGImage(image), file: image)
    }

    /// How wide a page's content is where the page has `width` pixels. A window is never narrower than 500, so the page is put into a
    /// frame; its own content security policy stays in force there.
    static func contentWidth(_ page: Data, at width: Int) throws -> Int? {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let text = String(decoding: page, as: UTF8.self).replacing("&", with: "&amp;").replacing("\"", with: "&quot;")
        let frame = """
            <!DOCTYPE html><title>x</title><iframe id="f" style="width:\(width)px;height:900px;border:0" srcdoc="\(text)"></iframe>
            <output id="o"></output><script>onload=()=>{const d=f.contentDocument;for(const e of d.querySelectorAll('details'))e.open=true;
            o.textContent='width '+d.documentElement.scrollWidth}</script>
            """
        let file = try scratch.write("frame.html", Data(frame.utf8))
        let document = try run(scratch, ["--window-size=1400,1000", "--dump-dom", file.absoluteString]).text
        return document.firstMatch(of: /<output id="o">width (\d+)</).flatMap { Int($0.1) }
    }

    private static func run(_ scratch: Scratch, _ arguments: [String]) throws -> Program.Result {
        let common = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            "--enable-logging=stderr", "--user-data-dir=\(scratch.path)/profile",
        ]
        return try Program.run(
            common + arguments, environment: ["HOME": scratch.path], executable: executable ?? URL(filePath: "/nonexistent"))
    }

    /// Requests with an initiator: a page's origin ("null" for a file). The browser's own have none, or "not an origin".
    private static func requests(_ log: Data) throws -> [String] {
        let document = try JSONSerialization.jsonObject(with: log) as? [String: Any]
        let events = document?["events"] as? [[String: Any]] ?? []
        return events.compactMap { event in
            guard let parameters = event["params"] as? [String: Any], let url = parameters["url"] as? String,
                let initiator = parameters["initiator"] as? String, initiator != "not an origin"
            else { return nil }
            return url
        }
    }
}
