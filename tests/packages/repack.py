# SPDX-License-Identifier: GPL-2.0-or-later
"""The same package with a higher version, to be upgraded to."""

import re
import shutil
import subprocess


def repack(deb, folder, suffix="+1", needs=None):
    """A file beside; `needs`: the suffix of our other packages that it
    depends on, when it is not its own."""
    tree = folder / "repack"
    subprocess.run(["dpkg-deb", "-R", str(deb), str(tree)], check=True)
    control = tree / "DEBIAN/control"
    text = control.read_text(encoding="utf-8")
    old = re.search(r"^Version: (.*)$", text, re.M).group(1)
    text = text.replace(f"Version: {old}", f"Version: {old}{suffix}")
    text = re.sub(rf"(khien[a-z-]* \(>?= {re.escape(old)})\)",
                  rf"\g<1>{needs or suffix})", text)
    control.write_text(text, encoding="utf-8")
    path = folder / f"{deb.stem}{suffix}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b",
                    str(tree), str(path)], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return path
