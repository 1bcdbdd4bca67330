# SPDX-License-Identifier: GPL-2.0-or-later
"""nginx on loopback, with the configurations that are packaged: the publisher's
server and a relay.  Each has a folder of its own, and ends with its test."""

import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.request

from agent import ROOT, wait_for

CONFS = ROOT / "packaging/nginx"
# What a system's own nginx.conf says, less what would leave this folder.
MAIN = """daemon off;
user root;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
	access_log {folder}/access.log;
	client_body_temp_path {folder}/body;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
	{more}
	include {folder}/site.conf;
}}
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def adapted(name, changes):
    """A packaged configuration with what its head says is to be adapted."""
    text = (CONFS / name).read_text(encoding="utf-8")
    for pattern, new in changes:
        text, count = re.subn(pattern, new, text, flags=re.M)
        assert count == 1, (name, pattern, count)
    return text


class Nginx:
    """One server; start() and stop() as often as wanted."""

    def __init__(self, folder, name, changes, more=""):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.child = None
        self.more = more
        (self.folder / "site.conf").write_text(adapted(name, [
            (r"^\tlisten 80;", f"\tlisten 127.0.0.1:{self.port};"),
            (r"^\tlisten \[::\]:80;", ""), *changes]), encoding="utf-8")

    def start(self):
        (self.folder / "nginx.conf").write_text(
            MAIN.format(folder=self.folder, more=self.more), encoding="utf-8")
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
        assert program, "nginx is missing: make deps"
        self.child = subprocess.Popen(
            [program, "-p", str(self.folder), "-e",
             str(self.folder / "error.log"), "-c",
             str(self.folder / "nginx.conf")], stdin=subprocess.DEVNULL)
        wait_for(self.listens, f"nginx listens:\n{self.errors()}")
        return self

    def listens(self):
        assert self.child.poll() is None, self.errors()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def errors(self):
        path = self.folder / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self):
        child, self.child = self.child, None
        if child:
            child.terminate()
            child.wait(30)

    def slow(self, more):
        """Starts again with one more line of configuration."""
        self.stop()
        self.more = more
        return self.start()

    def asked(self):
        """[(path, status)] of all finished requests."""
        path = self.folder / "access.log"
        text = path.read_text() if path.exists() else ""
        return [(m[1], int(m[2])) for m in re.finditer(
            r'"[A-Z]+ (\S+) HTTP/[\d.]+" (\d+)', text)]

    def ask(self, path, method="GET", **headers):
        """(status, headers, body)"""
        request = urllib.request.Request(
            self.url + path, method=method,
            headers={k.replace("_", "-"): v for k, v in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()


class Server(Nginx):
    """The publisher's; its files lie in .tree."""

    def __init__(self, folder, more=""):
        self.tree = pathlib.Path(folder) / "tree"
        super().__init__(folder, "khien-server.conf", [
            (r"^\troot .*;", f"\troot {self.tree};")], more)
        self.tree.mkdir()

    def bring(self, published):
        """As rsync would: what is there stays, timestamp.json comes last."""
        for part in ("targets", "metadata"):
            shutil.copytree(pathlib.Path(published) / part, self.tree / part,
                            dirs_exist_ok=True)


class Relay(Nginx):
    def __init__(self, folder, server):
        super().__init__(folder, "khien-relay.conf", [
            (r"^\tserver updates.example.org:80;",
             f"\tserver 127.0.0.1:{server.port};"),
            (r"^proxy_cache_path \S+",
             f"proxy_cache_path {pathlib.Path(folder) / 'cache'}")])
