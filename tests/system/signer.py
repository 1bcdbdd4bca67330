# SPDX-License-Identifier: GPL-2.0-or-later
"""A publisher for tests: makes and signs repositories in a folder, good ones
and evil ones.  Apart from the keys nothing here is shared with the code that
is tested."""

import gzip
import hashlib
import io
import json
import pathlib
import shutil
import tarfile
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import \
    Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, \
    PublicFormat

DAY_S = 86400
TOP = ("root", "timestamp", "snapshot", "targets")
BINS = [f"rules-{digit:x}" for digit in range(16)]


def date(when_s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when_s))


def canonical(value):
    """As securesystemslib writes it: sorted, no spaces, and only quotation
    mark and backslash escaped."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{canonical(k)}:{canonical(v)}"
                              for k, v in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(v) for v in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return json.dumps(value)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Key:
    def __init__(self):
        self.private = Ed25519PrivateKey.generate()
        public = self.private.public_key().public_bytes(Encoding.Raw,
                                                        PublicFormat.Raw)
        self.public = {"keytype": "ed25519", "scheme": "ed25519",
                       "keyval": {"public": public.hex()}}
        self.id = sha256(canonical(self.public).encode())

    def sign(self, signed):
        data = canonical(signed).encode()
        return {"keyid": self.id, "sig": self.private.sign(data).hex()}


class Signer:
    """A publisher with his keys; publish() writes all of it to a folder."""

    def __init__(self, folder, now_s=None):
        self.folder = pathlib.Path(folder)
        self.now_s = int(time.time()) if now_s is None else now_s
        self.keys = {role: Key() for role in (*TOP, "channel")}
        self.versions = {role: 1 for role in (*TOP, "channel", *BINS)}
        self.issued_s = {}   # by role; else now
        self.life_s = {}     # likewise; else a year
        self.index = {"format": 1, "releases": [], "revoked": []}
        self.targets = {}    # name: bytes, of the role targets
        self.blobs = {}      # likewise, of the bins
        self.spoil = None    # called with (name, signed) before it is signed
        self.root_history = {}

    # What is published.

    def blob(self, data):
        self.blobs[f"blobs/{sha256(data)}.gz"] = gzip.compress(data, mtime=0)
        return {"sha256": sha256(data), "size": len(data)}

    def manifest(self, number, rules, vectors=()):
        return {
            "format": 1, "number": number, "created": date(self.now_s),
            "description": f"release {number}",
            "rules": [{"path": path, **self.blob(data)}
                      for path, data in sorted(rules.items())],
            "vectors": [{"name": name, **self.blob(data), "matches": matches}
                        for name, data, matches in vectors]}

    def release(self, number, rules, vectors=(), waves=None, engine=None,
                manifest=None):
        """Adds it to the index; a manifest given is taken as it is."""
        if manifest is None:
            manifest = self.manifest(number, rules, vectors)
        data = manifest if isinstance(manifest, bytes) else \
            gzip.compress(json.dumps(manifest).encode(), mtime=0)
        self.targets[f"releases/{number}.json.gz"] = data
        entry = {"number": number, "created": date(self.now_s),
                 "engine": engine or {"min": "0.0.1"},
                 "manifest": f"releases/{number}.json.gz"}
        if waves is not None:
            entry["waves"] = [{"start": date(start), "percent": percent}
                              for start, percent in waves]
        self.index["releases"].append(entry)

    def revoke(self, number, reason="it was bad"):
        self.index["revoked"].append({"number": number, "reason": reason})

    # How it is signed and written.

    def signed(self, role, kind, body):
        issued = self.issued_s.get(role, self.now_s)
        return {"_type": kind, "spec_version": "1.0.34",
                "version": self.versions[role],
                "x-khien-issued": date(issued),
                "expires": date(issued + self.life_s.get(role, 365 * DAY_S)),
                **body}

    def envelope(self, role, kind, body, keys):
        signed = self.signed(role, kind, body)
        if self.spoil:
            signed = self.spoil(role, signed) or signed
        return json.dumps({"signatures": [key.sign(signed) for key in keys],
                           "signed": signed}).encode()

    def root(self, also=()):
        keys = [self.keys[role] for role in TOP]
        body = {"consistent_snapshot": True,
                "keys": {key.id: key.public for key in keys},
                "roles": {role: {"keyids": [self.keys[role].id],
                                 "threshold": 1} for role in TOP}}
        return self.envelope("root", "root", body, [self.keys["root"], *also])

    def described(self, targets):
        return {name: {"length": len(data), "hashes": {"sha256": sha256(data)}}
                for name, data in targets.items()}

    def delegations(self):
        top, channel = self.keys["targets"], self.keys["channel"]
        roles = [{"name": "channel", "keyids": [channel.id], "threshold": 1,
                  "terminating": True, "paths": ["releases.json"]}]
        roles += [{"name": name, "keyids": [top.id], "threshold": 1,
                   "terminating": True, "path_hash_prefixes": [name[-1]]}
                  for name in BINS]
        return {"keys": {key.id: key.public for key in (top, channel)},
                "roles": roles}

    def bin_of(self, name):
        return BINS[int(sha256(name.encode())[0], 16)]

    def roles(self):
        """Each targets role's file."""
        index = self.index if isinstance(self.index, bytes) else \
            json.dumps(self.index).encode()
        top = self.keys["targets"]
        made = {"targets": self.envelope("targets", "targets", {
            "targets": self.described(self.targets),
            "delegations": self.delegations()}, [top])}
        made["channel"] = self.envelope("channel", "targets", {
            "targets": self.described({"releases.json": index})},
            [self.keys["channel"]])
        for name in BINS:
            inside = {blob: data for blob, data in self.blobs.items()
                      if self.bin_of(blob) == name}
            made[name] = self.envelope(name, "targets", {
                "targets": self.described(inside)}, [top])
        return made, {"releases.json": index, **self.targets, **self.blobs}

    def write(self, path, data):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def publish(self, bump=True):
        """Writes it as a new version of everything but the root."""
        made, files = self.roles()
        shutil.rmtree(self.folder / "targets", ignore_errors=True)
        for name, data in files.items():
            head, _, last = name.rpartition("/")
            self.write(pathlib.Path("targets", head,
                                    f"{sha256(data)}.{last}"), data)
        for role, data in made.items():
            self.write(f"metadata/{self.versions[role]}.{role}.json", data)
        meta = {f"{role}.json": {"version": self.versions[role],
                                 "length": len(data),
                                 "hashes": {"sha256": sha256(data)}}
                for role, data in made.items()}
        snapshot = self.envelope("snapshot", "snapshot", {"meta": meta},
                                 [self.keys["snapshot"]])
        self.write(f"metadata/{self.versions['snapshot']}.snapshot.json",
                   snapshot)
        timestamp = self.envelope("timestamp", "timestamp", {"meta": {
            "snapshot.json": {"version": self.versions["snapshot"],
                              "length": len(snapshot),
                              "hashes": {"sha256": sha256(snapshot)}}}},
            [self.keys["timestamp"]])
        self.write("metadata/timestamp.json", timestamp)
        self.write_root()
        if bump:
            for role in self.versions:
                if role != "root":
                    self.versions[role] += 1
        return self

    def export(self, path, names=None):
        """One file with all of it, as it is carried by hand."""
        names = sorted(str(p.relative_to(self.folder)) for p in
                       self.folder.rglob("*") if p.is_file()) \
            if names is None else names
        with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
            for name in names:
                entry = tarfile.TarInfo(name)
                data = (self.folder / name).read_bytes()
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
        return path

    def write_root(self):
        """Once for each version."""
        version = self.versions["root"]
        if version not in self.root_history:
            self.root_history[version] = self.root()
            self.write(f"metadata/{version}.root.json",
                       self.root_history[version])

    def trust(self, folder, **policy):
        """What the package of an endpoint has."""
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.write_root()
        folder.joinpath("root.json").write_bytes(self.root_history[1])
        folder.joinpath("policy.json").write_text(json.dumps({
            "hybrid": False, "release": 0,
            "floor": {"root": 1, "timestamp": 0, "snapshot": 0,
                      "targets": 0}, **policy}), encoding="utf-8")
        return folder
