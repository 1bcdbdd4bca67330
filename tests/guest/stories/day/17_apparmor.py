# SPDX-License-Identifier: GPL-2.0-or-later
"""Profiles are in force for those who have one, and refuse."""

import pathlib
import re
import socket
import subprocess

from lib import fact, processes, run, skip, wait_for

SECURITY = pathlib.Path("/sys/kernel/security/apparmor")
FETCH = "/usr/libexec/khien/khien-fetch"
# Those who are handed somebody's files have none: packaging/README.md.
CONFINED = {"sensor", "query"}
PROFILES = {"khien-fetch", "khien-query", "khien-sensor"}
# The only line of the whole day that may say so: guest.py looks for others.
REFUSED = pathlib.Path("/home/worker/refused.pem")


def label(pid):
    return pathlib.Path(f"/proc/{pid}/attr/current").read_text().strip("\n\0")


def denied():
    return [line for line in run("dmesg").splitlines()
            if 'apparmor="DENIED"' in line]


if not SECURITY.exists():
    skip("machine: its kernel has no AppArmor")
loaded = dict(re.findall(r"^(\S+) \((\w+)\)$", (
    SECURITY / "profiles").read_text(), re.M))
assert {name for name in loaded if name.startswith("khien")} == PROFILES
assert {loaded[name] for name in PROFILES} == {"enforce"}, loaded

seen = {}
for process in processes():
    if not process.get("pid"):
        continue
    role = process["role"]
    want = f"khien-{role} (enforce)" if role in CONFINED else "unconfined"
    assert label(process["pid"]) == want, (role, label(process["pid"]), want)
    seen[role] = want
assert CONFINED <= set(seen), seen

# A mirror that says nothing: the one that asks it can be looked at.
mirror = socket.create_server(("127.0.0.1", 0))
url = f"http://127.0.0.1:{mirror.getsockname()[1]}/timestamp.json"
child = subprocess.Popen([FETCH, url], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
mirror.settimeout(60)
asked = mirror.accept()[0]
assert label(child.pid) == "khien-fetch (enforce)", label(child.pid)
child.kill()
child.wait()
asked.close()
mirror.close()

# Root may read it, and so may this process until its seal; its profile not.
assert not denied(), denied()
REFUSED.write_text("no certificate\n", encoding="utf-8")
run("cat", REFUSED)
done = subprocess.run([FETCH, "--ca", str(REFUSED), "https://127.0.0.1:9/"],
                      capture_output=True, text=True, check=False)
assert done.returncode == 1 and "Permission denied" in done.stderr, done
wait_for(denied, "the kernel tells of it", 20)
assert all(f'name="{REFUSED}"' in line for line in denied()), denied()
REFUSED.unlink()
fact(f"{len(PROFILES)} profiles in force, "
     f"{sum(want != 'unconfined' for want in seen.values())} of {len(seen)} "
     "roles that stay have one; one file refused")
