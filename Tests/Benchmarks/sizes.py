"""What the production program's bytes are: sections of the file, and symbols by module; see sizes.sh."""

import collections
import os
import re
import subprocess
import sys

MB = 1_000_000

# By the first module that a name mentions; the rest by the beginning of the name.
GROUPS = {
    "Swift's standard library": ["Swift", "_Concurrency", "Synchronization", "_Builtin_float", "Glibc"],
    "regular expressions": ["_StringProcessing", "_RegexParser"],
    "FoundationEssentials": ["FoundationEssentials", "_FoundationCollections"],
    "AsyncAlgorithms": ["AsyncAlgorithms"],
    "ArgumentParser": ["ArgumentParser", "ArgumentParserToolInfo"],
    "SwiftNIO, Hummingbird, service lifecycle, logging": [
        "NIOCore", "NIOPosix", "NIOHTTP1", "NIOConcurrencyHelpers", "NIOTLS", "NIO", "_NIOBase64", "_NIODataStructures",
        "HummingbirdCore", "Hummingbird", "HTTPTypes", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOExtras", "ServiceLifecycle",
        "UnixSignals", "ConcurrencyHelpers", "Logging", "Atomics", "DequeModule", "InternalCollectionsUtilities",
        "OrderedCollections", "HashTreeCollections",
    ],
}
MODULE = {module: group for group, modules in GROUPS.items() for module in modules}


def own_modules():
    """The modules of this project, by the folders that hold them."""
    return {name for folder in ("Sources", "Plugins") for name in os.listdir(folder)} | {"attestation_broker"}


def module(name, own):
    """The first known module that a mangled name of Swift mentions."""
    for length, rest in re.findall(r"(\d+)(\D\w*)", name):
        if rest[: int(length)] in own or rest[: int(length)] in MODULE:
            return rest[: int(length)]
    return None


def group(name, own):
    if name.startswith(("c_nio", "CNIO")):
        return "SwiftNIO, Hummingbird, service lifecycle, logging"
    if name.startswith("broker_"):
        return "the broker"
    if name.startswith(("swift_", "_swift_", "_ZN5swift", "_ZNK5swift", "_ZZN5swift", "_ZN12_GLOBAL__N_1", "_dispatch", "dispatch_", "__swift")):
        return "Swift's runtime, Unicode tables and dispatch"
    swift = re.match(r"(?:symbolic |\$[sS])(.*)", name)
    if not swift:
        return "C, C++ and what has no name"
    found = module(swift.group(1), own)
    return "the broker" if found in own else MODULE.get(found, "Swift's standard library")


def main(program, stripped):
    own = own_modules()
    sizes, parts = collections.Counter(), collections.Counter()
    text = subprocess.run(["nm", "-S", "--defined-only", program], check=True, capture_output=True, text=True).stdout
    seen = set()
    for line in text.splitlines():
        fields = line.split(maxsplit=3)
        # Symbols without a size have three fields; several names of one place count once; zeros are not in the file.
        if len(fields) == 4 and fields[2] not in "bB" and fields[0] not in seen:
            seen.add(fields[0])
            name, size = group(fields[3], own), int(fields[1], 16)
            sizes[name] += size
            if name == "the broker":
                parts[module(fields[3], own) or "C"] += size
    sections = {}
    for line in subprocess.run(["size", "-A", stripped], check=True, capture_output=True, text=True).stdout.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1].isdigit() and not fields[0].startswith((".bss", ".tbss")):
            sections[fields[0]] = int(fields[1])
    total = os.path.getsize(stripped)
    unwind = sum(sections.get(name, 0) for name in (".eh_frame", ".eh_frame_hdr", ".gcc_except_table"))
    rows = sizes.most_common() + [("unwind tables, for debuggers", unwind)]
    rows.append(("type metadata, relocations, names", total - unwind - sum(sizes.values())))
    for name, count in rows:
        print(f"{count / MB:6.2f} MB  {name}")
    print(f"{total / MB:6.2f} MB  in all ({total} bytes)")
    print("\nthe broker: " + ", ".join(f"{name} {count / MB:.2f}" for name, count in parts.most_common()))
    largest = sorted(sections.items(), key=lambda item: -item[1])[:8]
    print("\nlargest sections: " + ", ".join(f"{name} {count / MB:.2f}" for name, count in largest))


if __name__ == "__main__":
    main(*sys.argv[1:])
