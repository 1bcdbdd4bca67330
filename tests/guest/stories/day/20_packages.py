# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages come and go; a library is replaced under those who use it."""

import pathlib

from lib import fact, protects, run, sh

DEBS = pathlib.Path("/srv/debs")


def deb(name):
    found = sorted(DEBS.glob(f"{name}_*.deb"))
    assert found, name
    return found[0]


def version(name):
    return run("dpkg-query", "-W", "-f", "${Version}", name)


run("dpkg", "-i", deb("tree"), deb("hello"), deb("time"))
assert run("hello") == "Hello, world!\n"
assert "khien.conf" in run("tree", "/etc/khien")
run("/usr/bin/time", "-o", "/dev/null", "true")

# One with a user, a service and scripts of its maintainer.
run("dpkg", "-i", deb("at"))
assert run("systemctl", "is-active", "atd").strip() == "active"
run("dpkg", "--purge", "at")

for name, newer in (("zlib1g", "newer-zlib1g"), ("liblz4-1",
                                                 "newer-liblz4-1")):
    before = version(name)
    run("dpkg", "-i", DEBS / f"{newer}.deb")
    assert version(name) == before + "+khien1"
# Who uses them goes on, and so does who starts now.
sh("gzip -c /etc/passwd | gzip -dc | cmp - /etc/passwd; "
   "python3 -c 'import zlib; zlib.compress(b\"x\" * 100000)'; "
   "journalctl -n 1 --no-pager >/dev/null; "
   "systemctl is-active systemd-journald dbus")
run("dpkg", "-r", "tree", "hello", "time")
run("dpkg", "-i", deb("hello"))
assert run("hello") == "Hello, world!\n"
assert not run("dpkg", "--audit").strip()
protects()
fact("4 installed, 4 removed, 2 libraries upgraded")
