# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-repo: ceremonies of several people, and everything that it refuses."""

import fcntl
import json
import os
import shutil
import subprocess
import tarfile

import pytest

from agent import BUILD
from publisher import PEOPLE, Publisher, rule

ONE = {"one.yar": rule("one", "oneone")}
TWO = {**ONE, "web/two.yar": rule("two", "twotwo",
                                  "af552974-f6b9-4791-9d92-34f595a7bb1a")}
VECTORS = {"match/one/sample": b"xx oneone xx", "clean/none": b"nothing"}


@pytest.fixture
def made(tmp_path):
    """Begun by three people, two of whom must sign; nothing is published."""
    publisher = Publisher(tmp_path)
    publisher.init()
    return publisher


@pytest.fixture
def published(made):
    """With a first release."""
    made.release(ONE, vectors=VECTORS)
    return made


def has_ml_dsa():
    return "ML-DSA-87" in subprocess.run(
        ["openssl", "list", "-public-key-algorithms"], capture_output=True,
        text=True, check=True).stdout


# Beginning, signing, publishing.

def test_two_of_three_publish_a_release(made):
    made.stage(TWO, vectors=VECTORS)
    made.sign("alice", "carol")
    made.publish()
    assert "1 releases" in made.run("verify")
    (release,) = made.index()["releases"]
    assert release["number"] == 1
    assert made.metadata("root")["signed"]["roles"]["root"]["threshold"] == 2
    status = made.status()
    assert {r["role"] for r in status["roles"]} >= {
        "root", "targets", "snapshot", "timestamp", "channel", "rules-0",
        "rules-f"}
    assert not (made.repo / "staged").exists()


def test_an_empty_repository_can_be_published_first(made):
    made.sign("alice", "bob")
    made.publish()
    assert "0 releases" in made.run("verify")
    made.release(ONE)
    assert "1 releases" in made.run("verify")


def test_one_key_too_few(made):
    made.stage(ONE)
    made.sign("bob")
    said = made.publish(code=1)
    assert "root has 1 of 2 signatures" in said
    assert not (made.repo / "published").exists()
    said = made.sign("bob")  # twice is once
    assert "1 of 2" in said and made.publish(code=1)
    made.sign("alice")
    made.publish()


def test_wrong_passphrase(made):
    before = made.status()
    wrong = made.folder / "wrong"
    wrong.write_text("battery staple")
    said = made.run("sign", "--key", made.secret("alice"),
                    "--passphrase-file", wrong, code=1)
    assert "alice.key" in said and "passphrase is wrong" in said
    assert made.status() == before


def test_no_terminal_and_no_file(made):
    made.wrapper = ["setsid", "-w"]
    said = made.run("sign", "--key", made.secret("alice"), code=2)
    assert "--passphrase-file" in said


def test_somebody_elses_key(made):
    made.new_key("mallory")
    assert "nothing that is staged is for this key" in \
        made.sign("mallory", code=1)
    made.sign("alice", "bob")
    said = made.run("publish", "--key", made.secret("alice"),
                    "--passphrase-file", made.passphrase, code=1)
    assert "snapshot" in said and "online key" in said
    made.publish()


@pytest.mark.parametrize("text,said", [
    (b"", "no encrypted key"), (b"-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n"
                                b"-----END PRIVATE KEY-----\n", "encrypted"),
    (os.urandom(4000), "no encrypted key"), (b"x" * 70000, "too large"),
])
def test_bad_key_files(made, text, said):
    bad = made.keys / "bad.key"
    bad.write_bytes(text)
    out = made.run("sign", "--key", bad, "--passphrase-file",
                   made.passphrase, code=None)
    assert made.code in (1, 2) and said in out and "bad.key" in out


def test_keys_are_encrypted_and_never_overwritten(made):
    made.run("key", "new", made.keys / "dora", "--passphrase-file",
             made.passphrase, repo=False)
    text = made.secret("dora").read_text()
    assert "BEGIN ENCRYPTED PRIVATE KEY" in text
    assert made.secret("dora").stat().st_mode & 0o777 == 0o600
    shown = subprocess.run(["openssl", "asn1parse", "-in",
                            str(made.secret("dora"))], capture_output=True,
                           text=True, check=True).stdout
    assert "scrypt" in shown and "aes-256-cbc" in shown
    made.run("key", "new", made.keys / "dora", "--passphrase-file",
             made.passphrase, repo=False, code=2)
    assert made.secret("dora").read_text() == text
    short = made.folder / "short"
    short.write_text("1234567")
    assert "too short" in made.run(
        "key", "new", made.keys / "ed", "--passphrase-file", short,
        repo=False, code=2)


@pytest.mark.parametrize("scheme", ["ed25519", "ecdsa-p256"])
def test_schemes(tmp_path, scheme):
    publisher = Publisher(tmp_path)
    publisher.new_key("alice", scheme)
    publisher.init(people=("alice",), threshold=1)
    publisher.release(ONE, signers=("alice",))
    publisher.run("verify")


# Carrying by hand.

def test_signed_on_other_machines_in_parallel(made):
    made.stage(ONE)
    for name in ("alice", "carol"):
        stick = made.folder / f"stick-{name}"
        shutil.copytree(made.repo / "staged", stick / "staged")
        made.sign(name, where=(stick / "staged",))
    assert "1 of 2" in made.run("sign", "--from",
                                made.folder / "stick-alice/staged")
    made.publish(code=1)
    made.run("sign", "--from", made.folder / "stick-carol/staged")
    made.publish()


def test_a_late_signature(made):
    made.stage(ONE)
    stick = made.folder / "stick"
    shutil.copytree(made.repo / "staged", stick / "staged")
    made.sign("alice", "bob", "carol")  # one more than needed
    made.publish()
    made.sign("carol", where=(stick / "staged",))
    said = made.run("sign", "--from", stick / "staged", code=1)
    assert "published" in said
    made.run("verify")
    made.stage(TWO)
    said = made.run("sign", "--from", stick / "staged", code=1)
    assert "something else" in said


def test_what_is_carried_must_be_next(published):
    """An old stick is not signed for a version that is out already."""
    published.stage(TWO)
    stick = published.folder / "stick"
    shutil.copytree(published.repo / "staged", stick / "staged")
    base = stick / "staged/base"
    (base / "1.targets.json").unlink()
    said = published.sign("alice", where=(stick / "staged",), code=1)
    assert "targets has version 2, and 1 is next" in said


def test_a_tampered_stick(published):
    published.stage(TWO)
    stick = published.folder / "stick"
    shutil.copytree(published.repo / "staged", stick / "staged")
    blob = next((stick / "staged/targets/blobs").iterdir())
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    said = published.sign("alice", where=(stick / "staged",), code=1)
    assert blob.name in said


# What is refused.

def staged_file(publisher, role):
    (file,) = (publisher.repo / "staged/metadata").glob(f"*.{role}.json")
    return file


def drop_blob(publisher):
    next((publisher.repo / "staged/targets/blobs").iterdir()).unlink()


def spoil_blob(publisher):
    blob = next((publisher.repo / "staged/targets/blobs").iterdir())
    blob.write_bytes(b"\0" + blob.read_bytes()[1:])


def spoil_index(publisher):
    (index,) = (publisher.repo / "staged/targets").glob("*.releases.json")
    index.write_bytes(index.read_bytes() + b" ")


def link_blob(publisher):
    blob = next((publisher.repo / "staged/targets/blobs").iterdir())
    blob.rename(publisher.folder / "elsewhere")
    blob.symlink_to(publisher.folder / "elsewhere")


def jump(publisher):
    file = staged_file(publisher, "targets")
    body = json.loads(file.read_text())
    body["signed"]["version"] = 9
    file.unlink()
    (file.parent / "9.targets.json").write_text(json.dumps(body))


def rename(publisher):
    file = staged_file(publisher, "targets")
    file.rename(file.parent / "9.targets.json")


def change(publisher):
    """Signatures are of other words."""
    file = staged_file(publisher, "targets")
    file.write_text(file.read_text().replace('"version":2', '"version":2,"x":1'))


def truncate(publisher):
    file = staged_file(publisher, "channel")
    file.write_bytes(file.read_bytes()[:-40])


def twice(publisher):
    file = staged_file(publisher, "channel")
    shutil.copy(file, file.parent / "7.channel.json")


def garbage(publisher):
    (publisher.repo / "staged/metadata/notes.txt").write_text("hello")


def folder(publisher):
    inner = publisher.repo / "staged/metadata/3.root.json"
    inner.mkdir()
    (inner / "file").write_text("{}")


def nonsense(publisher):
    staged_file(publisher, "channel").write_bytes(os.urandom(3000))


@pytest.mark.parametrize("spoil,said", [
    (drop_blob, "neither staged nor published"), (spoil_blob, "sha256"),
    (spoil_index, "releases.json"), (link_blob, "symbolic links"),
    (jump, "2 is next"), (rename, "version 2 inside"), (change, "0 of 2"),
    (truncate, "not JSON"), (twice, "another one of that role"),
    (garbage, "notes.txt: does not belong there"),
    (folder, "3.root.json"), (nonsense, "not JSON"),
])
def test_spoiled_stage_is_not_published(published, spoil, said):
    published.stage(TWO, vectors=VECTORS)
    published.sign("alice", "bob")
    before = published.tree()
    spoil(published)
    out = published.publish(code=None)
    assert published.code in (1, 2) and said in out, out
    assert published.tree() == before
    published.run("verify", code=None)
    # Staging again mends it, where nobody's garbage is in the way.
    shutil.rmtree(published.repo / "staged/metadata")
    published.release(TWO, vectors=VECTORS)
    published.run("verify")


CLOCK = """
#include <stdlib.h>
#include <time.h>
time_t time(time_t *to)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += atol(getenv("SHIFT_S"));
	if (to)
		*to = now.tv_sec;
	return now.tv_sec;
}
"""


@pytest.fixture
def shift(tmp_path):
    """shift(publisher, days): its clock is ahead from then on."""
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(CLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library),
                    str(source)], check=True)

    def do(publisher, days):
        publisher.env = {**os.environ, "LD_PRELOAD": str(library),
                         "SHIFT_S": str(int(days * 86400)),
                         "ASAN_OPTIONS": "verify_asan_link_order=0"}
    return do


def test_what_expired_is_not_published(published, shift):
    published.stage(TWO)
    published.sign("alice", "bob")
    shift(published, 91)
    before = published.tree()
    said = published.publish(code=1)
    assert "clients would refuse this" in said and "expired" in said
    assert published.tree() == before
    assert "expired" in published.run("verify", code=1)
    # Staged anew, it is good: the root lives for a year.
    published.release(TWO)
    published.run("verify")


def test_life_is_watched_and_renewed(published, shift):
    assert published.run("status", code=0)
    shift(published, 1.7)
    assert "timestamp has lived four fifths" in published.run(
        "status", code=None).replace("WARNING: ", "")
    assert published.code in (0, 1)
    assert {r["role"]: r.get("do") for r in published.status()["roles"]}[
        "timestamp"].startswith("refresh")
    published.refresh()
    published.run("status", code=0)
    assert published.metadata("snapshot")["signed"]["version"] == 1
    shift(published, 5)
    published.refresh()
    assert published.metadata("snapshot")["signed"]["version"] == 2
    published.run("verify")
    # Half of a quarter: what changes is signed anew, and the rest too.
    shift(published, 46)
    published.release(TWO)
    assert {published.metadata(f"rules-{d}")["signed"]["version"]
            for d in "0123456789abcdef"} == {2}
    shift(published, 80)
    published.run("stage", "--renew")
    published.sign("alice", "bob")
    published.publish()
    assert published.metadata("targets")["signed"]["version"] == 3
    published.run("rotate", "--renew")
    published.sign("alice", "carol")
    published.publish()
    assert published.metadata("root")["signed"]["version"] == 2
    published.run("verify")


def test_a_clock_that_went_back(published, shift):
    """What is signed before what was seen is not new to anybody."""
    shift(published, -400)
    said = published.run("stage", published.rules(TWO), code=1)
    assert "clock" in said
    assert "clock" in published.refresh(code=1)
    published.env = None
    published.run("verify")


@pytest.mark.parametrize("files,said", [
    ({"a b/c.yar": "", "x.txt": "no"}, None),
    ({"x.txt": "no rules"}, "no file is named *.yar"),
    ({"a\nb.yar": "x"}, "a\\x0ab.yar"),
    ({"a\\b.yar": "x"}, "\\"),
    ({".hidden/a.yar": "x"}, "no file is named"),
    ({"/".join("f" * 17) + ".yar": "x"}, "more than 16"),
    ({"n" * 210 + ".yar": "x"}, "nnnn"),
    ({"big.yar": b"x" * (64 * 1024 * 1024 + 1)}, "big.yar"),
])
def test_what_rules_may_be_called(made, files, said):
    folder = made.rules(files)
    out = made.run("stage", folder, code=None)
    assert made.code == 0 if said is None else \
        made.code in (1, 2) and said in out, out


def test_a_link_among_the_rules(made):
    rules = made.rules(ONE)
    (rules / "passwd.yar").symlink_to("/etc/passwd")
    assert "passwd.yar: is no regular file" in made.run("stage", rules, code=1)


def test_vectors_elsewhere(made):
    for bad in ({"stray": b"x"}, {"match/file": b"x"}, {"match//": None}):
        if None in bad.values():
            continue
        said = made.run("stage", made.rules(ONE), "--vectors",
                        made.rules(bad, "vectors"), code=1)
        assert "match/RULE/FILE" in said


# Releases.

def test_waves_promote_withdraw(published):
    published.release(TWO, "--wave", "now:10", "--wave", "+2d:100")
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


def test_haste_does_not_wait_for_a_release(published):
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


def test_a_change_of_one_rule_moves_one_list(published):
    many = {f"{i}.yar": rule(f"r{i}", f"text{i}") for i in range(64)}
    published.release(many)
    before = published.tree()
    published.release({**many, "7.yar": rule("r7", "another")})
    new = set(published.tree()) - set(before)
    assert len([n for n in new if n.startswith("targets/blobs")]) == 1
    assert len([n for n in new if ".rules-" in n]) <= 3  # old ones leave, too
    published.run("verify")


def test_sixteen_releases_are_kept(published):
    for i in range(2, 19):
        published.release({"a.yar": rule("a", f"text{i}")})
    assert [r["number"] for r in published.index()["releases"]] == \
        list(range(3, 19))
    assert "16 releases" in published.run("verify")


def test_numbers_only_rise(published):
    said = published.run("stage", published.rules(ONE), "--number", 1, code=2)
    assert "from 2 on" in said
    published.release(TWO, "--number", 40)
    assert published.index()["releases"][-1]["number"] == 40


def test_diff_and_status(published):
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

def test_rotation(published):
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


def test_a_stolen_online_key(published):
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


def test_thresholds(published):
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
    publisher.init("--hybrid", people=names, threshold=2)
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


def test_hybrid_repository_on_an_older_machine(published):
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


def test_check_of_a_good_release(made, tmp_path):
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
    (ONE, {"match/one/a": b"another"}, "vector", "rule one does not match"),
    (ONE, {"match/two/a": b"oneone"}, "vector", "rule two does not match"),
    (ONE, {"clean/a": b"oneone"}, "vector", "is clean, and rule one"),
    (ONE, None, "vector", "there are none"),
    ({**ONE, "k.yar": "/* -----BEGIN PRIVATE KEY-----\n" + "Ab3+" * 16 +
      "*/ rule k { condition: false }"}, VECTORS, "secret", "private key"),
])
def test_check_finds(made, files, vectors, kind, said):
    made.stage(files, vectors=vectors)
    found = findings(made)
    assert kind in kinds(found), found
    assert any(said in f["path"] + f["text"] for f in found), found


def test_check_of_good_files(made, tmp_path):
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

def test_two_at_once(published):
    fd = os.open(published.repo, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    said = published.run("stage", published.rules(TWO), code=2)
    assert "another khien-repo" in said
    published.run("status", code=0)
    os.close(fd)
    published.release(TWO)


def test_export(published):
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


def test_init_twice_and_nowhere(made, tmp_path):
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
def test_wrong_usage(published, words):
    before = published.tree()
    assert published.run(*words, code=2).startswith("khien-repo: ")
    assert published.tree() == before


@pytest.mark.parametrize("wave", ["now", "now:0", "now:101", "x:10", "+2w:10",
                                  "2026-02-30T00:00:00Z:10", ":5", "now:-1",
                                  "+99999999999999d:1"])
def test_wrong_waves(published, wave):
    assert "is no wave" in published.run(
        "stage", published.rules(TWO), "--wave", wave, code=2)


def test_waves_must_rise(published):
    said = published.run("stage", published.rules(TWO), "--wave", "now:50",
                         "--wave", "+1d:20", code=1)
    assert "wave" in said


def test_help_and_version(made):
    assert "khien-repo" in made.run("--version")
    for command in ("init", "key", "stage", "check", "diff", "sign", "publish",
                    "refresh", "promote", "withdraw", "rotate", "status",
                    "export", "verify"):
        assert command in made.run("--help")
        assert command in made.run(command, "--help")
