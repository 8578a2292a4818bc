"""Simulators with known keys in them, a stand-in for the SNP device, and a broker that can be started again on the same ports."""

import base64
import json
import os
import re
import resource
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

from middle import Middle, Upstream, make_authority

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
VAULT, HSM, AUTHORITY = "contoso.vault.azure.net", "contoso.managedhsm.azure.net", "sharedeus2.eus2.attest.azure.net"
# Of a Milan: they differ in the microcode.
TCBS = ("db18000000000004", "de18000000000004")
TABLE = ("63da758de6644564adc5f4b93be8accd", "4ab7b379bbac4fe4a02f05aef327c782", "c0b406a4a803495297433fb6014cd0ae")


class Unusable(Exception):
    """Nothing was examined: something here could not be set up."""


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def der(content):
    """Tag and content of each element of a DER sequence's content."""
    found, at = [], 0
    while at < len(content):
        tag, length, at = content[at], content[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(content[at : at + size], "big"), at + size
        found.append((tag, content[at : at + length]))
        at += length
    return found


def private_jwk(kind):
    """A new private key as a JWK, made by the openssl command."""
    if kind == "oct":
        return {"kty": "oct-HSM", "k": b64(os.urandom(32))}
    options = {"rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]}
    made = subprocess.run(
        ["openssl", "genpkey", "-outform", "DER", *options[kind]], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout
    if kind == "ec":
        made = subprocess.run(["openssl", "ec", "-inform", "DER", "-outform", "DER"], input=made, check=True, capture_output=True).stdout
    else:
        made = subprocess.run(
            ["openssl", "rsa", "-inform", "DER", "-outform", "DER", "-traditional"], input=made, check=True, capture_output=True
        ).stdout
    parts = der(der(made)[0][1])
    if kind == "rsa":
        names = ("n", "e", "d", "p", "q", "dp", "dq", "qi")
        return {"kty": "RSA-HSM"} | {name: b64(number.lstrip(b"\0")) for name, (_, number) in zip(names, parts[1:])}
    point = der(parts[3][1])[0][1][2:]
    return {"kty": "EC-HSM", "crv": "P-256", "x": b64(point[:32]), "y": b64(point[32:]), "d": b64(parts[1][1].rjust(32, b"\0"))}


def policy(*conditions, authority=AUTHORITY):
    claims = [{"claim": "x-ms-attestation-type", "equals": "sevsnpvm"}, {"claim": "x-ms-sevsnpvm-is-debuggable", "equals": "false"}]
    return {"version": "1.0.0", "anyOf": [{"authority": f"https://{authority}", "allOf": claims + list(conditions)}]}


class Key:
    """A key of a store, what it is made of, and whether its policy lets it out: always, never, or by the device's TCB."""

    def __init__(self, name, store, jwk, admits, policy):
        self.name, self.store, self.jwk, self.admits, self.policy = name, store, jwk, admits, policy

    def differs(self, text):
        """What is wrong with a released key; None where it is the known one."""
        try:
            released = json.loads(text)
            kind = self.jwk["kty"].removesuffix("-HSM")
            if str(released.get("kty", "")).removesuffix("-HSM") != kind:
                return "its kind is another one"
            for name in {"oct": ("k",), "RSA": ("n", "e", "d", "p", "q"), "EC": ("x", "y", "d")}[kind]:
                if self.number(released[name]) != self.number(self.jwk[name]):
                    return f"its {name} is another one"
            return None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return f"it is no private key in JSON ({type(error).__name__})"

    @staticmethod
    def number(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).lstrip(b"\0")


def status(pid, name):
    """A number of /proc/PID/status, in bytes where it is a size."""
    found = re.search(rf"^{name}:\s+(\d+)( kB)?", open(f"/proc/{pid}/status").read(), re.M)
    return int(found.group(1)) << (10 if found.group(2) else 0)


def anonymous(pid):
    """Bytes of memory that are the process's own."""
    try:
        return int(re.search(r"^Anonymous: +(\d+) kB", open(f"/proc/{pid}/smaps_rollup").read(), re.M).group(1)) << 10
    except (PermissionError, AttributeError):
        return status(pid, "RssAnon")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class World:
    def __init__(self, program, work, seed, device=True, middle=True, say=print, simulators=None):
        """`simulators`: another program for them, where the broker is a build for production, which has neither them nor fixture evidence."""
        self.program, self.work, self.say = os.path.abspath(program), work, say
        self.stand_ins = os.path.abspath(simulators or program)
        self.simulator = self.broker = None
        self.tls, self.metadata, self.port, self.metrics = 0, 0, free_port(), free_port()
        self.unix, self.audit, self.extra = f"{work}/broker.sock", f"{work}/audit", {}
        self.clock = self.device = None
        self.starts, self.ended = 0, []
        self.started, self.log_path = 0.0, ""
        self.mounted = False
        self.start_simulators()
        self.middle = None
        authorities = f"{work}/azure/ca.pem"
        if middle:
            authority, certificate, key = make_authority(work, (VAULT, HSM, AUTHORITY))
            authorities += f",{authority}"
            foreign = "".join(open(f"{work}/foreign.pem").read().split("\n")[1:-2])
            self.middle = Middle(certificate, key, f"{work}/azure/ca.pem", (self.tls, self.metadata), seed, foreign)
        tls, metadata = self.middle.ports if middle else (self.tls, self.metadata)
        self.settings = {
            "BROKER_SERVER_HTTP": f"127.0.0.1:{self.port}",
            "BROKER_SERVER_UNIX": self.unix,
            "BROKER_SERVER_METRICS": f"127.0.0.1:{self.metrics}",
            "BROKER_TLS_CA_FILE": authorities,
            "BROKER_EVIDENCE_FIXTURE_DIRECTORY": f"{work}/azure/fixture",
            "BROKER_TLS_CONNECT_TO": f"169.254.169.254:80:127.0.0.1:{metadata},::127.0.0.1:{tls}",
            "BROKER_KEY_STORES_USE": "akv,mhsm",
            "BROKER_LOG_LEVEL": "notice",
        }
        # Without the member that a build for production does not know.
        with open(f"{ROOT}/samples/config/key-vault.json") as sample, open(f"{work}/broker.json", "w") as file:
            document = json.load(sample)
            if simulators:
                del document["evidence"], self.settings["BROKER_EVIDENCE_FIXTURE_DIRECTORY"]
            json.dump(document, file)
        if device:
            self.make_clock()
            self.make_device()

    # The simulators.

    def start_simulators(self):
        log = open(f"{self.work}/simulators.log", "a")
        start = log.tell()
        self.simulator = subprocess.Popen(
            [self.stand_ins, "simulate", "--directory", f"{self.work}/azure", "--keys", f"{self.work}/keys", "--port", str(self.tls)]
            + ["--metadata-port", str(self.metadata), "--json"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment({}), cwd=ROOT,
        )
        log.close()
        end = time.monotonic() + 60
        while time.monotonic() < end and self.simulator.poll() is None:
            with open(f"{self.work}/simulators.log") as text:
                text.seek(start)
                line = re.search(r'\{.*"tls_port".*\}\n', text.read())
            if line:
                ports = json.loads(line.group(0))
                self.tls, self.metadata = ports["tls_port"], ports["metadata_port"]
                return
            time.sleep(0.01)
        raise Unusable("the simulators did not start:\n" + open(f"{self.work}/simulators.log").read()[-3000:])

    def restart_simulators(self, pause):
        self.simulator.kill()
        self.simulator.wait()
        time.sleep(pause)
        self.start_simulators()

    def call_store(self, method, store, path, body=None):
        """As the owner of the keys, past whatever is between the broker and the simulators."""
        plain = Upstream("127.0.0.1", self.metadata, None)
        audience = "https://" + store.split(".", 1)[1]
        plain.request("GET", f"/metadata/identity/oauth2/token?api-version=2018-02-01&resource={audience}", None, {"Metadata": "true"})
        token = json.load(plain.getresponse())["access_token"]
        context = ssl.create_default_context(cafile=f"{self.work}/azure/ca.pem")
        peer = Upstream(store, self.tls, context)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        peer.request(method, f"{path}?api-version=7.4", json.dumps(body) if body else None, headers)
        answer = peer.getresponse()
        content = answer.read()
        plain.close()
        peer.close()
        if answer.status != 200:
            raise Unusable(f"{method} {path} at {store}: {answer.status} {content[:500]!r}")
        return json.loads(content)

    def import_key(self, key, jwk=None, rule=None):
        """Returns the version's name."""
        data = b64(json.dumps(rule or key.policy).encode())
        body = {"key": jwk or key.jwk, "hsm": True, "attributes": {"exportable": True}}
        body["release_policy"] = {"contentType": "application/json; charset=utf-8", "data": data}
        made = self.call_store("PUT", key.store, f"/keys/{key.name}", body)
        return made["key"]["kid"].rsplit("/", 1)[1]

    # The machine: its clock, and its device with two TCBs.

    def compile(self, name, *libraries):
        subprocess.run(
            ["gcc", "-Wall", "-O1", "-shared", "-fPIC", "-o", f"{self.work}/{name}.so", f"{ROOT}/Tests/EndToEndTests/Emulator/{name}.c", *libraries],
            check=True, capture_output=True,
        )
        preloaded = self.settings.get("LD_PRELOAD")
        self.settings["LD_PRELOAD"] = f"{preloaded}:{self.work}/{name}.so" if preloaded else f"{self.work}/{name}.so"

    def make_clock(self):
        try:
            self.compile("clock", "-ldl")
        except (OSError, subprocess.CalledProcessError) as error:
            self.say(f"skipped: clock: {error}")
            return
        self.clock = f"{self.work}/clock.shift"
        with open(self.clock, "wb") as file:
            file.write(struct.pack("q", 0))
        self.settings["CLOCK_SHIFT_FILE"] = self.clock

    def set_clock(self, seconds):
        with open(self.clock, "r+b") as file:
            file.write(struct.pack("q", seconds))

    def make_device(self):
        """A chip of the fixture authority for each TCB, as the emulator of /dev/sev-guest wants it."""
        try:
            self.compile("sev", "-lcrypto", "-ldl")
        except (OSError, subprocess.CalledProcessError) as error:
            self.say(f"skipped: tcb: {error}")
            return
        fixture = f"{self.work}/azure/fixture"
        for number, tcb in enumerate(TCBS):
            folder = f"{self.work}/tcb{number}"
            os.mkdir(folder)
            made = subprocess.run(
                [self.stand_ins, "evidence", "get", "--set", "evidence.use=fixture", "--set", f"evidence.fixture.directory={fixture}"]
                + ["--set", f"evidence.fixture.tcb={tcb}"],
                capture_output=True, text=True, env=self.environment({}), cwd=ROOT,
            )
            digits = re.search(r"[0-9a-f]{2368}", made.stdout.replace("\n", ""))
            if not digits:
                raise Unusable(f"no report for TCB {tcb}: {made.stdout[-500:]}{made.stderr[-500:]}")
            with open(f"{folder}/template.bin", "wb") as file:
                file.write(bytes.fromhex(digits.group(0)))
            names = (f"fixture-vcek-{tcb}.pem", "fixture-ask.pem", "fixture-ark.pem")
            with open(f"{folder}/table.bin", "wb") as file:
                file.write(self.table([ssl.PEM_cert_to_DER_cert(open(f"{fixture}/{name}").read()) for name in names]))
            with open(f"{fixture}/fixture-vcek-{tcb}.key") as key, open(f"{folder}/firmware.pem", "w") as file:
                file.write(key.read())
        self.device = f"{self.work}/device"
        os.symlink("tcb0", self.device)
        self.settings |= {
            "SEV_EMULATOR_INTERFACE": "sev-guest",
            "SEV_EMULATOR_KEY": f"{self.device}/firmware.pem",
            "SEV_EMULATOR_TEMPLATE": f"{self.device}/template.bin",
            "SEV_EMULATOR_TABLE": f"{self.device}/table.bin",
            "BROKER_EVIDENCE_USE": "snp",
            "BROKER_EVIDENCE_SNP_ENDORSEMENT_SOURCES": "report",
            "BROKER_EVIDENCE_SNP_ENDORSEMENT_ROOT_FILE": f"{fixture}/fixture-ark.pem",
        }

    @staticmethod
    def table(certificates):
        """GHCB's table: 24 bytes for each entry, an empty one at the end, then the certificates (GuestDevice.md)."""
        head, content, start = b"", b"", 24 * (len(certificates) + 1)
        for guid, certificate in zip(TABLE, certificates):
            head += bytes.fromhex(guid) + struct.pack("<II", start + len(content), len(certificate))
            content += certificate
        return head + bytes(24) + content

    def set_tcb(self, number):
        os.symlink(f"tcb{number}", f"{self.device}.new")
        os.rename(f"{self.device}.new", self.device)

    # A small disk.

    def mount(self, size="64m"):
        """A file system of its own for the audit; False where this user may not mount."""
        path = f"{self.work}/disk"
        os.mkdir(path)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", path], capture_output=True)
        self.mounted = done.returncode == 0
        if self.mounted:
            self.audit = f"{path}/audit"
        return self.mounted

    # The broker.

    @staticmethod
    def environment(settings):
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("BROKER_", "AZURE_", "SSL_CERT_")) and name.lower() not in ("https_proxy", "http_proxy", "all_proxy")
        }
        return inherited | settings

    def serve(self, files=4096):
        """Starts the broker; returns when it answers."""
        self.starts += 1
        self.log_path = f"{self.work}/broker.{self.starts}.log"
        with open(self.log_path, "w") as log:
            self.broker = subprocess.Popen(
                [self.program, "serve", "--config", f"{self.work}/broker.json"], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=self.environment(self.settings | self.extra), cwd=ROOT,
                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)),
            )
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.broker.poll() is not None:
                raise Unusable(f"the broker ended with {self.broker.returncode}:\n{self.tail()}")
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as peer:
                    peer.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    peer.settimeout(5)
                    if peer.recv(64).startswith(b"HTTP/1.1 200"):
                        self.started = time.monotonic()
                        return
            except OSError:
                time.sleep(0.01)
        raise Unusable(f"the broker does not answer:\n{self.tail()}")

    def tail(self, size=3000):
        with open(self.log_path) as file:
            return file.read()[-size:]

    def stop(self, how=signal.SIGTERM, patience=20):
        """Ends the broker; returns its exit status, None where it had to be killed."""
        self.broker.send_signal(how)
        try:
            return self.broker.wait(patience)
        except subprocess.TimeoutExpired:
            self.broker.kill()
            self.broker.wait()
            return None

    def read_metrics(self):
        with socket.create_connection(("127.0.0.1", self.metrics), timeout=5) as peer:
            peer.settimeout(5)
            peer.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            text = b""
            while piece := peer.recv(65536):
                text += piece
        return {name: float(value) for name, value in re.findall(r"^([a-z_]+(?:\{[^}]*\})?) ([0-9.e+-]+)$", text.decode(), re.M)}

    def verify_audit(self):
        """Exit status and document of `audit verify`, and the lines of all files."""
        done = subprocess.run([self.program, "audit", "verify", self.audit, "--json"], capture_output=True, text=True, env=self.environment({}))
        folder, name = os.path.split(self.audit)
        files = [entry for entry in os.listdir(folder) if re.fullmatch(rf"{re.escape(name)}\.\d+", entry)]
        lines = []
        for file in sorted(files, key=lambda entry: int(entry.rsplit(".", 1)[1])) + [name]:
            with open(f"{folder}/{file}", errors="replace") as text:
                for line in text:
                    try:
                        lines.append(json.loads(line))
                    except ValueError:
                        # A line that a kill left unfinished; `audit verify` judges it.
                        pass
        return done.returncode, done.stdout + done.stderr, lines

    def close(self):
        for process in (self.broker, self.simulator):
            if process is not None and process.poll() is None:
                try:
                    process.send_signal(signal.SIGCONT)
                    process.kill()
                finally:
                    process.wait()
        if self.mounted:
            subprocess.run(["umount", f"{self.work}/disk"], check=False)


def raise_limit(wanted):
    """As many descriptors for this process as the hard limit gives; returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted and os.geteuid() == 0:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
        except (ValueError, OSError):
            pass
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
    return max(soft, limit)


if __name__ == "__main__":
    sys.exit("started by chaos.py and hostile.py")
