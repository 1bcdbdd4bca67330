# SPDX-License-Identifier: GPL-2.0-or-later
"""Who takes part when releases come over a real server: the machine that is
protected, somebody who never stops trying, and a thief of keys."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time

from cryptography.hazmat.primitives.serialization import load_pem_private_key

import gated
from agent import get, wait_for
from publisher import PASSPHRASE, Publisher, rule
from signer import DAY_S, canonical, date, sha256
from web import Server

# Texts that nothing else on this machine has, in two pieces each.
TEXTS = {name: f"khien-story-{name}-" + "8e41" for name in
         ("one", "three", "four", "five", "six")}
UUID = "be63a4d4-ada9-45c2-9412-dbe94fdf2b7"


def rules(*names):
    """Rule files, one for each name of TEXTS."""
    return {f"{name}.yar": rule(name, TEXTS[name], UUID + str(at))
            for at, name in enumerate(names)}


class Witness(threading.Thread):
    """Writes and executes one and the same marked program without pause, as a
    new file each time; it must be refused each time."""

    def __init__(self, ground, program):
        super().__init__(daemon=True)
        self.ground, self.program = ground, program
        self.refused, self.failure, self.count = 0, None, 0
        self.ended, self.free = threading.Event(), threading.Lock()
        self.start()

    def run(self):
        while not self.ended.wait(0.1):
            with self.free:
                try:
                    self.once()
                except Exception as error:  # told by stop(), in the test
                    self.failure = self.failure or error
                    return

    def once(self):
        self.count += 1
        path = self.ground.mount / f"witness-{self.count}"
        assert not runs(path, self.program), f"{path.name} ran"
        self.refused += 1
        with contextlib.suppress(FileNotFoundError):
            path.unlink()

    def pausing(self):
        """Nobody tries in this context."""
        return self.free

    def again(self):
        """Waits until it was refused from begin to end since now."""
        before = self.refused
        wait_for(lambda: self.failure or self.refused > before + 1,
                 "the witness tries")
        assert self.failure is None, self.failure

    def stop(self):
        self.ended.set()
        self.join(60)
        assert self.failure is None, self.failure
        assert not self.ground.ran()


def runs(path, program):
    """Whether it may be executed, as a new file."""
    path.write_bytes(program)
    path.chmod(0o755)
    return executes(path)


def executes(path):
    try:
        subprocess.run([str(path)], check=True, stdin=subprocess.DEVNULL)
    except PermissionError:
        return False
    return True


class Stage:
    """A publisher, a server and a machine's ground; the machine comes with
    machine()."""

    def __init__(self, folder, ground):
        self.folder, self.ground = pathlib.Path(folder), ground
        place = self.folder / "publisher"
        place.mkdir()
        self.publisher = Publisher(place)
        self.publisher.init()
        self.server = Server(self.folder / "server")
        self.agent = self.witness = None
        self.programs = {name: gated.compile_c(
            gated.PROGRAM % (text, ground.canary),
            self.folder / f"marked-{name}") for name, text in TEXTS.items()}

    def machine(self, url=None, **conf):
        """Needs root.json, so something must be published."""
        home = self.folder / "machine"
        home.mkdir()
        # What the package has does not rise with what is published.
        trust = shutil.copytree(self.publisher.repo / "trust",
                                self.folder / "trust")
        self.agent = gated.make(
            home, self.ground,
            rules={"canary": "rule unused { condition: false }\n"},
            **{"gate_deadline_ms": 10000, "scan_workers": 2,
               "scan_timeout_ms": 3000, "update_place": 5,
               "update_trust": trust,
               "update_url": url or self.server.url, **conf})
        return gated.start(self.agent)

    def watch(self):
        self.witness = Witness(self.ground, self.programs["one"])

    def close(self):
        try:
            if self.witness:
                self.witness.stop()
        finally:
            if self.agent:
                self.agent.close()
            self.server.stop()

    # What is told and what holds.

    def release(self, *names, options=(), signers=("alice", "bob"), **how):
        """The publisher's next one, on the server."""
        self.publisher.release(rules(*names), *options, signers=signers, **how)
        self.server.bring(self.publisher.repo / "published")

    def update(self, *words, code=0):
        done = self.agent.ctl_raw("--json", "update",
                                  *map(str, words or ("now",)), limit_s=180)
        assert done.returncode == code, (done.stdout, done.stderr,
                                         self.server.errors()[-2000:])
        return done.stderr.decode()

    def state(self):
        return get(self.agent.ask("update", "status")[0], "khien.update")

    def scanned_by(self, number):
        said = get(self.agent.status(), "khien.scan") or {}
        return [said.get(i, {}).get("release") for i in ("0", "1")] == \
            [number, number] and len(self.agent.scanners()) == 2

    def bring(self, number):
        self.update()
        self.holds(number)

    def holds(self, number):
        assert self.state()["active"] == number, self.state()
        wait_for(lambda: self.scanned_by(number), f"release {number} is read")

    def blocks(self, *names):
        """Just these texts are refused on this machine."""
        for name, program in self.programs.items():
            path = self.ground.mount / f"try-{name}"
            assert runs(path, program) != (name in names), name
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        if not self.witness:
            self.ground.ran()
            return
        with self.witness.pausing():
            self.ground.ran()
        self.witness.again()


class Thief:
    """Has some keys, and the server: writes metadata into its tree.  What was
    signed with the online key is remembered, so he counts further each time,
    also when his tree is put right."""

    def __init__(self, publisher, server, *names):
        self.tree, self.ahead = server.tree, 0
        self.keys = {}
        for name in names:
            key = load_pem_private_key(publisher.secret(name).read_bytes(),
                                       PASSPHRASE.encode())
            public = json.loads(publisher.public(name).read_text())
            self.keys[sha256(canonical(public).encode())] = key

    def file(self, role, version=None):
        folder = self.tree / "metadata"
        if role == "timestamp":
            return folder / "timestamp.json"
        if version is None:
            version = max(int(p.name.split(".")[0]) for p in
                          folder.glob(f"*.{role}.json"))
        return folder / f"{version}.{role}.json"

    def signed(self, role, version=None):
        """What a file of the server says; the newest, unless told."""
        return json.loads(self.file(role, version).read_text())["signed"]

    def write(self, role, signed):
        """Signed with all keys that there are; returns the file's entry."""
        text = canonical(signed).encode()
        data = json.dumps({"signatures": [
            {"keyid": keyid, "sig": key.sign(text).hex()}
            for keyid, key in self.keys.items()], "signed": signed}).encode()
        path = self.file(role, signed["version"])
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        return entry(data, signed["version"])

    def publish(self, **others):
        """A new snapshot that lists these instead, and a timestamp."""
        snapshot = self.signed("snapshot")
        snapshot["version"] += 1 + self.ahead
        snapshot["meta"].update({f"{role}.json": listed
                                 for role, listed in others.items()})
        self.point(self.write("snapshot", snapshot))

    def point(self, listed, **changes):
        """A new timestamp for that snapshot."""
        timestamp = self.signed("timestamp")
        self.ahead += 1
        timestamp["version"] += self.ahead
        timestamp["meta"]["snapshot.json"] = listed
        timestamp.update({"expires": date(time.time() + DAY_S), **changes})
        self.write("timestamp", timestamp)

    def listed(self, role, version):
        return entry(self.file(role, version).read_bytes(), version)


def entry(data, version):
    return {"length": len(data), "hashes": {"sha256": sha256(data)},
            "version": version}


@contextlib.contextmanager
def kept(server):
    """Whatever is done to the server's tree is undone."""
    copy = server.folder / "kept"
    shutil.copytree(server.tree, copy)
    try:
        yield
    finally:
        shutil.rmtree(server.tree)
        os.rename(copy, server.tree)
