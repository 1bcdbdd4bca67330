# SPDX-License-Identifier: GPL-2.0-or-later
"""What was clean and is no longer what it was: the moment in which the kernel
is told, and what root gives to others."""

import os
import subprocess
import time

import pytest

import gated

TRIES = int(os.environ.get("KHIEN_TRIES", "8000"))
# From then on a file of root's is known to the kernel for good.
LASTING_S = 10
# Waits until the name is there, writes by a mapping alone, and executes.
TAKER = """
import mmap, os, subprocess, sys
path, bad = sys.argv[1:]
content = open(bad, "rb").read()
fd = os.open(path, os.O_RDWR)
mapped = mmap.mmap(fd, len(content))
mapped[:] = content
mapped.close()
os.close(fd)
try:
    os.posix_spawn(path, [path], {})
    os.wait()
except OSError:
    pass
"""


@pytest.fixture(scope="module", params=["tmpfs", "ext4"])
def grounds(request, tmp_path_factory):
    ground = gated.Ground(request.param)
    # Long enough that what is seen is no missed deadline.
    agent = gated.make(tmp_path_factory.mktemp("khien"), ground,
                       gate_deadline_ms=10000, scan_workers=2)
    yield ground, gated.start(agent)
    agent.close()
    ground.close()


@pytest.mark.slow(900)
def test_the_kernel_is_never_without_a_mark(grounds, tool):
    """It asks nobody while a file's mark is taken away."""
    ground, _ = grounds
    done = subprocess.run([tool("reopen"), str(ground.mount), gated.MARKER,
                           str(TRIES), str(gated.NOBODY)], check=True,
                          capture_output=True)
    passed, refused, failed = map(int, done.stdout.split())
    assert (passed, refused, failed) == (0, TRIES, 0)


def given_away(ground, count, pause_s):
    """Root's good program becomes a user's, who changes it without a sign."""
    bad = ground.yard / "content"
    bad.write_bytes(ground.bad)
    path = ground.mount / f"given-{count}"
    path.write_bytes(ground.good.ljust(len(ground.bad), b"\0"))
    path.chmod(0o755)
    subprocess.run([path], check=True)
    time.sleep(pause_s)
    subprocess.run([path], check=True)
    os.chown(path, gated.NOBODY, gated.NOBODY)
    subprocess.run(["/usr/bin/python3", "-c", TAKER, path, bad],
                   user=gated.NOBODY, check=True)
    return ground.ran()


def test_given_away_files_are_asked_about(grounds):
    ground, _ = grounds
    ran = [count for count in range(30) if given_away(ground, count, 0)]
    assert not ran


def test_old_files_are_silent(grounds):
    """As all of the system's are: nobody is asked about them."""
    ground, agent = grounds
    path = ground.mount / "old"
    path.write_bytes(ground.good)
    path.chmod(0o755)
    time.sleep(LASTING_S + 1)

    def asked():
        return gated.gate(agent, "questions.asked")

    # One of the first is remembered for good; no count says which, since the
    # interpreter and its libraries are remembered beside it.
    for _ in range(10):
        subprocess.run([path], check=True)
        time.sleep(0.2)
    time.sleep(2)
    before = asked()
    for _ in range(50):
        subprocess.run([path], check=True)
    time.sleep(2)
    assert asked() < before + 50
