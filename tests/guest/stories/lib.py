# SPDX-License-Identifier: GPL-2.0-or-later
"""What the stories share: asking the agent, and bad files to try it with."""

import contextlib
import json
import os
import pathlib
import pwd
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SHOW = bytes(i ^ 0x5a for i in range(256))
CANARY = pathlib.Path("/var/tmp/canary")
# All bad files lie in folders of this name, and nothing good does.
PLANTED = "planted"
# Liveness, not speed.
PATIENCE_S = 180
SKIP = 77
EICAR = (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-"
         b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")


def fact(text):
    print(f"fact: {text}", flush=True)


def skip(reason):
    print(reason)
    sys.exit(SKIP)


def wait_for(ask, what, limit_s=PATIENCE_S, pause_s=0.2):
    end = time.monotonic() + limit_s
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {limit_s} s: {what}"
        time.sleep(pause_s)


def get(record, path, default=None):
    for key in path.split("."):
        if not isinstance(record, dict) or key not in record:
            return default
        record = record[key]
    return record


def run(*command, user=None, text=None, limit_s=PATIENCE_S, **options):
    """A command as root, or in a login shell of the user; its output."""
    if user:
        command = ["su", "-l", user, "-c", *command]
    done = subprocess.run(list(map(str, command)), input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=limit_s, check=False, **options)
    assert done.returncode == 0, (command, done.returncode, done.stdout)
    return done.stdout


def sh(script, user=None, **options):
    """A shell script, ended by its first error."""
    script = "set -eu; " + script
    if user:
        return run(script, user=user, **options)
    return run("bash", "-c", script, **options)


# The agent.

def ask(*args):
    """The objects of a khienctl command that must succeed."""
    done = subprocess.run(["khienctl", "--json", *args], capture_output=True,
                          text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, (args, done.stdout, done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def status():
    """{} while nobody answers."""
    done = subprocess.run(["khienctl", "--json", "status"], text=True,
                          capture_output=True, timeout=PATIENCE_S,
                          check=False)
    for line in done.stdout.splitlines():
        record = json.loads(line)
        if "processes" in record.get("khien", {}):
            return record
    return {}


def gate(name, default=0):
    return get(status(), f"khien.gate.{name}", default)


def covered(path):
    entries = gate("covered", {})
    return path in [v.split(":")[0].split(" ")[0] if isinstance(v, str) else v
                    for k, v in entries.items() if k != "len"]


def processes():
    return get(status(), "khien.processes", [])


def pid_of(role):
    for process in processes():
        if process["role"] == role and process.get("pid"):
            return process["pid"]
    return None


def show(unit, name):
    return run("systemctl", "show", "-P", name, unit).strip()


def detections():
    """(of bad files, of scans that were given up); none of a clean file."""
    bad, given_up = [], []
    for row in ask("detections", "--limit", "100000"):
        rule, path = get(row, "rule.name", ""), get(row, "file.path", "?")
        if rule.startswith("khien_scanner_"):
            given_up.append(path)
            continue
        if rule.startswith("behaviour_guard_"):
            continue  # the story of the guard's
        assert f"/{PLANTED}" in path, row
        bad.append(path)
    return bad, given_up


def complaints():
    """What the agent warned of since the boot, the last of it as facts."""
    log = run("journalctl", "-b", "-u", "khien", "-p", "warning", "-o", "cat",
              "--no-pager").splitlines()
    for line in log[-12:]:
        fact(line)
    return log


def main_pid():
    return int(show("khien.service", "MainPID"))


# Bad files.

def plant(kind, path, owner=None):
    """kind: bad, bad.so or bad.sh, as the host made them."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = (HERE / f"{kind}.hidden").read_bytes().translate(SHOW)
    with open(path, "wb") as file:
        file.write(data)
    path.chmod(0o755)
    if owner:
        entry = pwd.getpwnam(owner)
        for each in (path, path.parent):
            os.chown(each, entry.pw_uid, entry.pw_gid)
    return path


def ran():
    """Whether anything bad ran since the last question."""
    with contextlib.suppress(FileNotFoundError):
        CANARY.unlink()
        return True
    return False


def refused(*command, user=None):
    """The command does not get anything bad to run."""
    if user:  # without a login: there are many of these
        command = ["setpriv", f"--reuid={user}", f"--regid={user}",
                   "--clear-groups", *command]
    try:
        done = subprocess.run(list(map(str, command)), timeout=PATIENCE_S,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              check=False)
        ended = f"{done.returncode}: {done.stderr}"
    except PermissionError:
        ended = "EPERM"
    assert not ran(), (command, ended)


def protects(folder="/var/tmp"):
    """A bad file that nobody has seen before is refused."""
    path = plant("bad", f"{folder}/{PLANTED}/{time.monotonic_ns()}")
    try:
        subprocess.run([str(path)], timeout=PATIENCE_S, check=False)
        raise AssertionError(f"{path} was executed, ran: {ran()}")
    except PermissionError:
        assert not ran()
    path.unlink()


def protects_again(what, limit_s=PATIENCE_S):
    wait_for(lambda: covered("/") and len({
        p["role"] for p in processes() if p.get("pid")}) >= 6, what, limit_s)
    protects()
