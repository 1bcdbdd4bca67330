# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the image that the guest boots: a Debian of the host's release, from
the archive that the host's apt knows, with lists and packages of its own.

It is kept under build/guest and made again when what it consists of changes.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
SUITES = ("bookworm", "trixie")
PACKAGES = """
systemd systemd-sysv dbus udev kmod login passwd util-linux mount procps
e2fsprogs cron logrotate gcc libc6-dev make python3 git gzip bzip2 xz-utils
file less libpam-systemd apparmor bpftool gdb-minimal
""".split()
# Left in /srv/debs, to be installed without a network.
LATER = "tree hello time at zlib1g liblz4-1".split()
KERNEL = "linux-image-cloud-amd64"
SIZE = "2G"


class Missing(Exception):
    """The machine lacks something; the text is the reason of a skip."""


def output(*command):
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout


def suite():
    """The host's release: our programs are linked with its libraries."""
    release = pathlib.Path("/etc/os-release").read_text()
    name = re.search(r"^VERSION_CODENAME=(\w+)", release, re.M)
    if not name or name.group(1) not in SUITES:
        raise Missing("machine: its release is none of " + ", ".join(SUITES))
    return name.group(1)


def sources(release):
    """Lines for apt: what the host has of that release."""
    lines = output("apt-get", "indextargets", "--format",
                   "$(REPO_URI) $(RELEASE) $(COMPONENT)",
                   "Created-By: Packages").splitlines()
    names = (release, f"{release}-updates", f"{release}-security")
    found = sorted({f"deb {line}" for line in lines
                    if line.split()[1] in names and line.endswith(" main")})
    if not found:
        raise Missing(f"apt has no source for {release} main")
    return found


def libraries(programs):
    """The packages of all shared libraries that the programs need."""
    found = set()
    for program in programs:
        found |= set(re.findall(r"=> \S*/(\S+)", output("ldd", str(program))))
    owners = output("dpkg", "-S", *(f"*/{name}" for name in sorted(found)))
    return sorted({line.split(":")[0] for line in owners.splitlines()
                   if re.search(r"^lib[^:]*:", line)
                   and "-dev" not in line.split(":")[0]
                   and re.match(r"(/usr)?/lib/[^/]*/[^/]*$",
                                line.split(": ", 1)[1])})


def _make(folder, kernel, image, lines, packages):
    root = folder / "root"
    script = HERE / "finish-root.sh"
    command = [
        "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase",
        "--format=directory", "--include=" + ",".join(packages),
        "--aptopt=Acquire::Languages \"none\"",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        f"--customize-hook={script} \"$1\" {folder} {KERNEL} "
        + " ".join(LATER),
        suite(), str(root), "-"]
    done = subprocess.run(command, input="\n".join(lines) + "\n", text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    if done.returncode:
        if re.search(r"Could not resolve|Failed to fetch|Unable to connect",
                     done.stdout):
            raise Missing("the package archive cannot be reached")
        raise AssertionError("mmdebstrap failed:\n" + done.stdout[-4000:])
    new = folder / "image"
    with open(new, "wb"):
        os.truncate(new, 0)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(root), str(new), SIZE],
                   check=True)
    shutil.move(folder / "vmlinuz", kernel)
    new.rename(image)


def base(build, programs):
    """(kernel, image), made unless they are there already."""
    if os.uname().machine != "x86_64":
        raise Missing("machine: the guest is an x86-64 one")
    if os.geteuid() != 0:
        raise Missing("needs root")
    for tool in ("mmdebstrap", "mkfs.ext4", "qemu-system-x86_64"):
        if not shutil.which(tool):
            raise Missing(f"needs {tool}, see `make deps`")
    packages = sorted({*PACKAGES, *libraries(programs)})
    lines = sources(suite())
    parts = [*packages, *LATER, KERNEL, SIZE, *lines,
             (HERE / "finish-root.sh").read_text(),
             pathlib.Path(__file__).read_text()]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    kernel = build / f"vmlinuz-{key}"
    image = build / f"base-{key}.ext4"
    if kernel.exists() and image.exists():
        return kernel, image
    for old in [*build.glob("vmlinuz-*"), *build.glob("base-*")]:
        old.unlink()
    folder = build / "new"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        _make(folder, kernel, image, lines, packages)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return kernel, image
