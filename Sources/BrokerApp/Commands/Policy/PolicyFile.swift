internal import ArgumentParser
internal import InputReading
internal import ReleasePolicy

/// Input that several commands read.
enum PolicyFile {
    /// A release policy, out of a key bundle or its encoding where it is in one; `-` for standard input.
    static func document(_ path: String) throws -> PolicyDocument {
        let text = try InputFile.readOne(path, as: DocumentInput.releasePolicy, limit: PolicyDocument.maximumBytes)
        do { return try PolicyDocument(text) } catch { throw CommandFailure(.impossible, "\(InputFile.name(path)): \(error)") }
    }

    /// The policy with its text.
    static func releasePolicy(_ path: String) throws -> (policy: ReleasePolicy, text: [UInt8]) {
        let text = try document(path).text
        do { return (try ReleasePolicy(json: text), text) } catch {
            throw CommandFailure(
                .impossible, "\(InputFile.name(path)): not a release policy: \(error)", nextStep: "'policy lint' names every fault")
        }
    }
}

/// Security policies that commands read.
enum SecurityPolicyFile {
    static var forms: String { SecurityPolicyForm.allCases.map(\.rawValue).joined(separator: ", ") }

    static func form(_ text: String) throws -> SecurityPolicyForm {
        guard let form = SecurityPolicyForm(rawValue: text) else { throw ValidationError("there is no such form; there are \(forms)") }
        return form
    }

    static func read(_ path: String, as form: SecurityPolicyForm?) throws -> [SecurityPolicyInput] {
        guard let form else { return try InputFile.read(path, as: SecurityPolicyInput.kind, limit: SecurityPolicyInput.maximumBytes) }
        return try parse(InputFile.bytes(path), as: form, name: InputFile.name(path))
    }

    static func parse(_ bytes: [UInt8], as form: SecurityPolicyForm?, name: String) throws -> [SecurityPolicyInput] {
        do { return try SecurityPolicyInput.read(bytes, as: form) } catch { throw InputFile.failure(name, error) }
    }

    /// The decoded bytes of the one policy.
    static func readOne(_ path: String, as form: SecurityPolicyForm?) throws -> [UInt8] {
        let policies = try read(path, as: form)
        guard policies.allSatisfy({ $0.bytes == policies[0].bytes }) else {
            throw CommandFailure(
                .impossible, "\(InputFile.name(path)): holds several policies: \(policies.compactMap(\.place).joined(separator: ", "))",
                nextStep: "give the base64 of the one that is meant")
        }
        return policies[0].bytes
    }
}
