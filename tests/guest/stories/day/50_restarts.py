# SPDX-License-Identifier: GPL-2.0-or-later
"""Each process of the agent ends, and the agent protects again by itself."""

import os
import signal

from lib import (PLANTED, main_pid, pid_of, plant, processes, protects_again,
                 ran, run, sh, show, wait_for)

protects_again("it protects")
run("systemctl", "restart", "khien")
protects_again("it protects after a restart")
run("systemctl", "reload", "khien")
wait_for(lambda: show("khien.service", "SubState") == "running", "reloaded")
protects_again("it protects after a reload")

for role in ("gate", "scan", "sensor", "engine", "query"):
    pid = pid_of(role)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda role=role, pid=pid: pid_of(role) not in (None, pid),
             f"another {role}")
    sh("true; ls / >/dev/null")
    protects_again(f"it protects after the end of its {role}")

pid = main_pid()
others = {p["pid"] for p in processes() if p.get("pid")} - {pid}
os.kill(pid, signal.SIGKILL)
wait_for(lambda: main_pid() not in (0, pid), "another khiend")
wait_for(lambda: not any(os.path.exists(f"/proc/{p}") for p in others),
         "none of its processes is left")
protects_again("it protects after the end of khiend")
assert show("khien.service", "NRestarts") == "1"
# Stopped on purpose it stays away, holds up nobody, and comes back.
run("systemctl", "stop", "khien")
sh("cp /bin/true /var/tmp/unwatched; /var/tmp/unwatched")
# What is refused in all stories does run when nobody refuses it.
for kind, command in (("bad", []), ("bad.sh", []), ("bad.sh", ["bash"]),
                      ("bad.so", ["env", "LD_PRELOAD={}", "/bin/true"]),
                      ("bad", ["/lib64/ld-linux-x86-64.so.2"])):
    path = str(plant(kind, f"/var/tmp/{PLANTED}/unwatched-{kind}"))
    words = [word.replace("{}", path) for word in command]
    run(*words, *([] if kind == "bad.so" else [path]))
    assert ran(), (kind, command)
run("systemctl", "start", "khien")
protects_again("it protects after a stop and a start")
