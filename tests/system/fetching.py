# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-fetch as a person calls it, and servers that say the same to all."""

import os
import subprocess
import time

import pytest

from agent import BUILD, SAN
from mirror import PATIENCE_S, Mirror

BODY = bytes(range(256)) * 400
ETAG = '"0123"'
# One try, and no more patience than a server on this machine needs.
QUICK = {"connect_ms": 2000, "header_ms": 500, "slow_s": 30, "tries": 1,
         "backoff_ms": 10, "whole_ms": 20000}


@pytest.fixture(autouse=True)
def no_leak_check(monkeypatch):
    """It opens /proc, which a sealed process cannot."""
    if SAN:
        monkeypatch.setenv("ASAN_OPTIONS", "detect_leaks=0")


@pytest.fixture
def serve():
    """serve(handler, **how) -> a Mirror, closed at the end."""
    made = []

    def make(handler, **how):
        made.append(Mirror(handler, **how))
        return made[-1]

    yield make
    for mirror in made:
        mirror.close()


class Fetched:
    def __init__(self, done):
        self.out, self.code = done.stdout, done.returncode
        self.said = done.stderr.decode(errors="replace")

    def refused(self, *reasons):
        """Nothing was written, and the reason says this."""
        assert self.code == 1, self.said
        assert self.out == b""
        for reason in reasons:
            assert reason in self.said

    def is_(self, body):
        assert self.code == 0, self.said
        assert self.out == body


def fetch(*urls, ca=None, proxy=None, size_max=None, packed=False, env=None,
          **limits):
    command = [str(BUILD / "khien-fetch")]
    for name, value in {**QUICK, **limits}.items():
        command += ["--limit", f"{name}={value}"]
    if ca:
        command += ["--ca", str(ca)]
    if proxy:
        command += ["--proxy", proxy]
    if size_max:
        command += ["--max-size", str(size_max)]
    if packed:
        command += ["--packed"]
    return Fetched(subprocess.run(
        command + list(urls), stdin=subprocess.DEVNULL, capture_output=True,
        env={**os.environ, **(env or {})}, timeout=PATIENCE_S, check=False))


def raw(*parts, then="close"):
    """A handler that sends these whatever it is asked."""

    def handler(conn):
        conn.request()
        for part in parts:
            conn.send(part)
        if then == "idle":
            conn.idle()
        elif then == "reset":
            conn.reset()

    return handler


def endless(*parts, piece, pause_s=0):
    """The same, and then pieces until the client has enough."""

    def handler(conn):
        conn.request()
        conn.send(*parts)
        while True:
            conn.send(piece)
            time.sleep(pause_s)

    return handler
