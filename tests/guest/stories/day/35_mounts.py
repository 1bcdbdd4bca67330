# SPDX-License-Identifier: GPL-2.0-or-later
"""File systems that come while the machine runs are watched at once."""

import pathlib
import subprocess

from lib import PLANTED, covered, plant, protects, refused, run, sh, wait_for

mnt = pathlib.Path("/mnt")


def unmount():
    """What was just written may still be scanned, and held open for that."""
    wait_for(lambda: subprocess.run(["umount", str(mnt)], check=False,
                                    stderr=subprocess.DEVNULL).returncode == 0,
             "it is unmounted", 30)


run("mount", "-t", "tmpfs", "one", mnt)
wait_for(lambda: covered("/mnt"), "a new tmpfs is covered")
sh("cp /bin/true /mnt/good; /mnt/good; /mnt/good")
protects("/mnt")
unmount()

image = pathlib.Path("/var/tmp/disk")
sh(f"truncate -s 32M {image}; mkfs.ext4 -q {image}; mount -o loop {image} "
   "/mnt")
wait_for(lambda: covered("/mnt"), "a new disk is covered")
sh("cp /bin/true /mnt/good; /mnt/good; /mnt/good")
protects("/mnt")
# What came with it was never written here.
bad = plant("bad", f"/mnt/{PLANTED}/brought")
unmount()
run("mount", "-o", "loop", image, mnt)
wait_for(lambda: covered("/mnt"), "it is covered again")
refused(bad)

sh("mkdir /mnt/upper /mnt/work /mnt/all; mount -t overlay all -o "
   "lowerdir=/usr/bin,upperdir=/mnt/upper,workdir=/mnt/work /mnt/all")
sh("/mnt/all/true; cp /bin/true /mnt/all/good; /mnt/all/good")
protects("/mnt/all")
# A bind mount shows what is watched already.
sh("mkdir /mnt/bind; mount --bind /home /mnt/bind; /mnt/all/true")
bad = plant("bad", f"/home/worker/{PLANTED}/bound")
refused(f"/mnt/bind/worker/{PLANTED}/bound")
sh("umount /mnt/bind /mnt/all")
unmount()
