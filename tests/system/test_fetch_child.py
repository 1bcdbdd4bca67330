# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-fetch as khiend's child: what it answers khien-verify, over how many
connections, and what it can still do."""

import errno
import fcntl
import os
import pathlib
import re
import socket
import struct
import subprocess
import time

import pytest

from agent import BUILD, PATIENCE_S, ROOT, SAN, wait_for
from fetching import BODY, no_leak_check, serve
from keeper import TYPES, Reader, message, run_on_channel, text
from mirror import Authority, Files

__all__ = ["no_leak_check", "serve"]  # fixtures

METADATA, TARGET = 1, 2
F_ADD_SEALS, F_SEAL_GROW = 1033, 4  # linux/fcntl.h
ROLES = re.findall(r"\bROLE_(?!FILES)\w+", (ROOT / "agent/lib/role.h")
                   .read_text().split("enum role_id")[1].split("};")[0])
VERIFY = ROLES.index("ROLE_VERIFY")
DATE = "Tue, 03 Mar 2026 04:05:06 GMT"


class Child:
    """Plays khiend and khien-verify to one khien-fetch."""

    def __init__(self, folder, url, **keys):
        conf = pathlib.Path(folder) / "khien.conf"
        lines = "".join(f"{k} = {v}\n" for k, v in keys.items())
        conf.write_text(f"[agent]\nstate_dir = {folder}\ngroup = root\n"
                        f"[update]\nurl = {url}\n{lines}")
        child, chan = run_on_channel([str(BUILD / "khien-conf"), str(conf)])
        first = chan.recv(65536)
        chan.close()
        said = child.communicate()[1]
        assert child.returncode == 0, said
        self.child, self.chan = run_on_channel(
            [str(BUILD / "khien-fetch"), "0"])
        self.link, theirs = socket.socketpair(socket.AF_UNIX,
                                              socket.SOCK_SEQPACKET)
        self.link.settimeout(PATIENCE_S)
        self.chan.send(first)
        socket.send_fds(self.chan, [message("MSG_LINK", struct.pack(
            "<HHI", VERIFY, 0, 1))], [theirs.fileno()])
        theirs.close()
        self.chan.send(message("MSG_READY"))
        assert self.chan.recv(65536) == message("MSG_HELLO")
        self.number = 0

    def ask(self, path, what=METADATA, size_max=1 << 20, first=0, fd=None):
        self.number += 1
        self.fd = os.memfd_create("fetched") if fd is None else fd
        socket.send_fds(self.link, [message("MSG_FETCH", struct.pack(
            "<QH", self.number, what) + text(path) + struct.pack(
                "<QI", size_max, first))], [self.fd])

    def answer(self):
        data = self.link.recv(65536)
        assert struct.unpack("<H", data[2:4])[0] == TYPES["MSG_FETCHED"]
        reader = Reader(data[8:])
        said = {"id": reader.take("<Q"), "error": reader.take("<I"),
                "size": reader.take("<Q"), "date": reader.take("<Q"),
                "mirror": reader.text().decode(),
                "reason": reader.text().decode(),
                "index": reader.take("<I")}
        assert not reader.data
        assert said["id"] == self.number
        said["body"] = os.pread(self.fd, 1 << 26, 0)
        assert len(said["body"]) == os.fstat(self.fd).st_size
        assert os.lseek(self.fd, 0, os.SEEK_CUR) == 0
        if said["error"]:
            assert said["body"] == b"" and said["reason"]
        else:
            assert said["size"] == len(said["body"])
        os.close(self.fd)
        return said

    def fetch(self, path, **how):
        self.ask(path, **how)
        return self.answer()

    def end(self):
        self.link.close()
        self.chan.close()
        self.said = self.child.communicate(timeout=PATIENCE_S)[1].decode()
        return self.child.returncode


@pytest.fixture
def start(tmp_path):
    """start(url, **keys of [update]) -> a Child."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = []

    def make(url, **keys):
        made.append(Child(tmp_path, url, **keys))
        return made[-1]

    yield make
    for child in made:
        if child.child.returncode is None:
            assert child.end() == 0, child.said


def test_metadata_and_targets(serve, start):
    mirror = serve(Files({"/r/metadata/1.root.json": b"root",
                          "/r/targets/a/b%20c.gz": BODY}, Date=DATE))
    child = start(mirror.url + "/r/")
    said = child.fetch("1.root.json")
    assert said["body"] == b"root"
    assert (said["error"], said["reason"]) == (0, "")
    assert (said["mirror"], said["index"]) == (mirror.url + "/r/", 0)
    assert said["date"] == 1772510706
    assert mirror.requests[0].headers["accept-encoding"] == "gzip"
    assert child.fetch("a/b%20c.gz", what=TARGET)["body"] == BODY
    assert "accept-encoding" not in mirror.requests[1].headers


def test_what_is_not_there(serve, start):
    mirror = serve(Files({}, Date=DATE))
    said = start(mirror.url).fetch("2.root.json")
    assert said["error"] == errno.ENOENT
    assert "status 404" in said["reason"]
    assert said["mirror"] == mirror.url


def test_a_poll_is_one_connection(serve, start, tmp_path):
    """Also over what is not there: one handshake of TLS for all."""
    ca = Authority(tmp_path)
    mirror = serve(Files({"/metadata/timestamp.json": b"{}"}),
                   tls=ca.server())
    child = start(mirror.url, ca=ca.file)
    for _ in range(3):
        assert child.fetch("2.root.json")["error"] == errno.ENOENT
        assert child.fetch("timestamp.json")["body"] == b"{}"
    assert len(mirror.requests) == 6
    assert mirror.connections == 1


def test_goes_on_to_the_next_mirror(serve, start):
    gone = serve(Files({}))
    gone.close()
    old, good = serve(Files({})), serve(Files({"/targets/a": BODY,
                                               "/metadata/m": b"m"}))
    child = start(f"{gone.url} {old.url} {good.url}")
    # Of metadata the first that answers is believed, and who asks decides.
    said = child.fetch("m")
    assert (said["error"], said["index"]) == (errno.ENOENT, 1)
    said = child.fetch("m", first=said["index"] + 1)
    assert (said["body"], said["index"]) == (b"m", 2)
    # A target must be somewhere.
    said = child.fetch("a", what=TARGET)
    assert (said["body"], said["mirror"]) == (BODY, good.url)
    said = child.fetch("b", what=TARGET)
    assert said["error"] == errno.ENOENT
    for mirror in (old, good):
        assert f"{mirror.url}: has no such file" in said["reason"]


def test_when_no_mirror_is_left(serve, start):
    mirror = serve(Files({"/metadata/m": b"m"}))
    child = start(mirror.url)
    for first in (1, 16, 4000000000):
        said = child.fetch("m", first=first)
        assert said["error"] == errno.ENXIO
        assert "no other mirror" in said["reason"]
    assert child.fetch("m")["body"] == b"m"


def test_without_a_mirror(start):
    said = start("").fetch("m")
    assert said["error"] == errno.ENXIO
    assert "[update] url" in said["reason"]


def test_without_certificates(start, tmp_path):
    said = start("https://127.0.0.1:1", ca=tmp_path / "gone.pem").fetch("m")
    assert said["error"] == errno.ENOENT or said["error"] == errno.EACCES
    assert "gone.pem: the certificates cannot be read" in said["reason"]


def test_a_proxy(serve, start):
    proxy = serve(Files({"http://mirror.invalid/metadata/m": b"m"}))
    child = start("http://mirror.invalid", proxy=proxy.url)
    assert child.fetch("m")["body"] == b"m"


@pytest.mark.parametrize("path", ["../m", "a/../m", "%2e%2e/m", "m%0a",
                                  "m?x", "m#x", "a b", "a//b", "m\n"])
def test_a_path_that_is_none(serve, start, path):
    mirror = serve(Files({}))
    said = start(mirror.url).fetch(path)
    assert said["error"] == errno.EINVAL
    assert "no path beneath a folder" in said["reason"]
    assert not mirror.requests


def test_never_more_than_was_allowed(serve, start):
    mirror = serve(Files({"/metadata/m": BODY}))
    child = start(mirror.url)
    said = child.fetch("m", size_max=len(BODY) - 1)
    assert said["error"] == errno.EFBIG
    assert "is longer than" in said["reason"]
    assert child.fetch("m", size_max=len(BODY))["body"] == BODY


def test_what_was_in_the_file_is_gone(serve, start):
    mirror = serve(Files({"/metadata/m": b"short"}))
    child = start(mirror.url)
    fd = os.memfd_create("old")
    os.pwrite(fd, b"x" * 100, 0)
    assert child.fetch("m", fd=fd)["body"] == b"short"
    fd = os.memfd_create("old")
    os.pwrite(fd, b"x" * 100, 0)
    assert child.fetch("n", fd=fd)["error"] == errno.ENOENT


def test_what_cannot_be_kept(serve, start):
    """Another mirror would be of no help."""
    first, second = (serve(Files({"/metadata/m": BODY})) for _ in range(2))
    child = start(f"{first.url} {second.url}")
    fd = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    fcntl.fcntl(fd, F_ADD_SEALS, F_SEAL_GROW)
    said = child.fetch("m", fd=fd)
    assert said["error"] == errno.EPERM
    assert "cannot be kept" in said["reason"]
    assert not second.requests


def test_what_is_no_file(serve, start):
    child = start(serve(Files({})).url)
    reader, writer = os.pipe()
    child.number += 1
    socket.send_fds(child.link, [message("MSG_FETCH", struct.pack(
        "<QH", child.number, METADATA) + text("m") + struct.pack(
            "<QI", 1, 0))], [writer])
    data = child.link.recv(65536)
    assert struct.unpack("<I", data[16:20])[0] == errno.EINVAL
    os.close(reader)
    os.close(writer)


def test_answers_khiend_meanwhile(serve, start):
    """Its heartbeat does not wait for a server."""
    mirror = serve(lambda conn: conn.idle(), raw=True)
    child = start(mirror.url)
    child.ask("m")
    wait_for(lambda: mirror.connections, "it asks")
    for number in (7, 8):
        beat = message("MSG_BEAT", struct.pack("<Q", number))
        child.chan.send(beat)
        assert child.chan.recv(65536) == beat
    os.close(child.fd)
    assert child.end() == 0, child.said


def test_gives_up_when_nobody_waits(serve, start):
    def handler(conn):
        conn.request()
        if conn.idle():
            left.append(conn)

    left = []
    child = start(serve(handler, raw=True).url)
    child.ask("m")
    os.close(child.fd)
    time.sleep(0.1)
    child.link.close()
    # Long before it would lose patience with the mirror.
    wait_for(lambda: left, "it hangs up", limit_s=20)
    beat = message("MSG_BEAT", struct.pack("<Q", 1))
    child.chan.send(beat)
    assert child.chan.recv(65536) == beat


@pytest.mark.parametrize("spoil", ["twice", "type", "no file"])
def test_a_message_that_is_none_ends_it(serve, start, spoil):
    mirror = serve(lambda conn: conn.idle(), raw=True)
    child = start(mirror.url)
    if spoil == "twice":
        child.ask("m")
        child.ask("m")
    elif spoil == "type":
        child.link.send(message("MSG_FETCHED"))
    else:
        child.link.send(message("MSG_FETCH", struct.pack(
            "<QH", 1, 1) + text("m") + struct.pack("<QI", 1, 0)))
    assert child.child.wait(timeout=PATIENCE_S) == 1
    child.end()
    assert "is refused" in child.said


def test_what_it_may_still_do(serve, start):
    """Own user, no capability, a filter; no file but those of names."""
    child = start(serve(Files({})).url)
    assert child.fetch("m")["error"] == errno.ENOENT
    proc = pathlib.Path(f"/proc/{child.child.pid}")
    status = dict(line.split(":\t", 1) for line in
                  (proc / "status").read_text().splitlines() if ":\t" in line)
    uid = set(status["Uid"].split())
    assert len(uid) == 1 and uid != {"0"}
    assert status["Groups"].strip() == ""
    for name in ("CapEff", "CapPrm", "CapInh", "CapBnd"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == ("0" if SAN else "2")


# Names.

SERVER = """
import socket, struct
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    query, client = server.recvfrom(512)
    end = query.index(b"\\0", 12) + 5
    if b"silent" in query:
        continue
    a = query[end - 4:end - 2] == b"\\0\\1"
    server.sendto(query[:2] + b"\\x81\\x80\\0\\1" + (b"\\0\\1" if a else b"\\0\\0")
                  + bytes(4) + query[12:end] + (
                      b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4\\x7f\\0\\0\\1"
                      if a else b""), client)
"""
INSIDE = """
ip link set lo up
mount --bind resolv.conf /etc/resolv.conf
mount --bind hosts /etc/hosts
$0 dns.py >dns.out & dns=$!
$0 -m http.server 8000 --bind 127.0.0.1 >/dev/null 2>&1 & http=$!
for i in $(seq 300); do
    grep -q ready dns.out && $1 http://127.0.0.1:8000/a 2>/dev/null && break
    sleep 0.1
done
$1 http://mirror.example:8000/a
$1 http://known.invalid:8000/a
$1 --limit connect_ms=500 --limit tries=1 http://silent.example:8000/a
echo end
kill $dns $http
"""


def test_names(tmp_path):
    """By hosts(5) and DNS, and a name server that is silent holds nobody."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (tmp_path / "hosts").write_text("127.0.0.1 known.invalid\n")
    (tmp_path / "a").write_text("hello\n")
    (tmp_path / "dns.py").write_text(SERVER)
    done = subprocess.run(
        ["unshare", "-mn", "/bin/sh", "-c", INSIDE, "/usr/bin/python3",
         str(BUILD / "khien-fetch")], cwd=tmp_path, capture_output=True,
        text=True, timeout=PATIENCE_S, check=False)
    assert done.stdout == "hello\nhello\nhello\nend\n", done.stderr
    assert "silent.example:8000/a: Resolving timed out" in \
        done.stderr
