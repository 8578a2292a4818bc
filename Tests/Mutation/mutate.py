#!/usr/bin/env python3
"""Breaks the judging code in one place at a time and says which breakage no test notices.

    mutate.py ROOM [--list] [--only NUMBER]... [--sample COUNT] [--results FILE] [--in-place]

ROOM is one of those below. Each mutant is built with the test targets of its room and nothing else, and these tests run: one that fails
kills it. What survives is either listed with its reason in survivors.json beside this file, or is a finding; exit status 1 when there is
one. By hand: a mutant costs the compilation of its room and a link. Works on a copy of the sources in .build-mutation; --in-place takes
the sources and the build that are there, and puts each file back.
"""
import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOMS = {
    "SNPVerification": (["Sources/SNPVerification"], ["SNPVerificationTests"]),
    "SNPReport": (["Sources/SNPReport"], ["SNPReportTests"]),
    "AttestationTokens": (["Sources/AttestationTokens"], ["MAAVerifierTests", "PolicyToolsTests"]),
    "ReleasePolicy": (["Sources/ReleasePolicy"], ["ReleasePolicyTests", "PolicyToolsTests"]),
    "AzureKeyRelease": (["Sources/AzureKeyRelease"], ["AzureKeyReleaseTests", "KeyVaultPremiumTests", "ManagedHSMTests"]),
    "BrokerEngine": (["Sources/BrokerEngine"], ["BrokerEngineTests"]),
}
# True and false in a way that the compiler does not see through: it would warn of code that is never reached.
TRUE, FALSE = "CommandLine.argc > 0", "CommandLine.argc < 0"
OPERATORS = {" == ": " != ", " != ": " == ", " < ": " <= ", " > ": " >= ", " <= ": " < ", " >= ": " > ", " && ": " || ", " || ": " && "}
BINDING = re.compile(r"\b(let|var|case)\b|#available")


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
    """Pairs of a kind and the changed line, with the line's index."""
    inside_text = False
    for index, line in enumerate(lines):
        if line.count('"""') % 2:
            inside_text = not inside_text
            continue
        code = code_of(line)
        if inside_text or not code.strip() or re.match(r"\s*(?:package |internal |public |private |@\w+ )*import ", code):
            continue
        # A generic clause is no comparison; those have spaces around them here.
        for operator, other in OPERATORS.items():
            for match in re.finditer(re.escape(operator), code):
                yield index, f"{operator.strip()} for {other.strip()}", line[:match.start()] + other + line[match.end():]
        for word, kind, change in (
            ("guard", "a condition that always holds", f") || {TRUE}"), ("if", "a condition that never holds", f") && {FALSE}")
        ):
            match = re.match(r"(\s*(?:\} else )?" + word + r" )(.+?)( else \{.*| \{.*)$", code)
            for start, end in parts_of(match[2], match.end(1)) if match else ():
                if not BINDING.search(code[start:end]):
                    yield index, kind, line[:start] + "(" + line[start:end] + change + line[end:]
        if re.match(r"\s*(?:_ = )?try [\w.]+\(.*\)$", code) or re.match(r"\s*\w+\.append\(.*\)$", code):
            indentation = re.match(r"\s*", line)[0]
            yield index, "a statement left out", f"{indentation}if {FALSE} {{ {line.strip()} }}"
        match = re.search(r"\bfunc \w+.*?(?: -> (Bool|\[String\]))? \{$", code)
        if match and (match[1] or " -> " not in code):
            kinds = {"Bool": ("true", "false"), "[String]": ("[]",), None: ("",)}[match[1]]
            # A body of one expression needs no `return`, and allows none in front of it.
            is_expression = match[1] and lines[index + 2].strip() == "}" and not lines[index + 1].strip().startswith("return ")
            for value in kinds:
                kind = f"an early return of {value}" if value else "an early return"
                if is_expression:
                    indentation = re.match(r"\s*", lines[index + 1])[0]
                    yield index + 1, kind, f"{indentation}return {value}"
                else:
                    yield index, kind, f"{line} if {TRUE} {{ {f'return {value}'.strip()} }}"


def collect(tree, room):
    found = []
    for folder in ROOMS[room][0]:
        for directory, _, names in sorted(os.walk(os.path.join(tree, folder))):
            for name in sorted(names):
                if not name.endswith(".swift"):
                    continue
                path = os.path.relpath(os.path.join(directory, name), tree)
                with open(os.path.join(tree, path), encoding="utf-8") as file:
                    lines = file.read().split("\n")
                for index, kind, changed in mutants_of(lines):
                    found.append({"file": path, "line": index + 1, "kind": kind, "was": lines[index].strip(), "is": changed.strip(),
                                  "text": changed})
    return [{"number": number, **mutant} for number, mutant in enumerate(found, 1)]


class Builder:
    def __init__(self, tree, scratch, targets):
        self.tree, self.scratch, self.targets = tree, scratch, targets
        self.environment = {**os.environ, "TEST_TARGETS": ",".join(targets)}
        self.limit = None

    def build(self):
        return subprocess.run(
            ["swift", "build", "--ignore-lock", "--scratch-path", self.scratch, "--product", "attestation-brokerPackageTests"],
            cwd=self.tree, env=self.environment, capture_output=True, text=True)

    def test(self):
        """Whether all tests pass; None where they do not end."""
        program = os.path.join(self.scratch, "debug", "attestation-brokerPackageTests.xctest")
        process = subprocess.Popen(
            [program, "--testing-library", "swift-testing", "--filter", f"^({'|'.join(self.targets)})\\."], cwd=self.tree,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        began = time.monotonic()
        try:
            output = process.communicate(timeout=self.limit)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return None
        if self.limit is None:
            self.limit = 60 + 10 * (time.monotonic() - began)
        if process.returncode == 0 and not re.search(r"Test run with [1-9]\d* tests?", output):
            sys.exit(f"mutate.py: no test ran\n{output[-2000:]}")
        return process.returncode == 0


def outcome(mutant, builder):
    path = os.path.join(builder.tree, mutant["file"])
    with open(path, encoding="utf-8") as file:
        original = file.read()
    lines = original.split("\n")
    lines[mutant["line"] - 1] = mutant["text"]
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        if builder.build().returncode != 0:
            return "does not compile"
        passed = builder.test()
        return {True: "survived", False: "killed", None: "killed by time"}[passed]
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(original)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("room", choices=sorted(ROOMS))
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", action="append", type=int)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--results")
    parser.add_argument("--in-place", action="store_true")
    options = parser.parse_args()
    mutants = collect(ROOT, options.room)
    if options.only:
        mutants = [mutant for mutant in mutants if mutant["number"] in options.only]
    if options.sample:
        mutants = sorted(random.Random(0).sample(mutants, min(options.sample, len(mutants))), key=lambda mutant: mutant["number"])
    if options.list:
        for mutant in mutants:
            print(f"{mutant['number']:4} {mutant['file']}:{mutant['line']}: {mutant['kind']}: {mutant['is']}")
        return
    tree, scratch = ROOT, os.path.join(ROOT, ".build")
    if not options.in_place:
        work = os.path.join(ROOT, ".build-mutation")
        tree, scratch = os.path.join(work, "tree"), os.path.join(work, "build")
        shutil.rmtree(tree, ignore_errors=True)
        os.makedirs(tree)
        for name in ("Package.swift", "Package.resolved"):
            if os.path.exists(os.path.join(ROOT, name)):
                shutil.copy2(os.path.join(ROOT, name), tree)
        for name in ("Sources", "Plugins", "Tests"):
            shutil.copytree(os.path.join(ROOT, name), os.path.join(tree, name))
    builder = Builder(tree, scratch, ROOMS[options.room][1])
    first = builder.build()
    if first.returncode != 0:
        sys.exit(f"mutate.py: the unchanged sources do not build\n{first.stdout[-3000:]}{first.stderr[-1000:]}")
    if not builder.test():
        sys.exit("mutate.py: the unchanged sources fail their tests")
    with open(os.path.join(ROOT, "Tests/Mutation/survivors.json"), encoding="utf-8") as file:
        reasons = {(each["file"], each["kind"], each["is"]): each["reason"] for each in json.load(file)}
    counts, findings = {}, 0
    for mutant in mutants:
        result = outcome(mutant, builder)
        reason = reasons.get((mutant["file"], mutant["kind"], mutant["is"])) if result == "survived" else None
        if reason:
            result = "survived for a reason"
        counts[result] = counts.get(result, 0) + 1
        findings += result == "survived"
        line = f"{mutant['number']:4} {result}: {mutant['file']}:{mutant['line']}: {mutant['kind']}: {mutant['is']}"
        print(line + (f" ({reason})" if reason else ""), flush=True)
        if options.results:
            with open(options.results, "a", encoding="utf-8") as file:
                file.write(json.dumps({**{key: mutant[key] for key in mutant if key != "text"}, "result": result}) + "\n")
    judged = sum(count for result, count in counts.items() if result != "does not compile")
    killed = sum(count for result, count in counts.items() if result.startswith("killed"))
    print(f"{killed} of {judged} killed; " + ", ".join(f"{count} {result}" for result, count in sorted(counts.items())))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
