# SPDX-License-Identifier: GPL-2.0-or-later
"""What the processes of the agent may do, as the kernel says it."""

import pathlib
import pwd
import re

from lib import PATIENCE_S, fact, main_pid, processes, run, show, wait_for

# Whoever is not here has given up all: agent/lib/role.c.
ROOTS = {"daemon", "keep", "guard", "conf", "proof"}
USERS = {"query": "engine"}
KEEPS = {"gate": {"sys_admin", "dac_read_search", "lease"},
         "mounts": {"sys_ptrace", "dac_read_search"},
         "guard": {"sys_ptrace", "dac_read_search", "kill"}}
CAPS = {"dac_read_search": 2, "kill": 5, "sys_ptrace": 19, "sys_admin": 21,
        "lease": 28}


def field(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return re.search(rf"^{name}:\s+(\S+)", text, re.M).group(1)


def maps(pid):
    """(regions, those to write and to execute) of a process."""
    lines = pathlib.Path(f"/proc/{pid}/maps").read_text(
        encoding="utf-8").splitlines()
    return len(lines), [line for line in lines
                        if re.match(r"\S+ .w.?x|\S+ .wx", line)]


wait_for(lambda: len({p["role"] for p in processes() if p.get("pid")}) >= 6,
         "all processes run", PATIENCE_S)
regions = 0
seen = {}
for process in processes():
    pid, role = process.get("pid"), process["role"]
    if not pid:
        continue
    seen.setdefault(role, []).append(pid)
    assert field(pid, "NoNewPrivs") == "1", role
    # The unit's filter lies upon all of them.
    assert field(pid, "Seccomp") == "2", role
    count, bad = maps(pid)
    assert not bad, (role, bad)
    regions += count
    if role in ROOTS:
        continue
    user = pwd.getpwuid(int(field(pid, "Uid"))).pw_name
    assert user == "khien-" + USERS.get(role, role), (role, user)
    mask = sum(1 << CAPS[cap] for cap in KEEPS.get(role, ()))
    for name in ("CapEff", "CapPrm"):
        assert int(field(pid, name), 16) == mask, (role, name)
    assert int(field(pid, "CapBnd"), 16) == 0, role
bound = int(field(main_pid(), "CapBnd"), 16)
for cap in (16, 22, 25):  # modules, reboot, the clock
    assert not bound & 1 << cap, f"{bound:x}"
# The machine's own view: what it sees is what everybody does.
namespaces = {pathlib.Path(f"/proc/{pid}/ns/mnt").readlink()
              for pid in (1, main_pid())}
assert len(namespaces) == 1, namespaces
assert show("khien.service", "NoNewPrivileges") == "yes"
for unit in ("khien.service", "khien-update.service"):
    said = run("systemd-analyze", "security", "--no-pager", unit)
    fact(said.splitlines()[-1].strip(" →"))
fact(f"{sum(map(len, seen.values()))} processes as {len(seen)} roles, "
     f"{regions} regions, none to write and to execute")
