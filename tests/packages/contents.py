# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in the packages, and that they agree with the table of powers."""

import re
import subprocess

from build import ROOT, output

# What the two kinds of distribution keep in different places, or alone.
MOVED = {
    "usr/share/zsh/vendor-completions": "usr/share/zsh/site-functions",
}
UNIT_FOLDERS = ("lib/systemd/system", "usr/lib/systemd/system")
ONE_KIND = re.compile(
    r"usr/share/doc/[^/]+/(changelog.*|copyright|README\.md.*)|"
    r"usr/share/doc/[^/]+/[^/]+\.spdx\.json|usr/share/lintian.*")
NO_PROGRAMS = {"khien-tuf"}
# Beside what processes keep: what their way there takes (sandbox.c, probe.c).
CAPS_BEFORE = {"SETUID", "SETGID", "SETPCAP", "SYS_CHROOT", "BPF", "PERFMON",
               "NET_ADMIN", "SYS_RESOURCE", "SYS_NICE"}
CALLS_BEFORE = {
    "bpf", "perf_event_open", "fanotify_init", "fanotify_mark", "seccomp",
    "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self",
    "chroot", "mount", "unshare", "execve", "clone", "prctl", "capset",
    "capget", "setresuid", "setresgid", "setgroups", "prlimit64",
    "sched_setscheduler", "setpriority", "setsid", "wait4", "memfd_create",
    "socketpair", "bind", "listen", "fchownat", "signalfd4", "openat2",
    "name_to_handle_at", "pidfd_open", "pidfd_send_signal", "close_range",
    "timer_create", "process_madvise", "getdents64", "flock", "chmod",
}


def files(folder):
    """Path without the differences of distributions, to the file."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            continue
        name = str(path.relative_to(folder))
        for there, here in MOVED.items():
            name = name.replace(there, here)
        for place in UNIT_FOLDERS:
            if name.startswith(place):
                name = "units" + name.removeprefix(place)
        found[name] = path
    return found


def _bytes(path, folder):
    """Of a program, without the name of where its symbols lie: the other kind
    of package has none."""
    data = path.read_bytes()
    if not data.startswith(b"\x7fELF"):
        return data
    bare = folder / "bare"
    output("objcopy", "--remove-section=.gnu_debuglink", path, bare)
    return bare.read_bytes()


def check(work):
    """Both kinds of packages hold the same files with the same bytes."""
    deb, rpm = files(work.unpacked("deb")), files(work.unpacked("rpm"))
    one = {n for n in set(deb) ^ set(rpm) if not ONE_KIND.fullmatch(n)}
    assert not one, f"only in one kind of package: {sorted(one)}"
    other = [n for n in sorted(set(deb) & set(rpm)) if not ONE_KIND.fullmatch(n)
             and _bytes(deb[n], work.folder) != _bytes(rpm[n], work.folder)]
    assert not other, f"not the same in both kinds: {other}"
    built = {p.name for p in work.built.glob("khien*")
             if p.is_file() and p.stat().st_mode & 0o111} - NO_PROGRAMS
    packed = {n.rsplit("/", 1)[1] for n in deb
              if re.match(r"usr/(s?bin|libexec/khien)/", n)}
    assert built == packed, built ^ packed
    pages = {p.name for p in (ROOT / "packaging/man").iterdir()}
    there = {n.rsplit("/", 1)[1].removesuffix(".gz") for n in deb
             if n.startswith("usr/share/man/")}
    assert pages == there, pages ^ there
    text = output("sh", "-c", "for s in packaging/deb/khien.*inst "
                  "packaging/deb/khien.*rm; do sh -n $s || exit 1; done; "
                  "bash -n packaging/completions/khienctl.bash", cwd=ROOT)
    assert not text, text
    for name in ("%post", "%posttrans", "%preun", "%postun"):
        script = re.search(rf"^{name}\n(.*?)\n\n", (
            ROOT / "packaging/rpm/khien.spec").read_text(), re.M | re.S)
        subprocess.run(["sh", "-n"], input=script.group(1), text=True,
                       check=True)
    return [f"{len(deb)} files, {len(packed)} programs, {len(pages)} manual "
            "pages; deb and rpm alike"]


def setting(unit, name):
    """The words of all lines of that setting of a unit."""
    text = (ROOT / "packaging/systemd" / unit).read_text(encoding="utf-8")
    return [word for line in re.findall(rf"^{name}=(.*)$", text, re.M)
            for word in line.split()]


def _calls(unit):
    """The system calls that the unit's filter leaves."""
    text = (ROOT / "packaging/systemd" / unit).read_text(encoding="utf-8")
    left = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.M):
        words = line.lstrip("~").split()
        some = set()
        while words:
            word = words.pop()
            if word.startswith("@"):
                lines = output("systemd-analyze", "--no-pager",
                               "syscall-filter", word).splitlines()[1:]
                words += [n.strip() for n in lines
                          if n.strip() and not n.strip().startswith("#")]
            else:
                some.add(word)
        left = left - some if line.startswith("~") else left | some
    return left


def _role_calls():
    text = (ROOT / "agent/lib/role.c").read_text(encoding="utf-8")
    lists = re.findall(r"_calls\[\] = \{(.*?)\};", text, re.S)
    assert len(lists) > 8
    return {call for each in lists for call in re.findall(r'"(\w+)"', each)} \
        - {"thread", "socket"} | {"socket"}


def powers(work):
    """The table in role.c, the unit and the users say the same."""
    text = (ROOT / "agent/lib/role.c").read_text(encoding="utf-8")
    users = set(re.findall(r'\.user = "([\w-]+)"', text))
    made = set(re.findall(r"^u ([\w-]+) ", (
        ROOT / "packaging/sysusers/khien.conf").read_text(), re.M))
    assert users == made, f"users: {users ^ made}"
    purged = re.search(r'^users="(.*?)"', (
        ROOT / "packaging/deb/khien.postrm").read_text(), re.M | re.S)
    assert users == set(purged.group(1).split())
    caps = {word.removeprefix("CAP_")
            for word in setting("khien.service", "CapabilityBoundingSet")}
    table = text[text.index("roles[ROLE_LEN]"):]
    kept = set(re.findall(r"CAP\(CAP_(\w+)\)", table))
    assert caps == kept | CAPS_BEFORE, f"{caps ^ (kept | CAPS_BEFORE)}"
    left = _calls("khien.service")
    missing = (_role_calls() | CALLS_BEFORE) - left
    assert not missing, f"the unit refuses what processes do: {missing}"
    _ = work
    return [f"{len(users)} users, {len(caps)} capabilities, "
            f"{len(left)} system calls"]
