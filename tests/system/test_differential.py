# SPDX-License-Identifier: GPL-2.0-or-later
"""khien-scan and the distribution's yara find the same in the same files.

Each file is scanned by both with rules that use every kind of string and
condition; the (rule, path) pairs must be equal.
"""

import base64
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from agent import BUILD

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCAN = BUILD / "khien-scan"
YARA = shutil.which("yara")
SAMPLES = ROOT / "signatures/samples"
pytestmark = pytest.mark.skipif(not YARA, reason="yara is not installed")

TEXT = r"""
rule r_plain { strings: $a = "GNU" condition: $a }
rule r_nocase { strings: $a = "usage: " nocase condition: #a > 1 }
rule r_wide { strings: $a = "Software" wide condition: $a }
rule r_wide_ascii { strings: $a = "error" wide ascii fullword condition: #a > 2 }
rule r_xor { strings: $a = "This program cannot" xor(1-255) condition: $a }
rule r_xor_all { strings: $a = "version" xor fullword condition: #a > 3 }
rule r_base64 { strings: $a = "password" base64 base64wide condition: $a }
rule r_many_of { strings: $a = "open" $b = "read" $c = "write" $d = "fork"
  condition: 3 of them }
rule r_none_of { strings: $a = "printf" $b = "malloc" condition: none of them }
rule r_named_of { strings: $a1 = "lib" $a2 = "usr" $b = "zzzzzzzz"
  condition: all of ($a*) and not $b }
rule r_at_start { strings: $a = "#!" condition: $a at 0 }
rule r_in_range { strings: $a = "GCC" condition: $a in (filesize \ 2 .. filesize) }
rule r_count_range { strings: $a = "ELF" condition: #a in (0 .. 4096) == 1 }
rule r_offset { strings: $a = "lib" condition: @a[2] > 1000 and !a[1] == 3 }
"""

HEX = r"""
rule r_elf_magic { strings: $a = { 7F 45 4C 46 } condition: $a at 0 }
rule r_jump { strings: $a = { 7F 45 [2-8] 01 00 00 } condition: $a }
rule r_nibble { strings: $a = { 4? 89 ?5 E8 ?? ?? ?? ?? } condition: #a > 10 }
rule r_choice { strings: $a = { 0F ( 05 | 34 ) ( C3 | 5D C3 ) } condition: $a }
rule r_long_jump { strings: $a = { 7F 45 4C 46 [200-4000] 2E 73 68 73 74 }
  condition: $a }
rule r_unbounded { strings: $a = { 55 48 89 E5 [-] 5D C3 90 90 } condition: $a }
"""

REGEX = r"""
rule r_regex { strings: $a = /lib[a-z]{2,12}\.so\.[0-9]+/ condition: #a > 3 }
rule r_regex_nocase { strings: $a = /gnu c library/i condition: $a }
rule r_regex_dot { strings: $a = /begin.{1,40}end/s condition: $a }
rule r_regex_wide { strings: $a = /[A-Z]:\\/ wide condition: $a }
rule r_regex_greedy { strings: $a = /x+y*z?[^a-z]/ condition: #a > 20 }
rule r_regex_lazy { strings: $a = /<.{1,20}?>/ condition: #a > 5 }
rule r_regex_bound { strings: $a = /\busage\b/ fullword condition: $a }
rule r_regex_anchor { strings: $a = /^#!\/bin\/(ba|da)?sh/ condition: $a at 0 }
rule r_many_matches { strings: $a = /[\x00-\xff]\x00/ condition: #a > 100000 }
"""

MODULES = r"""
import "elf"
import "pe"
import "hash"
import "math"
import "time"
import "magic"
rule r_elf_type { condition: elf.type == elf.ET_DYN }
rule r_elf_sections { condition: elf.number_of_sections > 28 and
  for any i in (0 .. elf.number_of_sections - 1) :
    (elf.sections[i].name == ".init_array") }
rule r_elf_needed { condition: for any s in elf.dynsym : (s.name == "fork") }
rule r_elf_entry { condition: elf.entry_point > 0x4000 }
rule r_not_pe { condition: not pe.is_pe and filesize > 0 }
rule r_md5_odd { condition: hash.md5(0, filesize) matches /[13579bdf]$/ }
rule r_sha1_low { condition: hash.sha1(0, filesize) matches /^[0-7]/ }
rule r_sha256_part { condition: hash.sha256(16, 64) matches /[0-3]$/ }
rule r_crc { condition: hash.crc32(0, filesize) & 1 == 1 }
rule r_checksum { condition: hash.checksum32(0, filesize) % 3 == 1 }
rule r_entropy { condition: math.entropy(0, filesize) > 5.9 }
rule r_mean { condition: math.mean(0, filesize) > 60.0 and
  math.in_range(math.deviation(0, filesize, 64.0), 20.0, 70.0) }
rule r_serial { condition: math.serial_correlation(0, filesize) > 0.4 }
rule r_monte { condition: math.monte_carlo_pi(0, filesize) < 0.3 }
rule r_clock { condition: time.now() > 1000 }
rule r_mime { condition: magic.mime_type() contains "text" }
rule r_kind { condition: magic.type() contains "ELF" }
"""

CONDITIONS = r"""
rule r_small { condition: filesize < 20KB }
rule r_empty { condition: filesize == 0 }
rule r_not_empty { condition: not r_empty }
rule r_integers { condition: uint32(0) == 0x464C457F and uint16be(16) == 0x0300 }
rule r_sum { condition: (uint8(4) + uint8(5) * 2) % 3 == 1 or int8(7) < 0 }
rule r_entry { strings: $a = { 31 ED } condition: $a at entrypoint }
rule r_entry_near { strings: $a = { F3 0F 1E FA }
  condition: $a in (entrypoint .. entrypoint + 16) }
private rule r_hidden { strings: $a = "/proc/" condition: $a }
rule r_sees_hidden { condition: r_hidden and filesize > 1000 }
rule r_tagged : one two three { strings: $a = "getopt" condition: $a }
rule r_loop { strings: $a = "main" $b = "exit"
  condition: for any of them : ( # > 2 and @ > 100 ) }
rule r_each { strings: $a = "lib"
  condition: for all i in (1 .. #a) : ( @a[i] < 0x10000 ) and #a > 0 }
rule r_rules_of { condition: 1 of (r_sees_*, r_tagged) }
rule r_missing { condition: uint8(filesize) == 0 or filesize > 50000 }
rule r_private_string { strings: $a = "GLIBC" private condition: #a > 2 }
"""

GLOBAL = r"""
global rule r_only_scripts { strings: $a = "#!" condition: $a at 0 }
global private rule r_not_huge { condition: filesize < 1MB }
rule r_shell { strings: $a = "then" $b = "esac" condition: any of them }
rule r_perl { strings: $a = /use (strict|warnings)/ condition: $a }
"""

SETS = {"text": TEXT, "hex": HEX, "regex": REGEX, "modules": MODULES,
        "conditions": CONDITIONS, "global": GLOBAL}


def built_in(rules, tmp_path):
    """Whether this yara knows the modules that the rules import."""
    path = tmp_path / "imports.yar"
    imports = re.findall(r'^import .*$', rules, re.M)
    path.write_text("\n".join(imports) + "\nrule a { condition: true }\n")
    return subprocess.run([YARA, path, path], capture_output=True,
                          check=False).returncode == 0


def files_below(folder):
    """Regular files, as neither program follows links here."""
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def by_yara(rules, files, tmp_path):
    """Asked file by file: in a folder it keeps the entry point of the first."""
    pairs = set()
    for path in files:
        out = subprocess.run([YARA, "-w", rules, path], capture_output=True,
                             check=True).stdout
        for line in out.decode(errors="surrogateescape").splitlines():
            rule, name = line.split(" ", 1)
            pairs.add((rule, name))
    return pairs


def by_khien(rules, paths):
    done = subprocess.run([SCAN, "-r", rules, "-f", *paths],
                          capture_output=True, check=False)
    assert not done.stderr, done.stderr.decode()
    assert done.returncode in (0, 1)
    pairs = set()
    for line in done.stdout.splitlines():
        match = json.loads(line)
        pairs.add((match["rule"]["name"], match["file"]["path"]))
    assert done.returncode == (1 if pairs else 0)
    return pairs


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    """The sample folder as files, and some more that are hard to scan."""
    folder = tmp_path_factory.mktemp("samples")
    for sample in SAMPLES.glob("*.hex"):
        (folder / sample.stem).write_bytes(
            bytes.fromhex(sample.read_text(encoding="ascii")))
    (folder / "empty").write_bytes(b"")
    (folder / "one").write_bytes(b"x")
    (folder / "page").write_bytes(b"\x7fELF" + bytes(4092))
    (folder / "zeroes").write_bytes(bytes(300000))
    (folder / "pe").write_bytes(
        b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0\x4c\1\xff\xff" + bytes(500))
    (folder / "elf-cut").write_bytes(
        pathlib.Path("/bin/true").read_bytes()[:3000])
    (folder / "coded").write_bytes(base64.b64encode(b"my password is") + b"\n")
    (folder / "xored").write_bytes(
        bytes(b ^ 0x5a for b in b"This program cannot be run in DOS mode"))
    (folder / "wide").write_bytes("Software\\C:\\ error".encode("utf-16-le"))
    (folder / "script").write_text("#!/bin/sh\nif true; then echo; fi\n")
    return folder


@pytest.mark.parametrize("name", SETS)
def test_samples(name, samples, tmp_path):
    if not built_in(SETS[name], tmp_path):
        pytest.skip("machine: this yara lacks a module")
    rules = tmp_path / "rules.yar"
    rules.write_text(SETS[name])
    files = sorted(files_below(samples))
    assert by_khien(rules, [samples]) == by_yara(rules, files, tmp_path)


def test_shipped_rules(samples, tmp_path):
    """The same for the rules that come with the agent, file by file."""
    own = tmp_path / "own"
    subprocess.run([sys.executable, ROOT / "tests/rules/samples.py", own],
                   check=True, stdout=subprocess.DEVNULL)
    for rules in sorted((ROOT / "signatures/yara").rglob("*.yar")):
        names = set(re.findall(r"^rule (\w+)", rules.read_text(), re.M))
        files = sorted(files_below(samples)) + sorted(
            path for path in files_below(own)
            if pathlib.Path(path).parent.name in names)
        found = by_khien(rules, files)
        assert found == by_yara(rules, files, tmp_path)
        assert found, f"{rules} matches no sample"


@pytest.mark.slow(900)
def test_programs(tmp_path):
    """All rules at once over every eighth file of /usr/bin, with KHIEN_WHOLE
    all of them."""
    rules = tmp_path / "rules.yar"
    imports, bodies = [], []
    for name, text in SETS.items():
        if name != "global" and built_in(text, tmp_path):
            lines = text.splitlines()
            imports += [n for n in lines if n.startswith("import ")]
            bodies += [n for n in lines if not n.startswith("import ")]
    rules.write_text("\n".join(imports + bodies) + "\n")
    step = 1 if os.environ.get("KHIEN_WHOLE") else 8
    files = sorted(files_below("/usr/bin"))[::step]
    found = by_khien(rules, files)
    assert found == by_yara(rules, files, tmp_path)
    assert len({rule for rule, _ in found}) > 30
