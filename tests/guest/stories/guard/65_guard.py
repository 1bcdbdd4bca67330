# SPDX-License-Identifier: GPL-2.0-or-later
"""Root against the guarded agent: refused, and each attempt is a detection.
What is meant to be possible is, and is recorded.  It stays on from here on."""

import ctypes
import errno
import os
import pathlib
import signal
import sqlite3
import subprocess
import time

from lib import (ask, fact, get, main_pid, pid_of, protects, protects_again,
                 run, show, status, wait_for)

CONF = pathlib.Path("/etc/khien/khien.conf.d/guard.conf")
PROGRAMS = pathlib.Path("/usr/libexec/khien")
DEBS = pathlib.Path("/srv/khien")
LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE, SYS_BPF = 0x4206, 321
PROG_GET_NEXT_ID, PROG_GET_FD_BY_ID = 11, 13
LINK_GET_FD_BY_ID, LINK_GET_NEXT_ID, LINK_DETACH = 30, 31, 34


def guard(name):
    return get(status(), f"khien.guard.{name}")


def armed(what):
    wait_for(lambda: guard("state") == "armed", what)


def refuses(what, function, *args):
    """EPERM and nothing else; by the same program always, this one."""
    try:
        done = function(*args)
    except PermissionError:
        return
    raise AssertionError(f"{what}: {done}")


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def bpf(command, *words):
    """Its attributes are 32-bit numbers; the first is what was answered."""
    attributes = (ctypes.c_uint32 * 32)(*words)
    done = check(LIBC.syscall(SYS_BPF, command, attributes,
                              ctypes.sizeof(attributes)))
    return done, attributes[1]


def ids(command):
    last = 0
    while True:
        try:
            last = bpf(command, last)[1]
        except FileNotFoundError:
            return
        yield last


def kernel_objects():
    """Links and programs that cannot be had, and links that were detached."""
    kept, lost = 0, []
    for command, take in ((LINK_GET_NEXT_ID, LINK_GET_FD_BY_ID),
                          (PROG_GET_NEXT_ID, PROG_GET_FD_BY_ID)):
        for number in ids(command):
            try:
                fd = bpf(take, number)[0]
            except PermissionError:
                kept += 1
                continue
            if command == LINK_GET_NEXT_ID:
                try:
                    bpf(LINK_DETACH, fd)
                    lost.append(number)
                except OSError as error:
                    assert error.errno in (errno.EOPNOTSUPP, errno.EPERM,
                                           errno.EINVAL), error
            os.close(fd)
    return kept, lost


def command(*words):
    """What a command said that must fail."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode, (words, done)
    return done.stdout + done.stderr


def detections():
    return {(get(row, "rule.name", "")[len("behaviour_guard_"):],
             get(row, "file.path", "")): row
            for row in ask("detections", "--rule", "behaviour_guard_*",
                           "--limit", "100000")}


def tools(gate):
    """What an administrator would try: a debugger, and bpftool."""
    said = subprocess.run(
        ["gdb", "-q", "-nx", "-batch", "-p", str(gate)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        check=False).stdout
    assert "Operation not permitted" in said, said
    links = list(ids(LINK_GET_NEXT_ID))
    kept = 0
    for number in links:
        done = subprocess.run(
            ["bpftool", "link", "detach", "id", str(number)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert done.returncode, (number, done.stdout)
        kept += "Operation not permitted" in done.stdout
    assert kept > 10, kept
    return f"gdb and bpftool are refused, bpftool for {kept} links"


def open_to_write(path):
    os.close(os.open(path, os.O_WRONLY))


def attack():
    """All of it; what must be among the detections afterwards."""
    main, gate = main_pid(), pid_of("gate")
    binary, conf = PROGRAMS / "khien-gate", "/etc/khien/khien.conf"
    folder = "/sys/fs/cgroup" + pathlib.Path(
        f"/proc/{main}/cgroup").read_text().split("::")[1].strip()
    refuses("kill -9", os.kill, gate, signal.SIGKILL)
    refuses("SIGSTOP", os.kill, main, signal.SIGSTOP)
    refuses("SIGTERM", os.kill, main, signal.SIGTERM)
    refuses("ptrace", lambda: check(LIBC.ptrace(PTRACE_SEIZE, gate, 0, 0)))
    refuses("memory", open, f"/proc/{gate}/mem", "r+b")
    refuses("rm", os.unlink, binary)
    refuses("mv", os.rename, conf, "/etc/khien/away")
    refuses("mv folder", os.rename, PROGRAMS, "/usr/libexec/away")
    refuses("write", open_to_write, "/usr/bin/khienctl")
    refuses("make", open, "/etc/khien/khien.conf.d/zz.conf", "w")
    refuses("chmod", os.chmod, binary, 0o644)
    refuses("store", open_to_write, "/var/lib/khien/store.db")
    for name in ("cgroup.kill", "cgroup.freeze"):
        if os.path.exists(f"{folder}/{name}"):
            refuses(name, open_to_write, f"{folder}/{name}")
    command("mount", "--bind", "/tmp", str(PROGRAMS))
    assert (PROGRAMS / "khien-gate").exists()
    fact(tools(gate))
    kept, lost = kernel_objects()
    assert kept > 10 and not lost, (kept, lost)
    fact(f"{kept} kernel objects are out of reach")
    command("systemctl", "kill", "-s", "KILL", "khien")
    assert main_pid() == main and pid_of("gate") == gate
    return {("signal", str(binary)), ("signal", "/usr/sbin/khiend"),
            ("trace", str(binary)), ("file", str(binary)), ("file", conf),
            ("file", "/usr/bin/khienctl"), ("mount", str(PROGRAMS)),
            ("kernel", "")}


def outlive():
    """The unit is stopped; the agent goes on, and comes back under it."""
    main = main_pid()
    began = time.monotonic()
    subprocess.run(["systemctl", "stop", "khien"], check=False)
    took_s = time.monotonic() - began
    assert pathlib.Path(f"/proc/{main}").exists()
    assert guard("state") == "armed"
    protects()
    assert any("service manager is refused" in get(row, "message", "")
               for row in ask("events", "--type", "config"))
    run("systemctl", "start", "khien")
    assert main_pid() not in (0, main)
    assert not pathlib.Path(f"/proc/{main}").exists()
    protects_again("it protects under its unit again")
    armed("it is guarded again")
    fact(f"systemctl stop was refused in {took_s:.1f} s")


def stand_still():
    """Who cannot beat is not guarded: the service manager kills it."""
    main = main_pid()
    run("khienctl", "guard", "off", "--for", "1s")
    os.kill(main, signal.SIGSTOP)
    wait_for(lambda: main_pid() not in (0, main), "another khiend")
    protects_again("it protects after khiend stood still")
    armed("and is guarded")


def sanctioned():
    gate = pid_of("gate")
    run("khienctl", "guard", "off", "--for", "2m")
    assert guard("state") == "paused" and guard("until")
    os.kill(gate, signal.SIGKILL)
    wait_for(lambda: pid_of("gate") not in (None, gate), "another gate")
    run("khienctl", "guard", "on")
    armed("it is on again")
    refuses("kill -9", os.kill, pid_of("gate"), signal.SIGKILL)
    main = main_pid()
    run("khienctl", "stop")
    # It has ended; until the service manager has looked it has a number.
    wait_for(lambda: not pathlib.Path(f"/proc/{main}").exists(), "its end", 9)
    wait_for(lambda: show("khien.service", "ActiveState") == "inactive",
             "the unit has stopped")
    store = sqlite3.connect("/var/lib/khien/store.db")
    rows = store.execute("SELECT command, request FROM asked WHERE uid=0 AND "
                         "pid>1 AND socket='control'").fetchall()
    store.close()
    assert any(c == "stop" and "service" not in r for c, r in rows), rows
    assert any(c == "guard" and '"for_s":120' in r for c, r in rows), rows
    assert any(c == "guard" and '"on"' in r for c, r in rows), rows
    # Nobody starts it behind our back; the restart delay is 100 ms.
    time.sleep(1)
    assert show("khien.service", "ActiveState") == "inactive"
    run("systemctl", "start", "khien")
    protects_again("it protects after a stop that was asked for")
    armed("and is guarded")


def upgrade():
    main = main_pid()
    run("dpkg", "-i", *(DEBS / f"{name}.deb" for name in
                        ("khien-scan+1", "khien+2", "khien-rules+2")))
    protects_again("it protects after an upgrade")
    assert main_pid() not in (0, main)
    armed("the new version is guarded")
    refuses("rm", os.unlink, "/usr/sbin/khiend")
    # Rules alone: on again without a restart.
    main = main_pid()
    run("dpkg", "-i", DEBS / "khien-rules+2.deb")
    armed("on again")
    assert main_pid() == main


CONF.write_text("[guard]\nmode = on\n", encoding="utf-8")
run("systemctl", "restart", "khien")
protects_again("it protects")
armed("it is guarded: " + str(get(status(), "khien.guard")))
fact(guard("text"))
expected = attack()
wait_for(lambda: expected <= set(detections()),
         f"{expected} are among the detections")
found = detections()
for key in expected:
    row = found[key]
    assert get(row, "event.severity") and \
        get(row, "process.executable", "").startswith("/usr/"), row
fact(f"{sum(int(get(r, 'khien.count', 1)) for r in found.values())} attempts "
     f"in {len(found)} detections, all refused")
protects()
outlive()
sanctioned()
stand_still()
upgrade()
