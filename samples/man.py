#!/usr/bin/env python3
"""Writes the manual page, made from what the program says of its commands: man.py [PROGRAM] >attestation-broker.1"""
import json
import subprocess
import sys


def roff(text):
    # Indented lines are examples and stay as they are.
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join(f".br\n\\ {line}" if line[:1] == " " else "\\&" + line if line[:1] in (".", "'") else line or ".PP" for line in lines)


def arguments(command):
    for argument in command.get("arguments", []):
        if not argument.get("shouldDisplay", True):
            continue
        value = argument.get("valueName", "value")
        dashes = {"long": "--", "short": "-", "longWithSingleDash": "-"}
        names = ", ".join(dashes[name["kind"]] + name["name"] for name in argument.get("names", []))
        shown = f"<{value}>" if argument["kind"] == "positional" else names if argument["kind"] == "flag" else f"{names} <{value}>"
        default = f" (default: {argument['defaultValue']})" if argument.get("defaultValue") else ""
        yield f".TP\n.B {roff(shown)}\n{roff(argument.get('abstract', '') + default)}"


def commands(command, path):
    inner = [sub for sub in command.get("subcommands", []) if sub["commandName"] != "help"]
    if inner:
        for sub in inner:
            yield from commands(sub, [*path, sub["commandName"]])
        return
    yield f".SS {roff(' '.join(path))}\n{roff(command.get('abstract', ''))}"
    if command.get("discussion"):
        yield f".PP\n{roff(command['discussion'])}"
    yield from arguments(command)


program = sys.argv[1] if len(sys.argv) > 1 else "attestation-broker"
dump = subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True, text=True).stdout
version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split("\n")[0].split()[-1]
root = json.loads(dump)["command"]
name = root["commandName"]
print(f'.TH {name.upper()} 1 "" "{name} {version}"')
print(f".SH NAME\n{roff(name)} \\- {roff(root['abstract'])}")
print(f".SH SYNOPSIS\n.B {roff(name)}\ncommand [options]\n.SH DESCRIPTION\n{roff(root.get('discussion', ''))}\n.SH COMMANDS")
for part in commands(root, []):
    print(part)
