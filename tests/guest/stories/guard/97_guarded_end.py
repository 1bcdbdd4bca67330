# SPDX-License-Identifier: GPL-2.0-or-later
"""Installed once more, and guarded while the machine stops: see guest.py."""

import pathlib

from lib import fact, get, run, status, wait_for

DEBS = pathlib.Path("/srv/khien")

folder = pathlib.Path("/etc/khien/khien.conf.d")
folder.mkdir(parents=True, exist_ok=True)
(folder / "guest.conf").write_text(
    "[gate]\nmode = enforce\ndeadline_ms = 10000\n[guard]\nmode = on\n",
    encoding="utf-8")
run("dpkg", "-i", *(DEBS / f"{name}.deb"
                    for name in ("khien", "khien-scan", "khien-rules")))
wait_for(lambda: get(status(), "khien.guard.state") == "armed", "it is armed")
fact(get(status(), "khien.guard.text"))
