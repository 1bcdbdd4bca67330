# SPDX-License-Identifier: GPL-2.0-or-later
"""The gate: what is watched, what is scanned, and what comes of it."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from agent import EICAR, PATIENCE_S, get, wait_for

COUNT = 3000


def detections(agent, path):
    return [d for d in agent.ask("detections", "--since", "10m")
            if get(d, "file.path") == str(path)]


def detection(agent, path, limit_s=PATIENCE_S):
    return wait_for(lambda: detections(agent, path),
                    f"a detection of {path}", limit_s)[-1]


def gate(agent, name):
    return get(agent.status(), f"khien.gate.{name}")


def listed(agent, name):
    """The mounts that are "covered" or "uncovered"."""
    entries = gate(agent, name) or {}
    return [v for k, v in entries.items() if k != "len" and v]


@pytest.fixture
def agent(make_agent):
    return watching(make_agent())


def watching(agent):
    """The agent, once its gate has marked what it is to watch: a file that was
    written before is nobody's."""
    wait_for(lambda: listed(agent, "covered"), "a file system is watched")
    return agent


def mount(path):
    path.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "khien-test", str(path)],
                   check=True)


def reload(agent, **conf):
    agent.conf.update({k.replace("_", ".", 1): v for k, v in conf.items()})
    agent.write_conf()
    agent.child.send_signal(signal.SIGHUP)


def closes(agent, where):
    return agent.count("SELECT sum(count) FROM file WHERE type='close' AND "
                       f"path LIKE '{where}'")


def program_on(agent, name, mode):
    path = agent.mount / name
    shutil.copy("/bin/true", path)
    path.chmod(mode)
    return path


def test_every_mount_is_accounted_for(agent):
    wait_for(lambda: str(agent.mount) in listed(agent, "covered"),
             "the watched mount is covered")
    told = [entry.split(": ")[0] for entry in listed(agent, "uncovered")]
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        points = [line.split()[4] for line in lines]
    assert "/proc" in told
    assert "/" in points and "/" in told
    assert all(": " in entry for entry in listed(agent, "uncovered"))


def test_new_mount_is_followed(agent):
    late = agent.mount / "late"
    # First, or the path would also stand for what lies beneath.
    mount(late)
    try:
        reload(agent, gate_watch=late)
        wait_for(lambda: str(late) in listed(agent, "covered"),
                 "the mount is covered")
        (late / "eicar").write_bytes(EICAR)
        detection(agent, late / "eicar")
        # The path no longer names the file system that it lay on.
        assert str(agent.mount) not in listed(agent, "covered")
    finally:
        subprocess.run(["umount", "-l", str(late)], check=True)
    # Nobody asked for what lies beneath.
    wait_for(lambda: any(e.startswith(f"{late}: ") and "is gone" in e
                         for e in listed(agent, "uncovered")),
             "the path's mount is gone")
    assert not listed(agent, "covered")
    mount(late)
    try:
        wait_for(lambda: str(late) in listed(agent, "covered"),
                 "another mount is there")
        (late / "again").write_bytes(EICAR)
        detection(agent, late / "again")
    finally:
        subprocess.run(["umount", "-l", str(late)], check=True)


def test_mode_is_changed_without_restart(agent):
    pid = agent.pid_of("gate")
    reload(agent, gate_mode="off")
    wait_for(lambda: gate(agent, "mode") == "off", "the gate is off")
    (agent.mount / "off").write_bytes(EICAR)
    wait_for(lambda: any("the gate is off" in e
                         for e in listed(agent, "uncovered")), "it is said")
    reload(agent, gate_mode="observe")
    wait_for(lambda: str(agent.mount) in listed(agent, "covered"),
             "the gate watches again")
    (agent.mount / "on").write_bytes(EICAR)
    detection(agent, agent.mount / "on")
    assert not detections(agent, agent.mount / "off")
    assert agent.pid_of("gate") == pid


def test_excluded_mount_is_let_go(agent):
    reload(agent, gate_exclude=agent.mount)
    wait_for(lambda: any("excluded" in e for e in listed(agent, "uncovered")),
             "the mount is excluded")
    (agent.mount / "excluded").write_bytes(EICAR)
    reload(agent, gate_exclude="")
    wait_for(lambda: str(agent.mount) in listed(agent, "covered"),
             "the mount is watched again")
    (agent.mount / "watched").write_bytes(EICAR)
    detection(agent, agent.mount / "watched")
    assert not detections(agent, agent.mount / "excluded")


def test_excluded_folder_is_excluded_in_our_namespace_alone(make_agent):
    agent = make_agent(start=False)
    folder = agent.mount / "excluded"
    other = agent.mount / "other"
    folder.mkdir()
    other.mkdir()
    agent.conf["gate.exclude"] = folder
    agent.write_conf()
    watching(agent.start())
    (folder / "eicar").write_bytes(EICAR)
    (agent.mount / "excluded2").write_bytes(EICAR)
    detection(agent, agent.mount / "excluded2")
    assert not detections(agent, folder / "eicar")
    # By another's mount the same name means another file.
    subprocess.run(["unshare", "--mount", "/bin/sh", "-c",
                    'mount --bind "$1" "$2" && cat > "$2/disguised"', "sh",
                    str(other), str(folder)], input=EICAR, check=True)
    wait_for(lambda: [d for d in agent.ask("detections", "--since", "10m")
                      if "disguised" in get(d, "file.path")],
             "a detection in another mount namespace")


WAYS = {
    "dup2": "import os,sys; f=os.open(sys.argv[1],os.O_CREAT|os.O_WRONLY);"
            "os.dup2(f,9); os.close(f); os.write(9,data)",
    "exit": "import os,sys; f=os.open(sys.argv[1],os.O_CREAT|os.O_WRONLY);"
            "os.write(f,data); os._exit(0)",
    "mapping": "import mmap,os,sys; f=os.open(sys.argv[1],os.O_CREAT|os.O_RDWR)"
               ";os.ftruncate(f,len(data)); m=mmap.mmap(f,len(data));"
               "os.close(f); m[:]=data; m.close()",
    "append": "import os,sys; open(sys.argv[1],'wb').write(data[:30]);"
              "open(sys.argv[1],'ab').write(data[30:])",
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_writing_ends_in_a_scan(agent, way):
    path = agent.mount / way
    code = "import sys; data=sys.stdin.buffer.read();" + WAYS[way]
    writer = subprocess.run([sys.executable, "-c", code, str(path)],
                            input=EICAR, check=False)
    assert writer.returncode == 0
    detection(agent, path)


def test_names_of_any_bytes(agent):
    name = os.fsencode(agent.mount) + b"/a\nb\t \xff\"\\"
    with open(name, "wb") as file:
        file.write(EICAR)
    wait_for(lambda: [d for d in agent.ask("detections", "--since", "10m")
                      if "\\xff" in (get(d, "file.path") or "")],
             "a detection by an odd name")


def test_deleted_file_is_found_all_the_same(agent):
    path = agent.mount / "gone"
    with open(path, "wb") as file:
        path.unlink()
        file.write(EICAR)
    wait_for(lambda: [d for d in agent.ask("detections", "--since", "10m")
                      if (get(d, "file.path") or "").startswith(str(path))],
             "a detection of a file without a name")


def test_pipes_and_leases_do_not_stop_the_gate(agent):
    pid = agent.pid_of("gate")
    os.mkfifo(agent.mount / "pipe")
    pipe = os.open(agent.mount / "pipe", os.O_RDWR | os.O_NONBLOCK)
    os.close(pipe)
    leased = agent.mount / "leased"
    leased.write_bytes(b"x")
    agent.settle()
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    lease = os.open(leased, os.O_RDWR)
    try:
        with open(agent.mount / "other", "wb") as file:
            file.write(b"x")
        # Refused while the gate or a scanner has the file open.
        wait_for(lambda: take_lease(lease), "a lease is granted")
        second = agent.mount / "eicar"
        second.write_bytes(EICAR)
        detection(agent, second)
    finally:
        os.close(lease)
        signal.signal(signal.SIGIO, before)
    assert agent.pid_of("gate") == pid


def take_lease(fd):
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError:
        return False
    return True


def test_executed_file_is_scanned_once(agent):
    path = program_on(agent, "true", 0o777)
    subprocess.run([str(path)], check=True)
    wait_for(lambda: int(gate(agent, "events.executed") or 0) >= 1 and
             int(gate(agent, "pending.now") or 0) == 0, "the file is scanned")
    before = int(gate(agent, "scans.done"))
    for _ in range(50):
        subprocess.run([str(path)], check=True)
    wait_for(lambda: int(gate(agent, "cache.hits") or 0) >= 50,
             "executions are answered from memory")
    assert int(gate(agent, "scans.done")) <= before + 1


def test_stopped_scanners_are_replaced_and_nothing_is_missed(make_agent):
    agent = watching(make_agent(
        conf={"scan.timeout_ms": 1000, "scan.workers": 2}))
    stopped = agent.scanners()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        (agent.mount / "while").write_bytes(EICAR)
        detection(agent, agent.mount / "while")
        assert set(agent.scanners()) != set(stopped)
    finally:
        for pid in stopped:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass


def test_stopped_gate_is_replaced(agent):
    pid = agent.pid_of("gate")
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: agent.pid_of("gate") not in (None, pid),
             "another gate is there")
    wait_for(lambda: str(agent.mount) in listed(agent, "covered"),
             "it watches")
    (agent.mount / "after").write_bytes(EICAR)
    detection(agent, agent.mount / "after")


@pytest.mark.slow(120)
def test_every_close_of_a_storm_is_told(agent, tool):
    folder = agent.mount / "storm"
    folder.mkdir()
    lost = agent.lost("bulk")
    subprocess.run([tool("file-storm"), str(COUNT), "2", str(folder)],
                   check=True)
    (folder / "eicar").write_bytes(EICAR)
    detection(agent, folder / "eicar", 60)
    wait_for(lambda: closes(agent, f"{folder}/storm-%") +
             agent.lost("bulk") - lost >= COUNT, "each close is there", 60)
    assert closes(agent, f"{folder}/storm-%") <= COUNT
    assert int(gate(agent, "queue.overflows")) == 0


def test_store_is_not_watched(make_agent, tmp_path):
    """The agent's own files, on a watched file system, make no events."""
    agent = watching(make_agent(conf={"gate.watch": tmp_path}))
    agent.settle()
    agent.sql("SELECT count(*) FROM process")
    (tmp_path / "eicar").write_bytes(EICAR)
    detection(agent, tmp_path / "eicar")
    assert closes(agent, f"{agent.state}/%") == 0


def test_known_programs_are_ignored_until_they_change(agent):
    path = program_on(agent, "known", 0o755)
    other = program_on(agent, "other", 0o755)
    # Root may be about to give away what it has just made.
    time.sleep(11)
    # The first answer tells the kernel, which is silent from then on.
    def ignored(program, count):
        subprocess.run([program], check=True)
        return (gate(agent, "cache.marked") or 0) >= count

    wait_for(lambda: ignored(path, 1), "the program is ignored")
    before = gate(agent, "events.executed")
    for _ in range(50):
        subprocess.run([path], check=True)
    written = gate(agent, "events.written")
    agent.write("last", b"so that the counters are told again")
    wait_for(lambda: gate(agent, "events.written") > written, "an event")
    assert gate(agent, "events.executed") < before + 50

    path.write_bytes(EICAR)
    detection(agent, path)
    # New rules: everything is asked about again.
    wait_for(lambda: ignored(other, 2), "the other is ignored")
    (agent.local / "new.yar").write_text(
        'rule Now_Known { strings: $a = "coreutils" condition: $a }')
    reload(agent)

    def found():
        subprocess.run([other], check=True)
        return any(get(d, "rule.name") == "Now_Known"
                   for d in detections(agent, other))
    wait_for(found, "the rule that came later")


def test_others_programs_are_asked_about(agent):
    path = program_on(agent, "loose", 0o777)

    def asked():
        subprocess.run([path], check=True)
        return gate(agent, "cache.hits")

    wait_for(asked, "the cache is asked")
    before = gate(agent, "events.executed")
    for _ in range(20):
        subprocess.run([path], check=True)
    wait_for(lambda: gate(agent, "events.executed") >= before + 20, "events")
