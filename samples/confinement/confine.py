#!/usr/bin/env python3
"""Starts a program without privileges, confined by a seccomp profile and a Landlock rule set.

    confine.py [--read PATH] [--write PATH] [--execute PATH] [--bind PORT] [--connect PORT] -- COMMAND...

The options add to what landlock.json beside this file allows. No capability, no new privilege, no process beside the program's own, no
file and no TCP port that is not named. Needs libseccomp2 and a kernel with Landlock (5.13; TCP ports from 6.7, devices from 6.10); where
the kernel knows less of it, less is enforced, and standard error says so. Exit status 2 when it cannot be done; nothing is started then.
"""
import argparse
import ctypes
import errno
import json
import os
import stat
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 24, 38, 47
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446

# linux/landlock.h, in the order of its bits.
(EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE, MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK,
 MAKE_SYM, REFER, TRUNCATE, IOCTL_DEV) = (1 << bit for bit in range(16))
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ = READ_FILE | READ_DIR
RIGHTS = {
    "read": READ,
    "execute": READ | EXECUTE,
    "device": READ_FILE | WRITE_FILE | IOCTL_DEV,
    "write": READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SOCK | REFER | TRUNCATE,
}
BIND_TCP, CONNECT_TCP = 1, 2
# Abstract sockets and signals of processes outside.
SCOPES = 3


def fail(reason):
    sys.exit(print(f"confine.py: {reason}", file=sys.stderr) or 2)


def call(what, result):
    if result < 0:
        fail(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def drop_privileges():
    # Fails for others than root, who have none to lose.
    for capability in range(64):
        LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    LIBC.prctl(PR_CAP_AMBIENT, 4, 0, 0, 0)
    call("no_new_privs", LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def restrict(rules):
    version = LIBC.syscall(LANDLOCK_CREATE_RULESET, None, 0, 1)
    if version < 1:
        fail("this kernel has no Landlock")
    known = (1 << 13) - 1
    for since, right in ((2, REFER), (3, TRUNCATE), (5, IOCTL_DEV)):
        if version >= since:
            known |= right
    attributes = [known]
    if version >= 4:
        attributes.append(BIND_TCP | CONNECT_TCP)
    if version >= 6:
        attributes.append(SCOPES)
    if version < 6:
        print(f"confine.py: this kernel knows version {version} of Landlock; less is enforced", file=sys.stderr)
    packed = (ctypes.c_uint64 * len(attributes))(*attributes)
    ruleset = call("landlock_create_ruleset", LIBC.syscall(LANDLOCK_CREATE_RULESET, packed, ctypes.sizeof(packed), 0))
    for kind, rights in RIGHTS.items():
        for path in rules.get(kind, []):
            try:
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            allowed = rights & known if stat.S_ISDIR(os.fstat(descriptor).st_mode) else rights & known & OF_FILES
            rule = allowed.to_bytes(8, sys.byteorder) + descriptor.to_bytes(4, sys.byteorder)
            call(f"Landlock rule for {path}", LIBC.syscall(LANDLOCK_ADD_RULE, ruleset, 1, rule, 0))
            os.close(descriptor)
    if version >= 4:
        for kind, right in (("bind", BIND_TCP), ("connect", CONNECT_TCP)):
            for port in rules.get(kind, []):
                rule = (ctypes.c_uint64 * 2)(right, port)
                call(f"Landlock rule for port {port}", LIBC.syscall(LANDLOCK_ADD_RULE, ruleset, 2, rule, 0))
    call("landlock_restrict_self", LIBC.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


class Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def action(entry, name, code):
    # linux/seccomp.h: SECCOMP_RET_ERRNO and SECCOMP_RET_ALLOW.
    return {"SCMP_ACT_ERRNO": 0x00050000 | entry.get(code, errno.EPERM), "SCMP_ACT_ALLOW": 0x7FFF0000}[entry[name]]


def filter_calls(profile):
    try:
        seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    except OSError:
        fail("libseccomp.so.2 is not there (Debian: libseccomp2)")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    seccomp.seccomp_init.argtypes = [ctypes.c_uint32]
    seccomp.seccomp_load.argtypes = [ctypes.c_void_p]
    seccomp.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Comparison)]
    operators = {"SCMP_CMP_EQ": 4, "SCMP_CMP_MASKED_EQ": 7}
    context = seccomp.seccomp_init(action(profile, "defaultAction", "defaultErrnoRet"))
    for rule in profile["syscalls"]:
        comparisons = (Comparison * len(rule.get("args", [])))(*(
            Comparison(each["index"], operators[each["op"]], each["value"], each.get("valueTwo", 0)) for each in rule.get("args", [])))
        for name in rule["names"]:
            number = seccomp.seccomp_syscall_resolve_name(name.encode())
            if number == -1:
                fail(f"seccomp.json: {name} is no system call")
            # A negative number is a call that this processor does not have.
            if number < 0:
                continue
            code = seccomp.seccomp_rule_add_array(
                context, action(rule, "action", "errnoRet"), number, len(comparisons), comparisons)
            if code != 0:
                fail(f"seccomp rule for {name}: {os.strerror(-code)}")
    code = seccomp.seccomp_load(context)
    if code != 0:
        fail(f"seccomp: {os.strerror(-code)}")


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    for kind in RIGHTS:
        parser.add_argument(f"--{kind}", action="append", default=[])
    for kind in ("bind", "connect"):
        parser.add_argument(f"--{kind}", action="append", default=[], type=int)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    with open(os.path.join(here, "landlock.json"), encoding="utf-8") as file:
        rules = json.load(file)
    with open(os.path.join(here, "seccomp.json"), encoding="utf-8") as file:
        profile = json.load(file)
    for kind in (*RIGHTS, "bind", "connect"):
        rules[kind] = rules.get(kind, []) + getattr(options, kind)
    drop_privileges()
    restrict(rules)
    filter_calls(profile)
    try:
        os.execv(options.command[0], options.command)
    except OSError as error:
        fail(f"{options.command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
