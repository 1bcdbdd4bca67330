# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes packages, and makes them again somewhere else at another time."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = ("khien", "khien-scan", "khien-rules", "khien-repo")


class Skip(Exception):
    """The machine lacks something; the text is the reason."""


def environment(**more):
    env = {k: v for k, v in os.environ.items()
           if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return {**env, **more}


def output(*command, **options):
    """Of a command that must succeed."""
    done = subprocess.run(list(map(str, command)), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **options)
    assert done.returncode == 0, \
        f"{' '.join(map(str, command))} ended with {done.returncode}:\n" \
        + done.stdout[-4000:]
    return done.stdout


def make(kind, *variables, env=None, umask=-1):
    output("make", "-s", kind, *variables, cwd=ROOT, umask=umask,
           env=env or environment())


def version():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.search(r"^VERSION := (\S+)", text, re.M).group(1)


def flags(folder):
    """Of a build, without what names its folder."""
    path = folder / "flags"
    if not path.exists():
        return None
    text = path.read_text(encoding="utf-8").replace(" -Werror", "")
    return re.sub(r"-ffile-prefix-map=\S*", "", text)


class Work:
    def __init__(self, built):
        self.built = built
        self.folder = ROOT / "build/packages"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.elsewhere = pathlib.Path(tempfile.mkdtemp(prefix="khien-"))
        self.tree = ROOT / f"build/deb/khien-{version()}"

    def close(self):
        shutil.rmtree(self.elsewhere, ignore_errors=True)

    def packages(self, kind, folder=None):
        """Name to file of the four packages."""
        folder = folder or ROOT / "build" / kind
        found = {}
        for path in sorted(folder.glob(f"*.{kind}")):
            name = re.match(r"(khien(-[a-z]+)*)[-_]\d", path.name).group(1)
            found[name] = path
        assert set(NAMES) <= set(found), (folder, sorted(found))
        return {name: found[name] for name in NAMES}

    def unpacked(self, kind):
        """A folder with what the packages of that kind would install."""
        into = self.folder / f"{kind}-files"
        if into.exists():
            return into
        into.mkdir()
        for path in self.packages(kind).values():
            if kind == "deb":
                output("dpkg-deb", "-x", path, into)
            else:
                output("sh", "-c", 'rpm2cpio "$1" | cpio -idm --quiet',
                       "sh", path, cwd=into)
        return into


def _sizes(found):
    return ", ".join(f"{path.name} {path.stat().st_size // 1024} KiB"
                     for path in found.values())


def deb(work):
    """Compiled in the copy of the tree."""
    make("deb")
    return [_sizes(work.packages("deb"))]


def _compiled_here(work):
    """Our own build, when it was made as packages are."""
    here = flags(work.built)
    return work.built if here and here == flags(work.tree / "build") else None


def rpm(work):
    """Of what `make` built in this tree, which is another compilation."""
    here = _compiled_here(work)
    make("rpm", *([f"BUILT={here}"] if here else []))
    return [_sizes(work.packages("rpm"))]


def _same(first, second):
    """Says how two files differ, or None."""
    if first.read_bytes() == second.read_bytes():
        return None
    return f"{first} and {second} differ"


def again(work):
    """In another folder, time zone, language and umask; and each kind with the
    programs that were compiled for the other."""
    here = _compiled_here(work) or \
        ROOT / f"build/rpm/khien-{version()}/build"
    env = environment(TZ="Asia/Ho_Chi_Minh", LANG="vi_VN.UTF-8", LC_ALL="C",
                      HOME=str(work.elsewhere), USER="nobody",
                      DEB_BUILD_OPTIONS="parallel=1")
    there = {"deb": here, "rpm": work.tree / "build"}
    said, count = [], 0
    for kind, built in there.items():
        out = work.elsewhere / "a-longer-name-than-before" / kind
        out.mkdir(parents=True)
        make(kind, f"BUILT={built}", f"OUT={out}", env=env, umask=0o077)
        for name, path in work.packages(kind).items():
            said.append(_same(path, work.packages(kind, out)[name]))
            count += 1
    programs = sorted(p.name for p in here.glob("khien*")
                      if p.is_file() and os.access(p, os.X_OK))
    assert len(programs) > 10, programs
    # With what is stripped later: debug information has no folder in it.
    for name in programs:
        said.append(_same(here / name, work.tree / "build" / name))
    said = [line for line in said if line]
    assert not said, "\n".join(said)
    return [f"{len(programs)} programs, {count} packages: the same bytes"]


def lintian(work):
    changes = list((ROOT / "build/deb").glob("*.changes"))
    assert len(changes) == 1, changes
    # It takes three bytes of machine code for a word now and then; our strings
    # are all in the sources.
    said = output("lintian", "--allow-root", "--pedantic", "--display-info",
                  "--suppress-tags", "spelling-error-in-binary",
                  "--fail-on", "error,warning,info,pedantic", changes[0])
    assert not said.strip(), said
    _ = work
    return ["silent, pedantic too"]
