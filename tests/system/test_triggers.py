# SPDX-License-Identifier: GPL-2.0-or-later
"""Each kind of event: what exactly is told of it, and nothing of a failure."""

import json
import os
import subprocess
import sys
import time

import pytest

from agent import BUILD, Agent, get, wait_for

BY_CALLER = ["path_by_caller"]
WALKED = []  # the kernel's own path: no flag

# program, how, flags, further fields
FILES = [
    ("create", "openat", WALKED, {"file.mode": "0640"}),
    ("create", "creat", WALKED, {"file.mode": "0640"}),
    ("create", "mknod", BY_CALLER, {"file.mode": "0640"}),
    ("open", "write", WALKED, {"file.mode": "0600"}),
    ("open", "append", WALKED, {"file.mode": "0600"}),
    ("open", "truncate", WALKED, {"file.mode": "0600", "file.size": 0}),
    ("rename", "path", BY_CALLER, {}),
    ("rename", "at", BY_CALLER, {}),
    ("rename", "at2", BY_CALLER, {}),
    ("unlink", "path", BY_CALLER, {}),
    ("unlink", "at", BY_CALLER, {}),
    ("link", "path", BY_CALLER, {}),
    ("link", "at", BY_CALLER, {}),
    ("symlink", "path", BY_CALLER, {}),
    ("symlink", "at", BY_CALLER, {}),
    ("chmod", "path", BY_CALLER, {"file.mode": "4755"}),
    ("chmod", "at", BY_CALLER, {"file.mode": "4755"}),
    ("chmod", "fd", WALKED, {"file.mode": "4755"}),
    ("chown", "path", BY_CALLER, {"file.uid": "12345", "file.gid": "12346"}),
    ("chown", "at", BY_CALLER, {"file.uid": "12345", "file.gid": "12346"}),
    ("chown", "fd", WALKED, {"file.uid": "12345", "file.gid": "12346"}),
    ("xattr", "path", BY_CALLER, {"khien.xattr": "security.khien"}),
    ("xattr", "fd", WALKED, {"khien.xattr": "security.khien"}),
    ("mkdir", "path", BY_CALLER + ["directory"], {"file.mode": "0750"}),
    ("mkdir", "at", BY_CALLER + ["directory"], {"file.mode": "0750"}),
    ("rmdir", "path", BY_CALLER + ["directory"], {}),
    ("rmdir", "at", BY_CALLER + ["directory"], {}),
    ("mount", "", BY_CALLER, {"khien.fs_type": "tmpfs"}),
    ("umount", "", BY_CALLER, {}),
]



@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One agent for all: every test looks at processes of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    agent = Agent(tmp_path_factory.mktemp("khien"))
    try:
        yield agent.start()
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


def trigger(path, *args):
    done = subprocess.run([path, *map(str, args)], stdout=subprocess.PIPE,
                          check=True, umask=0o022)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "name,how,flags,fields", FILES,
    ids=[f"{row[0]}-{row[1]}" if row[1] else row[0] for row in FILES])
def test_file(shared, tool, folder, name, how, flags, fields):
    before = trigger(tool(name), folder, *([how] if how else []))
    ended(shared, before["pid"])
    events = told(shared, before["pid"], "--type", name)
    if name == "mount":  # first it made all mounts private
        assert get(events.pop(0), "file.path") == "/"
    assert len(events) == 1, events
    event = events[0]
    assert get(event, "event.action") == name
    assert get(event, "event.kind") == "event"
    assert get(event, "process.pid") == before["pid"]
    assert get(event, "process.executable") == os.path.realpath(tool(name))
    assert get(event, "user.id") == "0"
    assert get(event, "file.path") == before["path"]
    assert get(event, "file.target_path") == before.get("path2")
    assert sorted(get(event, "khien.flags", [])) == sorted(flags)
    for field, value in fields.items():
        assert get(event, field) == value, (field, event)


def test_removed_attribute(shared, tool, folder):
    before = trigger(tool("xattr"), folder, "remove")
    ended(shared, before["pid"])
    events = told(shared, before["pid"], "--type", "xattr")
    assert [get(e, "file.path") for e in events] == [before["path"]] * 2


def test_fork(shared, tool):
    before = trigger(tool("fork"))
    ended(shared, before["pid"])
    events = told(shared, before["pid"])
    assert [get(e, "event.action") for e in events] == ["fork", "exit"]
    assert get(events[0], "process.parent.pid") == before["ppid"]
    assert get(events[0], "user.id") == "0"


@pytest.mark.parametrize("code", [0, 3, 255, -9, -15])
def test_exit(shared, tool, code):
    before = trigger(tool("exit"), code)
    ended(shared, before["pid"])
    events = told(shared, before["pid"])
    assert [get(e, "event.action") for e in events] == ["fork", "exit"]
    assert get(events[1], "process.exit_code") == before["code"]
    assert get(events[1], "khien.exit_signal") == (before["signal"] or None)


@pytest.mark.parametrize("how,flags", [
    ("path", []), ("memfd", ["memfd", "no_link"]),
    ("deleted", ["deleted", "no_link"])])
def test_exec(shared, tool, how, flags):
    before = trigger(tool("exec"), how, "/bin/true", "a", "")
    ended(shared, before["pid"])
    events = told(shared, before["pid"], "--type", "exec")
    assert len(events) == 1, events
    assert get(events[0], "process.args") == ["/bin/true", "a", ""]
    assert sorted(get(events[0], "khien.flags", [])) == flags
    if how == "path":
        assert get(events[0], "process.executable") == \
            os.path.realpath("/bin/true")


def run_python(agent, code, *args):
    """Runs it, waits until all of it is stored, and returns the events."""
    child = subprocess.Popen([sys.executable, "-IBS", "-c", code, *args],
                             stdin=subprocess.DEVNULL)
    assert child.wait() == 0
    ended(agent, child.pid)
    return told(agent, child.pid)


FAILURES = """
import ctypes, os, resource, sys
libc = ctypes.CDLL(None, use_errno=True)

def check(r):
    if r < 0:
        raise OSError(ctypes.get_errno(), 'failed')

def fails(call, *args):
    try:
        call(*args)
    except OSError:
        return
    os._exit(7)

os.chdir(sys.argv[1])
os.setgid(12346)
os.setuid(12345)
new = os.O_CREAT | os.O_EXCL | os.O_WRONLY
fails(os.open, 'there', new)
fails(os.open, 'none/x', os.O_CREAT | os.O_WRONLY)
fails(os.open, 'closed', os.O_WRONLY)
fails(os.mknod, 'there')
fails(os.rename, 'none', 'other')
fails(os.unlink, 'none')
fails(os.link, 'there', 'closed')
fails(os.symlink, 'x', 'there')
fails(os.chmod, 'closed', 0o777)
fails(os.chmod, 'none', 0o777)
fails(os.chown, 'there', 1, 1)
fails(os.setxattr, 'there', 'security.khien', b'x')
fails(os.removexattr, 'there', 'security.khien')
fails(os.mkdir, 'there')
fails(os.rmdir, 'there')
fails(os.rmdir, 'none')
fails(lambda: check(libc.mount(b'x', b'.', b'tmpfs', 0, None)))
fails(lambda: check(libc.umount2(b'.', 2)))
fails(os.execv, './none', ['x'])
fails(os.execv, './there', ['x'])
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
fails(os.fork)
"""


def test_what_failed_is_not_told(shared, folder):
    for name in ("there", "closed"):
        (folder / name).write_text("x")
        (folder / name).chmod(0o444)
    folder.chmod(0o777)
    events = run_python(shared, FAILURES, str(folder))
    assert [get(e, "event.action") for e in events] == \
        ["fork", "exec", "exit"], events


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
        [WALKED, BY_CALLER]
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
    assert set(programs.values()) == {"attached"}
    assert program in agent.ctl_raw("status").stdout.decode()
    assert f"kernel program {program} refused" in agent.log()
