# SPDX-License-Identifier: GPL-2.0-or-later
"""A worker builds a program of forty files, changes it and builds again."""

import pathlib
import pwd
import os
import time

from lib import fact, sh

FILES = 40
folder = pathlib.Path("/home/worker/project")
folder.mkdir()
for i in range(FILES):
    (folder / f"part{i}.c").write_text(
        f"#include <stdio.h>\n#include <string.h>\n#include \"all.h\"\n"
        f"int part{i}(int x)\n{{\n\tchar text[64];\n"
        f"\t(void)snprintf(text, sizeof(text), \"%d\", x);\n"
        f"\treturn (int)strlen(text) + {i};\n}}\n")
(folder / "all.h").write_text(
    "".join(f"int part{i}(int x);\n" for i in range(FILES)))
(folder / "main.c").write_text(
    "#include <stdio.h>\n#include \"all.h\"\nint main(void)\n{\n\tint n = 0;\n"
    + "".join(f"\tn += part{i}(7);\n" for i in range(FILES)) +
    "\treturn printf(\"%d\\n\", n) < 0;\n}\n")
(folder / "Makefile").write_text(
    "SRC := $(wildcard *.c)\nprogram: $(SRC:.c=.o)\n\tgcc -o $@ $^\n"
    "%.o: %.c all.h\n\tgcc -O1 -c $< -o $@\n")
entry = pwd.getpwnam("worker")
for path in [folder, *folder.iterdir()]:
    os.chown(path, entry.pw_uid, entry.pw_gid)

expected = sum(1 + i for i in range(FILES))
began = time.monotonic()
assert sh("cd project; make -s -j2; ./program", user="worker",
          limit_s=450) == f"{expected}\n"
fact(f"{FILES + 1} files in {time.monotonic() - began:.1f} s")
assert sh("cd project; sed -i 's/%d/%5d/' part0.c; make -s -j2; ./program",
          user="worker") == f"{expected + 4}\n"
