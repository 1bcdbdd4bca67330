# SPDX-License-Identifier: GPL-2.0-or-later
"""Clocks and mirrors that stand still, and the peers of khien-verify that
fail it."""

import shutil
import time

import pytest

from signer import DAY_S, TOP, Key, Signer
from test_verify import RULE, publish, signer, verifier  # noqa: F401: fixtures

ONLINE = ("timestamp", "snapshot")
HOUR_S = 3600


def good_then(machine, signer):  # noqa: F811
    publish(signer)
    machine.bring(signer.folder)


def expire(signer, role="timestamp", ago_s=DAY_S):  # noqa: F811
    """From now on what is signed by that role is too old."""
    signer.issued_s[role] = signer.now_s - 10 * DAY_S
    signer.life_s[role] = 10 * DAY_S - ago_s
    signer.publish()


# Freeze, or the clock?


@pytest.mark.parametrize("role", [*ONLINE, "targets", "channel"])
@pytest.mark.parametrize("date, alarm", [
    (0, "EXPIRED"), (30, "FREEZE"), (-20 * DAY_S, "CLOCK"),
    (20 * DAY_S, "FREEZE")])
def test_expired_freezes(signer, verifier, role, date, alarm):  # noqa: F811
    machine = verifier()
    good_then(machine, signer)
    publish(signer, 2)
    expire(signer, role)
    date_s = signer.now_s + date if date else 0
    updated = machine.now(signer.folder, date_s=date_s)
    assert "expire" in updated["error"], updated
    assert updated["alarm"] == alarm, updated
    assert updated["active"] == 1 and machine.current() == 1
    assert machine.releases() == ["1"]
    # It is not forgotten, and ends when there is something new.
    assert machine.ask("STATUS")["alarm"] == "EXPIRED"
    del signer.issued_s[role], signer.life_s[role]
    signer.publish()
    updated = machine.now(signer.folder)
    assert updated["alarm"] == "FINE" and updated["staged"] == 2, updated


def test_a_thief_s_freeze_in_an_import_cannot_be_told_apart(
        signer, verifier):  # noqa: F811
    machine = verifier()
    good_then(machine, signer)
    expire(signer)
    assert machine.now(signer.folder)["alarm"] == "EXPIRED"


@pytest.mark.parametrize("role", ["root", *ONLINE, "targets", "channel"])
@pytest.mark.parametrize("percent, alarm", [
    (49, "FINE"), (51, "HALF"), (79, "HALF"), (81, "FIFTH")])
def test_half_and_four_fifths_of_a_life(signer, verifier,  # noqa: F811
                                        role, percent, alarm):
    life_s = 100 * HOUR_S
    signer.life_s[role] = life_s
    signer.issued_s[role] = signer.now_s - percent * life_s // 100
    publish(signer)
    updated = verifier().now(signer.folder)
    assert updated["alarm"] == alarm, updated
    assert updated["staged"] == 1
    if alarm != "FINE":
        assert updated["role"] == role and role in updated["note"]


# The floor of time.


def test_a_clock_that_is_behind(signer, verifier):  # noqa: F811
    """Signed three days from now: this machine's clock is wrong."""
    signer.now_s += 3 * DAY_S
    publish(signer)
    machine = verifier()
    updated = machine.now(signer.folder)
    assert updated["alarm"] == "CLOCK" and "behind" in updated["note"]
    assert not updated["error"] and updated["staged"] == 1
    assert updated["floor_s"] == signer.now_s
    assert machine.ask("STATUS")["alarm"] == "CLOCK"


def test_the_floor_is_the_time_of_checks(signer, verifier):  # noqa: F811
    """What ended before the newest time ever verified has ended, also by a
    clock that is behind."""
    signer.now_s += 3 * DAY_S
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    signer.issued_s["timestamp"] = signer.now_s - 4 * DAY_S
    signer.life_s["timestamp"] = 3 * DAY_S  # good for two days more
    signer.publish()
    updated = machine.now(signer.folder)
    assert "timestamp.json" in updated["error"], updated
    assert updated["alarm"] == "FREEZE" and updated["active"] == 1


def test_the_floor_is_the_time_of_waves(signer, verifier):  # noqa: F811
    signer.now_s += 3 * DAY_S
    publish(signer, waves=[(signer.now_s - DAY_S, 100)])
    updated = verifier().now(signer.folder)
    assert updated["staged"] == 1 and not updated["waiting"], updated


def test_the_floor_is_kept_when_the_rest_is_refused(
        signer, verifier):  # noqa: F811
    publish(signer)
    machine = verifier()
    machine.bring(signer.folder)
    signer.now_s += 3 * DAY_S
    signer.versions["root"] = 2
    signer.write_root()
    signer.keys["timestamp"] = Key()
    signer.publish()
    updated = machine.now(signer.folder)
    assert "timestamp.json" in updated["error"], updated
    assert updated["floor_s"] == signer.now_s
    assert machine.ask("STATUS")["floor_s"] == signer.now_s


@pytest.mark.parametrize("role", [*ONLINE, "channel"])
def test_a_stolen_online_key_does_not_move_the_floor(
        signer, verifier, role):  # noqa: F811
    signer.issued_s[role] = signer.now_s + 3650 * DAY_S
    publish(signer)
    machine = verifier()
    updated = machine.now(signer.folder)
    assert not updated["error"] and updated["staged"] == 1, updated
    assert updated["floor_s"] <= time.time()
    del signer.issued_s[role]
    publish(signer, 2)
    updated = machine.now(signer.folder)
    assert not updated["error"] and updated["staged"] == 2, updated


def test_the_floor_never_goes_back(signer, verifier):  # noqa: F811
    publish(signer)
    machine = verifier()
    floor_s = machine.now(signer.folder)["floor_s"]
    assert floor_s == signer.now_s
    for role in TOP:
        signer.issued_s[role] = signer.now_s - DAY_S
    signer.publish()
    assert machine.now(signer.folder)["floor_s"] == floor_s


# Peers.


@pytest.mark.parametrize("spoiled", [
    "metadata/timestamp.json", "metadata/*.channel.json",
    "targets/*.releases.json", "targets/releases/*", "targets/blobs/*"])
def test_a_spoiled_mirror_is_left_for_the_next(
        signer, verifier, tmp_path, spoiled):  # noqa: F811
    publish(signer)
    bad = tmp_path / "bad"
    shutil.copytree(signer.folder, bad)
    for path in bad.glob(spoiled):
        path.write_bytes(path.read_bytes()[:-1] + b"\7")
    machine = verifier()
    updated = machine.now(bad)
    # What was wrong, not that there is no other.
    assert updated["error"] and "mirror is left" not in updated["error"]
    assert not updated["staged"]
    updated = machine.now(bad, signer.folder)
    assert not updated["error"] and updated["staged"] == 1, updated


def test_khien_fetch_dies(signer, verifier):  # noqa: F811
    machine = verifier()
    good_then(machine, signer)
    publish(signer, 2, {"new.yar": RULE + b" "})
    for victim in ("timestamp.json", "releases/", "blobs/"):
        updated = machine.now(signer.folder, on_file=lambda path, data, fd:
                              None if victim in path else data)
        assert "ended before it answered" in updated["error"], updated
        assert updated["active"] == 1 and not updated["staged"]
    assert machine.now(signer.folder)["staged"] == 2


def test_nobody_fetches(signer, verifier):  # noqa: F811
    machine = verifier()
    good_then(machine, signer)
    updated = machine.ask("NOW")
    assert "[update] url" in updated["error"] and updated["active"] == 1
    assert updated["alarm"] == "FINE"


def test_what_was_written_changes_meanwhile(signer, verifier):  # noqa: F811
    """The file is written to for as long as it is read: all that is kept is
    what was signed, or nothing."""
    import os
    import threading
    publish(signer, rules={"big.yar": b"// " + os.urandom(2 << 20).hex().encode()
                           + b"\n" + RULE})
    machine, stop, threads = verifier(), threading.Event(), []

    def flip(fd, data):
        at = len(data) // 2
        while not stop.is_set():
            os.pwrite(fd, b"\0" * 4096, at)
            os.pwrite(fd, data[at:at + 4096], at)
        os.close(fd)

    def on_file(path, data, fd):
        if "blobs/" in path:
            os.write(fd, data)
            os.lseek(fd, 0, os.SEEK_SET)
            threads.append(threading.Thread(target=flip,
                                            args=(os.dup(fd), data)))
            threads[-1].start()
        return data

    seen = set()
    for _ in range(20):
        updated = machine.now(signer.folder, on_file=on_file)
        stop.set()
        for thread in threads:
            thread.join()
        stop.clear()
        threads.clear()
        seen.add(bool(updated["staged"]))
        if updated["staged"]:
            assert list(machine.rules(1).values()) == \
                [data for data in map(_unpacked, signer.blobs.values())]
            machine.ask("REFUSE", 1, "once more")
            state = machine.update / "state.json"
            state.write_text(state.read_text().replace(
                '"bad":[{"number":1,"reason":"once more"}]', '"bad":[]'))
        else:
            assert updated["error"]
    assert seen


def _unpacked(data):
    import gzip
    return gzip.decompress(data)


def test_a_state_of_a_later_version_is_set_aside(signer,  # noqa: F811
                                                 verifier):
    machine = verifier()
    good_then(machine, signer)
    for text in ('{"format":2}', "{", "", '{"format":1}', "\0" * 100,
                 '{"format":1,"active":-1}'):
        state = machine.update / "state.json"
        state.write_text(text)
        updated = machine.ask("STATUS")
        assert updated["active"] == 1 and machine.current() == 1
        assert "set aside" in updated["note"], (text, updated)
        assert (machine.update / "state.json.aside").read_text() == text
        assert machine.state()["active"] == 1
        assert machine.ask("STATUS")["note"] == ""
        assert machine.now(signer.folder)["error"] == ""
