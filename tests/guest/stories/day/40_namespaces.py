# SPDX-License-Identifier: GPL-2.0-or-later
"""A worker mounts a file system that nobody else sees, and runs from it."""

from lib import PLANTED, get, ran, refused, run, skip, status

HIDDEN = "/srv/stories/bad.hidden"
ATTACK = f"""
import os
os.makedirs('/mnt/{PLANTED}')
data = open('{HIDDEN}', 'rb').read().translate(
    bytes(i ^ 0x5a for i in range(256)))
path = '/mnt/{PLANTED}/bad'
with open(path, 'wb') as file:
    file.write(data)
os.chmod(path, 0o755)
os.execv(path, [path])
"""

# "kill" or "hold" once the agent stops what the gate cannot be asked about.
if get(status(), "khien.sensor.reach.state") not in ("kill", "hold"):
    skip("what the gate cannot reach is not stopped by this agent")
with open("/srv/attack.py", "w", encoding="utf-8") as file:
    file.write(ATTACK)
# The same with nothing bad in it: a namespace may be made, and used.
run("unshare -Urm sh -c 'mount -t tmpfs own /mnt && echo made'",
    user="worker")
for _ in range(10):
    refused("unshare", "-Urm", "sh", "-c", "mount -t tmpfs own /mnt && "
            "exec python3 /srv/attack.py", user="worker")
assert not ran()
# Once the gate is asked there, it is a place like any other: good programs run.
FINE = f"/mnt/{PLANTED}/fine"
run(f"unshare -Urm sh -c 'mount -t tmpfs own /mnt && mkdir /mnt/{PLANTED} && "
    f"cp /bin/true {FINE} && for i in $(seq 200); do {FINE} && exit 0; "
    "sleep 0.1; done; exit 9'", user="worker")
