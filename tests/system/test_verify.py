# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-verify by itself: what is staged and what is in force, whatever the
mirror, the publisher's thief and the clock do."""

import json
import os
import time

import pytest

from signer import DAY_S, Signer
from verifier import Verifier, offline

RULE = b"rule one { condition: true }\n"
OTHER = b"rule other { condition: false }\n"
EMPTY = b"rule empty { condition: false }\n"


@pytest.fixture
def signer(tmp_path):
    return Signer(tmp_path / "repository")


@pytest.fixture
def verifier(tmp_path, signer):
    """verifier(**how) -> one whose trust is the signer's first root."""
    if os.geteuid() != 0:
        pytest.skip("needs root")

    def make(policy=None, **how):
        trust = signer.trust(tmp_path / "trust", **(policy or {}))
        return Verifier(tmp_path / "machine", trust, **how)

    return make


def publish(signer, number=1, rules=None, **how):
    signer.release(number, rules or {"a/one.yar": RULE, "other.yar": OTHER},
                   **how)
    return signer.publish()


def look(folder, apart=()):
    """All that is there, to the time and the byte."""
    found = {}
    for base, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(base, name)
            if any(path.startswith(str(a)) for a in apart):
                continue
            at = os.lstat(path)
            kind = os.readlink(path) if os.path.islink(path) else \
                open(path, "rb").read() if os.path.isfile(path) else None
            found[path] = (at.st_mode, at.st_uid, at.st_mtime_ns, kind)
    return found


# One release, and the next.


def test_a_release_is_staged_and_activated(signer, verifier):
    publish(signer, vectors=[("eicar", b"bytes", ["one"])])
    machine = verifier()
    updated = machine.now(signer.folder)
    assert not updated["error"] and updated["staged"] == 1, updated
    assert updated["active"] == 0 and machine.current() == 0
    assert machine.rules(1) == {"a/one.yar": RULE, "other.yar": OTHER}
    updated = machine.ask("ACTIVATE", 1)
    assert not updated["error"] and updated["active"] == 1, updated
    assert machine.current() == 1 and machine.state()["active"] == 1
    assert machine.ask("STATUS")["active"] == 1
    assert {os.lstat(os.path.join(base, n)).st_uid for base, d, f in
            os.walk(machine.update) for n in d + f} == {61187}


def test_only_what_changed_is_fetched(signer, verifier):
    publish(signer, vectors=[("eicar", b"bytes", ["one"])])
    machine = verifier()
    machine.bring(signer.folder)
    publish(signer, 2, {"a/one.yar": RULE, "moved.yar": OTHER, "new.yar": EMPTY,
                        "same.yar": EMPTY},
            vectors=[("eicar", b"bytes", ["one"])])
    updated = machine.bring(signer.folder)
    assert (updated["active"], updated["previous"]) == (2, 1)
    machine.ask("STATUS")
    assert len([p for p in machine.asked if "blobs/" in p]) == 1
    assert machine.rules(2)["moved.yar"] == OTHER
    assert machine.rules(2)["same.yar"] == EMPTY
    assert os.stat(machine.update / "releases/2/rules/moved.yar").st_nlink == 2


def test_one_blob_for_one_new_file_and_two_requests_for_nothing(signer,
                                                                verifier):
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    publish(signer, 2, {"a/one.yar": RULE, "other.yar": OTHER,
                        "new.yar": EMPTY})
    machine.now(signer.folder)
    assert len([p for p in machine.asked if "blobs/" in p]) == 1
    machine.ask("ACTIVATE", 2)
    updated = machine.now(signer.folder)
    # The next root, which is not there, and the timestamp.
    assert machine.asked == ["2.root.json", "timestamp.json"]
    assert not updated["error"] and not updated["staged"]


def test_what_a_disk_spoiled_is_fetched_again(signer, verifier):
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    (machine.update / "releases/1/rules/other.yar").write_bytes(b"x" *
                                                                len(OTHER))
    publish(signer, 2)
    machine.bring(signer.folder)
    assert machine.rules(2)["other.yar"] == OTHER


def test_check_changes_metadata_alone(signer, verifier):
    publish(signer)
    machine = verifier()
    updated = machine.ask("CHECK", mirrors=[signer.folder])
    assert not updated["error"] and updated["newest"] == 1
    assert not updated["staged"] and machine.releases() == []
    assert "release 1 is to be brought" in updated["note"]


# Taking back.


def test_taken_back_to_the_previous_one_and_remembered(signer, verifier):
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    publish(signer, 2, {"bad.yar": EMPTY})
    machine.bring(signer.folder)
    updated = machine.ask("TAKE_BACK", 2, "three scanners died")
    assert not updated["error"] and updated["active"] == 1, updated
    assert (updated["bad"], updated["bad_reason"]) == \
        (2, "three scanners died")
    assert machine.current() == 1
    # It does not come again, and there is nothing before the first.
    assert machine.now(signer.folder)["staged"] == 0
    updated = machine.ask("TAKE_BACK", 1, "and again")
    assert updated["active"] == 0 and machine.current() == 0
    assert machine.releases() == ["1"]
    machine.ask("STATUS")
    assert machine.releases() == []


def test_only_what_is_active_is_taken_back(signer, verifier):
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    publish(signer, 2, {"two.yar": EMPTY})
    machine.now(signer.folder)
    for number in (2, 7):
        updated = machine.ask("TAKE_BACK", number, "no reason")
        assert f"release {number} is not active" in updated["error"]
        assert updated["active"] == 1 and updated["staged"] == 2
        assert not updated["bad"] and machine.current() == 1


def test_refused_by_its_trial(signer, verifier):
    publish(signer)
    machine = verifier()
    machine.now(signer.folder)
    updated = machine.ask("REFUSE", 1, "it hangs")
    assert not updated["error"] and not updated["staged"]
    assert machine.now(signer.folder)["staged"] == 0
    assert "not staged" in machine.ask("ACTIVATE", 1)["error"]
    publish(signer, 2, {"good.yar": EMPTY})
    assert machine.now(signer.folder)["staged"] == 2


def test_revocation_beats_waves_and_caches(signer, verifier):
    publish(signer)
    machine = verifier(place="100")
    machine.bring(signer.folder)
    publish(signer, 2, {"two.yar": EMPTY})
    machine.bring(signer.folder)
    signer.revoke(2, "it blocks the shell")
    publish(signer, 3, {"three.yar": RULE},
            waves=[(signer.now_s - 1, 10), (signer.now_s + DAY_S, 100)])
    updated = machine.ask("CHECK", mirrors=[signer.folder])
    assert updated["active"] == 2 and "it blocks the shell" in updated["note"]
    updated = machine.now(signer.folder)
    assert not updated["error"] and updated["active"] == 1, updated
    assert "it blocks the shell" in updated["note"]
    assert updated["staged"] == 0 and updated["waiting"] == 3
    assert updated["wave_s"] == signer.now_s + DAY_S
    assert machine.current() == 1


def test_nothing_that_was_revoked_is_gone_back_to(signer, verifier):
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    publish(signer, 2, {"two.yar": EMPTY})
    machine.bring(signer.folder)
    signer.revoke(1)
    signer.publish()
    machine.now(signer.folder)
    updated = machine.ask("TAKE_BACK", 2, "bad too")
    assert updated["active"] == 0 and machine.current() == 0


@pytest.mark.parametrize("place, staged", [("9", 1), ("10", 0), ("100", 0)])
def test_waves(signer, verifier, place, staged):
    publish(signer, waves=[(signer.now_s - 60, 10),
                           (signer.now_s + DAY_S, 100)])
    updated = verifier(place=place).now(signer.folder)
    assert updated["staged"] == staged and not updated["error"]
    assert updated["waiting"] == (0 if staged else 1)


def test_a_staged_release_that_is_no_longer_due_is_not_tried(signer, verifier):
    publish(signer)
    machine = verifier(place="50")
    assert machine.now(signer.folder)["staged"] == 1
    signer.index["releases"][0]["waves"] = [
        {"start": "2026-01-01T00:00:00Z", "percent": 1}]
    signer.publish()
    assert machine.now(signer.folder)["staged"] == 0
    assert "not staged" in machine.ask("ACTIVATE", 1)["error"]


def test_another_engine_s_release_waits(signer, verifier):
    publish(signer, engine={"min": "99.0"})
    updated = verifier().now(signer.folder)
    assert not updated["error"] and updated["staged"] == 0
    assert "from 99.0 on" in updated["note"], updated


def test_older_than_the_package_is_refused(signer, verifier):
    publish(signer)
    updated = verifier(policy={"release": 2}).now(signer.folder)
    assert not updated["error"] and updated["staged"] == 0, updated


# What is refused, and leaves everything as it was.


def rollback(signer):
    signer.versions = {role: 1 for role in signer.versions}
    signer.publish()


def bad_signature(signer):
    from signer import Key
    signer.keys["timestamp"] = Key()
    signer.publish()


def bad_index(signer):
    signer.index = b'{"format":1,"releases":[{"number":2}],"revoked":[]}'
    signer.publish()


def index_of_later_format(signer):
    signer.index = {"format": 2}
    signer.publish()


def bad_manifest(signer):
    signer.release(2, {}, manifest=b"no gzip")
    signer.publish()


def manifest_of_another(signer):
    signer.release(2, {}, manifest=signer.manifest(3, {"a.yar": RULE}))
    signer.publish()


def bomb(signer):
    import gzip
    manifest = json.dumps(signer.manifest(2, {"a.yar": RULE}))
    signer.release(2, {}, manifest=gzip.compress(
        manifest.encode() + b" " * (64 << 20)))
    signer.publish()


def bad_blob(signer):
    """Signed, but not what the manifest says."""
    signer.release(2, {"new.yar": EMPTY})
    name = next(n for n in signer.blobs if signer.blobs[n] ==
                __import__("gzip").compress(EMPTY, mtime=0))
    signer.blobs[name] = __import__("gzip").compress(b"rule evil {}", mtime=0)
    signer.publish()


def blob_bomb(signer):
    signer.release(2, {"new.yar": EMPTY})
    name = next(n for n in signer.blobs if signer.blobs[n] ==
                __import__("gzip").compress(EMPTY, mtime=0))
    signer.blobs[name] = __import__("gzip").compress(b"\0" * (8 << 20))
    signer.publish()


def missing_blob(signer):
    signer.release(2, {"new.yar": EMPTY})
    signer.publish()
    for path in signer.folder.glob("targets/blobs/*"):
        path.unlink()


def spoiled_on_the_mirror(signer):
    signer.release(2, {"new.yar": EMPTY})
    signer.publish()
    for path in signer.folder.glob("targets/blobs/*"):
        path.write_bytes(path.read_bytes()[:-1] + b"\7")


def empty_mirror(signer):
    import shutil
    shutil.rmtree(signer.folder)
    signer.folder.mkdir()


@pytest.mark.parametrize("harm", [
    rollback, bad_signature, bad_index, index_of_later_format, bad_manifest,
    manifest_of_another, bomb, bad_blob, blob_bomb, missing_blob,
    spoiled_on_the_mirror, empty_mirror])
def test_bad_is_refused_and_the_last_good_stays(signer, verifier, harm):
    publish(signer)
    machine = verifier()
    machine.now(signer.folder)
    signer.publish()
    machine.bring(signer.folder)
    before = look(machine.update / "releases")
    harm(signer)
    updated = machine.now(signer.folder)
    assert updated["error"] and updated["active"] == 1, updated
    assert not updated["staged"] and machine.current() == 1
    assert look(machine.update / "releases") == before
    assert not (machine.update / "import").exists()


def test_a_bomb_is_not_unpacked_to_its_end(signer, verifier):
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    bomb(signer)
    assert "is longer unpacked" in machine.now(signer.folder)["error"]


def test_an_index_that_is_too_long_is_not_even_asked_for(signer, verifier):
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    signer.index = json.dumps(signer.index).encode() + b" " * 65536
    signer.publish()
    assert "has more than 65536 bytes" in machine.now(signer.folder)["error"]
    assert not [path for path in machine.asked if "releases.json" in path]


def test_another_mirror_has_it_better(signer, verifier, tmp_path):
    import shutil
    publish(signer)
    good = tmp_path / "good"
    shutil.copytree(signer.folder, good)
    spoiled_on_the_mirror(signer)
    shutil.copytree(signer.folder, tmp_path / "better")
    for path in (tmp_path / "better").glob("targets/blobs/*"):
        path.unlink()
    signer.publish(bump=False)
    updated = verifier().now(tmp_path / "better", signer.folder)
    assert not updated["error"] and updated["staged"] == 2, updated


EVIL = ["../x.yar", "/etc/x.yar", "a/../../x.yar", "..", ".", "", "a//x.yar",
        "a/./x.yar", ".hidden.yar", "a\\x.yar", "x.txt", "a\0.yar", "a\n.yar",
        "a.yar/b.yar", "x" * 300 + ".yar", "d/" * 40 + "x.yar",
        "%2e%2e/x.yar/../y.yar"]


@pytest.mark.parametrize("path", EVIL)
def test_names_that_climb(signer, verifier, tmp_path, path):
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    signer.release(2, {}, manifest=signer.manifest(
        2, {path: EMPTY, "a.yar": RULE}))
    signer.publish()
    before = look(tmp_path, [machine.update / "tuf",
                             machine.update / "state.json", machine.update])
    inside = look(machine.update / "releases")
    updated = machine.now(signer.folder)
    assert "releases/2.json.gz" in updated["error"], updated
    assert updated["active"] == 1
    assert look(tmp_path, [machine.update]) == before
    assert look(machine.update / "releases") == inside


# Links and other things that were planted.


@pytest.mark.parametrize("name", [
    "releases", "tuf", "import", "current.tmp", "releases/2", "releases/2.tmp",
    "package.tmp", "state.json", "releases.json"])
@pytest.mark.parametrize("kind", ["link", "file", "folder"])
def test_planted(signer, verifier, tmp_path, name, kind):
    publish(signer)
    machine = verifier()
    (machine.update / "releases").mkdir()
    outside = tmp_path / "outside"
    (outside / "rules").mkdir(parents=True)
    (outside / "manifest.json").write_text("{}")
    for path in (tmp_path, outside, outside / "rules"):
        path.chmod(0o777)
    planted = machine.update / name
    if planted.exists():
        planted.rmdir()
    if kind == "link":
        planted.symlink_to(outside)
    elif kind == "file":
        planted.write_text("x")
    else:
        (planted / "inner").mkdir(parents=True)
    for base, folders, files in os.walk(machine.update):
        for each in folders + files:
            os.lchown(os.path.join(base, each), 61187, 61187)
    before = look(outside)
    updated = machine.now(signer.folder)
    assert updated["staged"] == 1, updated
    assert look(outside) == before
    machine.ask("ACTIVATE", 1)
    assert machine.current() == 1
    assert machine.rules(1)["a/one.yar"] == RULE


@pytest.mark.parametrize("to", ["/etc", "releases/1/..", "releases/01",
                                "releases/7", "../outside", "x" * 300])
def test_a_link_to_anything_else_is_no_release(signer, verifier, to):
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    link = machine.update / "current"
    link.unlink()
    link.symlink_to(to)
    updated = machine.ask("STATUS")
    assert updated["active"] == 0 and "package's rules" in updated["note"]
    assert not os.path.lexists(link)


# Files that are carried by hand, and people.


def test_offline(signer, tmp_path):
    publish(signer)
    trust = signer.trust(tmp_path / "trust")
    code, told, said = offline("-d", signer.folder, "--trust", trust)
    assert code == 0, said
    assert told["target"] == 1 and told["newest"] == 1
    assert told["version"] == {"root": 1, "timestamp": 1, "snapshot": 1,
                               "targets": 1}
    assert [r["number"] for r in told["releases"]] == [1]
    assert told["expires"] > told["issued"]
    code, told, said = offline("-d", tmp_path / "trust", "--trust", trust)
    assert code == 1 and told is None and "timestamp.json" in said
    for wrong in ([], ["-d"], ["-d", "x", "-f", "y"], ["--bad"], ["7", "8"]):
        assert offline(*wrong)[0] == 2, wrong


def test_offline_remembers_in_its_folder(signer, tmp_path):
    publish(signer)
    trust = signer.trust(tmp_path / "trust")
    state = tmp_path / "state"
    how = ["-d", signer.folder, "--trust", trust, "--state", state]
    assert offline(*how)[0] == 0
    assert (state / "releases/1/rules/other.yar").read_bytes() == OTHER
    signer.publish()
    assert offline(*how)[0] == 0
    rollback(signer)
    code, _, said = offline(*how)
    assert code == 1 and "timestamp.json" in said
    late = str(tmp_path / "waves")
    assert offline("-d", signer.folder, "--trust", trust, "--state", late,
                   "--place", "101")[0] == 1


def test_two_at_once(signer, verifier):
    """The second is told so at once, and does no harm."""
    publish(signer)
    machine = verifier()
    told = []

    def on_file(path, data, _fd):
        if path == "timestamp.json":
            told.append(machine.ask("STATUS"))
            time.sleep(0.1)
        return data

    updated = Verifier.now(machine, signer.folder, on_file=on_file)
    assert "an update is under way" in told[0]["error"]
    assert not updated["error"] and updated["staged"] == 1
