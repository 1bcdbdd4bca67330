# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP servers on loopback that do what they are told to: raw sockets, a
thread a connection."""

import contextlib
import socket
import ssl
import struct
import subprocess
import threading

PATIENCE_S = 30


class Request:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.path = lines[0].split(" ")[:2]
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()


class Conn:
    """One connection, as its handler sees it."""

    def __init__(self, sock):
        self.sock = sock
        self.left = b""

    def request(self):
        """The next one, or None when the client hung up."""
        while b"\r\n\r\n" not in self.left:
            data = self.sock.recv(65536)
            if not data:
                return None
            self.left += data
        head, _, self.left = self.left.partition(b"\r\n\r\n")
        return Request(head)

    def send(self, *parts):
        for part in parts:
            self.sock.sendall(part.encode() if isinstance(part, str)
                              else part)

    def answer(self, body=b"", status="200 OK", **headers):
        """A whole answer; None leaves a header out."""
        headers = {"Content_Length": len(body), **headers}
        self.send(f"HTTP/1.1 {status}\r\n",
                  *(f"{k.replace('_', '-')}: {v}\r\n"
                    for k, v in headers.items() if v is not None),
                  "\r\n", body)

    def reset(self):
        """Ends it with RST, also what was sent and not read."""
        plain = self.sock
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 1, 0))
        plain.close()

    def idle(self):
        """Until the client hangs up.  Whether it did, with patience."""
        try:
            while self.sock.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True


class Mirror:
    """handler(conn, request) for each request; of a raw one, handler(conn) for
    each connection."""

    def __init__(self, handler, raw=False, tls=None, host="127.0.0.1"):
        self.handler, self.raw, self.tls = handler, raw, tls
        self.connections, self.requests, self.failures = 0, [], []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, 0))
        self.sock.listen(16)
        self.port = self.sock.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http{'s' if tls else ''}://{shown}:{self.port}"
        self.open, self.threads = [], []
        self.lock = threading.Lock()
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.sock.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE_S)
            with self.lock:
                self.connections += 1
                self.open.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,),
                                      daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, sock):
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
                with self.lock:
                    self.open.append(sock)
            conn = Conn(sock)
            if self.raw:
                self.handler(conn)
                return
            while True:
                request = conn.request()
                if request is None:
                    return
                self.requests.append(request)
                self.handler(conn, request)
        except OSError:  # the client had enough, as it should
            pass
        except Exception as error:  # shown by close(), in the test
            self.failures.append(error)
        finally:
            with contextlib.suppress(OSError):
                sock.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(PATIENCE_S)
        assert not self.failures, self.failures


class Files:
    """A handler that serves these files, with ranges where `ranges` is set."""

    def __init__(self, files, etag=None, ranges=False, **headers):
        self.files, self.etag, self.ranges = files, etag, ranges
        self.headers = headers

    def __call__(self, conn, request):
        body = self.files.get(request.path)
        if body is None:
            conn.answer(b"no such file", "404 Not Found")
            return
        first = request.headers.get("range")
        if self.ranges and first and \
                request.headers.get("if-range") == self.etag:
            at = int(first.removeprefix("bytes=").removesuffix("-"))
            conn.answer(body[at:], "206 Partial Content", ETag=self.etag,
                        Content_Range=f"bytes {at}-{len(body) - 1}/"
                        f"{len(body)}")
            return
        conn.answer(body, ETag=self.etag, **self.headers)


def _openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True,
                   capture_output=True)


class Authority:
    """Certificates of its own making, in a folder."""

    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        _openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                 f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}",
                 "-days", "30")
        self.file = folder / f"{name}.pem"

    def server(self, san="IP:127.0.0.1,IP:::1", days=10):
        """A context for a Mirror; days below 0: it ended that long ago."""
        name = f"{self.name}-server"
        _openssl(self.folder, "req", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                 f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=mirror",
                 "-addext", f"subjectAltName={san}")
        sign = ("x509", "-req", "-in", f"{name}.csr", "-CA",
                f"{self.name}.pem", "-CAkey", f"{self.name}.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-copy_extensions",
                "copy")
        try:
            _openssl(self.folder, *sign, "-days", str(days))
        except subprocess.CalledProcessError:  # newer: not in the past
            _openssl(self.folder, *sign, "-not_before", "20240101000000Z",
                     "-not_after", "20240201000000Z")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem",
                                self.folder / f"{name}.key")
        return context
