# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines that lack something, one after the other in one guest: the agent is
started on each, must name what is missing, and do what can be done without."""

import dataclasses
import shutil
import time

import image
import machine
from table import Told, expected

CONF = """[agent]
state_dir = {state}
run_dir = /run/khien
group = root
[gate]
mode = enforce
watch = /w
deadline_ms = 10000
[action]
on_malicious = block
[rules]
dir = /rules/test
local_dir = /local
{more}"""
# In two pieces, so that no scanner stops at this file.
BAD = ("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-"
       "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
RULE = "eicar_test_file"
CTL = ("/khien/khienctl", "--socket", "/run/khien/status.sock", "--json")
LOCKDOWN = "/sys/kernel/security/lockdown"
ENGINE_UID = "61184"  # agent/lib/role.c
READY_S = "60"
# Without bpf among the security modules: their programs are refused.
APPEND = "lsm=lockdown,yama,apparmor"
WATCHED = '"covered":{"len":1,'
UNUSED = ("not needed by this kernel", "absent: switched off", "off")
TIER = ("guard_", "shield_", "hooks_", "mapping_")
NO_TIER = "bpf is not among the security modules"
GUARD = "[guard]\nmode = on\n"
HASTY = ("gate", "mounts")
DENIED, LET_BY = "Operation not permitted", "Exec format error"
CGROUP = ("net_connect4", "net_connect6", "net_send4", "net_send6",
          "net_egress")


@dataclasses.dataclass
class Lack:
    """`ready`, in status, says that all was tried; the rest is what must come
    of it."""

    name: str
    prepare: list
    state: str
    word: str            # of khien.state
    ready: str           # a text of status
    said: tuple          # texts of khien.reasons, and one of khien.notes
    doctor: dict         # check -> text of one that failed
    blind: dict          # sensor -> kinds, scans or rules that it costs
    executed: str        # what comes of executing what is bad
    absent: dict = dataclasses.field(default_factory=dict)
    others: str = "attached"  # of all other kernel programs: a text
    more: str = ""  # of the configuration

    @property
    def bad(self):
        return f"/w/{self.name}"

    def words(self, name):
        return f"{self.name}.{name}"


LACKS = [
    Lack("full", [
        ["write", LOCKDOWN, "integrity"],
        ["unmount", "/sys/fs/cgroup"],
        ["tmpfs", "/var", "size=1m,mode=755"],
        ["fill", "/var/full"],
    ], "/var/khien", "degraded", WATCHED,
        ("no cgroup2 is mounted", "no space left on its file system", NO_TIER),
        {"programs.net_egress": "no cgroup2 is mounted",
         "store": "no space left on its file system in /var/khien"},
        {"net_egress": {"datagram", "dns"}}, DENIED,
        {name: "no cgroup2 is mounted" for name in CGROUP},
        more=GUARD),
    Lack("readonly", [
        ["folder", "/state", ENGINE_UID],
        ["readonly", "/"],
        ["hide", "/sys/kernel/btf"],
    ], "/state", "at_risk", WATCHED,
        ("no kernel program is attached (this kernel has no BTF",
         "its file system is mounted read-only"),
        {"programs": "this kernel has no BTF",
         "reach": "kernel program reach_exec is absent",
         "store": "its file system is mounted read-only in /state"},
        {"sensor": {"exec", "fork", "connect", "ptrace", "stop"}}, DENIED,
        others="absent: this kernel has no BTF", more=GUARD),
    Lack("unasked", [
        ["unmount", "/sys/kernel/btf"],
        ["unmount", "/var"],
        ["refuse", "bpf", "permission"],
    ], "/var/khien", "at_risk", WATCHED,
        ("(bpf(2) is refused: Operation not permitted)",
         "this kernel has no fanotify permission events"),
        {"programs": "bpf(2) is refused: Operation not permitted",
         "mode": "this kernel has no fanotify permission events"},
        {"sensor": {"exec", "dns"}, "gate": {"open", RULE}}, LET_BY,
        others="absent: bpf(2) is refused", more=GUARD),
    Lack("deaf", [
        ["write", LOCKDOWN, "confidentiality"],
        ["refuse", "fanotify"],
    ], "/var/khien", "at_risk", '"lack":"fanotify_init(2)',
        ("is attached (kernel lockdown for confidentiality refuses it)",
         "fanotify_init(2) is refused: Function not implemented: no file is "
         "scanned unless somebody asks"),
        {"coverage": "fanotify_init(2) is refused"},
        {"gate": {"close", "write", "exec", "open", RULE}}, LET_BY,
        others="absent: kernel lockdown for confidentiality",
        more="[sensor]\nfile = off\nnetwork = off\nprivilege = off\n"),
]


def files():
    """What the disk has to have for them: path -> text."""
    return {f"lacks/{lack.name}.conf": CONF.format(state=lack.state,
                                                     more=lack.more)
            for lack in LACKS}


def plan_of(lack):
    yield from lack.prepare
    yield ["start", "/khien/khiend", "--config", f"/lacks/{lack.name}.conf",
           "--programs", "/khien"]
    for text in ('"programs":{', lack.ready, '"loaded":2'):
        yield ["until", READY_S, text, *CTL, "status"]
    yield ["write", lack.bad, BAD]
    yield ["run", lack.words("exec"), lack.bad]
    yield ["run", lack.words("scan"), *CTL, "scan", lack.bad]
    yield ["run", lack.words("status"), *CTL, "status"]
    yield ["run", lack.words("doctor"), *CTL, "doctor"]
    yield ["stop"]
    yield ["refuse"]


def _field(line, name):
    return expected.field_of(line, name)


def judge_programs(lack, status):
    programs = _field(status, "khien.sensor.programs") or {}
    if not programs:
        yield "khien.sensor.programs: none"
    for name, said in programs.items():
        wanted = lack.absent.get(name, lack.others)
        known = (*UNUSED, f"absent: {NO_TIER}") if name.startswith(TIER) \
            else UNUSED
        if wanted not in said and not said.startswith(known):
            yield f"{name}: {said!r} instead of {wanted!r}"


def judge_status(lack, status):
    if _field(status, "khien.state") != lack.word:
        yield f"state {_field(status, 'khien.state')}"
    # A tier that many machines refuse is a note, everything else a reason.
    said = [*(_field(status, "khien.reasons") or []),
            *(line for line in _field(status, "khien.notes") or []
              if NO_TIER in line)]
    for text in lack.said:
        if not any(text in line for line in said):
            yield f"no reason has {text!r}: {said}"
    gaps = {gap["sensor"]: gap for gap in _field(status, "khien.blind") or []}
    for sensor, costs in lack.blind.items():
        gap = gaps.get(sensor, {})
        named = {*gap.get("kinds", []), *gap.get("scans", []),
                 *gap.get("rules", [])}
        if not costs <= named:
            yield f"blind: {sensor}: {costs - named} not named: {gap}"
    for process in _field(status, "khien.processes") or []:
        # Those whose heart is to beat every two seconds, on a slow machine.
        if process.get("restarts", 0) > (process["role"] in HASTY):
            yield f"khien-{process['role']} was started again: {process}"


def judge_doctor(lack, told):
    failed = [(_field(line, "khien.doctor.check"),
               _field(line, "khien.doctor.text"))
              for line in told.lines(lack.words("doctor"))
              if _field(line, "khien.doctor.ok") is False]
    for check, text in lack.doctor.items():
        if not any(check == name and text in said for name, said in failed):
            yield f"doctor: {check}: {text!r} is not among {failed}"
    if told.results[lack.words("doctor")].code != 1:
        yield "doctor did not end with 1"


def judge(lack, told):
    """Lines that say what is wrong."""
    if lack.words("doctor") not in told.results:
        yield "it was not reached"
        return
    status = (told.lines(lack.words("status")) or [{}])[0]
    yield from judge_programs(lack, status)
    yield from judge_status(lack, status)
    yield from judge_doctor(lack, told)
    executed = told.results[lack.words("exec")].text
    if lack.executed not in executed:
        yield f"{lack.bad} was executed: {executed!r}"
    scan = told.results[lack.words("scan")]
    blocked = lack.executed == DENIED
    if scan.code != (2 if blocked else 1) or \
            (DENIED if blocked else RULE) not in scan.text:
        yield f"scan {lack.bad} ended with {scan.code}: {scan.text}"
    if not _field(status, "khien.engine.detections.raised"):
        yield "no detection was raised"


def boot(series, files_of, disk, init):
    """Lines that say what came of each, and how many are right and wrong."""
    folder = files_of.parent / "lacks.run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    plan = [words for lack in LACKS for words in plan_of(lack)]
    plan.append(["file", "log", "/tmp/log"])
    image.initramfs(folder / "initramfs", init, plan)
    began = time.monotonic()
    guest = machine.Machine(folder, files_of / "vmlinuz",
                            folder / "initramfs", disk, APPEND)
    try:
        results, why = guest.wait()
    finally:
        guest.close()
    told = Told(results)
    for name, result in told.results.items():
        (folder / name).write_bytes(result.output)
    times = [f"{lack.name} {told.results[lack.words('doctor')].at_ms / 1000:.1f}"
             for lack in LACKS if lack.words("doctor") in told.results]
    lines = [f"  lacks, on Linux {series}: {time.monotonic() - began:.1f} s "
             f"({', '.join(times)})"]
    wrong = {lack.name: list(judge(lack, told)) for lack in LACKS}
    if why or [r.code for r in results if r.name == "stop"] != [0] * len(LACKS):
        wrong["boot"] = [why or "an agent did not end in order",
                         *guest.tail().splitlines()]
    for name, said in wrong.items():
        lines.append(f"    {name}: {'FAILED' if said else 'ok'}")
        lines += [f"    | {line}" for line in said]
    failed = sum(map(bool, wrong.values()))
    return lines, len(wrong) - failed, failed
