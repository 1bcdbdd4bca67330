# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs in the guest: each story in its turn, a line of JSON for each on the
second serial port, and then the machine's end.

A story is a program that ends with 0, or with SKIP and the reason on its last
line; lines of its output that begin with "fact: " are passed on.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
PORT = "/dev/ttyS1"
SKIP = 77
LIMIT_S = 500  # when a story hangs


def say(**record):
    with open(PORT, "a", encoding="utf-8") as port:
        port.write(json.dumps(record) + "\n")


def waiting():
    """Who sleeps in the kernel, and where: what a hang is understood by."""
    return subprocess.run(
        ["sh", "-c", "ps -eo pid,stat,time,wchan:30,args | "
         "grep -E ' [DT] |khien' | head -n 40; khienctl status | head -n 12"],
        capture_output=True, text=True, timeout=60, check=False).stdout


def run(path):
    began = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, str(path)], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", start_new_session=True, cwd="/")
    try:
        text, _ = child.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        text = "hangs:\n" + waiting()
        os.killpg(child.pid, signal.SIGKILL)
        text += child.communicate()[0]
    lines = text.splitlines()
    facts = [line[6:] for line in lines if line.startswith("fact: ")]
    why = "\n".join(line for line in lines if not line.startswith("fact: "))
    state = {0: "ok", SKIP: "skipped"}.get(child.returncode, "failed")
    if state == "ok":
        why = ""
    elif state == "failed":
        why += "\n" + waiting()
    say(story=path.stem[3:], state=state, why=why[-4000:], facts=facts,
        seconds=round(time.monotonic() - began, 1))


def main():
    stories = sorted(HERE.glob("[0-9][0-9]_*.py"))
    say(plan=[path.stem[3:] for path in stories])
    for path in stories:
        run(path)
    say(stopping=True)
    subprocess.run(["systemctl", "--no-block", "poweroff"], check=True)


main()
