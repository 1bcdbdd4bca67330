# SPDX-License-Identifier: GPL-2.0-or-later
"""What the scanner's jail keeps out, and what khien-scan does by itself."""

import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from agent import BUILD, EICAR, EICAR_SHA256, SAN, for_others, wait_for

SCAN = BUILD / "khien-scan"
JAIL = BUILD / "tests/unit/scan/jail"
NOBODY = 65534
# Minutes of work on a file that begins with x, nothing on others.
SLOW = ("rule slow { condition: uint8(0) == 0x78 and "
        "for all i in (0 .. 100000000000) : ( i >= 0 ) }\n")
sealed = pytest.mark.skipif(
    SAN, reason="machine: no system call filter under sanitizers")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def scan(*args, limit_s=120, **options):
    return subprocess.run([SCAN, *args], capture_output=True, check=False,
                          timeout=limit_s, **options)


def matches(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def attempts(**options):
    done = subprocess.run([JAIL], capture_output=True, text=True, check=False,
                          timeout=60, **options)
    assert done.returncode == 0, done
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@sealed
@pytest.mark.parametrize("uid", [None, NOBODY])
def test_every_attempt_is_refused(uid):
    if uid is not None and os.geteuid() != 0:
        pytest.skip("needs root")
    if uid is None:
        came = attempts()
    else:
        with for_others(JAIL) as program:
            came = attempts(user=uid, group=uid, executable=program)
    for name in ("open", "open_beneath", "create", "tcp", "unix", "exec",
                 "exec_descriptor", "fork", "map_code", "make_code", "ptrace",
                 "kill"):
        assert came[name] == "refused"
    assert set(came.values()) == {"refused"}, came


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return dict(re.findall(r"^(\w+):\t(.*)$", text, re.M))


def assert_sealed(pid, root):
    """root: whether it was started by root, and so has its own uid."""
    status = status_of(pid)
    assert int(status["CapEff"], 16) == 0
    assert int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    if not SAN:
        assert status["Seccomp"] == "2"
    if root:
        assert set(status["Uid"].split()) & {"0"} == set()
        assert set(status["Gid"].split()) & {"0"} == set()
        assert status["Groups"].strip() == ""
        assert int(status["CapBnd"], 16) == 0
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
    for line in maps.splitlines():
        assert not re.match(r"\S+ \S?w?x", line) or " rwx" not in line, line
        assert "wx" not in line.split()[1], line


@root_only
def test_running_worker_is_sealed(agent):
    scanners = agent.scanners()
    assert scanners
    for pid in scanners:
        assert_sealed(pid, root=True)


class Slow:
    """khien-scan at work on a file that takes very long."""

    def __init__(self, folder, *more, **options):
        self.path = folder / "slow"
        self.path.write_bytes(b"x")
        rules = folder / "slow.yar"
        rules.write_text(SLOW + "rule good { condition: uint8(0) == 0x67 }\n")
        self.run = subprocess.Popen(
            [SCAN, "-r", rules, *more, "-f", self.path, *self.others(folder)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    @staticmethod
    def others(folder):
        (folder / "good").write_bytes(b"g")
        return [folder / "good"]

    def child(self):
        """The jailed half, once it is at work."""
        pid = self.run.pid

        def find():
            path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
            children = path.read_text(encoding="ascii").split()
            if children and self.holds(children[0]):
                return int(children[0])
            return None
        return wait_for(find, "a scanner at work")

    def holds(self, pid):
        try:
            links = [os.readlink(f"/proc/{pid}/fd/{n}")
                     for n in os.listdir(f"/proc/{pid}/fd")]
        except FileNotFoundError:
            return False
        return str(self.path) in links

    def end(self, limit_s=60):
        out, err = self.run.communicate(timeout=limit_s)
        found = [json.loads(line) for line in out.splitlines()]
        return self.run.returncode, found, err.decode()


@root_only
def test_offline_scanner_is_sealed(tmp_path):
    slow = Slow(tmp_path)
    child = slow.child()
    assert_sealed(child, root=True)
    links = [os.readlink(f"/proc/{child}/fd/{n}")
             for n in os.listdir(f"/proc/{child}/fd")]
    assert len(links) == 5, links  # input, output, errors, channel, the file
    assert os.readlink(f"/proc/{child}/fd/1") == "/dev/null"
    slow.run.kill()
    slow.end()
    wait_for(lambda: not os.path.exists(f"/proc/{child}"), "it ends as well")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
@root_only
def test_scanner_that_dies_is_replaced(tmp_path, number):
    if SAN and number != signal.SIGKILL:
        pytest.skip("machine: a sanitizer catches this signal")
    slow = Slow(tmp_path)
    os.kill(slow.child(), number)
    code, found, err = slow.end()
    assert code == 2
    assert str(slow.path) in err and f"signal {int(number)}" in err
    assert [m["rule"]["name"] for m in found] == ["good"]


def test_time_limit(tmp_path):
    start = time.monotonic()
    code, found, err = Slow(tmp_path, "--timeout", "1").end()
    assert time.monotonic() - start < 30
    assert code == 2 and str(tmp_path / "slow") in err
    assert [m["rule"]["name"] for m in found] == ["good"]


@pytest.fixture
def eicar(tmp_path):
    path = tmp_path / "eicar"
    path.write_bytes(EICAR)
    return path


def test_eicar_by_itself(eicar):
    done = scan("-f", eicar)
    assert done.returncode == 1 and not done.stderr
    match, = matches(done)
    assert match["file"]["path"] == str(eicar)
    assert match["file"]["hash"]["sha256"] == EICAR_SHA256
    assert match["file"]["size"] == 68
    assert "eicar" in match["rule"]["name"]
    assert match["rule"]["ruleset"] == "test/eicar.yar"
    assert match["khien"]["severity"] == "high"
    assert len(match["rule"]["uuid"]) == 36


def test_exit_status(tmp_path, eicar):
    clean = tmp_path / "clean"
    clean.write_text("nothing")
    assert scan("-f", clean).returncode == 0
    assert scan("-f", clean, eicar).returncode == 1
    done = scan("-f", tmp_path / "none", clean, eicar)
    assert done.returncode == 2 and len(matches(done)) == 1
    assert str(tmp_path / "none").encode() in done.stderr


@pytest.mark.parametrize("args", [
    [], ["-f"], ["--nonsense"], ["-x"], ["-r"], ["file"], ["0", "1"],
    ["--timeout", "0", "-f", "/"], ["--timeout", "x", "-f", "/"],
    ["--max-size", "1", "-f", "/"], ["--max-size=-5", "-f", "/"]])
def test_usage(args):
    done = scan(*args)
    assert done.returncode == 2
    assert b"usage: " in done.stderr and not done.stdout


def test_help_and_version():
    for option in ("--help", "--version"):
        done = scan(option)
        assert done.returncode == 0 and done.stdout and not done.stderr


def test_paths_of_any_bytes(tmp_path):
    folder = os.fsencode(tmp_path)
    names = [b"new\nline", b"\xff\xfe", b'quote"\\', b"\x1b[31m", b"a" * 255,
             "tiếng Việt".encode(), b"-r", b" "]
    for name in names:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(EICAR)
    done = scan("-f", tmp_path)
    found = {m["file"]["path"] for m in matches(done)}
    assert len(found) == len(names)
    assert f"{tmp_path}/new\nline" in found
    assert f"{tmp_path}/\\xff\\xfe" in found
    assert f"{tmp_path}/tiếng Việt" in found
    by_name = scan("--rules", BUILD.parents[SAN] / "signatures/yara", "-f",
                   "--", "-r", cwd=tmp_path)
    assert by_name.returncode == 2  # `--` is the path that -f asks for
    by_name = scan("-f", " ", "--", "-r", cwd=tmp_path)
    assert by_name.returncode == 1 and len(matches(by_name)) == 2


def test_rules_of_many_kinds(tmp_path, eicar):
    rules = tmp_path / "rules"
    (rules / "deep").mkdir(parents=True)
    (rules / "bad.yar").write_text("\nrule x { condition: none_such }")
    (rules / "deep/good.yar").write_text("rule found { condition: true }")
    (rules / "other.txt").write_text("rule not_me { condition: true }")
    done = scan("-r", rules, "-f", eicar)
    assert done.returncode == 2
    assert [m["rule"]["name"] for m in matches(done)] == ["found"]
    assert f"{rules}/bad.yar:2: ".encode() in done.stderr
    done = scan("-r", tmp_path / "none", "-f", eicar)
    assert done.returncode == 2 and not done.stdout
    assert str(tmp_path / "none").encode() in done.stderr
    done = scan("-r", rules / "deep/good.yar", "-r", rules / "other.txt", "-f",
                eicar)
    assert done.returncode == 1
    assert {m["rule"]["name"] for m in matches(done)} == {"found", "not_me"}


def test_includes_beneath_the_rule_file(tmp_path, eicar):
    rules = tmp_path / "rules"
    (rules / "inc").mkdir(parents=True)
    (rules / "main.yar").write_text('include "inc/part.yar"\n'
                                    "rule main { condition: part }\n")
    (rules / "inc/part.yar").write_text('include "leaf"\n'
                                        "rule part { condition: leaf }\n")
    (rules / "inc/leaf").write_text("private rule leaf { condition: true }")
    done = scan("-r", rules / "main.yar", "-f", eicar)
    assert done.returncode == 1, done
    assert {m["rule"]["name"] for m in matches(done)} == {"main", "part"}
    (rules / "out.yar").write_text('include "../secret"\n')
    (tmp_path / "secret").write_text("rule secret { condition: true }")
    done = scan("-r", rules / "out.yar", "-f", eicar)
    assert done.returncode == 2 and not done.stdout
    assert b"out.yar:1: " in done.stderr


def test_more_matches_than_one_message_holds(tmp_path, eicar):
    rules = tmp_path / "many.yar"
    rules.write_text("".join(
        f"rule r{i} {{ condition: true }}\n" for i in range(500)))
    found = matches(scan("-r", rules, "-f", eicar))
    assert {m["rule"]["name"] for m in found} == {f"r{i}" for i in range(500)}


def test_large_file_is_scanned_in_part(tmp_path):
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.truncate(300 << 20)
        file.seek((300 << 20) - 6)
        file.write(b"MARKER")
    rules = tmp_path / "rule.yar"
    rules.write_text('rule end { strings: $a = "MARKER" condition: $a at '
                     "filesize - 6 }")
    match, = matches(scan("-r", rules, "--max-size", str(100 << 20), "-f",
                          path))
    assert match["khien"]["flags"] == ["partial"]
    assert match["file"]["size"] == 300 << 20
    assert len(match["file"]["hash"]["sha256"]) == 64
    match, = matches(scan("-r", rules, "-f", path))
    assert match["khien"]["flags"] == []


def test_what_is_no_file(tmp_path, eicar):
    folder = tmp_path / "folder"
    folder.mkdir()
    os.mkfifo(folder / "fifo")
    (folder / "loop").symlink_to("..")
    (folder / "gone").symlink_to("nothing")
    (folder / "link").symlink_to(eicar)
    done = scan("-f", folder)
    assert done.returncode == 0 and not done.stdout and not done.stderr
    assert scan("-f", folder / "link").returncode == 1
    done = scan("-f", folder / "fifo", "/dev/zero", eicar)
    assert done.returncode == 2 and len(matches(done)) == 1
    assert b"fifo" in done.stderr and b"/dev/zero" in done.stderr


@root_only
def test_unreadable_file_is_told(tmp_path, eicar):
    """By an ordinary user, whose rights are all that it has."""
    (tmp_path / "secret").write_bytes(EICAR)
    (tmp_path / "secret").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o755)
    rules = tmp_path / "rule.yar"
    rules.write_text("rule size { condition: filesize == 68 }")
    with for_others(SCAN) as program:
        done = scan("-r", rules, "-f", tmp_path, user=NOBODY, group=NOBODY,
                    executable=program)
    assert done.returncode == 2
    assert [m["file"]["path"] for m in matches(done)] == [str(eicar)], done
    assert f"{tmp_path}/secret: ".encode() in done.stderr
    assert f"{tmp_path}/closed: ".encode() in done.stderr


def test_output_that_cannot_be_written(eicar):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([SCAN, "-f", eicar], stdout=full, check=False,
                              stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 2 and done.stderr


def test_closed_standard_descriptors(eicar):
    def close_all():
        for number in range(3):
            ctypes.CDLL(None).close(number)
    done = subprocess.run([SCAN, "-f", eicar], check=False, timeout=60,
                          preexec_fn=close_all)
    assert done.returncode == 1


def test_other_rules_for_magic(tmp_path):
    """libmagic's data is opened before the jail is shut."""
    rules = tmp_path / "magic.yar"
    rules.write_text('import "magic"\nrule png { condition: '
                     'magic.mime_type() == "image/png" }')
    path = tmp_path / "image"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(30))
    done = scan("-r", rules, "-f", path)
    if b"unknown module" in done.stderr:
        pytest.skip("machine: this yara lacks a module")
    assert done.returncode == 1 and not done.stderr
