# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages go: first the programs, then everything."""

import pathlib
import pwd
import re
import subprocess

from lib import PLANTED, fact, main_pid, plant, ran, run, sh, wait_for

NAMES = ("khien", "khien-scan", "khien-rules")
BEFORE = pathlib.Path("/srv/khien/before")
# What the system and the stories write by themselves.
OTHERS = re.compile(
    r"/(proc|sys|dev|run|tmp|srv|mnt|home|root)/.*|"
    r"/var/(log|tmp|cache|spool)/.*|/var/backups/(dpkg|alternatives)\..*|"
    r"/var/lib/(dpkg|systemd|logrotate|private|dbus)(/.*)?|"
    r"/etc/(passwd|group|shadow|gshadow|subuid|subgid)-|/etc/\.pwd\.lock|"
    r"/etc/(machine-id|adjtime|logrotate\.d/own)|/(etc|var)/\.updated|"
    r".*/__pycache__(/.*)?")


def still_running():
    """Processes of the agent."""
    done = subprocess.run(["sh", "-c", "grep -l 'khien' /proc/[0-9]*/comm"],
                          capture_output=True, text=True, check=False)
    return done.stdout.split()


quarantine = pathlib.Path("/var/lib/khien/quarantine")
pid = main_pid()
assert pid
run("dpkg", "-r", *NAMES)
# The last to hold the guard's programs ends when the kernel let go of them.
wait_for(lambda: not still_running(), "none of its processes is left")
assert not pathlib.Path(f"/proc/{pid}").exists()
for path in ("/usr/sbin/khiend", "/usr/libexec/khien", "/run/khien"):
    assert not pathlib.Path(path).exists(), path
assert pathlib.Path("/etc/khien/khien.conf").exists()
assert pathlib.Path("/var/lib/khien/store.db").exists()
# Nobody holds anybody up any more.
sh("cp /bin/true /var/tmp/removed; /var/tmp/removed")
run(plant("bad", f"/var/tmp/{PLANTED}/removed"))
assert ran()

PROFILES = pathlib.Path("/sys/kernel/security/apparmor/profiles")
assert not PROFILES.exists() or "khien" not in PROFILES.read_text()

quarantine.mkdir(mode=0o700, exist_ok=True)
kept = quarantine / "0123456789abcdef0123456789abcdef"
kept.write_bytes(b"sealed")
said = run("dpkg", "-P", *NAMES)
assert "were kept" in said, said
assert kept.exists()
left = {str(p.relative_to("/var/lib/khien"))
        for p in pathlib.Path("/var/lib/khien").rglob("*")}
assert {p.split("/")[0] for p in left} == {"quarantine"}, left
sh("rm -r /var/lib/khien")
# The site's own are the site's: dpkg says that they stay.
sh("rm -rf /etc/khien")
assert not [u for u in pwd.getpwall() if u.pw_name.startswith("khien")]
# Whatever was not there before, and belongs to no package that came later.
known = set(BEFORE.read_text(encoding="utf-8").splitlines())
for path in pathlib.Path("/var/lib/dpkg/info").glob("*.list"):
    known |= set(path.read_text(encoding="utf-8").splitlines())
new = [path for path in run("find", "/", "-xdev").splitlines()
       if path not in known and not OTHERS.fullmatch(path)]
assert not new, new
named = [path for path in run("find", "/", "-xdev", "-iname", "*khien*")
         .splitlines() if not path.startswith(("/srv/", "/tmp/", "/var/log/",
                                               "/var/tmp/"))]
assert not named, named
fact("nothing is left of it")
