# SPDX-License-Identifier: GPL-2.0-or-later
"""A repository of khien-repo's, with people who sign for it."""

import json
import pathlib
import shutil
import subprocess

from agent import BUILD, PATIENCE_S

PASSPHRASE = "correct horse battery"
PEOPLE = ("alice", "bob", "carol")


class Publisher:
    """Keys lie in folder/keys, the repository in folder/repo."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.repo = self.folder / "repo"
        self.keys = self.folder / "keys"
        self.passphrase = self.folder / "passphrase"
        self.keys.mkdir(exist_ok=True)
        self.passphrase.write_text(PASSPHRASE)
        self.wrapper = []
        self.env = None

    def run(self, *args, code=0, repo=True):
        """Runs a command; returns what it complains of, or else its
        output."""
        place = ["-C", str(self.repo)] if repo else []
        done = subprocess.run(
            [*self.wrapper, str(BUILD / "khien-repo"), *place,
             *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=PATIENCE_S * 4, env=self.env,
            cwd=self.folder, check=False)
        self.code = done.returncode
        if code is not None:
            assert done.returncode == code, (args, done)
        return done.stderr or done.stdout

    made = {}  # by name and scheme: making a key is meant to be dear

    def new_key(self, name, scheme="ed25519"):
        """Makes a key, or copies one that was made before.  Its passphrase is
        made cheap to try: those of tests are no secret, and they are tried
        very often."""
        if (name, scheme) not in self.made:
            self.make_key(name, scheme)
            self.made[name, scheme] = [
                p.read_bytes() for p in (self.secret(name), self.public(name))]
        for path, data in zip((self.secret(name), self.public(name)),
                              self.made[name, scheme]):
            path.write_bytes(data)
        return self.public(name)

    def make_key(self, name, scheme):
        self.run("key", "new", self.keys / name, "--scheme", scheme,
                 "--passphrase-file", self.passphrase, repo=False)
        key = self.secret(name)
        cheap = subprocess.run(
            ["openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter",
             "1", "-in", str(key), "-passin", f"pass:{PASSPHRASE}",
             "-passout", f"pass:{PASSPHRASE}"],
            capture_output=True, check=True).stdout
        key.write_bytes(cheap)

    def secret(self, name):
        return self.keys / f"{name}.key"

    def public(self, name):
        return self.keys / f"{name}.pub"

    def init(self, *options, people=PEOPLE, threshold=2):
        for name in (*people, "online"):
            if not self.public(name).exists():
                self.new_key(name)
        roots = [word for name in people
                 for word in ("--root", self.public(name))]
        return self.run("init", *roots, "--root-threshold", threshold,
                        "--online", self.public("online"), *options)

    def rules(self, files, name="rules"):
        """A folder with just these files, {path: text}."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes)
                             else text.encode())
        return folder

    def stage(self, files, *options, vectors=None):
        if vectors is not None:
            options = (*options, "--vectors", self.rules(vectors, "vectors"))
        return self.run("stage", self.rules(files), *options)

    def sign(self, *names, where=(), code=0):
        said = ""
        for name in names:
            said = self.run("sign", *where, "--key", self.secret(name),
                            "--passphrase-file", self.passphrase, code=code)
        return said

    def publish(self, code=0):
        return self.run("publish", "--passphrase-file", self.passphrase,
                        code=code)

    def refresh(self, code=0):
        return self.run("refresh", "--passphrase-file", self.passphrase,
                        code=code)

    def release(self, files, *options, vectors=None, signers=PEOPLE[:2]):
        """From rules to the world."""
        self.stage(files, *options, vectors=vectors)
        self.sign(*signers)
        self.publish()

    def status(self):
        return json.loads(self.run("status", "--json", code=None))

    def index(self):
        """The newest releases.json that is published."""
        channel = self.metadata("channel")
        entry = channel["signed"]["targets"]["releases.json"]
        path = self.repo / "published/targets" / \
            f"{entry['hashes']['sha256']}.releases.json"
        return json.loads(path.read_text())

    def metadata(self, role):
        """The newest file of a role that is published."""
        folder = self.repo / "published/metadata"
        files = [p for p in folder.glob(f"*.{role}.json")] or \
            [folder / f"{role}.json"]
        newest = max(files, key=lambda p: int("0" + p.name.split(".")[0])
                     if p.name[0].isdigit() else 0)
        return json.loads(newest.read_text())

    def tree(self):
        """All that is published: {path: bytes}."""
        top = self.repo / "published"
        return {str(p.relative_to(top)): p.read_bytes()
                for p in sorted(top.rglob("*")) if p.is_file()}


def rule(name, text, uuid="be63a4d4-ada9-45c2-9412-dbe94fdf2b72"):
    """A rule that says all it has to."""
    return (f'rule {name} {{ meta: id = "{uuid}" description = "{name}" '
            f'severity = "high" attack = "T1204" author = "a" '
            f'date = "2026-01-01" false_positives = "none" '
            f'strings: $a = "{text}" condition: $a }}\n')
