# SPDX-License-Identifier: GPL-2.0-or-later
"""Brings kernels from Debian's archive, by an apt with a configuration, lists
and a cache of its own; nothing of the machine's own apt is changed.

A kernel is kept in build/kernels/SERIES: vmlinuz, modules/*.ko, package (which
one it is).  One that is there is not asked for again until `make clean`.
"""

import lzma
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tarfile
import urllib.parse

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ARCHIVE = "http://deb.debian.org/debian"
# Where a release goes when it is no longer supported.
OLD_ARCHIVE = "http://archive.debian.org/debian"
# series: the suites that may have it, the best one first
SUITES = {"5.10": ("bullseye",), "6.1": ("bookworm",), "6.12": ("trixie",),
          "7.3": ("trixie-backports", "experimental", "sid")}
# For triggers that load one: see "modules" in tests/triggers/expected.py.
MODULES = ("dummy",)
APT_S = 300


class Missing(Exception):
    """The machine has no network: the text is the reason of a skip."""


def _run(command, **options):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          timeout=APT_S, check=False, **options)


def mirror():
    """Where the machine's own apt finds Debian, or the archive itself."""
    done = _run(["apt-get", "indextargets", "--format", "$(REPO_URI)",
                 "Created-By: Packages", "Origin: Debian", "Label: Debian"])
    lines = done.stdout.split() if done.returncode == 0 else []
    return lines[0].rstrip("/") if lines else ARCHIVE


def reachable(address):
    host = urllib.parse.urlsplit(address)
    proxy = any(name.lower().endswith("_proxy") for name in os.environ)
    try:
        if host.hostname and not proxy:
            socket.create_connection((host.hostname, host.port or 80),
                                     15).close()
    except OSError:
        return False
    return True


class Apt:
    """One with the sources of one series only."""

    def __init__(self, folder, address, suites):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("lists/partial", "cache/archives/partial", "debs"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        (folder / "sources").write_text("".join(
            f"deb [arch=amd64 signed-by={KEYRING}] {address} {suite} main\n"
            for suite in suites))
        own = {"Dir::State::Lists": "lists", "Dir::Cache": "cache",
               "Dir::State::Status": "status", "Dir::Etc::SourceList":
               "sources", "Dir::Etc::SourceParts": "-",
               "Dir::Etc::Preferences": "-", "Dir::Etc::PreferencesParts": "-"}
        self.options = [f"-o{key}=" + (f"{folder / name}" if name != "-"
                                       else "/dev/null")
                        for key, name in own.items()]
        self.options += ["-oAPT::Sandbox::User=root",
                         "-oAPT::Architecture=amd64",
                         "-oAcquire::Languages=none", "-oAcquire::Retries=2",
                         "-oAcquire::Check-Valid-Until=false",
                         "-oAPT::Get::AllowUnauthenticated=false"]

    def __call__(self, program, *args):
        return _run([program, *self.options, *args], cwd=self.folder / "debs")

    def names(self, pattern):
        """Of packages; of the newest version, the last one."""
        done = self("apt-cache", "search", "--names-only", pattern)
        names = [line.split(" - ")[0] for line in done.stdout.splitlines()]
        return sorted(names, key=lambda name: [
            int(part) for part in re.findall(r"\d+", name)])


def _download(apt, series):
    """The packages with the kernel and its modules, as files."""
    done = apt("apt-get", "update")
    number = re.escape(series)
    # The package named image of a newer kernel only asks for the other two.
    images = apt.names(f"^linux-(binary|image)-{number}[-.+][^ ]*cloud-amd64$")
    if not images:
        raise AssertionError(f"no package of Linux {series}:\n{done.stdout}")
    version = re.sub(r"^linux-(binary|image)-", "", images[-1])
    wanted = apt.names(f"^linux-(binary|image|modules)-{re.escape(version)}$")
    done = apt("apt-get", "download", *wanted)
    debs = list((apt.folder / "debs").glob("*.deb"))
    if done.returncode or len(debs) != len(wanted):
        raise AssertionError(f"apt-get download failed:\n{done.stdout}")
    return version, debs


def _members(deb, names):
    """(path, contents) of the files that `names` matches."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)],
                          stdout=subprocess.PIPE) as child:
        with tarfile.open(fileobj=child.stdout, mode="r|") as archive:
            for member in archive:
                if member.isfile() and names.search(member.name):
                    yield pathlib.PurePath(member.name), \
                        archive.extractfile(member).read()
    if child.returncode:
        raise AssertionError(f"{deb.name} cannot be read")


def _unpack(debs, into):
    """The kernel and those of its modules that triggers load."""
    names = re.compile(r"/vmlinuz[^/]*$|/(" + "|".join(MODULES) +
                       r")\.ko(\.xz|\.zst)?$")
    (into / "modules").mkdir(parents=True)
    for deb in debs:
        for path, data in _members(deb, names):
            if path.name.startswith("vmlinuz"):
                (into / "vmlinuz").write_bytes(data)
                continue
            if path.suffix == ".xz":
                data = lzma.decompress(data)
            elif path.suffix == ".zst":
                data = subprocess.run(["zstd", "-dcq"], input=data, check=True,
                                      stdout=subprocess.PIPE).stdout
            name = path.name.split(".")[0]
            (into / "modules" / f"{name}.ko").write_bytes(data)
    if not (into / "vmlinuz").exists():
        raise AssertionError(f"no kernel in {[deb.name for deb in debs]}")


def _bring(series, folder):
    new = folder / f"{series}.new"
    shutil.rmtree(new, ignore_errors=True)
    addresses = list(dict.fromkeys([mirror(), ARCHIVE, OLD_ARCHIVE]))
    errors = []
    for address in addresses:
        try:
            version, debs = _download(
                Apt(new / "apt", address, SUITES[series]), series)
            break
        except AssertionError as error:
            errors.append(f"{address}: {error}")
    else:
        if not any(reachable(address) for address in addresses):
            raise Missing("machine: no network to fetch kernels by")
        raise AssertionError("\n".join(errors))
    _unpack(debs, new)
    (new / "package").write_text(version + "\n")
    shutil.rmtree(new / "apt")
    new.rename(folder / series)


def kernel(series, folder):
    """(folder of that kernel, whether it had to be fetched)"""
    path = folder / series
    if (path / "package").exists():
        return path, False
    shutil.rmtree(path, ignore_errors=True)
    _bring(series, folder)
    return path, True
