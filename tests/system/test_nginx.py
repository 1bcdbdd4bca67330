# SPDX-License-Identifier: GPL-2.0-or-later
"""The packaged nginx configurations: what a server and a relay answer."""

import gzip
import http.client
import time

import pytest

from agent import wait_for
from web import Relay, Server

TIMESTAMP = "/metadata/timestamp.json"
ROOT = "/metadata/1.root.json"
INDEX = "/targets/" + 64 * "a" + ".releases.json"
BLOB = "/targets/blobs/" + 64 * "b" + "." + 64 * "c" + ".gz"
JSON = b'{"some": "text"}\n' * 200
KEEP = "public, max-age=31536000, immutable"


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "server")
    for path in (TIMESTAMP, ROOT, INDEX, BLOB):
        write(server, path, JSON)
    write(server, BLOB, gzip.compress(JSON))
    yield server.start()
    server.stop()


@pytest.fixture
def relay(server, tmp_path):
    relay = Relay(tmp_path / "relay", server).start()
    yield relay
    relay.stop()


def write(server, path, data):
    file = server.tree / path[1:]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


@pytest.mark.parametrize("path, kind, keep", [
    (TIMESTAMP, "application/json", "no-cache"),
    (ROOT, "application/json", KEEP), (INDEX, "application/json", KEEP),
    (BLOB, "application/gzip", KEEP),
])
def test_each_kind_of_file(server, path, kind, keep):
    status, headers, body = server.ask(path)
    assert (status, headers["Content-Type"]) == (200, kind)
    assert headers["Cache-Control"] == keep
    assert headers["Content-Encoding"] is None
    assert body == (server.tree / path[1:]).read_bytes()
    assert headers["Server"] == "nginx"  # and no version
    # What a cache asks again with.
    status, again, body = server.ask(path, If_None_Match=headers["ETag"])
    assert (status, body) == (304, b"")
    assert again["Cache-Control"] == keep
    assert server.ask(path, "HEAD")[2] == b""


@pytest.mark.parametrize("path, packed", [
    (TIMESTAMP, True), (ROOT, True), (INDEX, False), (BLOB, False)])
def test_metadata_alone_is_packed_on_the_way(server, relay, path, packed):
    for one in (server, relay):
        status, headers, body = one.ask(path, Accept_Encoding="gzip")
        assert status == 200
        assert headers["Content-Encoding"] == ("gzip" if packed else None)
        if packed:
            body = gzip.decompress(body)
        assert body == (server.tree / path[1:]).read_bytes()
        # The next one did not ask for that.
        assert one.ask(path)[2] == body


def test_the_rest_of_a_file(server, relay):
    whole = (server.tree / BLOB[1:]).read_bytes()
    for one in (server, relay):
        etag = one.ask(BLOB)[1]["ETag"]
        status, headers, body = one.ask(BLOB, Range="bytes=10-",
                                        If_Range=etag)
        assert (status, body) == (206, whole[10:])
        assert headers["Cache-Control"] == KEEP


def test_absent_is_not_kept(server):
    for path in ("/metadata/2.root.json", "/targets/" + 64 * "d" + ".x.gz"):
        status, headers, _ = server.ask(path)
        assert (status, headers["Cache-Control"]) == (404, "no-cache")


@pytest.mark.parametrize("path", [
    "/", "/metadata/", "/metadata", "/targets/", "/targets/blobs/",
    "/metadata/root.json", "/secret", "/metadata/../secret",
    "/metadata/%2e%2e/secret", "/targets/..%2f..%2fsecret",
    "/metadata/9.link.json",
])
def test_nothing_else_is_served(server, relay, path):
    (server.tree / "secret").write_bytes(b"secret")
    (server.tree / "metadata/9.link.json").symlink_to("../secret")
    for one in (server, relay):
        conn = http.client.HTTPConnection("127.0.0.1", one.port, timeout=30)
        conn.request("GET", path)
        answer = conn.getresponse()
        body = answer.read()
        assert answer.status in (400, 403, 404), (path, answer.status)
        assert b"secret" not in body and b"Index of" not in body
        conn.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS",
                                    "PROPFIND"])
def test_get_and_head_alone(server, relay, method):
    for one in (server, relay):
        assert one.ask(ROOT, method)[0] == 405
    assert server.ask(ROOT)[2] == JSON


def test_what_is_sent_here_is_refused(server, relay):
    for one in (server, relay):
        assert one.ask("/" + "a" * 5000)[0] == 414
        assert one.ask(ROOT, X_Long="a" * 5000)[0] in (400, 494)


def test_a_relay_asks_once(server, relay):
    for _ in range(3):
        assert relay.ask(BLOB)[2] == server.ask(BLOB)[2]
    # A line is written when its answer was sent; of one worker in order.
    server.ask("/metadata/none.json")
    wait_for(lambda: "/metadata/none.json" in dict(server.asked()),
             "the last line of the server's log")
    assert len([1 for path, _ in server.asked() if path == BLOB]) == 3 + 1


def test_a_relay_asks_anew_for_what_changes(server, relay):
    assert relay.ask(TIMESTAMP)[2] == JSON
    assert relay.ask("/metadata/2.root.json")[0] == 404
    write(server, "/metadata/2.root.json", b"two")
    time.sleep(1.1)  # nginx keeps times in whole seconds
    write(server, TIMESTAMP, b"newer")
    wait_for(lambda: relay.ask(TIMESTAMP)[2] == b"newer", "it asks anew")
    wait_for(lambda: relay.ask("/metadata/2.root.json")[2] == b"two",
             "what was absent is there")


def test_a_relay_whose_server_is_gone(server, relay):
    paths = (TIMESTAMP, ROOT, "/metadata/2.root.json", INDEX, BLOB)
    before = [relay.ask(path)[::2] for path in paths]
    assert [status for status, _ in before] == [200, 200, 404, 200, 200]
    server.stop()
    time.sleep(2.1)  # all that is to be asked anew is due
    assert [relay.ask(path)[::2] for path in paths] == before
    # Also after a restart, and what it never saw is an error, not absent.
    relay.stop()
    relay.start()
    assert [relay.ask(path)[::2] for path in paths] == before
    assert relay.ask("/metadata/3.root.json")[0] == 502
    server.start()
    write(server, TIMESTAMP, b"newer")
    wait_for(lambda: relay.ask(TIMESTAMP)[2] == b"newer", "it asks anew")
