#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything `make lint` says; nothing when there is nothing to say.

Each check of each file leaves a stamp named after the hash of all that went
into it, so that only what changed is checked again.
"""

import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import re
import shlex
import subprocess
import sys

import binaries
import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)

# Left out is what these versions cannot know: that a result is set whenever
# `r == 0`, and that CLEANUP_* frees.  The sanitizers look for both.
ANALYZER = ["-fanalyzer", "-fdiagnostics-path-format=none",
            "-Wno-analyzer-malloc-leak", "-Wno-analyzer-null-dereference",
            "-Wno-analyzer-use-of-uninitialized-value",
            "-Wno-analyzer-fd-leak"]  # gcc 14: what dup2(2) places
CPPCHECK = ["cppcheck", "--quiet", "--std=c11", "--language=c", "-I.",
            "--enable=warning,performance,portability", "--inline-suppr",
            "--error-exitcode=1", "--suppress=missingIncludeSystem",
            "--suppress=memleak", "--suppress=uninitvar",
            "--suppress=nullPointerRedundantCheck",
            "--suppress=internalAstError",
            "--suppress=normalCheckLevelMaxBranches",  # cppcheck 2.17
            "--suppress=*:build/gen/*",
            "-D_GNU_SOURCE", "-D__x86_64__", '-DKHIEN_VERSION=""']


ANALYZING = ("analyzer", "tidy", "cppcheck")


class Check:
    """One command on one file, or a function of ours on it."""

    def __init__(self, name, path, command, deep):
        self.name = name
        self.path = path
        self.command = command
        self.deep = deep  # depends on what the file includes


def own_files():
    """All files of the work tree that git knows or would add."""
    out = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False)
    if out.returncode == 0:
        names = [os.fsdecode(n) for n in out.stdout.split(b"\0") if n]
    else:  # not a clone: a source archive
        names = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")
                 if not str(p.relative_to(ROOT)).startswith("build")]
    return sorted(n for n in set(names) if (ROOT / n).is_file())


def includes_of(name, build, seen):
    """Adds the file and every own file it includes to `seen`."""
    for place in (ROOT / name, build / name):
        if not place.is_file() or place in seen:
            continue
        seen.add(place)
        for inner in INCLUDE.findall(place.read_text(errors="replace")):
            includes_of(inner, build, seen)


def checks_of(name, flags, bpf_flags):
    """The commands for one C file."""
    yield Check("format", name,
                ["clang-format", "--dry-run", "-Werror", name], False)
    if not name.endswith(".c"):
        return
    if name.startswith("kernel/"):
        yield Check("bpf", name,
                    ["clang", *bpf_flags, "-Werror", "-fsyntax-only", name],
                    True)
        return
    gcc = ["gcc", *flags, "-Werror", "-c", name, "-o", "/dev/null"]
    if name.startswith("tests/"):
        yield Check("gcc", name, gcc, True)
        return
    yield Check("analyzer", name, gcc + ANALYZER, True)
    yield Check("tidy", name,
                ["clang-tidy", "--quiet", name, "--",
                 *[f for f in flags if not f.startswith("-ftrivial")]], True)
    yield Check("cppcheck", name, CPPCHECK + [name], True)


def key_of(check, build, config):
    """What a stamp is named after."""
    digest = hashlib.sha256(config)
    digest.update(repr((check.name, check.path, check.command)).encode())
    files = {ROOT / check.path}
    if check.deep:
        files = set()
        includes_of(check.path, build, files)
    for path in sorted(p for p in files if p.exists()):
        digest.update(str(path).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:32]


def run_check(check, build, config):
    """Returns what it complains of, or "" when it does not."""
    stamp = build / "lint" / (check.name + "-" + key_of(check, build, config))
    if stamp.exists():
        return ""
    done = subprocess.run(check.command, cwd=ROOT, capture_output=True,
                          text=True, errors="replace", check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        stamp.touch()
        return ""
    if check.name == "format":
        return f"[format] clang-format -i {check.path}"
    said = (done.stdout + done.stderr).strip()
    said = "\n".join(l for l in said.splitlines()
                     if "warnings generated" not in l
                     and "warnings treated as errors" not in l)
    return f"[{check.name}] {check.path}\n{said or 'failed'}"


def padded(build, bpf_flags):
    """The kernel ABI must have no hidden padding, on both sides."""
    header = "kernel/khien_abi.h"
    if not (ROOT / header).exists():
        return []
    bad = []
    for extra in ([], bpf_flags):
        done = subprocess.run(
            ["clang", *extra, "-Wpadded", "-Werror", "-Wno-unused-function",
             "-I.", "-fsyntax-only", "-x", "c", "-"],
            input=f'#include <linux/types.h>\n#include "{header}"\n' if not extra
            else f'#include "kernel/core.h"\n#include "{header}"\n',
            cwd=ROOT, capture_output=True, text=True, check=False)
        about = [l for l in done.stderr.splitlines() if header in l]
        if done.returncode != 0 and about:
            bad.append("[padded] " + "\n".join(about))
    return bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--flags", default=os.environ.get("LINT_FLAGS", ""))
    parser.add_argument("--quick", action="store_true",
                        default=bool(os.environ.get("LINT_QUICK")),
                        help="without what analyzes: that takes minutes")
    parser.add_argument("--bpf-flags",
                        default=os.environ.get("LINT_BPF_FLAGS", ""))
    args = parser.parse_args()
    build = ROOT / args.build
    (build / "lint").mkdir(parents=True, exist_ok=True)
    flags = shlex.split(args.flags)
    bpf_flags = shlex.split(args.bpf_flags)
    os.environ["PATH"] += ":/usr/sbin:/sbin"

    names = own_files()
    config = b"".join((ROOT / n).read_bytes()
                      for n in (".clang-format", ".clang-tidy"))
    checks = [c for n in names if n.endswith((".c", ".h"))
              for c in checks_of(n, flags, bpf_flags)
              if not (args.quick and c.name in ANALYZING)]
    # Longest first, so that the last seconds are not one slow file's.
    order = ["analyzer", "tidy", "cppcheck", "bpf", "gcc", "format"]
    checks.sort(key=lambda c: order.index(c.name))
    said = rules.check(ROOT, names) + padded(build, bpf_flags)
    said += binaries.check(ROOT, build)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        said += [s for s in pool.map(
            lambda c: run_check(c, build, config), checks) if s]
    for text in said:
        print(text)
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
