# SPDX-License-Identifier: GPL-2.0-or-later
"""By none of the ways round the scan may one instruction run.  Each is tried
as an ordinary user, and before that without the agent, to see that it is a way
at all.  KHIEN_TRIES is how often in all, on each file system."""

import math
import os
import shutil
import subprocess
import sys

import pytest

import gated
import load
from agent import wait_for
from ways import NOT_EVERYWHERE, SLOW, WAYS, Yard, take_tools

TRIES = int(os.environ.get("KHIEN_TRIES", "282"))
# Long enough that what is seen is the way, not a missed deadline.
DEADLINE_MS = 10000


@pytest.fixture(scope="module", params=["tmpfs", "ext4"])
def ground(request):
    ground = gated.Ground(request.param)
    bound = ground.yard / "bound"
    bound.mkdir()
    ground.add_mount(bound, ["--bind", str(ground.mount)])
    ground.layers = {name: ground.mount / f"overlay-{name}"
                     for name in ("lower", "upper", "work", "over")}
    for path in ground.layers.values():
        path.mkdir()
        path.chmod(0o777)
    how = ",".join(f"{name}dir={ground.layers[name]}"
                   for name in ("lower", "upper", "work"))
    for name in ("lower", "upper"):
        for way in WAYS:
            folder = ground.layers[name] / way.__name__
            folder.mkdir()
            folder.chmod(0o777)
    ground.add_mount(ground.layers["over"], ["-t", "overlay", "-o", how,
                                             "khien-test"])
    take_tools(ground.yard)
    yield ground
    ground.close()


@pytest.fixture(scope="module")
def yards(ground):
    """Each way's folder; the ways were tried there without the agent."""
    yards = {}
    for way in WAYS:
        yard = yards[way] = Yard(ground, way.__name__)
        yard.folder.mkdir()
        yard.folder.chmod(0o777)
        yard.works = False
        # Some of them depend on who comes first.
        for _ in range(5 if way in NOT_EVERYWHERE else 200):
            attempt(way, yard)
            if ground.ran():
                yard.works = True
                break
    return yards


@pytest.fixture(scope="module")
def agent(ground, yards, tmp_path_factory):
    agent = gated.make(tmp_path_factory.mktemp("khien"), ground,
                       gate_deadline_ms=DEADLINE_MS, scan_workers=2,
                       gate_watch=f"{ground.mount}:{ground.layers['over']}")
    yield gated.start(agent)
    agent.close()


def tries_of(way):
    one = TRIES / (len(WAYS) - len(SLOW) + len(SLOW) / 5)
    return math.ceil(one / 5 if way in SLOW else one)


def attempt(way, yard, uid=gated.NOBODY):
    """In a process of his own; what it made is taken away."""
    yard.count += 100
    pid = os.fork()
    if pid == 0:
        try_once(way, yard, uid)
    assert os.waitpid(pid, 0)[1] == 0, f"{way.__name__} could not be tried"
    layers = yard.ground.layers
    for folder in (yard.folder, *(layers[name] / yard.folder.name
                                  for name in ("upper", "lower"))):
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)


def try_once(way, yard, uid):
    code = 1
    try:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        os.environ["HOME"] = "/"
        way(yard)
        code = 0
    except PermissionError:
        code = 0  # an open that the way itself needs was refused
    except BaseException as error:  # pylint: disable=broad-except
        print(f"{way.__name__}: {error!r}", file=sys.stderr)
    finally:
        os._exit(code)


def story(agent):
    """What the agent has to say about it."""
    rows = agent.ask("query", "SELECT * FROM agent ORDER BY rowid DESC LIMIT 9")
    return "\n".join(str(row) for row in
                     [agent.log(), agent.status()["khien"]["gate"], *rows])


@pytest.mark.slow(1800)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_instruction_runs(agent, ground, yards, way):
    yard = yards[way]
    if not yard.works and way in NOT_EVERYWHERE:
        pytest.skip(f"machine: {way.__name__} does not work here at all")
    assert yard.works, "it is no way even without the agent"
    ground.ran()
    passed, tries = 0, tries_of(way)
    for _ in range(tries):
        attempt(way, yard)
        passed += ground.ran()
    load.note(f"{way.__name__}: {tries} attempts, {passed} got through")
    assert passed == 0, story(agent)


def test_new_mount(agent, ground):
    late = ground.mount / "late"
    late.mkdir()
    agent.conf["gate.watch"] = f"{ground.mount}:{late}"
    agent.write_conf()
    agent.child.send_signal(1)
    wait_for(lambda: "read again" in agent.log(), "it is configured")
    ground.add_mount(late, ["-t", "tmpfs", "khien-test"])
    wait_for(lambda: gated.covered(agent, late), "the new mount is covered")
    path = late / "bad"
    path.write_bytes(ground.bad)
    path.chmod(0o755)
    with pytest.raises(PermissionError):
        subprocess.run([str(path)], check=False)
    assert not ground.ran()
