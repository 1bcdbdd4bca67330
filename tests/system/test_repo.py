# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-repo: ceremonies of several people, and everything that it refuses."""

import json
import os
import shutil
import subprocess

import pytest

from publisher import Publisher, rule

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
