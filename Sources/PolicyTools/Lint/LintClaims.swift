internal import PlainText
internal import ReleasePolicy
internal import StrictJSON

/// Names and values of single conditions.
enum LintClaims {
    static func check(_ claim: LintClaim, into drafts: inout PolicyLinter.Drafts) {
        checkOperator(claim, into: &drafts)
        let name = ClaimName(claim.name)
        guard !ClaimCatalogue.isOpen(name) || ClaimCatalogue.claim(name) != nil else { return }
        guard let known = ClaimCatalogue.claim(name) else {
            unknown(claim, name, into: &drafts)
            return
        }
        guard claim.operation != .exists else { return }
        if known.kind == .structure {
            drafts.add(
                .structureClaim, .error, claim.pointer + "/claim", "\(claim.name) is an object or an array: no operand compares with it",
                fix: "name a member of it, with a dot: \(claim.name).member")
            return
        }
        if [.equals, .notEquals].contains(claim.operation) {
            LintValues.check(claim, as: known.kind, into: &drafts)
        } else if known.kind != .number {
            drafts.add(
                .orderOfText, .error, claim.pointer, "\(claim.name) is no number, and \(claim.operation.rawValue) compares numbers alone",
                fix: "use \"equals\"")
        }
    }

    private static func checkOperator(_ claim: LintClaim, into drafts: inout PolicyLinter.Drafts) {
        let place = claim.operandPointer
        switch claim.operation {
        case .less, .lessOrEquals, .greater, .greaterOrEquals:
            if case .string(let text) = claim.wanted {
                drafts.add(
                    .orderOfText, .warning, place,
                    "\(claim.operation.rawValue) with the text \(VisibleText.quoted(text)): the documentation has numbers here, and "
                        + "whether a service reads texts as numbers is unknown",
                    fix: "write the number without quotation marks")
            }
        case .exists:
            drafts.add(
                .unverifiedOperator, .note, place,
                "what \"exists\" does on the services is documented by analogy only; test it against the key store before relying on it")
        case .notEquals:
            if !isExclusion(claim) {
                drafts.add(
                    .unverifiedOperator, .note, place,
                    "notEquals admits every value but one; a token without the claim is refused by this program, and the documentation "
                        + "is thin",
                    fix: "list the values that are meant, with \"equals\"")
            }
        case .equals: break
        }
        let safe: Int64 = 1 << 53
        if case .integer(let number) = claim.wanted, number > safe || number < -safe {
            drafts.add(
                .unsafeNumber, .warning, place, "\(number) is beyond 2^53: a reader that uses doubles rounds it",
                fix: claim.operation == .equals || claim.operation == .notEquals ? "write it in quotation marks" : nil)
        }
    }

    /// `is-debuggable notEquals true` says the same as `equals false`.
    private static func isExclusion(_ claim: LintClaim) -> Bool {
        ClaimCatalogue.claim(ClaimName(claim.name))?.kind == .boolean && ["true", "false"].contains(claim.wantedText ?? "")
    }

    private static func unknown(_ claim: LintClaim, _ name: ClaimName, into drafts: inout PolicyLinter.Drafts) {
        let place = claim.pointer + "/claim"
        let shown = VisibleText.quoted(claim.name)
        let lowered = claim.name.lowercased()
        let nested = ClaimCatalogue.all.filter { $0.home != .machine }.map { ClaimName.isolationPrefix + $0.name }
        if let right = (ClaimCatalogue.all.map(\.name) + nested).first(where: { $0.lowercased() == lowered }) {
            drafts.add(
                .claimCase, .error, place, "\(shown) is spelled \(right); the case of letters counts in names",
                fix: "write \(VisibleText.quoted(right))")
        } else if let nearest = ClaimCatalogue.nearest(to: claim.name) {
            drafts.add(
                .unknownClaim, .error, place, "no token is known to have a claim \(shown), so the condition never holds",
                fix: "did you mean \(VisibleText.quoted(nearest))?")
        } else {
            drafts.add(.unknownClaim, .warning, place, "no token is known to have a claim \(shown)")
        }
    }
}

/// Values that `equals` and `notEquals` compare.
enum LintValues {
    static func check(_ claim: LintClaim, as kind: ClaimCatalogue.Kind, into drafts: inout PolicyLinter.Drafts) {
        guard let text = claim.wantedText else { return }
        let place = claim.operandPointer
        let shown = VisibleText.value(claim.wanted)
        switch kind {
        case .structure, .text: break
        case .boolean:
            guard !["true", "false"].contains(text) else { return }
            if ["true", "false"].contains(text.lowercased()) {
                drafts.add(
                    .valueCase, .error, place, "\(shown) never equals the claim, which is true or false in lower case",
                    fix: "write \"\(text.lowercased())\"")
            } else {
                drafts.add(.valueType, .error, place, "\(claim.name) is true or false, never \(shown)", fix: "write \"true\" or \"false\"")
            }
        case .number: number(claim, text, shown, into: &drafts)
        case .hex(let digits): hex(claim, text, digits, shown, into: &drafts)
        case .identifier: identifier(claim, text, shown, into: &drafts)
        case .choice(let values):
            guard !values.contains(text) else { return }
            let trimmed = text.lowercased().filter { !$0.isWhitespace }
            if values.contains(trimmed) {
                drafts.add(
                    .valueCase, .error, place, "\(shown) differs from \"\(trimmed)\" by case or white space, which count",
                    fix: "write \"\(trimmed)\"")
            } else {
                let nearest = NearestName.nearest(to: text, among: values)
                drafts.add(
                    .unknownValue, .warning, place, "\(shown) is no value of \(claim.name) that is known here",
                    fix: nearest.map { "did you mean \"\($0)\"?" } ?? "known are \(values.joined(separator: ", "))")
            }
        }
    }

    private static func number(_ claim: LintClaim, _ text: String, _ shown: String, into drafts: inout PolicyLinter.Drafts) {
        if let number = Int64(text), text == String(number) { return }
        // What a number could look like: digits, perhaps with a sign, a point, zeros in front or at the end.
        let isNumber = !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }
        if isNumber {
            drafts.add(
                .numberText, .error, claim.operandPointer,
                "\(shown) never equals the claim: numbers are compared as texts, in plain decimal",
                fix: Int64(text).map { "write \"\($0)\"" } ?? "write the number without a fraction and leading zeros")
        } else {
            drafts.add(
                .valueType, .error, claim.operandPointer, "\(claim.name) is a number, never \(shown)", fix: "write a number such as \"0\"")
        }
    }

    private static func hex(_ claim: LintClaim, _ text: String, _ digits: Int, _ shown: String, into drafts: inout PolicyLinter.Drafts) {
        if text.utf8.consists(of: .hexDigits, count: digits...digits) {
            guard text.lowercased() != text else { return }
            drafts.add(
                .valueCase, .error, claim.operandPointer,
                "\(shown) has capital letters; the claim is lower-case hex, and the comparison is case-sensitive",
                fix: "write \"\(text.lowercased())\"")
            return
        }
        let isHostData = ClaimName(claim.name).base == "x-ms-sevsnpvm-hostdata"
        drafts.add(
            .valueForm, .error, claim.operandPointer,
            "\(shown) cannot be the claim's value, which is \(digits) lower-case hex digits" + (text.hasPrefix("0x") ? " without 0x" : "")
                + "; this has \(text.unicodeScalars.count) characters",
            fix: isHostData ? "'policy digest' prints the host data of a security policy" : nil)
    }

    private static func identifier(_ claim: LintClaim, _ text: String, _ shown: String, into drafts: inout PolicyLinter.Drafts) {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        let isIdentifier = groups.map(\.count) == [8, 4, 4, 4, 12] && groups.allSatisfy { $0.allSatisfy { $0.isHexDigit } }
        guard isIdentifier else {
            drafts.add(.valueForm, .error, claim.operandPointer, "\(shown) is no machine id", fix: "write it as 8-4-4-4-12 hex digits")
            return
        }
        if text.uppercased() != text {
            drafts.add(
                .valueCase, .error, claim.operandPointer,
                "\(shown) has lower-case letters; on AMD machine ids are upper case, and the comparison is case-sensitive",
                fix: "write \"\(text.uppercased())\"")
        }
    }
}
