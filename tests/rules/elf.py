# SPDX-License-Identifier: GPL-2.0-or-later
"""ELF files made from a description, so that no program lies in the tree.

They have headers, names and texts, and no code that does anything: the entry
points at what "code" says, or at an instruction that ends the program.
"""

import struct

MACHINES = {"x86-64": 62, "i386": 3, "arm": 40, "aarch64": 183, "bpf": 247}
TYPES = {"rel": 1, "exec": 2, "dyn": 3}
KEYS = {"type", "bits", "machine", "imports", "exports", "texts", "code",
        "inside", "append", "sections", "flags", "patch"}
BASE = 0x400000
STOP = "0f0b"  # an undefined instruction


def _strings(words):
    """A table of strings, and where each begins."""
    table, at = b"\0", {}
    for word in words:
        at[word] = len(table)
        table += word.encode() + b"\0"
    return table, at


class _Sizes:
    """What differs between 32 and 64 bits."""

    def __init__(self, bits):
        self.wide = bits == 64
        self.header = 64 if self.wide else 52
        self.segment = 56 if self.wide else 32
        self.section = 64 if self.wide else 40

    def ehdr(self, kind, machine, segments, at, sections):
        form = "<16sHHIQQQIHHHHHH" if self.wide else "<16sHHIIIIIHHHHHH"
        ident = b"\x7fELF" + bytes([2 if self.wide else 1, 1, 1]) + bytes(9)
        entry = BASE + self.header + self.segment if segments else 0
        return struct.pack(
            form, ident, kind, machine, 1, entry,
            self.header if segments else 0, at if sections else 0, 0,
            self.header, self.segment, segments,
            self.section if sections else 0, sections,
            sections - 1 if sections else 0)

    def phdr(self, flags, size):
        if self.wide:
            return struct.pack("<IIQQQQQQ", 1, flags, 0, BASE, BASE, size,
                               size, 0x1000)
        return struct.pack("<IIIIIIII", 1, 0, BASE, BASE, size, size, flags,
                           0x1000)

    def shdr(self, name, kind, at, size, link=0, entry=0):
        form = "<IIQQQQIIQQ" if self.wide else "<IIIIIIIIII"
        return struct.pack(form, name, kind, 0, 0, at, size, link, 0, 1,
                           entry)

    def symbol(self, name, defined):
        info, section = 0x12, 1 if defined else 0
        if self.wide:
            return struct.pack("<IBBHQQ", name, info, 0, section,
                               BASE if defined else 0, 0)
        return struct.pack("<IIIBBH", name, BASE if defined else 0, 0, info,
                           0, section)


def build(what):
    """The bytes of what is described."""
    assert set(what) <= KEYS, set(what) - KEYS
    sizes = _Sizes(what.get("bits", 64))
    relocatable = what["type"] == "rel"
    exports, imports = what.get("exports", []), what.get("imports", [])
    names, places = _strings([*imports, *exports])
    symbols = bytes(len(sizes.symbol(0, False)))
    symbols += b"".join(sizes.symbol(places[n], n in exports)
                        for n in [*imports, *exports])
    texts = b"\0" + b"".join(t.encode() + b"\0" for t in what.get("texts", []))
    inside = build(what["inside"]) if "inside" in what else b""
    parts = [(".text", 1, bytes.fromhex(what.get("code", STOP))),
             (".dynsym", 11, symbols), (".dynstr", 3, names),
             (".rodata", 1, texts + inside)]
    start = sizes.header + (0 if relocatable else sizes.segment)
    body, headers = b"", [(0, 0, 0, 0)]
    labels, label_at = _strings([name for name, _, _ in parts] + [".shstrtab"])
    for name, kind, content in [*parts, (".shstrtab", 3, labels)]:
        headers.append((label_at[name], kind, start + len(body), len(content)))
        body += content
    sections = len(headers) if what.get("sections", True) else 0
    if not sections:
        body = body[:-len(labels)]
    body += bytes.fromhex(what.get("append", ""))
    header = sizes.ehdr(TYPES[what["type"]],
                        MACHINES[what.get("machine", "x86-64")],
                        0 if relocatable else 1, start + len(body), sections)
    if not relocatable:
        header += sizes.phdr(what.get("flags", 5), start + len(body))
    out = bytearray(header + body)
    if sections:
        for entry in headers:
            out += sizes.shdr(*entry, link=3 if entry[1] == 11 else 0)
    for at, content in what.get("patch", {}).items():
        new = bytes.fromhex(content)
        out[int(at):int(at) + len(new)] = new
    return bytes(out)
