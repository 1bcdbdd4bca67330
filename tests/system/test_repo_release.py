# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-repo: releases, waves, keys that change, and trying what is staged."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tarfile
import types

import pytest

from agent import ROOT
from publisher import PEOPLE, Publisher, rule
from story import Thief
from test_repo import (ONE, TWO, VECTORS, has_ml_dsa,  # noqa: F401: fixtures
                       made, published)
from verifier import offline

# Releases.

def test_waves_promote_withdraw(published):  # noqa: F811
    published.release(TWO, "--wave", "2020-01-01T00:00:00Z:10",
                      "--wave", "+2d:100")
    assert [w["percent"] for w in published.index()["releases"][1]["waves"]] \
        == [10, 100]
    published.run("promote", 2, "--wave", "now:50")
    published.sign("carol")  # one of the channel's is enough
    published.publish()
    assert [w["percent"] for w in published.index()["releases"][1]["waves"]] \
        == [10, 50]
    published.run("promote", 2)
    published.sign("carol")
    published.publish()
    assert published.index()["releases"][1]["waves"][-1]["percent"] == 100
    published.run("withdraw", 2, "--reason", "hangs on large files")
    published.sign("bob")
    published.publish()
    assert published.index()["revoked"] == [
        {"number": 2, "reason": "hangs on large files"}]
    assert published.metadata("targets")["signed"]["version"] == 2
    published.run("withdraw", 2, "--reason", "again", code=1)
    published.run("withdraw", 7, "--reason", "none", code=2)
    published.run("withdraw", 1, code=2)
    published.run("verify")


def test_haste_does_not_wait_for_a_release(published):  # noqa: F811
    """A release that is being signed by several people stays so, and only its
    channel has to be signed again."""
    published.stage(TWO)
    published.sign("alice")
    published.run("withdraw", 1, "--reason", "false alarms")
    published.sign("bob")
    published.publish()
    assert published.index()["revoked"][0]["number"] == 1
    said = published.publish(code=1)
    assert "channel has 0 of 1" in said
    published.sign("bob")
    published.publish()
    index = published.index()
    assert [r["number"] for r in index["releases"]] == [1, 2]
    assert index["revoked"][0]["number"] == 1
    published.run("verify")


def test_a_change_of_one_rule_moves_one_list(published):  # noqa: F811
    many = {f"{i}.yar": rule(f"r{i}", f"text{i}") for i in range(64)}
    published.release(many)
    before = published.tree()
    published.release({**many, "7.yar": rule("r7", "another")})
    new = set(published.tree()) - set(before)
    assert len([n for n in new if n.startswith("targets/blobs")]) == 1
    assert len([n for n in new if ".rules-" in n]) <= 3  # old ones leave, too
    published.run("verify")


def test_sixteen_releases_are_kept(published):  # noqa: F811
    for i in range(2, 19):
        published.release({"a.yar": rule("a", f"text{i}")})
    assert [r["number"] for r in published.index()["releases"]] == \
        list(range(3, 19))
    assert "16 releases" in published.run("verify")


def test_numbers_only_rise(published):  # noqa: F811
    said = published.run("stage", published.rules(ONE), "--number", 1, code=2)
    assert "from 2 on" in said
    published.release(TWO, "--number", 40)
    assert published.index()["releases"][-1]["number"] == 40


def test_diff_and_status(published):  # noqa: F811
    published.stage({"web/two.yar": TWO["web/two.yar"]}, "--description",
                    "a \u202ered one")
    change = json.loads(published.run("diff", "--json"))
    assert [r["path"] for r in change["added"]] == ["web/two.yar"]
    assert [r["path"] for r in change["removed"]] == ["one.yar"]
    said = published.run("diff")
    assert "a \\xe2\\x80\\xaered one" in said and "+ web/two.yar" in said
    published.sign("alice")
    staged = {r["role"]: r for r in published.status()["staged"]}
    assert staged["targets"]["sides"][0]["names"] == ["alice"]
    assert staged["targets"]["sides"][0]["threshold"] == 2


# Keys.

def test_rotation(published):  # noqa: F811
    """A lost key goes, a new one comes: old and new roots agree."""
    published.new_key("dora")
    published.run("rotate", "root", "--remove", "carol", "--add",
                  published.public("dora"))
    published.run("rotate", "targets", "--remove", "carol", "--add",
                  published.public("dora"))
    published.run("rotate", "channel", "--remove", "carol", "--add",
                  published.public("dora"))
    published.sign("alice", "dora")
    said = published.publish(code=1)
    assert "keys of the root before" in said
    published.sign("bob")
    published.publish()
    assert published.metadata("root")["signed"]["version"] == 2
    assert "carol" not in published.run("key", "list")
    published.run("verify")  # from root 1 on
    published.stage(TWO)
    assert "for this key to sign" in published.sign("carol", code=1)
    published.sign("bob", "dora")
    published.publish()
    published.run("verify")


def test_a_stolen_online_key(published):  # noqa: F811
    published.new_key("online2")
    for role in ("snapshot", "timestamp"):
        published.run("rotate", role, "--remove", "online", "--add",
                      published.public("online2"))
    published.sign("alice", "bob")
    said = published.publish(code=1)
    assert "online key" in said
    published.run("publish", "--key", published.secret("online2"),
                  "--passphrase-file", published.passphrase)
    published.run("verify")
    published.refresh()  # with the new key, which is remembered
    published.run("refresh", "--key", published.secret("online"),
                  "--passphrase-file", published.passphrase, code=1)


def test_thresholds(published):  # noqa: F811
    assert "need 4 signatures" in published.run(
        "rotate", "root", "--threshold", 4, code=2)
    published.run("rotate", "root", "--threshold", 3)
    published.sign("alice", "bob")
    assert "2 of 3" in published.publish(code=1)
    published.sign("carol")
    published.publish()
    published.run("rotate", "root", "--threshold", 1)
    published.sign("alice")
    assert "keys of the root before" in published.publish(code=1)
    published.sign("bob", "carol")
    published.publish()
    published.run("verify")


def test_channel_keys_of_their_own(tmp_path):
    publisher = Publisher(tmp_path)
    publisher.new_key("night")
    publisher.init("--channel", publisher.public("night"))
    publisher.stage(ONE)
    publisher.sign("alice", "bob")
    assert "channel has 0 of 1" in publisher.publish(code=1)
    publisher.sign("night")
    publisher.publish()
    publisher.run("withdraw", 1, "--reason", "bad")
    assert publisher.sign("alice", code=1)
    publisher.sign("night")
    publisher.publish()
    # Whoever has only that key cannot bring anything new.
    publisher.stage(TWO)
    publisher.sign("night")
    assert "targets has 0 of 2" in publisher.publish(code=1)


def test_hybrid(tmp_path):
    publisher = Publisher(tmp_path)
    if not has_ml_dsa():
        for name in (*PEOPLE, "online"):
            publisher.new_key(name)
        said = publisher.run("init", "--hybrid", "--root",
                             publisher.public("alice"), "--online",
                             publisher.public("online"), code=1)
        assert "OpenSSL 3.5" in said and "Debian 13" in said
        said = publisher.run("key", "new", "pq", "--scheme", "ml-dsa-87",
                             "--passphrase-file", publisher.passphrase,
                             repo=False, code=1)
        assert "ML-DSA" in said and "3.5" in said
        assert not publisher.repo.exists()
        return
    publisher.new_key("alice-pq", "ml-dsa-87")
    publisher.new_key("bob-pq", "ml-dsa-65")
    names = ("alice", "alice-pq", "bob", "bob-pq")
    publisher.init("--hybrid", "--targets-threshold", 2, people=names)
    publisher.stage(ONE, vectors=VECTORS)
    publisher.sign("alice", "bob")
    assert "post-quantum" in publisher.publish(code=1)
    publisher.sign("alice-pq", "bob-pq")
    publisher.publish()
    publisher.run("verify")
    assert "not Debian 12" in publisher.run("check", code=0)
    publisher.run("withdraw", 1, "--reason", "bad")
    publisher.sign("alice")
    assert publisher.publish(code=1)
    publisher.sign("alice-pq")
    publisher.publish()


def spoil(publisher, folder, role, scheme):
    """A copy of what is published, and of what is trusted at first, in which
    each signature of that scheme on that role has one bit that is wrong; the
    online key, which has no say in that, lists the file as it is."""
    copy = folder / f"{role}-{scheme}"
    for name in ("published", "trust"):
        shutil.copytree(publisher.repo / name, copy / name)
    keys = publisher.metadata("root")["signed"]["keys"]
    count = 0
    for path in [*copy.glob(f"published/metadata/*{role}.json"),
                 *copy.glob(f"trust/{role}.json")]:
        text = path.read_text()
        for signature in json.loads(text)["signatures"]:
            if not keys[signature["keyid"]]["scheme"].startswith(scheme):
                continue
            right = signature["sig"]
            wrong = right[:40] + "%x" % (int(right[40], 16) ^ 1) + right[41:]
            assert text.count(right) == 1
            text = text.replace(right, wrong)
            count += 1
        path.write_text(text)
    assert count
    if role != "root":
        thief = Thief(publisher, types.SimpleNamespace(
            tree=copy / "published"), "online")
        thief.publish(**{role: thief.listed(role, 1)})
    return copy


def test_hybrid_needs_both_signatures(tmp_path):
    """What a machine makes of one signature that is right and one that is
    not."""
    if not has_ml_dsa():
        pytest.skip("machine: its OpenSSL has no ML-DSA")
    publisher = Publisher(tmp_path)
    publisher.new_key("alice-pq", "ml-dsa-87")
    names = ("alice", "alice-pq")
    publisher.init("--hybrid", "--targets-threshold", 2, people=names)
    publisher.release(ONE, vectors=VECTORS, signers=names)

    def verify(repository):
        return offline("-d", repository / "published", "--trust",
                       repository / "trust")

    code, told, said = verify(publisher.repo)
    assert code == 0 and told["target"] == 1, said
    for role in ("root", "targets", "channel"):
        for scheme in ("ml-dsa-87", "ed25519"):
            code, told, said = verify(spoil(publisher, tmp_path, role, scheme))
            assert code == 1 and told is None, (role, scheme, said)
            assert f"{role}.json: has 1 of 2 signatures" in said or \
                f"{role}: has 1 of 2" in said, said


def test_hybrid_repository_on_an_older_machine(published):  # noqa: F811
    if has_ml_dsa():
        pytest.skip("machine: its OpenSSL has ML-DSA")
    published.stage(TWO)
    published.sign("alice", "bob")
    settings = published.repo / "khien-repo.json"
    settings.write_text(settings.read_text().replace("false", "true"))
    before = published.tree()
    said = published.publish(code=1)
    assert "OpenSSL 3.5" in said and published.tree() == before


# Trying.

def findings(publisher, *options, code=1):
    return json.loads(publisher.run("check", "--json", *options,
                                    code=code))["findings"]


def kinds(found):
    return {f["kind"] for f in found}


def test_check_of_a_good_release(made, tmp_path):  # noqa: F811
    made.stage(TWO, vectors=VECTORS)
    good = tmp_path / "good"
    good.mkdir()
    (good / "a").write_bytes(b"nothing to be seen" * 100)
    assert findings(made, "--good", good, code=0) == []
    assert "Debian 12" in made.run("check")
    assert not (made.repo / "check.new").exists()


@pytest.mark.parametrize("files,vectors,kind,said", [
    ({"a.yar": "rule a { strings"}, VECTORS, "compile", "a.yar"),
    ({"a.yar": "rule one { condition: true }"}, VECTORS, "metadata", "UUID"),
    ({**ONE, "b.yar": rule("b", "bb")}, VECTORS, "duplicate", "rule b"),
    ({"a.yar": ONE["one.yar"].replace('author = "a"', "")}, VECTORS,
     "metadata", "rule one has no author"),
    ({"a.yar": ONE["one.yar"].replace("2026-01-01", "2026")}, VECTORS,
     "metadata", "rule one has no date"),
    ({"a.yar": ONE["one.yar"].replace('"high"', '"bad"')}, VECTORS,
     "metadata", "rule one has no severity"),
    ({"a.yar": ONE["one.yar"].replace("false_positives", "fp")}, VECTORS,
     "metadata", "rule one has no false_positives"),
    (ONE, {"match/one/a": b"another"}, "vector", "rule one does not match"),
    (ONE, {"match/two/a": b"oneone"}, "vector", "rule two does not match"),
    (ONE, {"clean/a": b"oneone"}, "vector", "is clean, and rule one"),
    (ONE, None, "vector", "there are none"),
    ({**ONE, "k.yar": "/* -----BEGIN PRIVATE KEY-----\n" + "Ab3+" * 16 +
      "*/ rule k { condition: false }"}, VECTORS, "secret", "private key"),
])
def test_check_finds(made, files, vectors, kind, said):  # noqa: F811
    made.stage(files, vectors=vectors)
    found = findings(made)
    assert kind in kinds(found), found
    assert any(said in f["path"] + f["text"] for f in found), found


def test_check_of_the_shipped_rules(made, tmp_path):  # noqa: F811
    """With their samples as vectors: nothing is found."""
    top = ROOT / "signatures/yara"
    files = {str(p.relative_to(top)): p.read_text(encoding="utf-8")
             for p in top.rglob("*.yar")}
    folder = tmp_path / "samples"
    subprocess.run([sys.executable, ROOT / "tests/rules/samples.py", folder],
                   check=True, stdout=subprocess.DEVNULL)
    made.stage(files, vectors={
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*") if p.is_file()})
    assert findings(made, code=0) == []


def test_check_of_good_files(made, tmp_path):  # noqa: F811
    good = tmp_path / "good"
    good.mkdir()
    (good / "innocent").write_bytes(b"x oneone x")
    (good / "large").write_bytes(os.urandom(1 << 20))
    slow = ("import \"math\" rule slow { condition: for all i in (1..400000) "
            ": (math.abs(i) > 0 or uint8(i) == 300) }")
    many = {f"{i}.yar": rule(f"r{i}", f"never{i}") for i in range(5)}
    made.stage({**ONE, **many, "slow.yar": slow}, vectors=VECTORS)
    found = findings(made, "--good", good)
    false = [f for f in found if f["kind"] == "false positive"]
    assert any(f["path"].endswith("innocent") and "rule one" in f["text"]
               for f in false)
    assert [f["path"] for f in found if f["kind"] == "slow"] == ["slow.yar"]


# All at once, and by file.

def test_two_at_once(published):  # noqa: F811
    fd = os.open(published.repo, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    said = published.run("stage", published.rules(TWO), code=2)
    assert "another khien-repo" in said
    published.run("status", code=0)
    os.close(fd)
    published.release(TWO)


def test_export(published):  # noqa: F811
    published.release(TWO)
    file = published.folder / "release.tar"
    published.run("export", file)
    with tarfile.open(file) as tar:
        names = tar.getnames()
        first = tar.extractfile("metadata/timestamp.json").read()
    assert names == sorted(names) and names[0].startswith("metadata/")
    assert first == (published.repo /
                     "published/metadata/timestamp.json").read_bytes()
    again = published.folder / "again.tar"
    published.run("export", again, "--release", 2)
    assert again.read_bytes() == file.read_bytes()
    published.run("export", file, "--release", 9, code=2)
    assert again.read_bytes() == file.read_bytes()


def test_init_twice_and_nowhere(made, tmp_path):  # noqa: F811
    assert "is a repository already" in made.run(
        "init", "--root", made.public("alice"), "--online",
        made.public("online"), code=2)
    assert "is no repository" in made.run("-C", tmp_path / "keys", "status",
                                          repo=False, code=2)


@pytest.mark.parametrize("words", [
    ("stage",), ("withdraw", "1"), ("frobnicate",), (), ("stage", "a", "b"),
    ("publish", "--wave", "now:1"), ("key", "new"), ("promote", "0"),
    ("promote", "x"), ("rotate", "boss", "--threshold", "1"),
    ("status", "--nonsense"), ("publish", "--key"), ("status", "--json=1"),
])
def test_wrong_usage(published, words):  # noqa: F811
    before = published.tree()
    assert published.run(*words, code=2).startswith("khien-repo: ")
    assert published.tree() == before


@pytest.mark.parametrize("wave", ["now", "now:0", "now:101", "x:10", "+2w:10",
                                  "2026-02-30T00:00:00Z:10", ":5", "now:-1",
                                  "+99999999999999d:1"])
def test_wrong_waves(published, wave):  # noqa: F811
    assert "is no wave" in published.run(
        "stage", published.rules(TWO), "--wave", wave, code=2)


def test_waves_must_rise(published):  # noqa: F811
    said = published.run("stage", published.rules(TWO), "--wave", "now:50",
                         "--wave", "+1d:20", code=1)
    assert "wave" in said


def test_help_and_version(made):  # noqa: F811
    assert "khien-repo" in made.run("--version")
    for command in ("init", "key", "stage", "check", "diff", "sign", "publish",
                    "refresh", "promote", "withdraw", "rotate", "status",
                    "export", "verify"):
        assert command in made.run("--help")
        assert command in made.run(command, "--help")
