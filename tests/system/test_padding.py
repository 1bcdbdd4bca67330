# SPDX-License-Identifier: GPL-2.0-or-later
"""What is bad lies behind more than a scan can read at once."""

import os
import signal
import subprocess
import sys
import time

import pytest

import gated
import load
from agent import wait_for

PROGRAM = """#include <fcntl.h>
#include <unistd.h>
int main(void)
{
	close(open("%s", O_CREAT | O_WRONLY, 0666));
	return (int)sleep(60);
}
"""


@pytest.fixture(params=["tmpfs", "ext4"])
def ground(request):
    ground = gated.Ground(request.param)
    yield ground
    ground.close()


@pytest.fixture
def asking(request, ground, tmp_path_factory):
    made = request.node.agents = []

    def make(**conf):
        made.append(gated.make(tmp_path_factory.mktemp("khien"), ground,
                               scan_timeout_ms=60000, **conf))
        return gated.start(made[-1])

    yield make
    for agent in made:
        agent.close()


def padded(ground):
    """200 MiB before what makes it bad, and some behind."""
    path = ground.mount / "padded"
    gated.compile_c(PROGRAM % ground.canary, path)
    os.chown(path, gated.NOBODY, gated.NOBODY)
    with open(path, "r+b") as file:
        file.seek(200 << 20)
        file.write(gated.MARKER.encode())
        file.truncate(260 << 20)
    return path


@pytest.mark.slow(120)
def test_within_the_deadline(ground, asking):
    asking(gate_deadline_ms=10000)
    path = padded(ground)
    began = time.monotonic()
    with pytest.raises(PermissionError):
        subprocess.run([str(path)], check=False)
    load.note(f"200 MiB of padding: denied after "
              f"{time.monotonic() - began:.2f} s")
    assert not ground.ran()


@pytest.mark.slow(120)
def test_beyond_the_deadline(ground, asking):
    """It runs, and is killed as soon as the scan finds it."""
    agent = asking(gate_deadline_ms=50)
    path = padded(ground)
    join = (f"import os; open('{ground.scope}/cgroup.procs', 'w')"
            f".write(str(os.getpid())); os.execv('{path}', ['padded'])")
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", join], check=False)
    load.note(f"late: killed after {time.monotonic() - began:.2f} s")
    assert done.returncode == -signal.SIGKILL
    assert ground.ran()
    wait_for(lambda: gated.gate(agent, "questions.late") > 0, "it is told")
