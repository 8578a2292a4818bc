#!/usr/bin/env bash
# Writes the .pb.swift files and Descriptors.swift beside the .proto files. Wants protoc (or PROTOC, for example "python3 -m grpc_tools.protoc") and the plug-in
# protoc-gen-swift of the swift-protobuf release that Package.swift names, in PATH: swift build --product protoc-gen-swift in its repository.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
protoc=${PROTOC:-protoc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086 # PROTOC may be words
$protoc -I. --swift_out="$work" --swift_opt=UseAccessLevelOnImports=true --swift_opt=Visibility=Internal ./*.proto
for file in "$work"/*.pb.swift; do
    # FoundationEssentials is all that this program has.
    python3 - "$file" >"$(basename "$file")" <<'PYTHON'
import re, sys
text = open(sys.argv[1]).read()
text = re.sub(r"#if canImport\(FoundationEssentials\)\n((?:internal )?import FoundationEssentials)\n#else\n.*?#endif\n", r"\1\n", text, flags=re.S)
text = re.sub(r"^(?:internal )?import Foundation$", "internal import FoundationEssentials", text, flags=re.M)
sys.stdout.write(text)
PYTHON
done
for file in *.proto; do
    # shellcheck disable=SC2086
    $protoc -I. --descriptor_set_out="$work/$file.set" "$file"
done
python3 - "$work" *.proto >Descriptors.swift <<'PYTHON'
import base64, re, sys
work, files = sys.argv[1], sys.argv[2:]
print("// Written by generate.sh out of the .proto files.\n// swift-format-ignore-file\n")
print("/// The descriptors of what this server speaks, for reflection (google/protobuf/descriptor.proto, FileDescriptorProto).")
print("enum ProtocolDescriptors {")
print("    /// By the name of the file: its full names, and its descriptor in base64.")
print("    static let files: [String: (symbols: Set<String>, descriptor: String)] = [")
for file in files:
    source = open(file).read()
    package = re.search(r"^package (.*);", source, re.M).group(1)
    symbols = [f"{package}.{name}" for name in re.findall(r"^(?:message|service) (\w+)", source, re.M)]
    for service, body in re.findall(r"^service (\w+) \{(.*?)^\}", source, re.M | re.S):
        symbols += [f"{package}.{service}.{method}" for method in re.findall(r"rpc (\w+)", body)]
    # A set with one file: tag 1, length, descriptor.
    data = open(f"{work}/{file}.set", "rb").read()
    index = 1
    while data[index] & 0x80:
        index += 1
    text = base64.b64encode(data[index + 1:]).decode()
    print(f'        "{file}": (')
    print("            symbols: [")
    for symbol in symbols:
        print(f'                "{symbol}",')
    print("            ],")
    print("            descriptor: \"\"\"")
    for start in range(0, len(text), 100):
        end = "\\" if start + 100 < len(text) else ""
        print(f"                {text[start:start + 100]}{end}")
    print("                \"\"\"")
    print("        ),")
print("    ]")
print("}")
PYTHON
