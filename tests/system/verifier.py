# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays khiend, and khien-fetch, to one khien-verify after the other."""

import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import threading
import urllib.parse

from agent import BUILD, ROOT
from keeper import Reader, TYPES, message, run_on_channel, text

ROLES = re.findall(r"\bROLE_\w+", re.search(
    r"enum role_id {(.*?)\n};", (ROOT / "agent/lib/role.h").read_text(
        encoding="utf-8"), re.S).group(1))
FETCH = ROLES.index("ROLE_FETCH")
UID = 61187  # the role's where no such user exists
HEADER = (ROOT / "agent/lib/msg_update.h").read_text(encoding="utf-8")


def values(name, first):
    """The values of an enumeration of msg_update.h."""
    body = re.search(rf"enum {name} {{(.*?)\n}};", HEADER, re.S).group(1)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    return {word: at for at, word in enumerate(
        re.findall(r"\bMSG_(?:UPDATE|FETCH)_(\w+)", body), first)}


KINDS = values("msg_update_kind", 1)
ALARMS = values("msg_update_alarm", 0)


def read_updated(data):
    reader = Reader(data)
    updated = {"id": reader.take("<Q"), "kind": reader.take("<H"),
               "more": bool(reader.take("<B"))}
    for name in ("active", "previous", "staged", "newest", "waiting", "bad",
                 "activated_s", "wave_s", "issued_s", "expires_s"):
        updated[name] = reader.take("<Q")
    updated["role"] = reader.text().decode()
    updated.update(checked_s=reader.take("<Q"), floor_s=reader.take("<Q"))
    alarm = reader.take("<H")
    updated["alarm"] = next(k for k, v in ALARMS.items() if v == alarm)
    updated.update(requests=reader.take("<I"), bytes=reader.take("<Q"))
    for name in ("error", "note", "bad_reason"):
        updated[name] = reader.text().decode()
    assert not reader.data
    return updated


class Fetch(threading.Thread):
    """khien-fetch with folders for mirrors.  on_file(path, data) may change
    what is given; date_s is the mirrors' clock."""

    def __init__(self, chan, mirrors, date_s=0, on_file=None):
        super().__init__(daemon=True)
        self.chan, self.mirrors = chan, [pathlib.Path(m) for m in mirrors]
        self.date_s, self.on_file = date_s, on_file
        self.asked = []
        self.start()

    def run(self):
        try:
            while True:
                data, fds, _, _ = socket.recv_fds(self.chan, 65536, 1)
                if not data or self.serve(data, fds[0]) is False:
                    break
        except OSError:
            pass
        self.chan.close()

    def find(self, what, path, first):
        """(error, index, data) of the first mirror that answers."""
        folder = "targets" if what == 2 else "metadata"
        path = urllib.parse.unquote(path)
        if first >= len(self.mirrors):
            return 6, first, b"ENXIO"
        for index in range(first, len(self.mirrors)):
            file = self.mirrors[index] / folder / path
            if file.is_file():
                return 0, index, file.read_bytes()
            if what == 1:
                break
        return 2, index, b"no such file"

    def serve(self, data, fd):
        reader = Reader(data[8:])
        number, what = reader.take("<Q"), reader.take("<H")
        path = reader.text().decode()
        size_max, first = reader.take("<Q"), reader.take("<I")
        self.asked.append(path)
        error, index, data = self.find(what, path, first)
        reply = {"id": number, "error": error, "reason": data if error else b"",
                 "size": 0, "index": index}
        if not error:
            if self.on_file:
                data = self.on_file(path, data, fd)
            if data is None:
                return False
            if len(data) > size_max:
                reply.update(error=27, reason=b"too long")
            else:
                os.write(fd, data)
                reply["size"] = len(data)
        os.close(fd)
        self.chan.send(message("MSG_FETCHED", struct.pack(
            "<QIQQ", reply["id"], reply["error"], reply["size"],
            self.date_s) + text("http://mirror") + text(reply["reason"]) +
            struct.pack("<I", reply["index"])))
        return True


class Verifier:
    """The agent of one machine, as far as khien-verify sees it."""

    def __init__(self, folder, trust, place="", url="http://127.0.0.1:9/"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.update = self.folder / "update"
        self.update.mkdir(mode=0o700, exist_ok=True)
        os.chown(self.update, UID, UID)
        conf = self.folder / "khien.conf"
        conf.write_text(f"[agent]\nstate_dir = {self.folder}\ngroup = root\n"
                        f"[update]\ntrust = {trust}\nplace = {place}\n"
                        f"url = {url}\n", encoding="utf-8")
        child, chan = run_on_channel([str(BUILD / "khien-conf"), str(conf)])
        self.conf = chan.recv(65536)
        chan.close()
        said = child.communicate()[1]
        assert child.returncode == 0, said
        self.code, self.said, self.asked, self.steps = None, b"", [], []

    def start(self, wrapper=()):
        child, chan = run_on_channel([*wrapper, str(BUILD / "khien-verify"),
                                      "0"])
        chan.settimeout(120)
        return child, chan

    def introduce(self, chan, theirs=None):
        folder = os.open(self.update, os.O_PATH | os.O_DIRECTORY)
        try:
            chan.send(self.conf)
            socket.send_fds(chan, [message("MSG_KEEP", text("update"))],
                            [folder])
            if theirs is not None:
                link = struct.pack("<HHI", FETCH, 0, 1)
                socket.send_fds(chan, [message("MSG_LINK", link)],
                                [theirs.fileno()])
            chan.send(message("MSG_READY"))
        finally:
            os.close(folder)

    def ask(self, kind, number=0, reason="", mirrors=None, file=None,
            wrapper=(), **fetch):
        """The answer, or None when it died before it gave one."""
        child, chan = self.start(wrapper)
        ours = theirs = None
        if mirrors is not None:
            ours, theirs = socket.socketpair(socket.AF_UNIX,
                                             socket.SOCK_SEQPACKET)
            fetcher = Fetch(ours, mirrors, **fetch)
        fds = [] if file is None else [os.open(file, os.O_RDONLY)]
        self.steps = []
        try:
            self.introduce(chan, theirs)
            if theirs:
                theirs.close()
            socket.send_fds(chan, [message("MSG_UPDATE", struct.pack(
                "<QHQ", 7, KINDS[kind], number) + text(reason))], fds)
            return self.answer(chan)
        except (BrokenPipeError, ConnectionResetError):
            return None
        finally:
            chan.close()
            for fd in fds:
                os.close(fd)
            self.said = child.communicate()[1].decode(errors="replace")
            self.code = child.returncode
            if ours:
                fetcher.join(timeout=60)
                self.asked = fetcher.asked

    def answer(self, chan):
        while True:
            data = chan.recv(65536)
            if not data:
                return None
            kind = struct.unpack("<H", data[2:4])[0]
            if kind != TYPES["MSG_UPDATED"]:
                continue
            updated = read_updated(data[8:])
            assert updated["id"] == 7
            if not updated["more"]:
                return updated
            self.steps.append(updated)

    def now(self, *mirrors, **how):
        return self.ask("NOW", mirrors=mirrors, **how)

    def bring(self, *mirrors, **how):
        """NOW, and ACTIVATE what was staged."""
        updated = self.now(*mirrors, **how)
        assert not updated["error"] and updated["staged"], updated
        updated = self.ask("ACTIVATE", updated["staged"])
        assert not updated["error"], updated
        return updated

    # What is on the disk.

    def state(self):
        return json.loads((self.update / "state.json").read_text("utf-8"))

    def current(self):
        """The number that the link names, 0: none; it must be whole."""
        link = self.update / "current"
        if not os.path.lexists(link):
            return 0
        number = re.fullmatch(r"releases/([1-9]\d*)", os.readlink(link))
        return int(number.group(1))

    def rules(self, number):
        base = self.update / f"releases/{number}/rules"
        return {str(p.relative_to(base)): p.read_bytes()
                for p in base.rglob("*") if p.is_file()}

    def releases(self):
        base = self.update / "releases"
        return sorted(os.listdir(base)) if base.exists() else []


def offline(*arguments, **how):
    """khien-verify for people: (exit code, object or None, what it said)."""
    done = subprocess.run([str(BUILD / "khien-verify"), *map(str, arguments)],
                          capture_output=True, text=True, timeout=120,
                          check=False, **how)
    told = json.loads(done.stdout) if done.stdout else None
    return done.returncode, told, done.stderr
