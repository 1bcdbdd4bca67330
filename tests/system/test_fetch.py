# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-fetch and servers that are slow, wrong or hostile: each is refused
with its reason, within bounds, and nothing of it is written."""

import gzip
import os
import subprocess
import zlib

import pytest

from agent import BUILD
from fetching import BODY, endless, fetch, no_leak_check, raw, serve
from mirror import PATIENCE_S, Authority, Files

__all__ = ["no_leak_check", "serve"]  # fixtures

# What is right.


def test_a_file(serve):
    mirror = serve(Files({"/a": BODY}))
    done = fetch(mirror.url + "/a")
    done.is_(BODY)
    assert f"{mirror.url}/a: {len(BODY)} bytes" in done.said
    asked = mirror.requests[0].headers
    assert asked["user-agent"].startswith("khien/")
    assert "accept-encoding" not in asked
    assert "range" not in asked


def test_an_empty_file(serve):
    fetch(serve(Files({"/a": b""})).url + "/a").is_(b"")


def test_chunks(serve):
    mirror = serve(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                       "5\r\nhello\r\n", "6;x=y\r\n world\r\n",
                       "0\r\nTrailer: yes\r\n\r\n", then="idle"), raw=True)
    fetch(mirror.url + "/a").is_(b"hello world")


def test_without_a_length_the_end_is_the_end(serve):
    mirror = serve(raw("HTTP/1.1 200 OK\r\n\r\n", BODY), raw=True)
    fetch(mirror.url + "/a").is_(BODY)


def test_interim_answers(serve):
    mirror = serve(raw("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 3,
                       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                       then="idle"), raw=True)
    fetch(mirror.url + "/a").is_(b"ok")


def test_over_ipv6(serve):
    try:
        mirror = serve(Files({"/a": BODY}), host="::1")
    except OSError:
        pytest.skip("machine: no IPv6 on loopback")
    fetch(mirror.url + "/a").is_(BODY)


def test_whoever_cannot_write_the_result_says_so(serve):
    mirror = serve(Files({"/a": BODY}))
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [str(BUILD / "khien-fetch"), mirror.url + "/a"], stdout=full,
            stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False)
    assert done.returncode == 1
    assert b"standard output: No space left" in done.stderr


# Slow and endless.


def test_headers_that_trickle(serve):
    mirror = serve(endless("HTTP/1.1 200 OK\r\nX: ", piece=b"x",
                           pause_s=0.05), raw=True)
    fetch(mirror.url + "/a", connect_ms=500).refused("no answer in 1000 ms")


@pytest.mark.parametrize("first,piece", [
    ("HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 1000 + b"\r\n"),
    ("HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    ("", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
     b"Trailer: x\r\n"),
], ids=["long", "short", "interim", "trailers"])
def test_endless_headers(serve, first, piece):
    mirror = serve(endless(first, piece=piece), raw=True)
    fetch(mirror.url + "/a", header_bytes=20000).refused(
        "sends more than 20000 bytes of headers")


def test_one_endless_header(serve):
    mirror = serve(endless("HTTP/1.1 200 OK\r\nX: ", piece=b"x" * 1000),
                   raw=True)
    done = fetch(mirror.url + "/a", header_ms=20000)
    done.refused(mirror.url)
    # Newer versions of libcurl have an error of their own for it.
    assert "too long" in done.said or "larger than" in done.said


@pytest.mark.parametrize("how", ["Content-Length: 100000",
                                 "Transfer-Encoding: chunked"])
def test_a_body_that_trickles(serve, how):
    piece = b"1\r\nx\r\n" if "chunked" in how else b"x"
    mirror = serve(endless(f"HTTP/1.1 200 OK\r\n{how}\r\n\r\n", piece=piece,
                           pause_s=0.1), raw=True)
    fetch(mirror.url + "/a", slow_s=1, slow_bytes=1000).refused(
        "Operation too slow", "1000 bytes/sec")


def test_a_body_that_stops(serve):
    mirror = serve(raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx",
                       then="idle"), raw=True)
    fetch(mirror.url + "/a", slow_s=1).refused("Operation too slow")


def test_fast_enough_and_yet_too_long(serve):
    mirror = serve(endless(
        "HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n",
        piece=b"x" * 1000, pause_s=0.02), raw=True)
    fetch(mirror.url + "/a", whole_ms=1500, whole_bytes=80000000).refused(
        "is not done after 1500 ms")


def test_a_larger_file_may_take_longer(serve):
    mirror = serve(endless("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n",
                           piece=b"x", pause_s=0.1), raw=True)
    fetch(mirror.url + "/a", size_max=30, whole_ms=1000,
          whole_bytes=1).is_(b"x" * 30)
    fetch(mirror.url + "/a", size_max=30, whole_ms=1000,
          whole_bytes=30).refused("is not done after 2000 ms")


@pytest.mark.parametrize("first,piece", [
    ("", b"x" * 4096),
    ("Transfer-Encoding: chunked\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"),
], ids=["close", "chunked"])
def test_an_endless_body(serve, first, piece):
    mirror = serve(endless(f"HTTP/1.1 200 OK\r\n{first}\r\n", piece=piece),
                   raw=True)
    fetch(mirror.url + "/a", size_max=100000).refused(
        "is longer than 100000 bytes")


def test_just_as_long_as_it_may_be(serve):
    mirror = serve(Files({"/a": BODY}))
    fetch(mirror.url + "/a", size_max=len(BODY)).is_(BODY)
    fetch(mirror.url + "/a", size_max=len(BODY) - 1).refused(
        f"is longer than {len(BODY) - 1} bytes")


def test_whoever_accepts_and_says_nothing(serve):
    mirror = serve(lambda conn: conn.idle(), raw=True)
    fetch(mirror.url + "/a", connect_ms=500).refused("no answer in 1000 ms")


def test_whoever_never_shakes_hands(serve, tmp_path):
    """TLS begins, and nothing comes."""
    mirror = serve(lambda conn: conn.idle(), raw=True)
    fetch(mirror.url.replace("http", "https") + "/a", connect_ms=300,
          ca=Authority(tmp_path).file).refused("time")


# Lengths that are not true.


def test_shorter_than_it_says(serve):
    mirror = serve(raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
                       b"x" * 400), raw=True)
    fetch(mirror.url + "/a").refused("600 bytes")


def test_longer_than_it_says(serve):
    """What is behind the end is not part of it, nor of the next answer."""
    mirror = serve(raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
                       b"hello world"), raw=True)
    fetch(mirror.url + "/a").is_(b"hello")


def test_a_length_above_the_bound_is_refused_at_once(serve):
    mirror = serve(raw("HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n"
                       "x", then="idle"), raw=True)
    fetch(mirror.url + "/a").refused("is longer than 67108864 bytes")


@pytest.mark.parametrize("length", [
    "-5", "x", "99999999999999999999999", "9223372036854775808", "+5", "0x5",
    "5, 5", "5;", "5 5", ""])
def test_a_length_that_is_none(serve, length):
    mirror = serve(raw(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n",
                       b"hello", then="idle"), raw=True)
    fetch(mirror.url + "/a").refused("ength")


@pytest.mark.parametrize("second", [5, 11])
def test_two_lengths(serve, second):
    mirror = serve(raw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                       f"Content-Length: {second}\r\n\r\n", b"hello world",
                       then="idle"), raw=True)
    fetch(mirror.url + "/a").refused("says its length 2 times")


@pytest.mark.parametrize("chunks,reason", [
    ("zz\r\nhello\r\n0\r\n\r\n", "chunk"),
    ("5\r\nhelloworld\r\n0\r\n\r\n", "chunk"),
    ("ffffffffffffffffff\r\nhello", "chunk"),
    ("-5\r\nhello\r\n0\r\n\r\n", "chunk"),
    ("5\r\nhel", "outstanding read data remaining"),
    ("5\r\nhello\r\n", "outstanding read data remaining"),
], ids=["letters", "long", "huge", "negative", "cut", "no end"])
def test_broken_chunks(serve, chunks, reason):
    mirror = serve(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                       chunks), raw=True)
    fetch(mirror.url + "/a").refused(reason)


def test_a_chunk_that_never_begins(serve):
    """An extension without end is no progress."""
    mirror = serve(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                           "\r\n5;", piece=b"x" * 100, pause_s=0.01),
                   raw=True)
    fetch(mirror.url + "/a", slow_s=1, header_ms=8000).refused(
        "Operation too slow")


@pytest.mark.parametrize("answer", [
    "", "\r\n\r\n", "hello\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/9.9 200 OK\r\n"
    "Content-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nno header\r\n\r\n"
    "hello"], ids=["nothing", "lines", "old", "short", "new", "no colon"])
def test_what_is_not_http(serve, answer):
    mirror = serve(raw(answer), raw=True)
    fetch(mirror.url + "/a").refused(mirror.url)


# Compression.


def test_packed_on_the_way(serve):
    mirror = serve(Files({"/a": gzip.compress(BODY)}, Content_Encoding="gzip"))
    fetch(mirror.url + "/a", packed=True).is_(BODY)
    assert mirror.requests[0].headers["accept-encoding"] == "gzip"


def test_packed_without_being_asked(serve):
    """A file that ends in .gz stays as it is, whatever the server calls it."""
    packed = gzip.compress(BODY)
    mirror = serve(Files({"/a": packed}, Content_Encoding="gzip"))
    fetch(mirror.url + "/a").is_(packed)


def test_a_bomb(serve):
    bomb = gzip.compress(bytes(50 << 20))
    assert len(bomb) < 100000
    mirror = serve(Files({"/a": bomb}, Content_Encoding="gzip"))
    fetch(mirror.url + "/a", packed=True, size_max=100000).refused(
        "is longer than 100000 bytes")


def test_a_bomb_of_bombs(serve):
    bomb = gzip.compress(gzip.compress(bytes(50 << 20)))
    mirror = serve(Files({"/a": bomb}, Content_Encoding="gzip, gzip"))
    fetch(mirror.url + "/a", packed=True, size_max=100000).refused(
        "is longer than 100000 bytes")


def test_much_that_unpacks_to_nothing(serve):
    """Empty blocks without end: no byte ever comes out."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    first = packer.compress(b"") + packer.flush(zlib.Z_SYNC_FLUSH)
    piece = packer.flush(zlib.Z_SYNC_FLUSH) or b"\0\0\0\xff\xff"
    mirror = serve(endless("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
                           first, piece=piece * 1000), raw=True)
    fetch(mirror.url + "/a", packed=True, size_max=100000,
          header_ms=20000).refused("is longer than 100000 bytes")


@pytest.mark.parametrize("spoil", [
    lambda packed: b"not gzip at all", lambda packed: packed + b"more",
    lambda packed: packed[:-8] + bytes(8)], ids=["garbage", "more", "sum"])
def test_what_does_not_unpack(serve, spoil):
    body = spoil(gzip.compress(os.urandom(5000)))
    mirror = serve(Files({"/a": body}, Content_Encoding="gzip"))
    fetch(mirror.url + "/a", packed=True).refused(mirror.url)


def test_another_compression_than_was_asked_for(serve):
    mirror = serve(Files({"/a": b"what"}, Content_Encoding="br"))
    fetch(mirror.url + "/a", packed=True).refused("ncoding")
