# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages of the other kind come into a root, and go.

It is a Debian: a package of nothing says on its behalf what it has, so that
whatever else one of ours asks for is missed.
"""

import shutil

import layers
from build import output

GROUND = """\
Name: ground
Version: 1
Release: 1
Summary: What this root has without rpm
License: none
BuildArch: noarch
AutoReqProv: no
{provides}
%description
%{{summary}}.
%files
"""


def _ground(work, into, rpms):
    """Says that everything is there that is not ours."""
    asked = {line for path in rpms
             for line in output("rpm", "-qp", "--requires", path).splitlines()}
    asked = sorted(line for line in asked
                   if not line.startswith(("rpmlib(", "khien", "config(")))
    assert "systemd" in asked and len(asked) > 20, asked
    spec = work.folder / "ground.spec"
    spec.write_text(GROUND.format(provides="\n".join(
        f"Provides: {line}" for line in asked)), encoding="utf-8")
    output("rpmbuild", "-bb", "--define", f"_topdir {work.folder}/top",
           "--define", f"_rpmdir {into}", "--define",
           "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
           spec)
    return len(asked)


def check(work):
    image = layers.image(work)
    rpms = work.folder / "rpms"
    rpms.mkdir()
    for path in work.packages("rpm").values():
        shutil.copy(path, rpms)
    asked = _ground(work, rpms, sorted(rpms.iterdir()))
    said = layers.run(work, "rpm.sh", image, layers.debs(work), rpms)
    return [f"asks for {asked} things that are not ours", *said]
