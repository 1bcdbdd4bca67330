# SPDX-License-Identifier: GPL-2.0-or-later
"""What else somebody could have written who means the same as a sample.

A rule that finds only its sample has learned it by heart.  Each function makes
one variant of a sample's bytes, or of the description of an ELF file, or None
where that makes no sense.
"""

import base64
import copy
import re

# Others of the same kind: documentation's addresses and names (RFC 5737, 2606).
ADDRESSES = {
    b"192.0.2.7": b"203.0.113.201", b"198.51.100.3": b"192.0.2.88",
    b"203.0.113.9": b"198.51.100.240",
    b"c2.example.org": b"cdn-7.update.example.net",
    b"irc.example.org": b"chat.example.com",
    b"pool.example.org": b"eu1.pool.example.net",
    b"4444": b"31337", b"8443": b"9001", b"8080": b"1337", b"6667": b"7000",
}
# Names that are the language's or the system's, not the author's.
KEPT = {b"PATH", b"HOME", b"USER", b"SHELL", b"HISTFILE", b"HISTSIZE",
        b"LD_PRELOAD", b"QUERY_STRING", b"ENV", b"STDIN", b"STDOUT", b"STDERR",
        b"SIG", b"POOL", b"WALLET", b"stdout", b"stdin", b"stderr", b"shell",
        b"cmd", b"ssh", b"E", b"key", b"ExecStart", b"ExecStartPre", b"Type",
        b"Restart", b"Description", b"WantedBy", b"PeerAddr", b"PeerHost",
        b"PeerPort", b"verify", b"form", b"order", b"capture_output", b"text",
        b"pass_fds", b"mode", b"of", b"if", b"perdir", b"upperdir", b"type",
        b"target", b"trace", b"coin", b"ALL", b"a",
        b"BatchMode", b"StrictHostKeyChecking", b"ConnectTimeout"}
ASSIGNED = re.compile(rb"(?m)(?:^|[;({ \t])(?:my |local |const |String )?"
                      rb"\$?([A-Za-z]\w*) ?= ?(?![=~>])")
LOOPED = re.compile(rb"\bfor (?:my )?\$?(\w+)(?:, \w+)? in\b|"
                    rb"\bread (?:-r )?(\w+)")
BLOB = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")


def comment_of(text):
    """What begins a comment in this language; None: there is none."""
    if text.startswith((b"{", b"Your ", b"!!!")):
        return None
    if text.startswith((b"<",)):
        return b"<!-- %s -->"
    if b"process.exit" in text or text.startswith((b"package ", b"if (true)")):
        return b"// %s"
    if text.startswith(b"os.exit"):
        return b"-- %s"
    return b"# %s"


def addresses(text):
    """To another host and port."""
    for old, new in ADDRESSES.items():
        text = text.replace(old, new)
    return text


def buried(text):
    """Among comments, a few hundred bytes before and behind."""
    form = comment_of(text)
    if form is None:
        return None
    lines = [form % (b"part %d of the weekly report, as agreed" % i)
             for i in range(8)]
    first, _, rest = text.partition(b"\n")
    if not first.startswith(b"#!"):
        first, rest = b"", text
    filler = b"\n".join(lines) + b"\n"
    return (first + b"\n" if first else b"") + \
        (filler if not text.startswith(b"<?php") else b"") + rest + \
        (b"\n" + filler if not rest.rstrip().endswith((b";", b"}")) or
         form == b"# %s" else b"\n\n")


def renamed(text):
    """With other names for its own variables."""
    names = [n for pair in LOOPED.findall(text) for n in pair if n]
    names += ASSIGNED.findall(text)
    names = [n for n in dict.fromkeys(names)
             if n not in KEPT and not n.startswith(b"_")]
    for at, name in enumerate(names):
        text = re.sub(rb"(?<![\w./\-@\"'])(\$\{?|@)?" + re.escape(name) +
                      rb"(?![\w\-(:/@]|\.example)",
                      lambda m, a=at: (m.group(1) or b"") + b"tmp_%d" % a,
                      text)
    return text


def spaced(text):
    """With blanks where they do not matter."""
    text = re.sub(rb"(?<=\w)\(", b"( ", text)
    text = re.sub(rb"(?<=[\w\"'])\)", b" )", text)
    return re.sub(rb" (\||>>?|<|&&) (?=[\w/\"'$.~|])", rb"  \1  ", text)


def tight(text):
    """Without the blanks that do not matter."""
    text = re.sub(rb", (?=[\w\"'$])", b",", text)
    text = re.sub(rb" (\||>>?|&&) (?=[\w/\"'$.~|])", rb"\1", text)
    return re.sub(rb"(?m)(?<=\w) = (?=[\"'$\[(])", b"=", text) \
        if not text.startswith(b"#!/bin") else text


def quoted(text):
    """With the other quotation marks, where only one kind is used."""
    if b'"' in text and b"'" not in text and b"$" not in text and \
            not text.startswith((b"{", b"package ")):
        return text.replace(b'"', b"'")
    if b"'" in text and b'"' not in text:
        return text.replace(b"'", b'"')
    return None


def recoded(text):
    """What is in base64 begins one byte, and two bytes, later."""
    blobs = [b for b in BLOB.findall(text) if len(b) > 24]
    for blob in blobs:
        try:
            plain = base64.b64decode(blob, validate=True)
        except ValueError:
            continue
        if not plain.isascii():
            continue
        for some in (b" ", b"  ", b"\n\n\n\n"):
            yield text.replace(blob, base64.b64encode(some + plain))


def dos(text):
    """With the line ends of Windows; a shell would not run it."""
    if text.startswith(b"#!") or b"\n" not in text:
        return None
    return text.replace(b"\n", b"\r\n")


def unmarked(text):
    """Without the line that names the interpreter: run as `sh FILE`."""
    if not text.startswith((b"#!/bin/sh", b"#!/bin/bash",
                            b"#!/usr/bin/perl")):
        return None
    if b"\necho \"Content-Type" in text or b"Content-type:" in text:
        return None  # a web server runs it, by that line
    return text.partition(b"\n")[2]


TEXT = (addresses, buried, renamed, spaced, tight, quoted, dos, unmarked)


def of_text(text):
    """{how: bytes}, all unlike the text and each other."""
    made = {}
    for how in TEXT:
        new = how(text)
        if new is not None:
            made[how.__name__] = new
    twice = addresses(text)
    for how in (renamed, buried, spaced):
        twice = how(twice) or twice
    made["all"] = twice
    for at, new in enumerate(recoded(text)):
        made[f"recoded {at + 1}"] = new
    return _distinct(made, text)


def _distinct(made, first):
    seen, kept = {first}, {}
    for how, new in made.items():
        if new not in seen:
            kept[how] = new
            seen.add(new)
    return kept


# Rules about headers: their variants change the rest.
HEADERS = ("elf_",)
FILLER = ["usage: %s [OPTION]...", "out of memory", "cannot open %s: %s",
          "C.UTF-8", "0123456789abcdef", "libc.so.6", "GLIBC_2.34", "en_US"]


def of_elf(rule, what, build):
    """The same for a description of an ELF file."""
    made = {}

    def add(how, change):
        new = copy.deepcopy(what)
        change(new)
        made[how] = build(new)

    def reorder(new):
        for key in ("texts", "imports", "exports"):
            new[key] = new.get(key, [])[::-1]

    def more(new):
        new["texts"] = FILLER + [t for pair in zip(
            new.get("texts", []), FILLER * 9) for t in pair]
        new["imports"] = ["puts", "printf"] + new.get("imports", [])

    def larger(new):
        new["texts"] = new.get("texts", []) + [
            f"{i:05d} of the words that fill it up" for i in range(600)]

    def stripped(new):
        new["sections"] = False

    def narrow(new):
        new.update(bits=32, machine="arm")

    def other(new):
        new["machine"] = "aarch64"

    add("reordered", reorder)
    if "append" not in what:
        add("more texts", more)
    add("larger", larger)
    if rule.startswith(HEADERS):
        if not what.get("patch") and what.get("bits", 64) == 64 and \
                "packed" not in rule:
            add("other machine", other)
        add("longer code", lambda new: new.update(
            code=new.get("code", "0f0b") + "90" * 40))
    elif "machine" not in what and "code" not in what and \
            what["type"] != "rel":
        add("stripped", stripped)
        add("32 bits", narrow)
        add("other machine", other)
    return _distinct(made, build(what))
