# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays khiend to one khien-keep after the other."""

import os
import pathlib
import re
import socket
import struct
import subprocess

from agent import BUILD, PATIENCE_S, ROOT

HEADER = (ROOT / "agent/lib/msg.h").read_text(encoding="utf-8")


def numbers(prefix, name):
    """The values of an enumeration of msg.h: {"MSG_HELLO": 1, ...}"""
    body = re.search(rf"enum {name} {{(.*?)\n}};", HEADER, re.S).group(1)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    words = re.findall(rf"\b{prefix}\w+", body)
    return {word: at for at, word in enumerate(words, 1)}


TYPES = numbers("MSG_", "msg_type")
KINDS = numbers("MSG_ACT_", "msg_act_kind")
KILL, KILL_MAPPED, QUARANTINE = 1, 2, 4
# What starts it is khiend to it, whose descendants are spared: not this test.
PARENT = ["/bin/sh", "-c", '"$0" "$@"; exit $?']
VERSION = int(re.search(r"#define MSG_VERSION (\d+)", HEADER).group(1))


def text(value):
    value = os.fsencode(value)
    return struct.pack("<I", len(value)) + value + b"\0"


def message(kind, payload=b""):
    return struct.pack("<HHI", VERSION, TYPES[kind], 8 + len(payload)) + \
        payload


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, form):
        size = struct.calcsize(form)
        (value,) = struct.unpack(form, self.data[:size])
        self.data = self.data[size:]
        return value

    def text(self):
        size = self.take("<I")
        value, self.data = self.data[:size], self.data[size + 1:]
        return value


def read_acted(data):
    reader = Reader(data)
    acted = {"id": reader.take("<Q"), "kind": reader.take("<H"),
             "done": reader.take("<I"), "killed": reader.take("<I"),
             "left": reader.take("<I"), "device": reader.take("<Q"),
             "inode": reader.take("<Q")}
    for name in ("entry", "sha256", "path", "rule", "error"):
        acted[name] = reader.text()
    acted["error"] = acted["error"].decode()
    acted["entry"] = acted["entry"].decode()
    acted["more"] = bool(reader.take("<B"))
    acted["kept"] = []
    for _ in range(reader.take("<I")):
        kept = {name: reader.text() for name in
                ("entry", "path", "sha256", "rule", "error")}
        kept.update(size=reader.take("<Q"), when_ns=reader.take("<Q"),
                    mode=reader.take("<I"), uid=reader.take("<I"),
                    gid=reader.take("<I"))
        kept["entry"] = kept["entry"].decode()
        acted["kept"].append(kept)
    assert not reader.data
    return acted


def run_on_channel(command):
    """Starts it with one end of a channel as descriptor 3; returns both."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    number = theirs.fileno()
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, close_fds=False,
        preexec_fn=lambda: os.dup2(number, 3))
    theirs.close()
    ours.settimeout(PATIENCE_S)
    return child, ours


class Keeper:
    def __init__(self, folder, scope=""):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.state.mkdir(mode=0o700, exist_ok=True)
        self.vault = self.state / "quarantine"
        conf = self.folder / "khien.conf"
        conf.write_text(f"[agent]\nstate_dir = {self.state}\n"
                        f"group = root\n[gate]\nscope_cgroup = {scope}\n")
        child, chan = run_on_channel([str(BUILD / "khien-conf"), str(conf)])
        self.conf = chan.recv(65536)
        chan.close()
        said = child.communicate()[1]
        assert child.returncode == 0, said

    def act(self, kind, fd=None, actions=0, entry="", path="", sha256="",
            rule="test_rule", wrapper=(), after_ns=0, device=None,
            inode=None, pid=0):
        """The answer, or None when it died before it gave one."""
        at = os.fstat(fd) if fd is not None else None
        if device is None:
            device = at.st_dev if at else 0
        if inode is None:
            inode = at.st_ino if at else 0
        payload = struct.pack("<QHIQQIQ", 7, KINDS["MSG_ACT_" + kind],
                              actions, device, inode, pid, after_ns) + \
            text(entry) + text(sha256) + text(path) + text(rule)
        child, chan = run_on_channel(
            [*PARENT, *wrapper, str(BUILD / "khien-keep"), "0"])
        state = os.open(self.state, os.O_PATH | os.O_DIRECTORY)
        try:
            chan.send(self.conf)
            socket.send_fds(chan, [message("MSG_KEEP", text("state"))],
                            [state])
            chan.send(message("MSG_READY"))
            socket.send_fds(chan, [message("MSG_ACT", payload)],
                            [] if fd is None else [fd])
            return self.answer(chan)
        except (BrokenPipeError, ConnectionResetError):
            return None
        finally:
            os.close(state)
            chan.close()
            self.said = child.communicate()[1]
            self.code = child.returncode

    def answer(self, chan):
        while True:
            data = chan.recv(65536)
            if not data:
                return None
            kind = struct.unpack("<H", data[2:4])[0]
            if kind == TYPES["MSG_ACTED"]:
                return read_acted(data[8:])

    def take(self, path, actions=QUARANTINE, **how):
        fd = os.open(path, os.O_RDONLY)
        try:
            return self.act("FILE", fd, actions, path=path, **how)
        finally:
            os.close(fd)

    def restore(self, entry, to="", **how):
        return self.act("RESTORE", entry=entry, path=to, **how)

    def delete(self, entry, **how):
        return self.act("DELETE", entry=entry, **how)

    def list(self):
        kept, page = [], {"entry": "", "when_ns": 0}
        while True:
            acted = self.act("LIST", entry=page["entry"],
                             after_ns=page["when_ns"])
            assert not acted["error"], acted
            kept += acted["kept"]
            if not acted["more"]:
                return kept
            page = kept[-1]

    def entries(self):
        if not self.vault.exists():
            return []
        return sorted(p.name for p in self.vault.glob("*.q"))
