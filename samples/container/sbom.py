#!/usr/bin/env python3
"""Lists what the program is made of: a software bill of materials in CycloneDX 1.5, or with --list a table for people.

    sbom.py [--list] [--scratch DIRECTORY] [--commit COMMIT]

Run it after a build: packages and their versions come from the build's own record (workspace-state.json in its scratch directory, .build
unless another is named), their licences from the files in their checkouts. Debian's libraries are those of this machine. The same inputs
give the same bytes. Exit status 2 when something is missing.
"""
import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import uuid

# Packages of RUNTIME_PACKAGES in samples/container/Dockerfile, with the licence that upstream names.
SYSTEM = {
    "libcurl4": "curl",
    "libjansson4": "MIT",
    "libssl3": "Apache-2.0",
    "libstdc++6": "GPL-3.0-or-later WITH GCC-exception-3.1",
}
SWIFT = "Apache-2.0 WITH Swift-exception"


def fail(reason):
    sys.exit(print(f"sbom.py: {reason}", file=sys.stderr) or 2)


def licence(directory):
    """The SPDX expression of the licence file in a checkout."""
    for name in sorted(os.listdir(directory)):
        if not re.match(r"(?i)licen[cs]e", name):
            continue
        with open(os.path.join(directory, name), encoding="utf-8", errors="replace") as file:
            text = file.read()
        if re.search(r"Apache License\s+Version 2\.0", text):
            return SWIFT if "Runtime Library Exception" in text else "Apache-2.0"
        if "Permission is hereby granted, free of charge" in text:
            return "MIT"
        if "Redistribution and use in source and binary forms" in text:
            return "BSD-3-Clause" if "Neither the name" in text else "BSD-2-Clause"
    fail(f"{directory} has no licence that is known here")


def packages(scratch):
    path = os.path.join(scratch, "workspace-state.json")
    try:
        with open(path, encoding="utf-8") as file:
            dependencies = json.load(file)["object"]["dependencies"]
    except FileNotFoundError:
        fail(f"{path} is not there; build first, or name the build with --scratch")
    for each in sorted(dependencies, key=lambda each: each["packageRef"]["identity"]):
        location = each["packageRef"]["location"].removesuffix(".git")
        state = each["state"]["checkoutState"]
        version = state.get("version") or state["revision"]
        yield {
            "type": "library",
            "bom-ref": each["packageRef"]["identity"],
            "name": each["packageRef"]["identity"],
            "version": version,
            "licenses": [{"expression": licence(os.path.join(scratch, "checkouts", each["subpath"]))}],
            "purl": f"pkg:swift/{location.split('://')[-1]}@{version}",
            "externalReferences": [{"type": "vcs", "url": each["packageRef"]["location"], "comment": f"revision {state['revision']}"}],
        }


def output(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def system():
    for name, expression in SYSTEM.items():
        version, architecture = (output("dpkg-query", "-W", "-f", "${Version} ${Architecture}", name) or "unknown unknown").split()
        yield {
            "type": "library",
            "bom-ref": name,
            "name": name,
            "version": version,
            "licenses": [{"expression": expression}],
            "purl": f"pkg:deb/debian/{name.replace('+', '%2B')}@{version}?arch={architecture}",
        }
    version = re.search(r"Swift version ([\w.-]+)", output("swift", "--version"))
    yield {
        "type": "library",
        "bom-ref": "swift-standard-library",
        "name": "swift-standard-library",
        "version": version[1] if version else "unknown",
        "licenses": [{"expression": SWIFT}],
        "purl": f"pkg:swift/github.com/swiftlang/swift@{version[1] if version else 'unknown'}",
    }


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--scratch", default=os.path.join(root, ".build"))
    parser.add_argument("--commit", default=output("git", "-C", root, "rev-parse", "HEAD"))
    options = parser.parse_args()
    components = [*packages(options.scratch), *system()]
    if options.list:
        rows = [(each["name"], each["version"], each["licenses"][0]["expression"]) for each in components]
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        for name, version, expression in rows:
            print(f"{name:{widths[0]}}  {version:{widths[1]}}  {expression}")
        return
    with open(os.path.join(root, "Sources/BrokerApp/ProgramVersion.swift"), encoding="utf-8") as file:
        version = re.search(r'static let text = "([^"]+)"', file.read())[1]
    program = {
        "type": "application",
        "bom-ref": "attestation-broker",
        "name": "attestation-broker",
        "version": version,
        **({"properties": [{"name": "commit", "value": options.commit}]} if options.commit else {}),
    }
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": program},
        "components": components,
        # The broker uses some of these through others; SwiftPM records the list and not the ways.
        "dependencies": [
            {"ref": "attestation-broker", "dependsOn": [each["bom-ref"] for each in components]},
            *({"ref": each["bom-ref"]} for each in components),
        ],
    }
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).digest()
    document["serialNumber"] = f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=5)}"
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
