# SPDX-License-Identifier: GPL-2.0-or-later
"""Upgrades that end in the middle."""

import pathlib
import shutil

import layers
from build import output
from repack import repack

HERE = pathlib.Path(__file__).resolve().parent


def compile_cut(path):
    """See cut.c."""
    output("cc", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-o", path,
           HERE / "cut.c")
    return path


def check(work):
    image = layers.image(work)
    folder = work.folder / "broken"
    folder.mkdir()
    for name, path in work.packages("deb").items():
        old = pathlib.Path(shutil.copy(path, folder / f"{name}.deb"))
        repack(old, folder, other=True)
    repack(folder / "khien.deb", folder, "+2", preinst="exit 1")
    return layers.run(work, "broken.sh", image, folder,
                      compile_cut(work.folder / "cut.so"), left=False)
