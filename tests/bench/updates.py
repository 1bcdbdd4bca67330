# SPDX-License-Identifier: GPL-2.0-or-later
"""What a release costs the network and how long it takes: a publisher, nginx on
loopback and an agent that watches a mount of its own."""

import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from agent import Agent, get, wait_for  # noqa: E402
from figures import median_noise  # noqa: E402
from publisher import Publisher, rule  # noqa: E402
from web import Server  # noqa: E402

RULES = 1000
ROUNDS_MAX = 5  # of releases, each with people who sign


def rules(changed):
    """A thousand files; the first one says what is told."""
    made = {f"family-{at % 20}/rule-{at}.yar": rule(
        f"rule_{at}", f"khien-bench-text-{at}",
        f"be63a4d4-ada9-45c2-9412-{at:012x}") for at in range(1, RULES)}
    made["changed.yar"] = rule("changed", f"khien-bench-{changed}")
    return made


class Updates:
    def __init__(self, folder):
        place = folder / "publisher"
        place.mkdir()
        self.publisher = Publisher(place)
        self.publisher.init()
        self.server = Server(folder / "server")
        self.publish(0)
        self.server.start()
        home = folder / "agent"
        home.mkdir()
        self.agent = Agent(home, conf={
            "update.url": self.server.url,
            "update.trust": self.publisher.repo / "trust",
            "scan.workers": 2})
        self.agent.start()

    def close(self):
        self.agent.close()
        self.server.stop()

    def publish(self, changed):
        self.publisher.release(rules(changed))
        self.server.bring(self.publisher.repo / "published")

    def update(self):
        self.agent.ask("update", "now", limit_s=300)
        return get(self.agent.ask("update", "status")[0], "khien.update")

    def reads(self, number):
        said = get(self.agent.status(), "khien.scan") or {}
        return all(said.get(i, {}).get("release") == number for i in "01")

    def bring(self, number):
        """(seconds until scanners read it, what the agent says)"""
        begun = time.monotonic()
        said = self.update()
        assert said["active"] == number, said
        wait_for(lambda: self.reads(number), f"release {number} is read",
                 pause_s=0.01)
        return time.monotonic() - begun, said


def measure(bench, rows):
    folder = pathlib.Path(tempfile.mkdtemp(dir=bench.place))
    updates = Updates(folder)
    try:
        took, said = updates.bring(1)
        rows.add("update.first.bytes", said["bytes"] / 1024, "KiB")
        rows.add("update.first.requests", said["requests"], "")
        rows.add("update.first.active", took, "s")
        times, sizes, requests = [], [], []
        for number in range(2, 2 + min(bench.rounds, ROUNDS_MAX)):
            updates.publish(number)
            took, said = updates.bring(number)
            times.append(took)
            sizes.append(said["bytes"] / 1024)
            requests.append(said["requests"])
        rows.add("update.change.bytes", max(sizes), "KiB", 128)
        rows.add("update.change.requests", max(requests), "", 9)
        rows.add("update.change.active", statistics.median(times), "s", None,
                 median_noise(times))
        rows.add("update.poll.requests", updates.update()["requests"], "", 2)
    finally:
        updates.close()
