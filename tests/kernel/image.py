# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes what a guest boots from: one disk for all kernels with the agent and
the triggers, and for each an initramfs with its first process and its plan."""

import pathlib
import re
import shutil
import stat
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZE = "256M"
TRUE = "/bin/true"
# Not needed without a network, and with them come forty libraries.
LEFT_OUT = ("khien-repo", "khien-tuf", "khien-fetch", "khien-verify")
CONF = """[agent]
state_dir = /var/lib/khien
run_dir = /run/khien
group = root
[gate]
mode = observe
watch = /w
[guard]
mode = on
[rules]
dir = /rules
local_dir = /local
"""
# Emulated, a scan takes its time; what runs from elsewhere is not the matter.
ENFORCE = CONF.replace("mode = observe\nwatch", "mode = enforce\n"
                       "deadline_ms = 10000\non_unreached = allow\nwatch")
FOLDERS = ("bin", "dev", "proc", "sys", "tmp", "run", "var", "w", "e", "etc",
           "local", "triggers", "root")
FILES = {"etc/passwd": "root:x:0:0::/root:/bin/sh\n", "etc/group":
         "root:x:0:\n", "etc/hosts": "127.0.0.1 localhost\n",
         "etc/nsswitch.conf": "passwd: files\ngroup: files\n",
         "khien.conf": CONF, "enforce.conf": ENFORCE}


def _libraries(programs):
    """Paths as the loader looks for them."""
    out = subprocess.run(["ldd", *map(str, programs)], text=True, check=True,
                         stdout=subprocess.PIPE).stdout
    return sorted(set(re.findall(r"(/\S+) \(0x", out)))


def _copy(path, into):
    into.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, into)
    into.chmod(0o755)


def _programs(folder):
    return [p for p in sorted(folder.iterdir())
            if p.is_file() and not p.suffix and p.stat().st_mode & stat.S_IXUSR]


def disk(build, folder, modules, files):
    """A file system with all that there is; `modules`: name -> folder; `files`:
    path -> text."""
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    for name in FOLDERS:
        (tree / name).mkdir(parents=True)
    for name, text in {**FILES, **files}.items():
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).write_text(text)
    agent = [p for p in _programs(build) if p.name.startswith("khien")
             and p.name not in LEFT_OUT]
    triggers = _programs(build / "tests/triggers")
    for path in agent:
        _copy(path, tree / "khien" / path.name)
    for path in triggers:
        _copy(path, tree / "triggers" / path.name)
    subprocess.run(["strip", *(str(tree / "khien" / p.name) for p in agent)],
                   check=True)
    _copy(pathlib.Path(TRUE), tree / TRUE[1:])
    for path in _libraries([*agent, *triggers, TRUE]):
        _copy(path, tree / path[1:])
    shutil.copytree(ROOT / "signatures/yara", tree / "rules")
    for name, path in modules.items():
        shutil.copytree(path, tree / "modules" / name)
    image = folder / "disk.ext4"
    image.unlink(missing_ok=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-E", "root_owner=0:0", "-d",
                    str(tree), str(image), SIZE], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return image


def _entry(number, name, mode, data):
    """One of a cpio archive, see Documentation/driver-api/early-userspace."""
    name = name.encode() + b"\0"
    numbers = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
    entry = b"070701" + b"".join(b"%08x" % n for n in numbers) + name
    entry += bytes(-len(entry) % 4) + data
    return entry + bytes(-len(entry) % 4)


def initramfs(path, init, plan):
    """`plan`: lines of words, see init.c."""
    for words in plan:
        for word in words:
            assert "\t" not in word and "\n" not in word, words
    text = "".join("\t".join(words) + "\n" for words in plan)
    path.write_bytes(
        _entry(1, "init", stat.S_IFREG | 0o755, init.read_bytes()) +
        _entry(2, "plan", stat.S_IFREG | 0o644, text.encode()) +
        _entry(0, "TRAILER!!!", 0, b""))
