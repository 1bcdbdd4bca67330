# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-verify on a disk that is full, at every step of its filling, and with
files that were carried by hand."""

import os
import shutil
import subprocess
import tarfile

import pytest

from signer import DAY_S
from test_verify import EMPTY, OTHER, RULE, look, publish, \
    signer, verifier  # noqa: F401: fixtures
from verifier import UID, offline

PAGE = 4096


@pytest.fixture
def small(tmp_path):
    """small(machine, option) mounts a small disk over its folder of updates,
    and gives it another size afterwards."""
    mounted = []

    def make(machine, option):
        if machine in mounted:
            subprocess.run(["mount", "-o", f"remount,{option}",
                            str(machine.update)], check=True)
            return
        subprocess.run(["mount", "-t", "tmpfs", "-o",
                        f"mode=700,uid={UID},gid={UID},{option}",
                        "khien-test", str(machine.update)], check=True)
        mounted.append(machine)

    def drop():
        while mounted:
            subprocess.run(["umount", str(mounted.pop().update)], check=True)

    make.drop = drop
    yield make
    drop()


def is_whole(machine, wanted):
    """What is in force is a release or none, and what is there is whole."""
    for name in machine.releases():
        assert machine.rules(int(name)) == wanted[int(name)], name
    if (machine.update / "state.json").exists():
        assert machine.state()["active"] == machine.current()


@pytest.mark.slow(300)
@pytest.mark.parametrize("unit, grown", [("size={}", "size=64m"),
                                         ("nr_inodes={}", "nr_inodes=1000")])
def test_full_at_every_step(signer, verifier, small, unit, grown):  # noqa
    rules = {"a/one.yar": RULE, "big.yar": os.urandom(9000).hex().encode()}
    publish(signer, 1, rules, vectors=[("v", os.urandom(9000), ["one"])])
    machine = verifier()
    failed, steps = 0, 1
    while True:
        steps += 1
        size = steps * PAGE if "size" in unit else steps
        small(machine, unit.format(size))
        updated = machine.now(signer.folder)
        is_whole(machine, {1: rules})
        assert updated, f"{unit.format(size)}: {machine.said}"
        if not updated["error"]:
            break
        failed += 1
        assert "disk" in updated["error"] or "space" in updated["error"], \
            updated
        assert not updated["staged"]
        machine.ask("STATUS")
        assert machine.releases() == []
        small(machine, grown)
        updated = machine.now(signer.folder)
        assert updated["staged"] == 1 and not updated["error"], updated
        small.drop()
    print(f"{unit}: {failed} sizes were too small")
    assert failed > 10


@pytest.mark.slow(300)
def test_full_with_a_release_in_force(signer, verifier, small):  # noqa: F811
    first, second = {"a.yar": RULE}, {"a.yar": RULE, "big.yar": os.urandom(
        60000).hex().encode()}
    publish(signer, 1, first)
    machine = verifier()
    small(machine, "size=64m")
    machine.bring(signer.folder)
    publish(signer, 2, second)
    updated = machine.ask("CHECK", mirrors=[signer.folder])
    used = os.statvfs(machine.update)
    used = (used.f_blocks - used.f_bfree) * PAGE
    small(machine, f"size={used + 8 * PAGE}")
    updated = machine.now(signer.folder)
    assert "release 2 needs up to 0." in updated["error"], updated
    assert "MiB are free" in updated["error"]
    assert updated["active"] == 1 and machine.current() == 1
    is_whole(machine, {1: first})
    # Not a page is left: what is bad goes all the same.
    with open(machine.update / "fill", "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * PAGE)
        except OSError:
            pass
    machine.ask("TAKE_BACK", 1, "it hangs")
    assert machine.current() == 0
    (machine.update / "fill").unlink()
    small(machine, "size=64m")
    assert machine.ask("STATUS")["active"] == 0


# Export files.


def test_import(signer, verifier, tmp_path):  # noqa: F811
    publish(signer)
    machine = verifier(url="")
    file = signer.export(tmp_path / "export.tar")
    updated = machine.ask("IMPORT", file=file)
    assert not updated["error"] and updated["staged"] == 1, updated
    assert updated["requests"] == 0
    assert not machine.ask("ACTIVATE", 1)["error"]
    assert machine.rules(1)["other.yar"] == OTHER
    assert not (machine.update / "import").exists()
    code, told, said = offline("-f", file, "--trust", tmp_path / "trust")
    assert code == 0 and told["target"] == 1, said


def test_an_import_is_held_to_the_same(signer, verifier,  # noqa: F811
                                       tmp_path):
    publish(signer)
    old = signer.export(tmp_path / "old.tar")
    machine = verifier()
    publish(signer, 2, {"two.yar": EMPTY})
    machine.bring(signer.folder)
    updated = machine.ask("IMPORT", file=old)
    assert "timestamp.json" in updated["error"], updated
    signer.issued_s["timestamp"] = signer.now_s - 2 * DAY_S
    signer.life_s["timestamp"] = DAY_S
    publish(signer, 3, {"three.yar": EMPTY})
    updated = machine.ask("IMPORT", file=signer.export(tmp_path / "late.tar"))
    assert updated["alarm"] == "EXPIRED" and updated["error"], updated
    assert updated["active"] == 2 and machine.releases() == ["2"]


def hostile(path, *entries):
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, to in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, to
            tar.addfile(entry)
    return path


@pytest.mark.parametrize("entries", [
    [("../outside", tarfile.REGTYPE, "")],
    [("/tmp/outside", tarfile.REGTYPE, "")],
    [("metadata/../../outside", tarfile.REGTYPE, "")],
    [("metadata", tarfile.SYMTYPE, "/tmp"),
     ("metadata/outside", tarfile.REGTYPE, "")],
    [("metadata/a", tarfile.SYMTYPE, "/etc/passwd")],
    [("metadata/a", tarfile.LNKTYPE, "../../state.json")],
    [("metadata/a", tarfile.FIFOTYPE, "")],
    [("metadata/a", tarfile.CHRTYPE, "")],
    [("metadata/a", tarfile.REGTYPE, ""), ("metadata/a", tarfile.REGTYPE, "")],
    []])
def test_a_hostile_import(signer, verifier, tmp_path, entries):  # noqa: F811
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    file = hostile(tmp_path / "hostile.tar", *entries)
    outside = look(tmp_path, [machine.update])
    inside = look(machine.update / "releases")
    updated = machine.ask("IMPORT", file=file)
    assert updated["error"] and updated["active"] == 1, updated
    assert look(tmp_path, [machine.update]) == outside
    assert look(machine.update / "releases") == inside
    assert not (machine.update / "import").exists()


def test_what_is_no_archive(signer, verifier, tmp_path):  # noqa: F811
    machine = verifier()
    whole = publish(signer).export(tmp_path / "whole.tar").read_bytes()
    for data in (b"", b"x", b"\0" * 100000, os.urandom(100000),
                 whole[:len(whole) // 2], whole[:1000], whole + b"more"):
        file = tmp_path / "file"
        file.write_bytes(data)
        updated = machine.ask("IMPORT", file=file)
        assert updated and updated["error"], data[:20]
        assert "import" in updated["error"], updated
        assert machine.releases() == []
    assert not machine.ask("IMPORT", file=tmp_path / "whole.tar")["error"]


def test_a_full_disk_and_an_import(signer, verifier, small,  # noqa: F811
                                   tmp_path):
    publish(signer, 1, {"big.yar": os.urandom(200000).hex().encode()})
    machine = verifier()
    small(machine, "size=160k")
    updated = machine.ask("IMPORT", file=signer.export(tmp_path / "e.tar"))
    assert "needs" in updated["error"] and "MiB" in updated["error"], updated
    assert not (machine.update / "import").exists()
    shutil.rmtree(machine.update / "tuf", ignore_errors=True)
    assert list(machine.update.iterdir()) == []
