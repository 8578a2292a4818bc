#!/usr/bin/env python3
"""Breaks the judging code in one place at a time and says which breakage no test notices.

    mutate.py [ROOM]... [--list] [--only NUMBER]... [--jobs COUNT] [--results FILE]

Without a name all rooms below. Every mutant is built into one program, which the variable MUTANT tells which of them to be; then the test
targets of the room run once for each: one that fails kills it. What survives is either listed with its reason in survivors.json beside
this file, or is a finding; exit status 1 when there is one. By hand: one build of the tests and some seconds for each mutant. Works on a
copy of the sources in .build-mutation.
"""
import argparse
import concurrent.futures
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOMS = {
    "SNPVerification": ["SNPVerificationTests", "LocalVerifierTests"],
    "SNPReport": ["SNPReportTests", "SNPVerificationTests"],
    "AttestationTokens": ["MAAVerifierTests", "PolicyToolsTests"],
    "ReleasePolicy": ["ReleasePolicyTests", "PolicyToolsTests"],
    "AzureKeyRelease": ["AzureKeyReleaseTests", "KeyVaultPremiumTests", "ManagedHSMTests"],
    "BrokerEngine": ["BrokerEngineTests"],
}
OTHER = {"==": "!=", "!=": "==", "<": "<=", ">": ">=", "<=": "<", ">=": ">", "&&": "||", "||": "&&"}
PRECEDENCE = {"&&": "LogicalConjunctionPrecedence", "||": "LogicalDisjunctionPrecedence"}
BINDING = re.compile(r"\b(let|var|case)\b|#available")
DECLARATION = re.compile(r"\b(extension|struct|class|enum|protocol|typealias|associatedtype)\b|\bfunc [^\w]|\bfunc\b.*\bwhere\b|^\s*where\b")

SWITCH = """internal import Glibc

/// Which mutant this process is; 0 for none.
private let chosen = getenv("MUTANT").flatMap { Int(String(cString: $0)) } ?? 0

@inline(never) func mutant(_ number: Int) -> Bool { chosen == number }
"""
EQUALITY = """
infix operator {name}: ComparisonPrecedence
func {name} <T: Equatable>(a: T, b: T) -> Bool {{ mutant({number}) ? a {other} b : a {own} b }}
@_disfavoredOverload func {name} <T: BinaryInteger, U: BinaryInteger>(a: T, b: U) -> Bool {{ mutant({number}) ? a {other} b : a {own} b }}
@_disfavoredOverload func {name} <T: StringProtocol, U: StringProtocol>(a: T, b: U) -> Bool {{ mutant({number}) ? a {other} b : a {own} b }}
func {name} <T>(a: T?, b: _OptionalNilComparisonType) -> Bool {{ mutant({number}) ? a {other} b : a {own} b }}
func {name} (a: Any.Type?, b: Any.Type?) -> Bool {{ mutant({number}) ? a {other} b : a {own} b }}
func {name} <A: Equatable, B: Equatable>(a: (A, B), b: (A, B)) -> Bool {{ mutant({number}) ? a {other} b : a {own} b }}
func {name} <A: Equatable, B: Equatable, C: Equatable>(a: (A, B, C), b: (A, B, C)) -> Bool {{ mutant({number}) ? a {other} b : a {own} b }}
"""
ORDER = """
infix operator {name}: ComparisonPrecedence
func {name} <T: Comparable>(a: T, b: T) -> Bool {{ mutant({number}) ? a {other} b : a {own} b }}
@_disfavoredOverload func {name} <T: BinaryInteger, U: BinaryInteger>(a: T, b: U) -> Bool {{ mutant({number}) ? a {other} b : a {own} b }}
func {name} <A: Comparable, B: Comparable>(a: (A, B), b: (A, B)) -> Bool {{ mutant({number}) ? a {other} b : a {own} b }}
"""
LOGIC = """
infix operator {name}: {precedence}
func {name} (a: Bool, b: @autoclosure () throws -> Bool) rethrows -> Bool {{ mutant({number}) ? try a {other} b() : try a {own} b() }}
"""


def operator_name(own, number):
    """An operator of its own for each place: combining characters may follow the first one of a name."""
    return own + chr(0x300 + number // 64) + chr(0x300 + number % 64)


def operator_declaration(own, number):
    template = LOGIC if own in PRECEDENCE else EQUALITY if own in ("==", "!=") else ORDER
    return template.format(name=operator_name(own, number), number=number, own=own, other=OTHER[own], precedence=PRECEDENCE.get(own))


def code_of(line):
    """The line with comments and the insides of string literals blanked, places kept."""
    line = re.sub(r'"(?:\\.|[^"\\])*"', lambda match: '"' + " " * (len(match[0]) - 2) + '"', line)
    cut = line.find("//")
    return line if cut < 0 else line[:cut]


def parts_of(text, offset):
    """Where the conditions of a list begin and end."""
    depth, start, parts = 0, 0, []
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append((start, place))
            start = place + 2
    return [(offset + start, offset + end) for start, end in [*parts, (start, len(text.rstrip(",")))] if end > start]


def mutants_of(lines):
    """The line's index, a kind, the line as the mutant has it, and edits that make it switchable: (place, length, order, words of a number)."""
    inside_text = False
    for index, line in enumerate(lines):
        if line.count('"""') % 2:
            inside_text = not inside_text
            continue
        code = code_of(line)
        if inside_text or not code.strip() or re.match(r"\s*(?:package |internal |public |private |@\w+ )*import ", code):
            continue
        for own, other in OTHER.items():
            for match in () if DECLARATION.search(code) else re.finditer(f" {re.escape(own)} ", code):
                yield index, f"{own} for {other}", line[:match.start() + 1] + other + line[match.end() - 1:], [
                    (match.start() + 1, len(own), 0, lambda number, own=own: operator_name(own, number))], own
        for word, kind, after in (("guard", "a condition that always holds", "|| mutant"), ("if", "a condition that never holds", "&& !mutant")):
            match = re.match(r"(\s*(?:\} else )?" + word + r" )(.+?)( else \{.*| \{.*)$", code)
            for start, end in parts_of(match[2], match.end(1)) if match else ():
                if not BINDING.search(code[start:end]):
                    value = "true" if word == "guard" else "false"
                    yield index, kind, line[:start] + value + line[end:], [
                        (start, 0, 0, lambda number: "("), (end, 0, 1, lambda number, after=after: f") {after}({number})")], None
        if re.match(r"\s*(?:_ = )?try [\w.]+\(.*\)$", code) or re.match(r"\s*\w+\.append\(.*\)$", code):
            start = len(line) - len(line.lstrip())
            yield index, "a statement left out", f"// {line.strip()}", [
                (start, 0, 0, lambda number: f"if !mutant({number}) {{ "), (len(line), 0, 1, lambda number: " }")], None
        match = re.search(r"\bfunc \w+.*?(?: -> (Bool|\[String\]))? \{$", code)
        if match and (match[1] or " -> " not in code):
            # A body of one expression needs no `return`, and allows none in front of it.
            inside = f"{re.match(r' *', line)[0]}    "
            body = itertools.takewhile(lambda each: not each or each.startswith(inside), lines[index + 1:])
            is_expression = match[1] and not any(re.search(r"\breturn\b", each) for each in body)
            for value in {"Bool": ("true", "false"), "[String]": ("[]",), None: ("",)}[match[1]]:
                words = f"return {value}".strip()
                kind = f"an early {words}"
                if is_expression:
                    first = lines[index + 1]
                    start = len(first) - len(first.lstrip())
                    # The outermost of the edits there, and one `return` however many mutants there are.
                    yield index + 1, kind, first[:start] + words, [
                        (start, 0, -1, lambda number, words=words: f"if mutant({number}) {{ {words} }}; ")], "return"
                else:
                    yield index, kind, f"{line} {words}", [
                        (len(line), 0, 2, lambda number, words=words: f" if mutant({number}) {{ {words} }};")], None


def collect(rooms):
    found = []
    for room in rooms:
        for directory, folders, names in os.walk(os.path.join(ROOT, "Sources", room)):
            folders.sort()
            for name in sorted(names):
                if not name.endswith(".swift"):
                    continue
                path = os.path.relpath(os.path.join(directory, name), ROOT)
                with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                    lines = file.read().split("\n")
                for index, kind, changed, edits, special in mutants_of(lines):
                    found.append({"number": len(found) + 1, "room": room, "file": path, "line": index + 1, "kind": kind, "is": changed.strip(),
                                  "edits": edits, "special": special})
    return found


def switchable(line, mutants):
    """The line as all of its mutants at once."""
    edits = [(place, order, length, words(mutant["number"])) for mutant in mutants for place, length, order, words in mutant["edits"]]
    if any(mutant["special"] == "return" for mutant in mutants):
        edits.append((len(line) - len(line.lstrip()), -0.5, 0, "return "))
    # From the end, so that places stay right; at one place what comes first is inserted last.
    for place, _, length, words in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        line = line[:place] + words + line[place + length:]
    return line


def write(tree, mutants):
    """The sources with these mutants in them."""
    for room in {mutant["room"] for mutant in mutants}:
        shutil.rmtree(os.path.join(tree, "Sources", room))
        shutil.copytree(os.path.join(ROOT, "Sources", room), os.path.join(tree, "Sources", room))
        own = [mutant for mutant in mutants if mutant["room"] == room]
        with open(os.path.join(tree, "Sources", room, "Mutants.swift"), "w", encoding="utf-8") as file:
            file.write(SWITCH + "".join(operator_declaration(each["special"], each["number"]) for each in own if each["special"] in OTHER))
        for path in {mutant["file"] for mutant in own}:
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                lines = file.read().split("\n")
            for place in {mutant["line"] for mutant in own if mutant["file"] == path}:
                lines[place - 1] = switchable(lines[place - 1], [each for each in own if (each["file"], each["line"]) == (path, place)])
            with open(os.path.join(tree, path), "w", encoding="utf-8") as file:
                file.write("\n".join(lines))


def copy_sources(tree):
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    for name in ("Package.swift", "Package.resolved"):
        if os.path.exists(os.path.join(ROOT, name)):
            shutil.copy2(os.path.join(ROOT, name), tree)
    for name in ("Sources", "Plugins", "Tests", "policies", "samples"):
        shutil.copytree(os.path.join(ROOT, name), os.path.join(tree, name), symlinks=True)
    # The tests of real evidence look beside the project.
    shared, link = os.path.join(os.path.dirname(ROOT), "shared"), os.path.join(os.path.dirname(tree), "shared")
    if os.path.exists(shared) and not os.path.exists(link):
        os.symlink(shared, link)


def build(tree, scratch, mutants):
    """Builds the program; mutants on lines that do not compile are left out of it and returned."""
    targets = sorted({target for mutant in mutants for target in ROOMS[mutant["room"]]})
    left_out = []
    while True:
        write(tree, mutants)
        run = subprocess.run(
            ["swift", "build", "--ignore-lock", "--scratch-path", scratch, "--product", "attestation-brokerPackageTests"], cwd=tree,
            env={**os.environ, "TEST_TARGETS": ",".join(targets), "CI": ""}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if run.returncode == 0:
            return left_out
        wrong = {(os.path.relpath(path, tree), int(line)) for path, line in re.findall(r"^(/\S+\.swift):(\d+):\d+: error:", run.stdout, re.M)}
        # An error is told of the line of its mutant, or of one further down.
        guilty = {(path, max((each["line"] for each in mutants if each["file"] == path and each["line"] <= line), default=0)) for path, line in wrong}
        bad = [each for each in mutants if (each["file"], each["line"]) in guilty]
        if not bad:
            sys.exit(f"mutate.py: the sources do not build\n{run.stdout[-3000:]}")
        left_out += bad
        mutants[:] = [each for each in mutants if each not in bad]
        print(f"{len(bad)} mutants do not compile", flush=True)


def test(tree, scratch, number, targets, limit):
    """Whether all tests pass; None where they do not end."""
    process = subprocess.Popen(
        [os.path.join(scratch, "debug", "attestation-brokerPackageTests.xctest"), "--testing-library", "swift-testing",
         "--filter", f"^({'|'.join(targets)})\\."], cwd=tree, env={**os.environ, "MUTANT": str(number)}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True, errors="replace")
    try:
        output = process.communicate(timeout=limit)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return None
    if number == 0 and (process.returncode != 0 or not re.search(r"Test run with [1-9]\d* tests?", output)):
        sys.exit(f"mutate.py: the unchanged sources fail their tests\n{output[-3000:]}")
    return process.returncode == 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("rooms", nargs="*", metavar="ROOM", choices=[[], *sorted(ROOMS)])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", action="append", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results")
    options = parser.parse_args()
    mutants = [each for each in collect(options.rooms or ROOMS) if not options.only or each["number"] in options.only]
    if options.list:
        for each in mutants:
            print(f"{each['number']:4} {each['file']}:{each['line']}: {each['kind']}: {each['is']}")
        return
    work = os.path.join(ROOT, ".build-mutation")
    tree, scratch = os.path.join(work, "tree"), os.path.join(work, "build")
    copy_sources(tree)
    left_out = build(tree, scratch, mutants)
    limits = {}
    for room in dict.fromkeys(each["room"] for each in mutants):
        began = time.monotonic()
        test(tree, scratch, 0, ROOMS[room], None)
        limits[room] = 60 + 10 * (time.monotonic() - began)
    with open(os.path.join(ROOT, "Tests/Mutation/survivors.json"), encoding="utf-8") as file:
        reasons = {(each["file"], each["kind"], each["is"]): each["reason"] for each in json.load(file)}

    def judged(mutant):
        passed = test(tree, scratch, mutant["number"], ROOMS[mutant["room"]], limits[mutant["room"]])
        return mutant, {True: "survived", False: "killed", None: "killed by time"}[passed]

    counts = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for mutant, result in pool.map(judged, mutants):
            reason = reasons.get((mutant["file"], mutant["kind"], mutant["is"])) if result == "survived" else None
            result = "survived for a reason" if reason else result
            own = counts.setdefault(mutant["room"], {})
            own[result] = own.get(result, 0) + 1
            if result != "killed":
                place = f"{mutant['file']}:{mutant['line']}: {mutant['kind']}: {mutant['is']}"
                print(f"{mutant['number']:4} {result}: {place}" + (f" ({reason})" if reason else ""), flush=True)
            if options.results:
                with open(options.results, "a", encoding="utf-8") as file:
                    file.write(json.dumps({key: mutant[key] for key in ("number", "file", "line", "kind", "is")} | {"result": result}) + "\n")
    for mutant in left_out:
        print(f"{mutant['number']:4} does not compile: {mutant['file']}:{mutant['line']}: {mutant['kind']}: {mutant['is']}")
    for room, own in counts.items():
        killed = sum(count for result, count in own.items() if result.startswith("killed"))
        print(f"{room}: {killed} of {sum(own.values())} killed; " + ", ".join(f"{count} {result}" for result, count in sorted(own.items())))
    sys.exit(1 if any("survived" in own for own in counts.values()) else 0)


if __name__ == "__main__":
    main()
