# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages come into a Debian, are upgraded, and go."""

import layers


def check(work):
    image = layers.image(work)
    debs = layers.debs(work)
    # One that the line was too short for.
    broken = bytearray((debs / "khien+1.deb").read_bytes())
    (debs / "broken.deb").write_bytes(broken[:len(broken) * 2 // 3])
    return layers.run(work, "life.sh", image, debs)
