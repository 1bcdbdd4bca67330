# SPDX-License-Identifier: GPL-2.0-or-later
"""What is bad does not run, whoever tries and however."""

import pathlib
import subprocess

from lib import EICAR, PLANTED, plant, ran, refused, sh

for user, folder in ((None, "/root"), ("worker", "/home/worker"),
                     ("worker", "/tmp"), ("worker", "/dev/shm")):
    ground = f"{folder}/{PLANTED}-{user}/{PLANTED}"
    path = plant("bad", f"{ground}/bad", user)
    library = plant("bad.so", f"{ground}/bad.so", user)
    script = plant("bad.sh", f"{ground}/bad.sh", user)
    refused(path, user=user)
    refused("/lib64/ld-linux-x86-64.so.2", path, user=user)
    refused("env", f"LD_PRELOAD={library}", "/bin/true", user=user)
    refused("python3", "-c", f"import ctypes; ctypes.CDLL('{library}')",
            user=user)
    refused(script, user=user)
    refused("bash", script, user=user)
    refused("sh", "-c", f". {script}", user=user)
    refused("cp", path, f"{ground}/copy", user=user)
    refused("mv", path, f"{ground}/moved", user=user)
    refused(f"{ground}/moved", user=user)
    refused("ln", f"{ground}/moved", f"{ground}/link", user=user)
    refused(f"{ground}/link", user=user)

eicar = pathlib.Path(f"/home/worker/{PLANTED}/eicar")
eicar.parent.mkdir()
eicar.write_bytes(EICAR)
eicar.chmod(0o755)
try:
    subprocess.run([str(eicar)], check=False)
    raise AssertionError("eicar was not refused")
except PermissionError:
    pass
try:
    eicar.read_bytes()
    raise AssertionError("eicar was read")
except PermissionError:
    pass

# The same means, with something good.
sh("cp /bin/true ~/good; ~/good; /lib64/ld-linux-x86-64.so.2 ~/good; "
   "echo true >good.sh; bash good.sh; . ./good.sh", user="worker")
assert not ran()
