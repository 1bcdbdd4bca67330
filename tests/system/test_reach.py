# SPDX-License-Identifier: GPL-2.0-or-later
"""Executions where fanotify cannot look: from memory, and from file systems
that only a namespace knows.  What may not run runs not one instruction: the
first one of these programs leaves the canary."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

import fuse_server
import gated
from agent import BUILD, get, wait_for

TRIES = int(os.environ.get("KHIEN_TRIES", "10"))
# No library, no constructor: _start itself opens the canary.
PROGRAM = r"""
static long
call(long number, long a, long b, long c)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}
__attribute__((used)) static const char marker[] = "%s";
__attribute__((used)) void
run(void)
{
	call(2, (long)"%s", 0101, 0666);
	call(60, 0, 0, 0);
}
__asm__(".globl _start\n_start: and $-16, %%rsp\ncall run\n");
"""
FREESTANDING = ("-nostdlib", "-static", "-fno-stack-protector",
                "-fcf-protection=none", "-Wl,--build-id=none")
# As an ordinary user: what is killed when [gate] on_unreached is kill.
WAYS = ("memfd", "memfd-path", "userns", "deleted", "thread", "vfork", "pidns",
        "traced", "continued")
# Those where whoever owns the process cannot make it go on by himself.
HELD = ("memfd", "memfd-path", "userns", "deleted", "thread", "vfork", "pidns")


class Reach:
    """An agent that stops executions in one cgroup, and programs to try."""

    def __init__(self, folder, ground, **conf):
        self.ground = ground
        self.bad = folder / "bad"
        self.good = folder / "good"
        folder.chmod(0o755)
        gated.compile_c(PROGRAM % (gated.MARKER, ground.canary), self.bad,
                        *FREESTANDING)
        gated.compile_c(PROGRAM % ("nothing", ground.canary), self.good,
                        *FREESTANDING)
        self.yard = ground.yard / "hidden"
        self.yard.mkdir()
        self.tool = shutil.copy(BUILD / "tests/system/reach-try",
                                ground.folder)
        ground.yard.chmod(0o777)
        (folder / "agent").mkdir()
        self.agent = gated.make(folder / "agent", ground, **conf)

    def start(self):
        gated.start(self.agent)
        wait_for(lambda: self.sensor("state", "") in ("kill", "hold"),
                 "executions are stopped")

    def sensor(self, name, default=0):
        value = get(self.agent.status() or {}, f"khien.sensor.reach.{name}",
                    default)
        return int(value) if isinstance(default, int) else value

    def held(self, name):
        return int(get(self.agent.status() or {},
                       f"khien.engine.held.{name}", 0))

    def attempt(self, way, program, uid=gated.NOBODY, times=TRIES):
        """(killed, ran, ended otherwise, longest in microseconds)"""
        done = subprocess.run(
            [self.tool, way, self.ground.scope, str(uid), str(times), program,
             self.yard], check=True, capture_output=True, text=True)
        assert not done.stderr, done.stderr
        return tuple(int(word) for word in done.stdout.split())


@pytest.fixture
def make_reach(request, tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    if os.uname().machine != "x86_64":
        pytest.skip("the program of the test is written for x86-64")
    agents = request.node.agents = []
    with contextlib.ExitStack() as stack:
        ground = gated.Ground()
        stack.callback(ground.close)
        if not ground.scope.is_dir():
            pytest.skip("no cgroup v2 tree: nothing may be stopped here")

        def make(start=True, **conf):
            reach = Reach(tmp_path_factory.mktemp("reach"), ground, **conf)
            agents.append(reach.agent)
            stack.callback(reach.agent.close)
            if start:
                reach.start()
            return reach
        yield make


def rules_of(agent):
    return [d["rule"]["name"] for d in agent.ask("detections")]


def test_the_ways_are_ways(make_reach):
    """With the agent switched off each of them leads to the canary."""
    reach = make_reach(start=False)
    for way in WAYS:
        assert reach.attempt(way, reach.bad, times=1)[1] == 1, way
        assert reach.ground.ran(), way
    assert reach.attempt("mountns", reach.bad, uid=0, times=1)[1] == 1
    assert reach.ground.ran()


def test_killed_before_the_first_instruction(make_reach):
    reach = make_reach()
    for way in WAYS:
        for program in (reach.bad, reach.good):
            killed, ran, others, _ = reach.attempt(way, program)
            assert (killed, ran, others) == (TRIES, 0, 0), way
            assert not reach.ground.ran(), way
    total = 2 * TRIES * len(WAYS)
    wait_for(lambda: reach.sensor("killed") == total, "all are counted")
    assert reach.sensor("held") == 0


def test_a_kill_is_a_detection(make_reach):
    reach = make_reach()
    reach.attempt("userns", reach.bad, times=1)
    found = wait_for(lambda: [
        d for d in reach.agent.ask("detections")
        if d["rule"]["name"] == "khien_unreached_killed"], "it is told")[0]
    assert found["file"]["path"] == str(reach.yard / "program")
    assert get(found, "process.pid") > 0
    assert get(found, "event.action") == "block"
    events = reach.agent.events("--type", "stop")
    assert [e["file"]["path"] for e in events] == [str(reach.yard / "program")]
    assert "killed" in events[0]["khien"]["flags"]


def outcomes(reach):
    """How many went on, and how many did not: what the policy kills as well
    may be gone before the guardian comes; nobody is held for a sensor that
    the machine left without a turn for seconds."""
    return (reach.held("released") + reach.sensor("let_go"),
            reach.held("killed") + reach.held("gone"))


def test_the_privileged_are_held_and_judged(make_reach):
    reach = make_reach()
    for way in ("memfd", "mountns", "thread"):
        killed, ran, others, _ = reach.attempt(way, reach.bad, uid=0)
        assert (killed, ran, others) == (TRIES, 0, 0), way
        assert not reach.ground.ran(), way
        killed, ran, others, _ = reach.attempt(way, reach.good, uid=0)
        assert (killed, ran, others) == (0, TRIES, 0), way
        assert reach.ground.ran(), way
    wait_for(lambda: "khien_canary" in rules_of(reach.agent), "it is told")
    assert reach.sensor("killed") == 0
    with contextlib.suppress(AssertionError):  # told apart below
        wait_for(lambda: sum(outcomes(reach)) == 6 * TRIES, "all are counted")
    assert outcomes(reach) == (3 * TRIES, 3 * TRIES), (
        get(reach.agent.status(), "khien.sensor.reach"),
        get(reach.agent.status(), "khien.engine.held"))


def test_hold_judges_everybody(make_reach):
    reach = make_reach(gate_on_unreached="hold")
    for way in HELD:
        killed, ran, others, _ = reach.attempt(way, reach.bad)
        assert (killed, ran, others) == (TRIES, 0, 0), way
        assert not reach.ground.ran(), way
        killed, ran, others, _ = reach.attempt(way, reach.good)
        assert (killed, ran, others) == (0, TRIES, 0), way
        assert reach.ground.ran(), way
    killed, ran, others, _ = reach.attempt("traced", reach.good)
    assert (killed, ran, others) == (TRIES, 0, 0), "a tracer swallows SIGSTOP"
    record = next(d for d in reach.agent.ask("detections")
                  if d["rule"]["name"] == "khien_canary")
    assert len(get(record, "file.hash.sha256")) == 64
    assert reach.held("max_us") > 0


def test_allow_and_observe_stop_nobody(make_reach):
    reach = make_reach(start=False, gate_on_unreached="allow")
    gated.start(reach.agent)
    assert reach.attempt("memfd", reach.bad, times=1)[1] == 1
    assert reach.ground.ran()
    wait_for(lambda: reach.sensor("state", "") == "off", "it is said")


@pytest.mark.parametrize("policy", ["kill", "hold"])
def test_what_configuration_leaves_out_is_left_alone(make_reach, policy):
    """[gate] watch names one mount: programs of others are not stopped."""
    reach = make_reach(gate_on_unreached=policy)
    for uid in (0, gated.NOBODY):
        subprocess.run(
            ["sh", "-c", f"echo 0 > {reach.ground.scope}/cgroup.procs && "
             f"exec setpriv --reuid {uid} /bin/true"], check=True)
    assert reach.attempt("memfd", reach.good, uid=0, times=1)[1] == 1
    wait_for(lambda: reach.sensor("held") == 1, "the other one is counted")
    assert reach.sensor("killed") == 0


def test_outside_the_scope_nobody_is_stopped(make_reach):
    reach = make_reach()
    reach.ground.scope = pathlib.Path(gated.CGROUPS)
    assert reach.attempt("memfd", reach.bad, times=1)[1] == 1
    assert reach.ground.ran()


def test_a_scope_that_is_missing_stops_nobody(make_reach):
    reach = make_reach(start=False,
                       gate_scope_cgroup=gated.CGROUPS / "khien-is-not-there")
    gated.start(reach.agent)
    wait_for(lambda: "scope_cgroup" in reach.sensor("state", ""), "it is said")
    assert reach.attempt("memfd", reach.bad, times=1)[1] == 1


def run_held(reach, times=1, program=None):
    """Starts it as root from memory, in the background."""
    return subprocess.Popen(
        [reach.tool, "memfd", reach.ground.scope, "0", str(times),
         program or reach.good, reach.yard], stdout=subprocess.PIPE, text=True)


def finish(process, limit_s=10):
    out, _ = process.communicate(timeout=limit_s)
    return tuple(int(word) for word in out.split())


def test_nobody_stays_held_without_a_gate(make_reach):
    """By on_deadline: what is not answered in time runs, or is killed."""
    for policy, want in (("allow", (0, 1, 0)), ("deny", (1, 0, 0))):
        reach = make_reach(gate_on_deadline=policy)
        os.kill(reach.agent.pid_of("gate"), signal.SIGSTOP)
        assert finish(run_held(reach))[:3] == want
        reach.agent.stop()
        shutil.rmtree(reach.yard)


def test_nobody_stays_held_without_an_engine(make_reach):
    reach = make_reach()
    os.kill(reach.agent.pid_of("engine"), signal.SIGSTOP)
    assert finish(run_held(reach, TRIES))[:3] == (0, TRIES, 0)


@pytest.mark.parametrize("role", ["sensor", "gate"])
def test_nobody_stays_held_when_one_dies(make_reach, role):
    reach = make_reach()
    process = run_held(reach, 50)
    for _ in range(3):
        time.sleep(0.1)
        with contextlib.suppress(TypeError, ProcessLookupError):
            os.kill(reach.agent.pid_of(role), signal.SIGKILL)
    killed, ran, others, _ = finish(process, 60)
    assert (killed, ran, others) == (0, 50, 0)


def test_nobody_stays_held_when_khiend_dies(make_reach):
    reach = make_reach()
    os.kill(reach.agent.pid_of("gate"), signal.SIGSTOP)
    process = run_held(reach)
    wait_for(lambda: reach.sensor("held") == 1, "one is held")
    reach.agent.child.kill()
    assert finish(process)[:3] == (0, 1, 0)


def test_many_at_once(make_reach):
    reach = make_reach(scan_workers=2)
    processes = [run_held(reach, 1, program)
                 for program in (reach.good, reach.bad) for _ in range(100)]
    results = [finish(p, 60)[:3] for p in processes]
    assert results[:100] == [(0, 1, 0)] * 100
    assert sum(r[0] for r in results[100:]) + sum(
        r[1] for r in results[100:]) == 100


@pytest.mark.parametrize("policy", ["allow", "deny"])
def test_programs_from_afar_are_not_held(make_reach, request, policy):
    """A file system that is known and cannot be asked about: its programs
    run on, and are ended later if they are to be."""
    if not os.path.exists("/dev/fuse"):
        pytest.skip("no FUSE in this kernel")
    reach = make_reach(gate_on_deadline=policy)
    sleeper = gated.compile_c(
        '__asm__(".globl _start\\n_start: mov $34, %eax\\nsyscall\\n"'
        '"jmp _start\\n");', reach.yard / "sleeper", *FREESTANDING)  # pause(2)
    far = fuse_server.Fuse(reach.ground.folder / "far", sleeper)
    request.addfinalizer(far.close)
    wait_for(lambda: far.path.name in str(get(
        reach.agent.status(), "khien.uncovered")), "it is known")
    process = subprocess.Popen(
        ["sh", "-c", f"echo 0 > {reach.ground.scope}/cgroup.procs && "
         f"exec {far.path}/program"])
    wait_for(lambda: reach.sensor("followed") == 1, "it is followed")
    if policy == "deny":
        assert process.wait(10) == -signal.SIGKILL
    else:
        wait_for(lambda: reach.held("left") == 1, "it is left alone")
        state = pathlib.Path(f"/proc/{process.pid}/stat").read_text()
        assert state.rsplit(")", 1)[1].split()[0] == "S"
        process.kill()
        process.wait()
    assert reach.sensor("held") == 0 and reach.sensor("killed") == 0
