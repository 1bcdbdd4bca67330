# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts, asks and stops one agent of its own; also used by tests/bench."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("KHIEN_BUILD", ROOT / "build")).resolve()
SAN = BUILD.name == "san"
# Liveness, not speed: what must happen at all.  Promised times are asserted
# where they are promised.
PATIENCE_S = 60 if SAN else 30
ROLES = ("sensor", "gate", "mounts", "scan", "engine", "query")
TRUE = os.path.realpath("/bin/true")
# Written in two pieces, so that no scanner stops at this file.
EICAR = (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-"
         b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
EICAR_SHA256 = ("275a021bbfb6489e54d471899f7db9d1"
                "663fc695ec2fe2a2c4538aabf651fd0f")


def wait_for(ask, what, limit_s=PATIENCE_S, pause_s=0.05):
    """Asks until the answer is true, and returns it; fails by name."""
    end = time.monotonic() + limit_s
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit_s} s: {what}")
        time.sleep(pause_s)


def get(record, path, default=None):
    """get({"a": {"b": 1}}, "a.b") -> 1"""
    for key in path.split("."):
        if not isinstance(record, dict) or key not in record:
            return default
        record = record[key]
    return record


@contextlib.contextmanager
def for_others(program):
    """A copy that everybody may execute: the clone may be below /root."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield shutil.copy(program, folder)


class Agent:
    def __init__(self, folder, conf=None, watch=True, programs=None,
                 wrapper=None, state_size=None):
        """`conf` replaces keys: {"scan.workers": 1}; `wrapper` is a command
        that executes khiend; `state_size` makes the state a small tmpfs."""
        self.folder = pathlib.Path(folder)
        # The engine has a uid of its own and must reach none of this by name.
        self.run = self.folder / "run"
        self.state = self.folder / "state"
        self.rules = self.folder / "rules"
        self.local = self.folder / "local"
        self.mount = self.folder / "mount"
        self.file = self.folder / "khien.conf"
        self.programs = pathlib.Path(programs or BUILD)
        self.wrapper = wrapper or []
        self.mounted = []
        self.child = None
        for path in (self.run, self.state, self.local, self.mount):
            path.mkdir()
        shutil.copytree(ROOT / "signatures/yara", self.rules)
        if state_size:
            self._mount(self.state, f"size={state_size}")
        if watch:
            self._mount(self.mount, "size=256m,mode=0777")
        self.conf = {
            "agent.state_dir": self.state, "agent.run_dir": self.run,
            "agent.group": "root", "gate.mode": "observe",
            "gate.watch": self.mount, "rules.dir": self.rules,
            "rules.local_dir": self.local, **(conf or {})}
        self.write_conf()

    def _mount(self, path, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "khien-test",
                        str(path)], check=True)
        self.mounted.append(path)

    def write_conf(self):
        # A permission mark anywhere but on a mount of our own could stop the
        # machine that runs the tests, and so could killing out of a cgroup.
        if self.conf["gate.mode"] == "enforce":
            watched = str(self.conf["gate.watch"]).split(":")
            assert all(path.startswith(f"{self.mount}") for path in watched)
            assert os.path.ismount(self.mount)
            assert self.conf.get("gate.scope_cgroup")
        sections = {}
        for key, value in self.conf.items():
            section, name = key.split(".", 1)
            sections.setdefault(section, []).append(f"{name} = {value}")
        self.file.write_text("".join(
            f"[{section}]\n" + "\n".join(lines) + "\n"
            for section, lines in sections.items()))

    @property
    def socket(self):
        return self.run / "status.sock"

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def spawn(self, *args):
        """Starts khiend and does not wait until it is ready."""
        # One that asks must not outlive the test and with it its mount: what
        # it is to watch would then be the file system beneath.
        bound = ["setpriv", "--pdeathsig", "KILL"] \
            if self.conf["gate.mode"] == "enforce" else []
        with open(self.folder / "log", "ab") as log:
            self.child = subprocess.Popen(
                [*bound, *self.wrapper, str(self.programs / "khiend"),
                 "--config", str(self.file), "--programs", str(self.programs),
                 *args],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self.child

    def start(self):
        started = time.monotonic()
        self.spawn()
        wait_for(self.ready, "the agent is ready:\n" + self.log(),
                 pause_s=0.01)
        self.start_s = time.monotonic() - started
        return self

    def ready(self):
        if self.child.poll() is not None:
            raise AssertionError(
                f"khiend ended with {self.child.returncode}:\n{self.log()}")
        # Until every scanner has told its rules, no file can be judged; until
        # the sensor has told its programs, what runs may be before them.
        status = self.status()
        return bool(status) and (get(status, "khien.rules.loaded") or 0) > 0 \
            and get(status, "khien.sensor.programs") is not None \
            and set(ROLES) <= {p["role"] for p in self.processes(status)
                               if p.get("pid")}

    def stop(self, limit_s=PATIENCE_S):
        """In order; returns the exit code."""
        if not self.child:
            return None
        child, self.child = self.child, None
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        try:
            return child.wait(limit_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            raise AssertionError("khiend did not stop\n" + self.log())

    def close(self):
        try:
            self.stop()
        finally:
            for path in reversed(self.mounted):
                if subprocess.run(["umount", str(path)],
                                  stderr=subprocess.DEVNULL).returncode:
                    subprocess.run(["umount", "-l", str(path)])
            self.mounted = []
            shutil.rmtree(self.folder, ignore_errors=True)

    # Asking.

    def ctl_raw(self, *args, limit_s=PATIENCE_S, **options):
        return subprocess.run(
            [str(BUILD / "khienctl"), "--socket", str(self.socket), *args],
            capture_output=True, timeout=limit_s, stdin=subprocess.DEVNULL,
            **options)

    def ctl(self, *args, limit_s=PATIENCE_S):
        """(exit code, objects): each line of output is valid JSON in UTF-8."""
        done = self.ctl_raw("--json", *map(str, args), limit_s=limit_s)
        return done.returncode, [json.loads(line.decode("utf-8"))
                                 for line in done.stdout.splitlines()]

    def ask(self, *args, limit_s=PATIENCE_S):
        """The objects of a command that must succeed."""
        done = self.ctl_raw("--json", *map(str, args), limit_s=limit_s)
        assert done.returncode == 0, (args, done.stdout, done.stderr)
        return [json.loads(line.decode("utf-8"))
                for line in done.stdout.splitlines()]

    def sql(self, text, limit_s=PATIENCE_S):
        return self.ask("query", text, limit_s=limit_s)

    def value(self, text):
        """The only value of the only row."""
        rows = self.sql(text)
        assert len(rows) == 1, rows
        row = rows[0]
        while isinstance(row, dict):
            assert len(row) == 1, rows
            row = next(iter(row.values()))
        return row

    def found(self, path):
        """How many detections of that file are stored.  Others may be, too:
        what processes of other tests do is seen by this agent as well."""
        return self.count("SELECT count(*) FROM detection WHERE path="
                          f"'{path}'")

    def count(self, text):
        return int(self.value(text) or 0)

    def status(self):
        """None while nobody answers."""
        done = self.ctl_raw("--json", "status")
        if not done.stdout.strip():
            return None
        record = json.loads(done.stdout.splitlines()[0])
        return record if "processes" in record.get("khien", {}) else None

    def lost(self, name):
        return int(get(self.status(), f"khien.lost.{name}", 0))

    def processes(self, status=None):
        return get(status or self.status() or {}, "khien.processes", [])

    def pid_of(self, role, index=0):
        for process in self.processes():
            if process["role"] == role and process.get("index", 0) == index:
                return process.get("pid") or None
        return None

    def scanners(self):
        return [p["pid"] for p in self.processes()
                if p["role"] == "scan" and p.get("pid")]

    def events(self, *args):
        return self.ask("events", "--limit", "100000", *args)

    def execs_of_true(self, tag, distinct=False):
        """How often /bin/true was executed with the tag in its arguments.
        (khienctl, which asks, has the tag among its own.)"""
        what = "DISTINCT args" if distinct else "*"
        return self.count(
            f"SELECT count({what}) FROM process WHERE type='exec' AND "
            f"executable='{TRUE}' AND args LIKE '%{tag}%'")

    def settle(self):
        """Waits until what happened so far is in the store: runs a program
        with a name of its own and waits for its row."""
        token = f"settle-{os.getpid()}-{time.monotonic_ns()}"
        subprocess.run(["/bin/true", token], check=True)
        wait_for(lambda: self.execs_of_true(token),
                 "a program's exec is stored", limit_s=90)

    # Talking without khienctl.

    def connect(self, name="status.sock"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE_S)
        sock.connect(str(self.run / name))
        return sock

    def write(self, name, data):
        """A file below the watched mount, written by a process of its own."""
        path = self.mount / name
        subprocess.run(
            [sys.executable, "-c", "import sys; open(sys.argv[1], 'wb')"
             ".write(sys.stdin.buffer.read())", str(path)],
            input=data, check=True)
        return path
