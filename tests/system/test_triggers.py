# SPDX-License-Identifier: GPL-2.0-or-later
"""Each kind of event: what exactly is told of it, and nothing of a failure."""

import contextlib
import os
import subprocess
import sys
import time

import pytest

from agent import BUILD, ROOT, TRUE, Agent, get, wait_for

sys.path.append(str(ROOT / "tests/triggers"))
import expected  # noqa: E402

BUILD_ROOT = ROOT / "build"  # sanitizers or not: see TOOLS in the Makefile
TRIGGER_S = 20
CASES = [case for case in expected.load() if not case.host]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One agent for all: every test looks at processes of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    agent = Agent(tmp_path_factory.mktemp("khien"))
    try:
        agent.start()
        # It says so when all of them are in the kernel.
        wait_for(lambda: get(agent.status() or {}, "khien.sensor.programs"),
                 "the sensor's programs in status")
        yield agent
    finally:
        agent.close()


@pytest.fixture
def folder(shared):
    path = shared.mount / f"t{time.monotonic_ns()}"
    path.mkdir()
    return path


def told(agent, pid, *args):
    return agent.ask("events", "--pid", pid, "--since", "10m", "--limit",
                     "1000", *args)


def ended(agent, pid):
    """Once its exit is stored, so is all that it did to files before."""
    wait_for(lambda: told(agent, pid, "--type", "exit"), f"the exit of {pid}")
    agent.settle()


@pytest.fixture(scope="module")
def results(shared, request):
    """Of every case chosen the values its events are compared with, or why
    there are none: all triggers run before any is looked at."""
    chosen = [item.callspec.params["case"] for item in request.session.items
              if item.path == request.path
              and "case" in getattr(item, "fixturenames", [])]
    done = {case.id: triggered(shared, case) for case in chosen}
    pids = {pid for case in chosen if isinstance(done[case.id], dict)
            for pid in case.pids(done[case.id])}
    # What does not come is missed below, by the name of its case.
    with contextlib.suppress(AssertionError):
        wait_for(lambda: pids <= ends(shared, pids), "the triggers' exits")
    shared.settle()
    return done


def triggered(agent, case):
    folder = agent.mount / f"t{time.monotonic_ns()}"
    folder.mkdir()
    program = BUILD_ROOT / "tests/triggers" / case.name
    known = {"folder": str(folder), "program": str(program), "true": TRUE}
    try:
        done = subprocess.run(case.command(program, **known), umask=0o022,
                              stdin=subprocess.DEVNULL, timeout=TRIGGER_S,
                              stdout=subprocess.PIPE, text=True, check=False,
                              stderr=subprocess.STDOUT)
        return expected.printed(case, known, done.returncode, done.stdout)
    except (expected.Unusable, subprocess.TimeoutExpired) as error:
        return str(error)


def ends(agent, pids):
    """Once a process's exit is stored, so is all that it did before."""
    rows = agent.sql("SELECT pid FROM process WHERE type = 'exit' AND pid IN "
                     f"({', '.join(map(str, pids))})")
    return {int(row["pid"]) for row in rows}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_trigger(shared, results, case):
    values = results[case.id]
    lines = [values]
    if isinstance(values, dict):
        events = [e for pid in case.pids(values) for e in told(shared, pid)]
        lines = expected.compare(case, values, events)
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def test_every_trigger_has_cases():
    folder = ROOT / "tests/triggers"
    assert {p.stem for p in folder.glob("*.c")} == \
        {p.stem for p in folder.glob("*.json")}


TOLD = {"event": {"kind": "event", "action": "chmod"}, "user": {"id": "0"},
        "process": {"pid": 7, "executable": "/t"},
        "file": {"path": "/f", "mode": "0644"}, "khien": {"flags": ["compat"]}}
OTHER = {**TOLD, "process": {"pid": 8, "executable": "/t"}}
EVENT = {"event.action": "chmod", "file.path": "$path", "file.mode": "0644",
         "khien.flags": ["compat"]}


@pytest.mark.parametrize("events,told_events,wrong", [
    ([EVENT], [TOLD], None),
    ([EVENT], [TOLD, OTHER], None),
    ([{**EVENT, "file.path": "*"}], [TOLD], None),
    ([{**EVENT, "file.size": None}], [TOLD], None),
    ([EVENT], [], "expected [chmod], told []"),
    ([EVENT], [OTHER], "expected [chmod], told []"),
    ([], [TOLD], "expected [], told [chmod]"),
    ([EVENT], [TOLD, TOLD], "expected [chmod], told [chmod, chmod]"),
    ([{**EVENT, "file.mode": "0640"}], [TOLD], "file.mode: expected"),
    ([{**EVENT, "file.mode": None}], [TOLD], "file.mode: expected null"),
    ([{**EVENT, "khien.flags": []}], [TOLD], "khien.flags: expected"),
    ([{**EVENT, "file.size": "*"}], [TOLD], "file.size: expected"),
    ([{**EVENT, "user.id": "1"}], [TOLD], "user.id: expected"),
    ([{**EVENT, "process.pid": 8}], [TOLD], "process 8 expected [chmod]"),
])
def test_comparison_is_strict(events, told_events, wrong):
    case = expected.Case("x", {"events": events, "program": [],
                               "actions": ["chmod"]})
    values = {"pid": 7, "path": "/f", "program": "/t"}
    lines = expected.compare(case, values, told_events)
    assert wrong in "\n".join(lines) if wrong else not lines, lines


def run_python(agent, code, *args):
    """Runs it, waits until all of it is stored, and returns the events."""
    child = subprocess.Popen([sys.executable, "-IBS", "-c", code, *args],
                             stdin=subprocess.DEVNULL)
    assert child.wait() == 0
    ended(agent, child.pid)
    return told(agent, child.pid)


PATHS = r"""
import ctypes, os, sys
at = os.fsencode(sys.argv[1])
os.chdir(at)
os.mkdir(b'a')
os.chmod(b'./a', 0o701)
os.chmod(b'a/../a//', 0o702)
os.chmod(at + b'/./a/', 0o703)
os.mkdir(b'new\nline\xff')
os.mkdir(b'n' * 255)
fd = os.open(b'a', os.O_PATH)
os.mkdir(b'in', dir_fd=fd)
if ctypes.CDLL(None).fchownat(fd, b'', 7, 8, 0x1000):
    os._exit(7)
"""


def test_paths_that_callers_pass(shared, folder):
    def paths(action):
        return [get(e, "file.path") for e in events
                if get(e, "event.action") == action]

    events = run_python(shared, PATHS, str(folder))
    at = str(folder)
    assert paths("mkdir") == [at + "/a", at + "/new\nline\\xff",
                              at + "/" + "n" * 255, at + "/a/in"]
    assert paths("chmod") == [at + "/a", at + "/a/../a", at + "/a"]
    assert paths("chown") == [at + "/a"]
    assert not any("path_cut" in get(e, "khien.flags", []) for e in events)


LONGEST = """
import os, sys
path = os.fsencode(sys.argv[1])
os.chdir(path)
while len(path) < 4095 - 250:
    os.mkdir(b'd' * 200)
    os.chdir(b'd' * 200)
    path += b'/' + b'd' * 200
path += b'/' + b'f' * (4095 - len(path) - 1)
os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
os.chmod(path, 0o700)
"""


def test_longest_path_is_whole(shared, folder):
    """4,095 bytes, by the kernel's walk and as the caller passed it."""
    events = [e for e in run_python(shared, LONGEST, str(folder))
              if get(e, "event.action") in ("create", "chmod")]
    assert [get(e, "khien.flags", []) for e in events] == \
        [[], ["path_by_caller"]]
    for event in events:
        path = get(event, "file.path")
        assert len(path) == 4095
        assert path.startswith(str(folder) + "/ddd")


CHROOT = """
import os, sys
os.chdir(sys.argv[1])
os.mkdir('jail')
os.chroot('jail')
os.mkdir('outside')
os.mkdir('/inside')
os.chdir('/inside')
os.mkdir('below')
os.rename('/inside/below', 'moved')
os.close(os.open('/made', os.O_CREAT | os.O_WRONLY))
"""


def test_paths_in_another_root(shared, folder):
    """All are told as seen from the initial root."""
    events = [e for e in run_python(shared, CHROOT, str(folder))
              if get(e, "file.path", "").startswith(str(folder))
              and get(e, "event.action") in ("mkdir", "rename", "create")]
    names = [(get(e, "file.path"), get(e, "file.target_path"))
             for e in events]
    jail = f"{folder}/jail"
    assert names == [
        (jail, None), (f"{folder}/outside", None), (f"{jail}/inside", None),
        (f"{jail}/inside/below", None),
        (f"{jail}/inside/below", f"{jail}/inside/moved"),
        (f"{jail}/made", None)]


REFUSE = """
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>

int
bpf_object__load(struct bpf_object *object)
{
	int (*load)(struct bpf_object *) = dlsym(RTLD_NEXT, __func__);
	struct bpf_program *program =
		bpf_object__find_program_by_name(object, REFUSED);

	if (!program || !bpf_program__autoload(program))
		return load(object);
	errno = EPERM;
	return -EPERM;
}
"""


def refusing(folder, program):
    """A folder of programs whose sensor is refused one by its libbpf."""
    source, library = folder / "refuse.c", folder / "refuse.so"
    source.write_text(REFUSE)
    subprocess.run(["gcc", "-shared", "-fPIC", f'-DREFUSED="{program}"', "-o",
                    str(library), str(source)], check=True)
    for path in BUILD.glob("khien*"):
        if path.name != "khien-sensor":
            (folder / path.name).symlink_to(path)
    sensor = folder / "khien-sensor"
    sensor.write_text(f"#!/bin/sh\nLD_PRELOAD={library} "
                      "ASAN_OPTIONS=verify_asan_link_order=0 "
                      f"exec {BUILD}/khien-sensor \"$@\"\n")
    sensor.chmod(0o755)
    return folder


@pytest.mark.parametrize("program,cost", [
    ("file_call", "files created"), ("process_exec", "programs that start")])
def test_status_names_what_is_refused(make_agent, tmp_path, program, cost):
    agent = make_agent(programs=refusing(tmp_path, program))
    programs = wait_for(
        lambda: get(agent.status() or {}, "khien.sensor.programs"),
        "the sensor's programs in status")
    said = programs.pop(program)
    assert said.startswith("absent: Operation not permitted; not seen: ")
    assert cost in said
    more = {name: programs.pop(name) for name in list(programs)
            if name.startswith(("hooks_", "mapping_"))}
    assert more and all(text == "attached" or text.startswith("absent: ")
                        for text in more.values())
    # Those for other kernels' forms, of what this one has not got, and of a
    # guard that nobody asked for.
    assert set(programs.values()) <= {"attached", "not needed by this kernel",
                                      "off"}
    assert "attached" in programs.values()
    assert program in agent.ctl_raw("status").stdout.decode()
    assert f"kernel program {program} refused" in agent.log()
