# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-fetch by way of redirects, behind cuts, through TLS and proxies, and
from several mirrors."""

import itertools
import os
import ssl
import subprocess
import time

import pytest

from agent import BUILD
from fetching import (BODY, ETAG, endless, fetch, no_leak_check, raw,
                      serve)
from mirror import PATIENCE_S, Authority, Files

__all__ = ["no_leak_check", "serve"]  # fixtures

# Redirects.


def redirect(to, status=302):
    def handler(conn, request):
        if request.path == "/there":
            conn.answer(BODY)
        else:
            conn.answer(b"moved", f"{status} Moved", Location=to)
    return handler


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect(serve, status):
    there = serve(Files({"/x": BODY}))
    fetch(serve(redirect(there.url + "/x", status)).url + "/a").is_(BODY)
    fetch(serve(redirect("/there", status)).url + "/a").is_(BODY)


def test_redirects_without_end(serve):
    mirror = serve(redirect("/again"))
    fetch(mirror.url + "/a").refused("sends us on more than 5 times")
    assert len(mirror.requests) == 6
    assert mirror.connections == 1


@pytest.mark.parametrize("to,reason", [
    ("file:///etc/passwd", "neither http:// nor https://: file:"),
    ("ftp://127.0.0.1/a", "neither http:// nor https://: ftp:"),
    ("gopher://127.0.0.1:1/_x", "neither http:// nor https://: gopher:"),
    ("http://user:secret@127.0.0.1/a", "with a user in it"),
    ("http://user@127.0.0.1/a", "with a user in it"),
    ("http://127.0.0.1/" + "a" * 9000, "too long"),
    (None, "sends us nowhere"),
], ids=["file", "ftp", "gopher", "password", "user", "long", "nowhere"])
def test_a_redirect_that_is_refused(serve, to, reason):
    mirror = serve(redirect(to))
    done = fetch(mirror.url + "/a")
    done.refused(reason)
    assert "secret" not in done.said
    assert len(mirror.requests) == 1


def test_never_from_https_to_http(serve, tmp_path):
    ca = Authority(tmp_path)
    plain = serve(Files({"/x": BODY}))
    safe = serve(redirect(plain.url + "/x"), tls=ca.server())
    fetch(safe.url + "/a", ca=ca.file).refused("from https:// to http://")
    # Nor by way of a server without TLS that sends us to one with it.
    fetch(serve(redirect(safe.url + "/a")).url + "/a", ca=ca.file).refused(
        "from https:// to http://")
    assert not plain.requests


def test_other_answers(serve):
    for status, reason in ((404, "has no such file"), (403, "no such file"),
                           (410, "has no such file"), (400, "will not"),
                           (401, "will not"), (304, "will not"),
                           (204, "will not"), (500, "cannot now"),
                           (416, "will not"), (300, "will not")):
        mirror = serve(lambda conn, _, s=status: conn.answer(
            b"" if s in (204, 304) else b"a page that is not the file",
            f"{s} Status"))
        fetch(mirror.url + "/a").refused(f"{reason} (status {status})")


# Cuts, and going on behind them.


class Cut:
    """Cuts the first answer short, then does as `second` says."""

    def __init__(self, second, etag=ETAG, at=50000):
        self.second, self.etag, self.at = second, etag, at
        self.first = True

    def __call__(self, conn, request):
        if not self.first:
            self.second(conn, request)
            return
        self.first = False
        conn.answer(BODY[:self.at], ETag=self.etag, Content_Length=len(BODY))
        conn.sock.close()


def test_goes_on_behind_a_cut(serve):
    mirror = serve(Cut(Files({"/a": BODY}, etag=ETAG, ranges=True)))
    fetch(mirror.url + "/a", tries=2).is_(BODY)
    assert mirror.requests[1].headers["range"] == "bytes=50000-"
    assert mirror.requests[1].headers["if-range"] == ETAG


def test_begins_anew_when_the_file_is_another(serve):
    other = BODY[::-1]
    mirror = serve(Cut(Files({"/a": other}, etag='"4567"', ranges=True)))
    fetch(mirror.url + "/a", tries=2).is_(other)


@pytest.mark.parametrize("etag", [None, 'W/"0123"', '"' + "x" * 300 + '"'],
                         ids=["none", "weak", "long"])
def test_begins_anew_when_nobody_knows(serve, etag):
    mirror = serve(Cut(Files({"/a": BODY}, etag=etag), etag=etag))
    fetch(mirror.url + "/a", tries=2).is_(BODY)
    assert "range" not in mirror.requests[1].headers


def test_begins_anew_at_another_mirror(serve):
    first = serve(Cut(None))
    second = serve(Files({"/a": BODY[::-1]}, etag=ETAG, ranges=True))
    fetch(first.url + "/a", second.url + "/a").is_(BODY[::-1])
    assert "range" not in second.requests[0].headers


@pytest.mark.parametrize("sent,reason", [
    ("bytes 0-102399/102400", "sends another part"),
    ("bytes 49999-102399/102400", "sends another part"),
    ("bytes 50001-102399/102400", "sends another part"),
    ("bytes 50000-60000/102400", "sends another part"),
    ("bytes 50000-102400/102401", "sends another part"),
    ("bytes 50000-102399/*", "a part and not which"),
    ("bytes */102400", "a part and not which"),
    ("lines 50000-102399/102400", "a part and not which"),
    ("bytes 50000-99999999999999999999/102400", "a part and not which"),
    (None, "a part and not which"),
])
def test_a_part_that_was_not_asked_for(serve, sent, reason):
    mirror = serve(Cut(lambda conn, _: conn.answer(
        BODY[50000:], "206 Partial Content", ETag=ETAG, Content_Range=sent)))
    fetch(mirror.url + "/a", tries=2).refused(reason)


def test_a_part_of_another_file(serve):
    mirror = serve(Cut(lambda conn, _: conn.answer(
        BODY[50000:], "206 Partial Content", ETag='"x"',
        Content_Range="bytes 50000-102399/102400")))
    fetch(mirror.url + "/a", tries=2).refused("a part of another file")


def test_a_part_that_is_longer_than_it_says(serve):
    """In chunks, where no length holds it."""
    rest = BODY[50000:] + b"more"
    mirror = serve(Cut(lambda conn, _: conn.send(
        "HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\n"
        f"ETag: {ETAG}\r\nContent-Range: bytes 50000-102399/102400\r\n\r\n"
        f"{len(rest):x}\r\n", rest, "\r\n0\r\n\r\n")))
    fetch(mirror.url + "/a", tries=2).refused("is not as long as was said")


def test_a_part_of_what_was_asked_for_whole(serve):
    mirror = serve(lambda conn, _: conn.answer(
        BODY[10:], "206 Partial Content",
        Content_Range="bytes 10-102399/102400"))
    fetch(mirror.url + "/a").refused("sends a part, and all was asked for")


def test_a_range_that_the_server_does_not_have(serve):
    def second(conn, request):
        if "range" in request.headers:
            conn.answer(b"", "416 Range Not Satisfiable")
        else:
            conn.answer(BODY)

    fetch(serve(Cut(second)).url + "/a", tries=3).is_(BODY)


def test_much_that_came_renews_patience(serve):
    """A line that is cut every 70,000 bytes brings a file all the same."""
    body = os.urandom(400000)

    def handler(conn, request):
        at = 0
        if "range" in request.headers:
            at = int(request.headers["range"][6:-1])
        conn.answer(body[at:at + 70000],
                    "206 Partial Content" if at else "200 OK", ETag=ETAG,
                    Content_Length=len(body) - at,
                    Content_Range=f"bytes {at}-{len(body) - 1}/{len(body)}"
                    if at else None)
        conn.sock.close()

    mirror = serve(handler)
    fetch(mirror.url + "/a", tries=2).is_(body)
    assert len(mirror.requests) == 6


RESETS = {
    "accept": (),
    "status": ("HTTP/1.1 20",),
    "header": ("HTTP/1.1 200 OK\r\nContent-Le",),
    "body": ("HTTP/1.1 200 OK\r\nContent-Length: 102400\r\n\r\n", BODY[:5000]),
    "chunk": ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n",
              BODY[:100]),
    "last": ("HTTP/1.1 200 OK\r\nContent-Length: 102400\r\n\r\n", BODY[:-1]),
}


@pytest.mark.parametrize("where", RESETS)
def test_a_reset(serve, where):
    """Is an error, and the next try is a new one."""
    number = itertools.count()

    def handler(conn):
        first = next(number) < 2
        if first and where == "accept":
            conn.reset()
            return
        conn.request()
        if not first:
            conn.answer(BODY)
            return
        conn.send(*RESETS[where])
        time.sleep(0.05)  # so that it is read before the reset
        conn.reset()

    mirror = serve(handler, raw=True)
    fetch(mirror.url + "/a").refused(mirror.url)
    fetch(mirror.url + "/a", tries=2).is_(BODY)
    assert mirror.connections == 3


# TLS.


def test_tls_with_a_ca_of_our_own(serve, tmp_path):
    ca = Authority(tmp_path)
    mirror = serve(Files({"/a": BODY}), tls=ca.server())
    fetch(mirror.url + "/a", ca=ca.file).is_(BODY)


@pytest.mark.parametrize("how,reason", [
    ({}, "unable to get local issuer certificate"),
    ({"days": -1}, "certificate has expired"),
    ({"san": "DNS:example.org"}, "no alternative certificate subject name"),
], ids=["authority", "expired", "name"])
def test_a_certificate_that_is_wrong(serve, tmp_path, how, reason):
    ca = trusted = Authority(tmp_path)
    if not how:
        trusted = Authority(tmp_path, "other")
    mirror = serve(Files({"/a": BODY}), tls=ca.server(**how))
    fetch(mirror.url + "/a", ca=trusted.file, tries=3).refused(reason)
    assert not mirror.requests
    assert mirror.connections == 1  # to try again would be of no use


def test_the_systems_certificates_do_not_know_ours(serve, tmp_path):
    mirror = serve(Files({"/a": BODY}), tls=Authority(tmp_path).server())
    fetch(mirror.url + "/a").refused("certificate")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_an_old_version_of_tls(serve, tmp_path):
    ca = Authority(tmp_path)
    context = ca.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = \
        ssl.TLSVersion.TLSv1_1
    mirror = serve(Files({"/a": BODY}), tls=context)
    fetch(mirror.url + "/a", ca=ca.file).refused("protocol version")


@pytest.mark.parametrize("content,reason", [
    (None, "No such file"), (b"no certificate", "certificate")])
def test_a_ca_file_that_is_none(serve, tmp_path, content, reason):
    mirror = serve(Files({"/a": BODY}), tls=Authority(tmp_path).server())
    path = tmp_path / "mine.pem"
    if content is not None:
        path.write_bytes(content)
    fetch(mirror.url + "/a", ca=path).refused(reason)
    assert not mirror.requests


# Proxies, and addresses.


def test_a_proxy_is_used(serve):
    proxy = serve(Files({"http://mirror.invalid/a": BODY}))
    fetch("http://mirror.invalid/a", proxy=proxy.url).is_(BODY)


def test_a_proxy_is_a_tunnel_for_tls(serve, tmp_path):
    ca = Authority(tmp_path)
    context = ca.server(san="DNS:mirror.invalid")

    def tunnel(conn):
        request = conn.request()
        assert (request.method, request.path) == ("CONNECT",
                                                  "mirror.invalid:443")
        conn.send("HTTP/1.1 200 Connection established\r\n\r\n")
        conn.sock = context.wrap_socket(conn.sock, server_side=True)
        conn.request()
        conn.answer(BODY)

    fetch("https://mirror.invalid/a", ca=ca.file,
          proxy=serve(tunnel, raw=True).url).is_(BODY)


def test_a_proxy_that_talks_without_end(serve, tmp_path):
    proxy = serve(endless("HTTP/1.1 200 OK\r\n", piece=b"X: y\r\n"), raw=True)
    fetch("https://mirror.invalid/a", ca=Authority(tmp_path).file,
          proxy=proxy.url, header_bytes=5000).refused(
              "sends more than 5000 bytes of headers")


def test_the_environments_proxy_is_not_used(serve):
    mirror, proxy = serve(Files({"/a": BODY})), serve(Files({}))
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY",
             "ALL_PROXY")
    fetch(mirror.url + "/a",
          env={name: proxy.url for name in names}).is_(BODY)
    # Nor does it say for whom ours is not.
    fetch("http://127.0.0.1:1/a", proxy=proxy.url,
          env={"no_proxy": "*", "NO_PROXY": "*"}).refused("no such file")
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("url,reason", [
    ("file:///etc/passwd", "begins with http:// or https://"),
    ("ftp://127.0.0.1/a", "begins with http:// or https://"),
    ("HTTP://127.0.0.1/a", "begins with http:// or https://"),
    ("http://user:secret@127.0.0.1/a", "no user and password"),
    ("http:///a", "names no host"), ("http://:80/a", "names no host"),
    ("http://127.0.0.1/a?b", "has no '?'"), ("http://a/\u00e9", "as %XX"),
])
def test_an_address_that_is_refused(url, reason):
    done = fetch(url)
    done.refused(reason)
    assert "secret" not in done.said


@pytest.mark.parametrize("proxy,reason", [
    ("socks5://127.0.0.1:1", "begins with http:// or https://"),
    ("http://user:secret@127.0.0.1:1", "no user and password"),
    ("http://127.0.0.1:1/path", "a proxy has no path"),
])
def test_a_proxy_that_is_refused(proxy, reason):
    done = fetch("http://127.0.0.1:1/a", proxy=proxy)
    done.refused(reason)
    assert "secret" not in done.said


def test_usage():
    def run(*words):
        return subprocess.run([str(BUILD / "khien-fetch"), *words],
                              capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False)

    assert run("--help").returncode == 0
    assert "libcurl/" in run("--version").stdout
    for words in ([], ["--limit", "x=1", "http://a/"],
                  ["--limit", "tries=0", "http://a/"],
                  ["--max-size", "x", "http://a/"], ["--nothing"]):
        assert run(*words).returncode == 2, words


# Several mirrors, and when to come again.


def test_the_next_mirror(serve):
    gone = serve(Files({}))
    gone.close()
    lacks, good = serve(Files({})), serve(Files({"/a": BODY}))
    done = fetch(gone.url + "/a", lacks.url + "/a", good.url + "/a")
    done.is_(BODY)
    assert f"{good.url}/a: {len(BODY)} bytes" in done.said


def test_all_mirrors_fail(serve):
    gone = serve(Files({}))
    gone.close()
    ill = serve(lambda conn, _: conn.answer(b"", "500 Ill"))
    done = fetch(gone.url + "/a", ill.url + "/a", tries=3)
    done.refused(f"{gone.url}/a: Failed to connect",
                 f"{ill.url}/a: cannot now (status 500)")
    assert len(ill.requests) == 3


def test_none_has_it(serve):
    first, second = serve(Files({})), serve(Files({}))
    fetch(first.url + "/a", second.url + "/a", tries=3).refused(
        "no such file (status 404)")
    assert len(first.requests) == len(second.requests) == 1


class Later:
    def __init__(self, status, **headers):
        self.status, self.headers, self.asked_s = status, headers, []

    def __call__(self, conn, _request):
        self.asked_s.append(time.monotonic())
        if len(self.asked_s) == 1:
            conn.answer(b"later", self.status, **self.headers)
        else:
            conn.answer(BODY)


@pytest.mark.parametrize("status", ["429 Too Many Requests",
                                    "503 Service Unavailable"])
def test_comes_again_when_told(serve, status):
    later = Later(status, Retry_After="1")
    mirror = serve(later)
    fetch(mirror.url + "/a", tries=2).is_(BODY)
    assert later.asked_s[1] - later.asked_s[0] >= 1
    assert mirror.connections == 1


def test_does_not_wait_for_ever(serve):
    later = Later("503 Service Unavailable", Retry_After="100000")
    fetch(serve(later).url + "/a", tries=2).refused(
        "cannot now (status 503)", "s until the next try")
    assert len(later.asked_s) == 1


@pytest.mark.parametrize("wish", ["-1", "soon", ""])
def test_a_wish_that_is_none(serve, wish):
    later = Later("503 Service Unavailable", Retry_After=wish)
    fetch(serve(later).url + "/a", tries=2).is_(BODY)


def test_asks_another_while_one_wants_to_wait(serve):
    later = Later("503 Service Unavailable", Retry_After="60")
    good = serve(Files({"/a": BODY}))
    fetch(serve(later).url + "/a", good.url + "/a", tries=2).is_(BODY)
    assert len(later.asked_s) == 1


def test_a_page_that_nobody_wants_is_not_read_to_its_end(serve):
    mirror = serve(endless("HTTP/1.1 404 Not Found\r\n\r\n",
                           piece=b"x" * 4096), raw=True)
    fetch(mirror.url + "/a").refused("has no such file (status 404)")
